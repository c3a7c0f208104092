"""Writes a backup while the installation runs."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.backup.archive import ArchiveWriter
from app.backup.databases import shown, sync
from app.backup.installation_keys import effective_keys
from app.backup.media import media_names
from app.backup.progress import Progress
from app.backup.snapshot import Snapshot, reading
from app.errors import Conflict, OutOfSpace
from app.faults import fault_of
from app.language import _
from app.settings import Settings


def back_up(settings: Settings, path: Path, *, with_media: bool, progress: Progress) -> None:
    """Writes the database and the keys, and with `with_media` all clips, videos and pictures, to a new file
    that only this user can read.

    Raises Conflict if the file exists or cannot be written, its disk is full, or there is nothing to
    back up. Nothing is left then.
    """
    if path.exists():
        raise Conflict(_("{path} exists already. Name another file.").format(path=path))
    _require_database(settings)
    with _draft(path) as file, reading(settings.database_url) as snapshot:
        revision = snapshot.revision
        if revision is None:
            raise _nothing_there(settings)
        with ArchiveWriter(file, revision) as writer:
            _write(writer, settings, snapshot, progress, with_media=with_media)
            writer.finish()
    progress.say(_("The backup is complete: {path}").format(path=path))


def _require_database(settings: Settings) -> None:
    if settings.is_sqlite and not settings.sqlite_path.exists():
        raise _nothing_there(settings)


def _nothing_there(settings: Settings) -> Conflict:
    sentence = _("There is nothing to back up: {database} is empty.")
    return Conflict(sentence.format(database=shown(settings)))


def _write(
    writer: ArchiveWriter,
    settings: Settings,
    snapshot: Snapshot,
    progress: Progress,
    *,
    with_media: bool,
) -> None:
    for table in snapshot.tables():
        writer.add_table(table, progress.counting(table.name, snapshot.rows(table)))
    writer.add_keys(effective_keys(settings))
    if with_media:
        names = list(media_names(snapshot.connection))
        files = ((name, settings.media_dir / name) for name in names)
        written = writer.add_media(progress.counting("media", files, unit="files"))
        if missing := len(names) - written:
            sentence = _("{n} of these files are not in {folder}.")
            progress.say(sentence.format(n=missing, folder=settings.media_dir))


@contextmanager
def _draft(path: Path) -> Iterator[IO[bytes]]:
    """A file beside `path`, which gets that name once the block has ended. Two processes cannot write
    the same one; that of a killed process is overwritten.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        file = os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with file:  # what is still buffered does not fit on a full disk either
            yield from _written(file, draft, path)
    except OSError as error:
        raise _unwritable(path, error) from None
    sync(path.parent)


def _written(file: IO[bytes], draft: Path, path: Path) -> Iterator[IO[bytes]]:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Conflict(_("Another backup to {path} is under way.").format(path=path)) from None
    try:
        file.truncate()
        yield file
        file.flush()
        os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> Conflict:
    if error.errno == errno.EFBIG or isinstance(fault_of(error), OutOfSpace):
        sentence = _("The disk of {folder} is full. Nothing was kept of the backup.")
        return Conflict(sentence.format(folder=path.parent))
    sentence = _("{path} cannot be written ({reason}).")
    return Conflict(sentence.format(path=path, reason=error.strerror))
