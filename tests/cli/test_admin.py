"""`python -m app admin` names and dismisses administrators."""

import subprocess
import sys

from app import clock
from app.database import Database
from app.models import User
from app.settings import ROOT, Settings
from tests.setups import environ_of


def run(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = f"from app.cli.commands import admin; admin({list(arguments)!r})"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environ_of(settings) | {"LOG_LEVEL": "error"},
        capture_output=True,
        text=True,
        check=False,
    )


async def stored(db: Database, user: User) -> User:
    async with db.read() as session:
        return await session.get_one(User, user.id)


async def test_it_names_and_dismisses_an_administrator(
    settings: Settings, db: Database, bob: User
) -> None:
    named = run(settings, "BOB")
    was_admin = (await stored(db, bob)).is_admin
    dismissed = run(settings, "bob", "--remove")

    assert was_admin
    assert not (await stored(db, bob)).is_admin
    assert named.stdout == "BOB is now an administrator.\n"
    assert dismissed.stdout == "bob is no longer an administrator.\n"
    assert "event=admin_named user=- address=- account=bob" in named.stderr
    assert "event=admin_dismissed user=- address=- account=bob" in dismissed.stderr


async def test_a_suspended_account_is_restored_when_it_becomes_an_administrators(
    settings: Settings, db: Database, bob: User
) -> None:
    async with db.write() as session:
        (await session.get_one(User, bob.id)).suspended_at = clock.now()

    run(settings, "bob")

    assert (await stored(db, bob)).suspended_at is None


async def test_an_unknown_name_is_an_error(settings: Settings, db: Database) -> None:
    done = run(settings, "nobody")

    assert done.returncode == 1
    assert done.stderr == "There is no user named 'nobody'.\n"
