"""An upload read as it arrives, straight into the clips' folder: nothing large stays in memory,
and a file that is too large ends the upload at once (multipart/form-data, RFC 7578).
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from app.errors import Invalid, TooLarge
from app.language import _
from app.projects.media_storage import UPLOADING

FIELD = "clips"
MOST_PARTS = 100
LONGEST_NAME = 255
MB = 1_000_000


@dataclass
class Upload:
    """A file as it came: `name` is what its owner calls it, `size` in bytes."""

    path: Path
    name: str
    size: int = 0


@asynccontextmanager
async def receive(
    body: AsyncIterator[bytes], boundary: str, folder: Path, *, most: int
) -> AsyncIterator[list[Upload]]:
    """The files of the field `clips`, in `folder`; those not moved elsewhere go at the end.

    Raises TooLarge for a file of more than `most` bytes; Invalid for `clips` when there is none,
    or the body makes no sense.
    """
    receiver = _Receiver(_parser(boundary), folder, most)
    try:
        async for chunk in body:
            await asyncio.to_thread(receiver.feed, chunk)
        await asyncio.to_thread(receiver.end)
        yield receiver.uploads
    finally:
        await asyncio.to_thread(receiver.clear)


def _parser(boundary: str) -> PushMultipartParser:
    try:
        return PushMultipartParser(boundary, max_segment_count=MOST_PARTS)
    except MultipartError as error:
        raise _unreadable() from error


def _unreadable() -> Invalid:
    return Invalid({FIELD: _("The upload could not be read. Please try again.")})


@dataclass
class _Receiver:
    """Writes what the parser finds; one file is open at a time."""

    parser: PushMultipartParser
    folder: Path
    most: int
    uploads: list[Upload] = field(default_factory=list)
    file: BinaryIO | None = None

    def feed(self, chunk: bytes) -> None:
        try:
            for found in self.parser.parse(chunk) if chunk else ():
                self._take(found)
        except MultipartError as error:
            raise _unreadable() from error

    def end(self) -> None:
        try:
            self.parser.close()
        except MultipartError as error:
            raise _unreadable() from error
        if not self.uploads:
            raise Invalid({FIELD: _("Choose one or more videos first.")})

    def clear(self) -> None:
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
        """Other fields are passed over, and so is a file field in which nothing was chosen."""
        if part.name != FIELD or not part.filename:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        upload = Upload(self.folder / f"{secrets.token_hex(16)}{UPLOADING}", _name(part.filename))
        self.file = upload.path.open("xb")
        self.uploads.append(upload)

    def _write(self, data: bytes) -> None:
        assert self.file
        upload = self.uploads[-1]
        upload.size += len(data)
        if upload.size > self.most:
            sentence = _("'{name}' is larger than {most} MB, the most that one clip may have.")
            raise TooLarge(sentence.format(name=upload.name, most=self.most // MB))
        self.file.write(data)

    def _close(self) -> None:
        if self.file:
            self.file.close()
        self.file = None


def _name(filename: str) -> str:
    """The last part of what may be a path of another system, without what no eye can see."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    shown = "".join(character for character in last if character.isprintable()).strip()
    return shown[-LONGEST_NAME:] or "clip"
