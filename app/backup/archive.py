"""One file with everything: a ZIP with a member for each table, for the keys and for each clip.

    tables/NAME.jsonl    a row on each line, as a JSON array in the order of its columns
    keys.json            the keys of the installation, by name
    media/…              clips, videos, thumbnails and pictures of users
    media.jsonl          name, size and SHA-256 of each of those
    manifest.json        the schema's revision; columns, number of rows, SHA-256 of each table

The manifest is written last, so that a file without it is not complete.
"""

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Self

import msgspec

from app import clock
from app.backup.values import Column, Row, Table
from app.errors import Failure
from app.language import _

FORMAT = 1
MANIFEST, KEYS, MEDIA = "manifest.json", "keys.json", "media.jsonl"
LARGEST_MANIFEST = 16 * 2**20
LONGEST_LINE = 64 * 2**20
PIECE = 2**20
MEDIA_NAME = re.compile(
    r"clips/[\w-]{1,64}|compilations/\d{1,18}\.(?:mp4|jpg)|avatars/\d{1,18}\.[0-9a-f]{32}\.webp",
    re.ASCII,
)


class Part(msgspec.Struct, frozen=True):
    """What was written to one member. `rows` are lines; `size` is in bytes."""

    rows: int
    size: int
    sha256: str


class TablePart(msgspec.Struct, frozen=True):
    name: str
    columns: tuple[tuple[str, str], ...]
    sequence: int | None
    part: Part

    @property
    def table(self) -> Table:
        return Table(self.name, tuple(Column(*each) for each in self.columns), self.sequence)


class Manifest(msgspec.Struct, frozen=True):
    """`media` is None where clips and videos were left out."""

    format: int
    revision: str
    made_at: str
    tables: list[TablePart]
    keys: Part
    media: Part | None


class MediaFile(msgspec.Struct, frozen=True, array_like=True):
    name: str
    size: int
    sha256: str


class BadArchive(Failure):
    """The file is not a backup, is incomplete, or was damaged."""


def not_a_backup(path: Path) -> BadArchive:
    sentence = _("{path} is not a backup of ClippyFront, or not a complete one.")
    return BadArchive(sentence.format(path=path))


class ArchiveWriter:
    """Writes a backup to an open file. It is valid only after `finish`."""

    def __init__(self, file: IO[bytes], revision: str) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._revision, self._tables = revision, list[TablePart]()
        self._keys: Part | None = None
        self._media: Part | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(OSError, ValueError):
            self._zip.close()

    def add_table(self, table: Table, rows: Iterable[Row]) -> int:
        """Returns how many rows there were."""
        part = self._add_lines(f"tables/{table.name}.jsonl", rows)
        columns = tuple((column.name, column.kind) for column in table.columns)
        self._tables.append(TablePart(table.name, columns, table.sequence, part))
        return part.rows

    def add_keys(self, keys: Mapping[str, str]) -> None:
        self._keys = self._add_lines(KEYS, [keys])

    def add_media(self, files: Iterable[tuple[str, Path]]) -> int:
        """Returns how many of the files were there: one may be deleted at any moment."""
        written = [one for name, path in files if (one := self._add_file(name, path))]
        self._media = self._add_lines(MEDIA, written)
        return len(written)

    def finish(self) -> None:
        assert self._keys
        made_at = clock.now().isoformat()
        manifest = Manifest(FORMAT, self._revision, made_at, self._tables, self._keys, self._media)
        self._zip.writestr(MANIFEST, msgspec.json.encode(manifest))
        self._zip.close()

    def _add_lines(self, name: str, lines: Iterable[Any]) -> Part:
        rows, size, digest = 0, 0, hashlib.sha256()
        encode = msgspec.json.Encoder().encode
        with self._zip.open(name, "w", force_zip64=True) as member:
            for rows, row in enumerate(lines, 1):  # noqa: B007
                line = encode(row) + b"\n"
                size += len(line)
                digest.update(line)
                member.write(line)
        return Part(rows, size, digest.hexdigest())

    def _add_file(self, name: str, path: Path) -> MediaFile | None:
        """Stored without compression, because videos are compressed already."""
        try:
            source = path.open("rb")
        except FileNotFoundError:
            return None
        size, digest = 0, hashlib.sha256()
        member = zipfile.ZipInfo(f"media/{name}")
        with source, self._zip.open(member, "w", force_zip64=True) as target:
            while piece := source.read(PIECE):
                size += len(piece)
                digest.update(piece)
                target.write(piece)
        return MediaFile(name, size, digest.hexdigest())


class ArchiveReader:
    """Reads a complete backup. Every method raises BadArchive if the file is not one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            raise not_a_backup(path) from None
        except OSError as error:
            sentence = _("{path} cannot be read ({reason}).")
            raise BadArchive(sentence.format(path=path, reason=error.strerror)) from None
        self.manifest = self._manifest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._zip.close()

    def _manifest(self) -> Manifest:
        try:
            written = self._zip.getinfo(MANIFEST)
            if written.file_size > LARGEST_MANIFEST:
                raise not_a_backup(self._path)
            with _damage_explained(self._path):
                read = self._zip.read(written)
            manifest = msgspec.json.decode(read, type=Manifest)
        except (KeyError, msgspec.MsgspecError):
            raise not_a_backup(self._path) from None
        if manifest.format > FORMAT:
            raise BadArchive(
                _("{path} is from a newer version of ClippyFront.").format(path=self._path)
            )
        return manifest

    def rows(self, table: TablePart) -> Iterator[Row]:
        decode = msgspec.json.Decoder(list[Any]).decode
        width = len(table.columns)
        for line in self._lines(f"tables/{table.name}.jsonl", table.part):
            row = decode(line)
            if len(row) != width:
                raise _damaged(self._path)
            yield row

    def keys(self) -> dict[str, str]:
        lines = list(self._lines(KEYS, self.manifest.keys))
        return msgspec.json.decode(lines[0], type=dict[str, str]) if lines else {}

    def media(self) -> Iterator[MediaFile]:
        """Raises BadArchive for a name that does not belong to MEDIA_DIR."""
        if self.manifest.media:
            for line in self._lines(MEDIA, self.manifest.media):
                file = msgspec.json.decode(line, type=MediaFile)
                if not MEDIA_NAME.fullmatch(file.name):
                    raise _damaged(self._path)
                yield file

    def media_size(self) -> int:
        """In bytes."""
        return sum(file.size for file in self.media())

    def extract(self, file: MediaFile, target: Path) -> None:
        """Writes the file, which appears complete or not at all. One that is there is kept if it has
        the same size, as after a restore that was interrupted.
        """
        if target.exists() and target.stat().st_size == file.size:
            return
        draft = target.with_name(f".{target.name}.restoring")
        try:
            with draft.open("wb") as written:
                for piece in self._pieces(f"media/{file.name}", file.size, file.sha256):
                    written.write(piece)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def check(self) -> None:
        """Reads every table once, so that a damaged file is refused before anything is changed."""
        for table in self.manifest.tables:
            for _row in self.rows(table):
                pass
        self.keys()

    def _lines(self, name: str, part: Part) -> Iterator[bytes]:
        """The lines of a member. Raises BadArchive unless they are exactly those that were written."""
        rows, size, digest = 0, 0, hashlib.sha256()
        with _damage_explained(self._path), self._zip.open(name) as member:
            while line := member.readline(LONGEST_LINE):
                rows, size = rows + 1, size + len(line)
                digest.update(line)
                if size > part.size or not line.endswith(b"\n"):
                    raise _damaged(self._path)
                yield line
        if (rows, size, digest.hexdigest()) != (part.rows, part.size, part.sha256):
            raise _damaged(self._path)

    def _pieces(self, name: str, size: int, sha256: str) -> Iterator[bytes]:
        left, digest = size, hashlib.sha256()
        with _damage_explained(self._path), self._zip.open(name) as member:
            while piece := member.read(PIECE):
                left -= len(piece)
                digest.update(piece)
                if left < 0:
                    raise _damaged(self._path)
                yield piece
        if left or digest.hexdigest() != sha256:
            raise _damaged(self._path)


# The last two of an encrypted member, and of one compressed in a way that we never use.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    msgspec.MsgspecError,
    RuntimeError,
    NotImplementedError,
)


@contextmanager
def _damage_explained(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE:
        raise _damaged(path) from None


def _damaged(path: Path) -> BadArchive:
    sentence = _("{path} is damaged: it is not what was written when the backup was made.")
    return BadArchive(sentence.format(path=path))
