"""Files of an archive: Parquet, or CSV in gzip, written and read in batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from pyarrow import csv

from raceday.server.operations.errors import ArchiveDamaged
from raceday.server.operations.table_rows import BATCH_ROWS, RowsDigest


class ArchiveFormat(StrEnum):
    """What an archived partition is written as."""

    PARQUET = "parquet"
    CSV = "csv"

    @property
    def ending(self) -> str:
        """The end of a file's name."""
        return "parquet" if self is ArchiveFormat.PARQUET else "csv.gz"


def write_file(path: Path, kind: ArchiveFormat, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> RowsDigest:
    """Write rows to a file; returns their count and hash.

    In CSV a missing value is nothing between two commas, an empty text is `""`.
    """
    digest = RowsDigest()
    with ExitStack() as stack:
        writer: pq.ParquetWriter | csv.CSVWriter
        if kind is ArchiveFormat.PARQUET:
            writer = stack.enter_context(pq.ParquetWriter(path, schema, compression="zstd"))
        else:
            stream = stack.enter_context(pa.CompressedOutputStream(str(path), "gzip"))
            writer = stack.enter_context(csv.CSVWriter(stream, schema))
        for batch in batches:
            writer.write_batch(batch)
            digest.add(batch)
    return digest


def read_file(path: Path, kind: ArchiveFormat, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Read a file in batches of these columns; raises `ArchiveDamaged` when it is not such a file."""
    try:
        yield from _parquet_batches(path, schema) if kind is ArchiveFormat.PARQUET else _csv_batches(path, schema)
    except (pa.ArrowException, OSError) as cause:
        raise ArchiveDamaged(f"{path.name} cannot be read as {kind}: {cause}") from cause


def _parquet_batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(schema):
            raise ArchiveDamaged(f"{path.name} has other columns than its manifest says")
        yield from file.iter_batches(BATCH_ROWS)


def _csv_batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    with (
        pa.CompressedInputStream(str(path), "gzip") as stream,
        csv.open_csv(
            stream,
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=schema, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        ) as reader,
    ):
        if not reader.schema.equals(schema):
            raise ArchiveDamaged(f"{path.name} has other columns than its manifest says")
        yield from reader
