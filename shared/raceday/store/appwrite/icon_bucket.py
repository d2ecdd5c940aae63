"""Icons as files of a bucket of the platform.

Their address is that of the download: of `view`, Appwrite up to 1.9.6 says that an SVG is plain text, which no browser
shows as a picture (`image/svg+xml` is not on its list of types; appwrite/appwrite#13256, August 2026). A download has
the file's own type, and an `<img>` does not mind that it is called an attachment.
"""

from __future__ import annotations

from hashlib import md5

from raceday.errors import StoreConflict
from raceday.store.appwrite.refusal import AppwriteRefused
from raceday.store.appwrite.rest import AppwriteRest
from raceday.store.tables.buckets import SILK_ICONS
from raceday.transport import multipart

ICON_TYPE = "image/svg+xml"
ICON_TRIES = 3
"""A try fails when another run keeps the same icon at the same time."""
_FILES = f"/storage/buckets/{SILK_ICONS.bucket_id}/files"


class IconBucket:
    """Keeps each icon as the file `<silk id>.svg`; see `raceday.store.silk_ports.Icons`."""

    def __init__(self, rest: AppwriteRest, public_endpoint: str = "") -> None:
        """Ask through `rest`; icons are seen from `public_endpoint`, or from the same endpoint when that is ""."""
        self._rest = rest
        self._public = (public_endpoint or rest.settings.endpoint).rstrip("/")

    async def save(self, silk_id: str, svg: str) -> str:
        """Keep an icon and return its URL: one call for a new one, two for one that is there.

        A drawing that differs (a word of its text was learnt, a release draws it otherwise) takes the place of the old
        one: the platform replaces no file, so that for a moment there is none. Raises `StoreConflict` when other
        runs write it all the time.
        """
        content = svg.encode()
        signature = md5(content, usedforsecurity=False).hexdigest()
        for _ in range(ICON_TRIES):
            if await self._create(silk_id, content) or await self._signature(silk_id) == signature:
                return self._url(silk_id, signature)
            await self._delete(silk_id)
        raise StoreConflict(f"icon {silk_id} is written by other runs all the time")

    async def _create(self, silk_id: str, content: bytes) -> bool:
        """Make the file; False when there is one (an earlier try of the same call may have made it)."""
        content_type, form = multipart({"fileId": silk_id}, f"{silk_id}.svg", content, ICON_TYPE)
        try:
            await self._rest.send("POST", _FILES, headers={"content-type": content_type}, content=form)
        except AppwriteRefused as error:
            if error.kind == "storage_file_already_exists":
                return False
            raise
        return True

    async def _signature(self, silk_id: str) -> str | None:
        """Return the MD5 of the file as the platform took it (before it encrypts it), None when there is none."""
        try:
            return str((await self._rest.call("GET", f"{_FILES}/{silk_id}")).get("signature"))
        except AppwriteRefused as error:
            if error.kind == "storage_file_not_found":
                return None
            raise

    async def _delete(self, silk_id: str) -> None:
        try:
            await self._rest.call("DELETE", f"{_FILES}/{silk_id}")
        except AppwriteRefused as error:
            if error.kind != "storage_file_not_found":
                raise

    def _url(self, silk_id: str, signature: str) -> str:
        """Return the address of a drawing; `drawn` makes it another one when the drawing changes.

        Browsers are told to keep the file for 45 days; the platform ignores parameters that it does not know.
        """
        project = self._rest.settings.project_id
        return f"{self._public}{_FILES}/{silk_id}/download?project={project}&drawn={signature[:8]}"
