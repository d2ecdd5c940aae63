"""Icons as files of a local folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from raceday.errors import ConfigError, StoreUnavailable


class IconFolder:
    """Keeps each icon as `<silk id>.svg`; see `raceday.store.silk_ports.Icons`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    @classmethod
    def open(cls, folder: str | Path) -> IconFolder:
        """Open a folder, making it when it is missing. Raises `ConfigError` when that cannot be done."""
        path = Path(folder)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{path.absolute()} cannot hold icons ({error.strerror}); name another folder") from error
        return cls(path)

    async def save(self, silk_id: str, svg: str) -> str:
        """Write an icon and return its file URL. Raises `StoreUnavailable` when the disk does not take it."""
        place = self._folder / f"{silk_id}.svg"
        try:
            _write_whole(place, svg)
        except OSError as error:
            raise StoreUnavailable(f"{place} cannot be written: {error.strerror}") from error
        return place.as_uri()


def _write_whole(place: Path, text: str) -> None:
    """Write a file beside its place and move it there, so that no reader ever finds half of it."""
    handle, name = tempfile.mkstemp(prefix=f".{place.stem}-", dir=place.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        beside.chmod(0o644)
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
