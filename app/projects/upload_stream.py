"""Reads an upload (multipart/form-data, RFC 7578) as it arrives and writes the files to disk.

Nothing large stays in memory, and a file over the limit ends the upload at once.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from app.errors import Invalid, TooLarge
from app.http import unreadable_upload
from app.language import _
from app.projects.media_storage import UPLOADING
from app.projects.video.ffmpeg import disk_full_explained
from app.values.sizes import MB

FIELD = "clips"
MAX_FILES, MAX_OTHER_FIELDS = 100, 20
MAX_NAME_LENGTH = 255

Cover = Callable[[int], Awaitable[int]]


class Overfull(Exception):
    """There is no room for more bytes of this upload."""


@dataclass
class Upload:
    """A received file. `name` is the file name its sender gave, `size` is in bytes."""

    path: Path
    name: str
    size: int = 0


@asynccontextmanager
async def receive(
    body: AsyncIterator[bytes], boundary: str, folder: Path, *, limit: int, cover: Cover
) -> AsyncIterator[list[Upload]]:
    """Writes the files of the field `clips` to `folder` and yields them. Files that are still
    there when the block ends are removed, also when the disk is full (DiskFull).

    `cover` is called before bytes are written, with their total number, and returns how many there
    is room for. Raises TooLarge for a file of more than `limit` bytes, Overfull when there is no
    room for all files together, and Invalid for `clips` if there is no file or more than MAX_FILES,
    the body is malformed, or more than an MB of it belongs to no file.
    """
    receiver, arrived = _Receiver(_parser(boundary), folder, limit), 0
    try:
        async for chunk in body:
            arrived += len(chunk)
            receiver.room = await cover(receiver.written + len(chunk))
            with disk_full_explained():
                await asyncio.to_thread(receiver.feed, chunk)
            if arrived - receiver.written > MB:
                raise unreadable_upload(FIELD)
        with disk_full_explained():
            await asyncio.to_thread(receiver.end)
        yield receiver.uploads
    finally:
        await asyncio.to_thread(receiver.clear)


def _parser(boundary: str) -> PushMultipartParser:
    try:
        return PushMultipartParser(boundary, max_segment_count=MAX_FILES + MAX_OTHER_FIELDS)
    except MultipartError as error:
        raise unreadable_upload(FIELD) from error


@dataclass
class _Receiver:
    """Writes the files that the parser finds. One file is open at a time.

    `written` is the size of all files together, and may not exceed `room`.
    """

    parser: PushMultipartParser
    folder: Path
    limit: int
    uploads: list[Upload] = field(default_factory=list)
    file: BinaryIO | None = None
    room: int = 0
    written: int = 0

    def feed(self, chunk: bytes) -> None:
        try:
            for found in self.parser.parse(chunk) if chunk else ():
                self._take(found)
        except MultipartError as error:
            raise unreadable_upload(FIELD) from error

    def end(self) -> None:
        try:
            self.parser.close()
        except MultipartError as error:
            raise unreadable_upload(FIELD) from error
        if not self.uploads:
            raise Invalid({FIELD: _("Choose one or more videos first.")})

    def clear(self) -> None:
        with suppress(OSError):  # what is still buffered does not fit on a full disk
            self._close()
        for upload in self.uploads:
            upload.path.unlink(missing_ok=True)

    def _take(self, found: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(found, MultipartSegment):
            self._begin(found)
        elif found is None:
            self._close()
        elif self.file:
            self._write(bytes(found))

    def _begin(self, part: MultipartSegment) -> None:
        """Opens a file for the part. Other fields and empty file fields are skipped."""
        if part.name != FIELD or not part.filename:
            return
        if len(self.uploads) == MAX_FILES:
            sentence = _("At most {limit} files can be uploaded at once. Please choose fewer.")
            raise Invalid({FIELD: sentence.format(limit=MAX_FILES)})
        self.folder.mkdir(parents=True, exist_ok=True)
        upload = Upload(self.folder / f"{secrets.token_hex(16)}{UPLOADING}", _name(part.filename))
        self.file = _create(upload.path)
        self.uploads.append(upload)

    def _write(self, data: bytes) -> None:
        assert self.file
        upload = self.uploads[-1]
        upload.size += len(data)
        if upload.size > self.limit:
            sentence = _("'{name}' is too large. A clip can have at most {limit} MB.")
            raise TooLarge(sentence.format(name=upload.name, limit=self.limit // MB))
        self.written += len(data)
        if self.written > self.room:
            raise Overfull
        self.file.write(data)

    def _close(self) -> None:
        file, self.file = self.file, None
        if file:
            file.close()


def _create(path: Path) -> BinaryIO:
    return path.open("xb")


def _name(filename: str) -> str:
    """The file name without folders (in the style of any system) or unprintable characters."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    printable = "".join(character for character in last if character.isprintable()).strip()
    return printable[-MAX_NAME_LENGTH:] or "clip"
