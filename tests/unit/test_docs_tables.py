"""The page about the tables says what the catalogue says."""

from __future__ import annotations

from pathlib import Path

import pytest

from raceday.store.tables import CATALOGUE, Table
from raceday.store.tables.document import main, tables_markdown

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def section(page: str, table: Table) -> list[str]:
    """The lines below a table's heading."""
    begin = page.index(f"\n## {table.name}\n")
    end = page.find("\n## ", begin + 1)
    return page[begin : end if end > 0 else None].splitlines()


def test_the_page_is_up_to_date() -> None:
    written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    assert written == tables_markdown(), (
        "docs/tables.md is stale: refresh it with python -m raceday.store.tables.document > docs/tables.md"
    )


@pytest.mark.parametrize("table", CATALOGUE, ids=lambda table: table.name)
def test_a_table_is_described_whole(table: Table) -> None:
    lines = section(tables_markdown(), table)
    assert table.about
    assert table.about in lines
    rows = [line.split(" | ") for line in lines if line.startswith("| ")][1:]
    assert [row[0].removeprefix("| ") for row in rows] == [column.name for column in table.columns]
    assert all(len(row) == 5 for row in rows), "a description must not break the columns of the page"
    [indexes] = [line for line in lines if line.startswith("Indexes: ")]
    assert [index.name for index in table.indexes if f"`{index.name}`" not in indexes] == []


def test_sizes_defaults_and_permissions_are_shown() -> None:
    page = tables_markdown()
    assert "| meetingName | text (255) | yes |  |  |" in page
    assert "| hasData | boolean |  | `false` |" in page
    assert "`idx_date` on `date`; `idx_meeting_id` on `meetingId`, unique." in page
    assert 'Permissions: `read("any")`.' in page
    assert "Permissions: API keys only; each row may grant more." in page


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert capsys.readouterr().out == tables_markdown()
