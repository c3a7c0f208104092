"""A damaged backup is refused; neither that nor a full disk leaves files behind."""

import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from app.backup.archive import BadArchive
from app.backup.backing_up import back_up
from app.backup.media import media_names
from app.backup.progress import Progress
from app.backup.restoring import restore
from app.backup.snapshot import open_engine
from app.database.hold import file_alone
from app.errors import Conflict
from app.settings import ROOT, Settings
from tests.backup.conftest import NewPlace
from tests.backup.worlds import make_world, media_of, rows_of

Spoil = Callable[[Path], None]


def quiet() -> Progress:
    return Progress(io.StringIO())


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup with media, made once."""
    from tests.backup.worlds import new_settings

    folder = tmp_path_factory.mktemp("sound")
    settings = new_settings(folder / "data")
    make_world(settings)
    back_up(settings, folder / "backup", with_media=True, progress=quiet())
    return folder / "backup"


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def with_an_altered_table(path: Path) -> None:
    _replace(path, "tables/user.jsonl", lambda member: member.replace(b"alice", b"mallo"))


def with_a_row_less(path: Path) -> None:
    _replace(path, "tables/user.jsonl", lambda member: member.partition(b"\n")[2])


def with_a_flipped_bit(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("tables/user.jsonl").header_offset
    content = bytearray(path.read_bytes())
    content[start + 120] ^= 4
    path.write_bytes(content)


def of_other_content(path: Path) -> None:
    path.write_bytes(b"This is a letter to Carol.\n" * 1000)


def without_a_manifest(path: Path) -> None:
    _replace(path, "manifest.json", None)


def with_a_table_missing(path: Path) -> None:
    _replace(path, "tables/team.jsonl", None)


def of_a_newer_version(path: Path) -> None:
    _manifest(path, revision="9999")


def of_a_newer_format(path: Path) -> None:
    _manifest(path, format=2)


def with_a_file_elsewhere(path: Path) -> None:
    listed = b'["../../clippyfront.db",4,"0"]\n'
    _replace(path, "media.jsonl", lambda _member: listed)
    _describe_media(path, listed)


def with_an_endless_table(path: Path) -> None:
    """Of a few bytes that unpack to many."""
    _replace(path, "tables/user.jsonl", lambda _member: b"\0" * 200_000_000)


def _replace(path: Path, name: str, change: Callable[[bytes], bytes] | None) -> None:
    spoilt = path.with_name("spoilt")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(spoilt, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename != name:
                new.writestr(member, content)
            elif change:
                new.writestr(member.filename, change(content))
    spoilt.replace(path)


def _manifest(path: Path, **changes: object) -> None:
    def change(member: bytes) -> bytes:
        return msgspec.json.encode(msgspec.json.decode(member) | changes)

    _replace(path, "manifest.json", change)


def _describe_media(path: Path, listed: bytes) -> None:
    from hashlib import sha256

    _manifest(path, media={"rows": 1, "size": len(listed), "sha256": sha256(listed).hexdigest()})


SPOILT: dict[Spoil, str] = {
    truncated: "is not a backup of ClippyFront, or not a complete one",
    of_other_content: "is not a backup of ClippyFront, or not a complete one",
    without_a_manifest: "is not a backup of ClippyFront, or not a complete one",
    with_an_altered_table: "is damaged",
    with_a_row_less: "is damaged",
    with_a_flipped_bit: "is damaged",
    with_a_table_missing: "is damaged",
    with_a_file_elsewhere: "is damaged",
    with_an_endless_table: "is damaged",
    of_a_newer_version: "is from a newer version",
    of_a_newer_format: "is from a newer version",
}


@pytest.mark.parametrize(
    ("spoil", "words"), SPOILT.items(), ids=lambda one: getattr(one, "__name__", "")
)
def test_a_damaged_backup_is_refused_and_changes_nothing(
    sound: Path, new_place: NewPlace, tmp_path: Path, spoil: Spoil, words: str
) -> None:
    path, place = tmp_path / "backup", new_place("sqlite")
    shutil.copy(sound, path)
    spoil(path)

    with pytest.raises(BadArchive, match=re.escape(str(path)) + " " + words):
        restore(place, path, progress=quiet())

    assert not place.sqlite_path.exists()
    assert not list(place.data_dir.glob(".*"))
    assert media_of(place) == {}


def test_only_its_owner_can_read_it_and_nothing_is_overwritten(
    world: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "backup"
    back_up(world, path, with_media=False, progress=quiet())
    written = path.read_bytes()

    with pytest.raises(Conflict, match="exists already"):
        back_up(world, path, with_media=False, progress=quiet())

    assert path.read_bytes() == written
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.glob("*backup*")] == ["backup"]


WRITES_LITTLE = """
import io, resource, sys
from pathlib import Path
from app.backup.backing_up import back_up
from app.backup.progress import Progress
from app.errors import Conflict
from app.settings import load

settings = load({"DATA_DIR": sys.argv[1]})
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    back_up(settings, Path(sys.argv[2]), with_media=True, progress=Progress(io.StringIO()))
except Conflict as error:
    print(error)
"""


def test_a_full_disk_is_named_and_nothing_is_left(world: Settings, tmp_path: Path) -> None:
    """The system refuses files of more than 200,000 bytes, as it refuses any on a full disk."""
    folder = tmp_path / "full"
    folder.mkdir()
    (world.clips_dir / "0123456789abcdef").write_bytes(os.urandom(1_000_000))

    told = subprocess.run(
        [sys.executable, "-c", WRITES_LITTLE, world.data_dir, folder / "backup"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout == f"The disk of {folder} is full. Nothing was kept of the backup.\n"
    assert list(folder.iterdir()) == []


def test_a_restore_is_refused_while_the_database_is_used(sound: Path, new_place: NewPlace) -> None:
    place = new_place("sqlite")

    with file_alone(place.sqlite_path), pytest.raises(Conflict, match="running on this database"):
        restore(place, sound, progress=quiet())

    assert not place.sqlite_path.exists()


KILLED = """
import io, os, signal, sys
from pathlib import Path
from app.backup import archive
from app.backup.progress import Progress
from app.backup.restoring import restore
from app.settings import load

class Killing(Progress):
    left = int(sys.argv[3])
    def say(self, sentence):
        Killing.left -= 1
        if not Killing.left:
            os.kill(os.getpid(), signal.SIGKILL)

restore(load({"DATA_DIR": sys.argv[1]}), Path(sys.argv[2]), progress=Killing(io.StringIO()))
"""


@pytest.mark.parametrize("line", [1, 2, 3, 12, 30])
def test_a_killed_restore_leaves_the_place_vacant_and_can_be_repeated(
    sound: Path, new_place: NewPlace, line: int
) -> None:
    place = new_place("sqlite")

    ended = subprocess.run(
        [sys.executable, "-c", KILLED, place.data_dir, sound, str(line)], cwd=ROOT, check=False
    )

    assert ended.returncode in (-9, 0)
    assert (ended.returncode == -9) is (not place.sqlite_path.exists())
    if ended.returncode:
        restore(place, sound, progress=quiet())
    assert len(rows_of(place)["user"]) == 2


def test_a_backup_before_an_upgrade_knows_no_pictures_yet(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        old.execute('CREATE TABLE "user" (id INTEGER PRIMARY KEY)')
        old.execute("CREATE TABLE clip (stored_as TEXT)")
        old.execute("CREATE TABLE compilation (id INTEGER, status TEXT, video_removed_at TEXT)")
        old.execute("INSERT INTO clip VALUES ('0123456789abcdef')")
        old.commit()
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    with engine.connect() as connection:
        names = list(media_names(connection))
    engine.dispose()

    assert names == ["clips/0123456789abcdef"]
