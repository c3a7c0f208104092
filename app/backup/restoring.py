"""Makes an installation from a backup."""

import shutil
from pathlib import Path

from app.backup import after_restore
from app.backup.archive import ArchiveReader, BadArchive
from app.backup.databases import alone, building, publish, require_vacant, shown
from app.backup.installation_keys import keep, other_settings, require_no_other_keys
from app.backup.media import media_names
from app.backup.moved import remove_mark
from app.backup.progress import Progress
from app.backup.target import Target
from app.backup.values import Table
from app.database.migrations import is_known
from app.errors import Conflict
from app.language import _
from app.settings import Settings


def restore(settings: Settings, path: Path, *, progress: Progress) -> None:
    """Fills the vacant database of these settings, and MEDIA_DIR if the backup has media.

    Raises BadArchive for a file that is no sound backup or of a newer version; Conflict if a process
    uses the database, it is not vacant, or a disk has no room. It is vacant then as before.
    """
    with ArchiveReader(path) as archive, alone(settings):
        _require_known(archive, path)
        keys = archive.keys()
        require_vacant(settings)
        require_no_other_keys(settings, keys)
        _require_room(settings, archive)
        progress.say(_("Checking {path} …").format(path=path))
        archive.check()
        _restore_media(settings, archive, progress)
        with building(settings) as target:
            _fill(target, archive, progress)
            missing = _count_missing(settings, target)
            keep(settings, target, keys)
        if settings.is_sqlite:
            remove_mark(settings)  # of a move away from a database that was removed since
        publish(settings)
    _report(settings, keys, missing, progress)


def _require_known(archive: ArchiveReader, path: Path) -> None:
    if not is_known(archive.manifest.revision):
        sentence = _("{path} is from a newer version of ClippyFront (schema {revision}).")
        raise BadArchive(sentence.format(path=path, revision=archive.manifest.revision))


def _require_room(settings: Settings, archive: ArchiveReader) -> None:
    rows = sum(table.part.size for table in archive.manifest.tables)
    needed = {settings.media_dir: archive.media_size()}
    if settings.is_sqlite:
        needed[settings.sqlite_path.parent] = rows
    for folder, size in needed.items():
        if shutil.disk_usage(folder).free < size:
            sentence = _("The disk of {folder} has no room for the {n} MB of this backup.")
            raise Conflict(sentence.format(folder=folder, n=size // 1_000_000))


def _restore_media(settings: Settings, archive: ArchiveReader, progress: Progress) -> None:
    """Before the database, which is never there without them."""
    for folder in (settings.clips_dir, settings.compilations_dir, settings.avatars_dir):
        folder.mkdir(parents=True, exist_ok=True)
    for file in progress.counting("media", archive.media(), unit="files"):
        archive.extract(file, settings.media_dir / file.name)


def _fill(target: Target, archive: ArchiveReader, progress: Progress) -> None:
    target.upgrade(archive.manifest.revision)
    parts = archive.manifest.tables
    target.empty([part.table for part in parts])
    for part in parts:
        target.fill(part.table, progress.counting(part.name, archive.rows(part)))
        require_same(part.table, part.part.rows, target.count(part.table))
    target.upgrade()
    after_restore.settle(target, [part.table for part in parts])


def require_same(table: Table, expected: int, found: int) -> None:
    """Raises Conflict unless as many rows arrived as were there."""
    if expected != found:
        sentence = _("Of {expected} rows of {table}, {found} have arrived. Nothing was kept.")
        raise Conflict(sentence.format(expected=expected, table=table.name, found=found))


def _count_missing(settings: Settings, target: Target) -> int:
    names = media_names(target.connection)
    return sum(not (settings.media_dir / name).exists() for name in names)


def _report(settings: Settings, keys: dict[str, str], missing: int, progress: Progress) -> None:
    for name in other_settings(settings, keys):
        sentence = _(
            "{name} is set to another key than the installation had. Links and subscriptions from "
            "before do not work with it."
        )
        progress.say(sentence.format(name=name))
    if missing:
        sentence = _("{n} clips, videos or pictures are not in {folder}.")
        progress.say(sentence.format(n=missing, folder=settings.media_dir))
    progress.say(
        _(
            "The backup is restored to {database}. Everyone has to log in again; passwords, access "
            "tokens and suspensions are as they were."
        ).format(database=shown(settings))
    )
