"""The commands that back up, restore and move an installation."""

from argparse import ArgumentParser
from pathlib import Path

from app.backup import moving, restoring
from app.backup.backing_up import back_up
from app.backup.progress import Progress
from app.installation import check_servers
from app.settings import Settings, with_database


def backup(settings: Settings, arguments: list[str]) -> None:
    parser = ArgumentParser(prog="python -m app backup")
    parser.add_argument("file", metavar="FILE", type=_path)
    parser.add_argument("--media", action="store_true", help="with all clips and videos")
    given = parser.parse_args(arguments)
    back_up(settings, given.file, with_media=given.media, progress=Progress())


def restore(settings: Settings, arguments: list[str]) -> None:
    parser = ArgumentParser(prog="python -m app restore")
    parser.add_argument("file", metavar="FILE", type=_path)
    restoring.restore(settings, parser.parse_args(arguments).file, progress=Progress())


def move(settings: Settings, arguments: list[str]) -> None:
    parser = ArgumentParser(prog="python -m app move")
    parser.add_argument("url", metavar="DATABASE_URL", nargs="?", help="of the new database")
    parser.add_argument("--undo", action="store_true", help="use the old database again")
    given = parser.parse_args(arguments)
    if given.undo:
        moving.undo_move(settings)
        print("The installation can be started again here.")
    elif given.url:
        there = with_database(settings, given.url)
        check_servers(there)
        moving.move(settings, there, progress=Progress())
    else:
        parser.error("name the new DATABASE_URL")


def _path(given: str) -> Path:
    return Path(given).expanduser().resolve()
