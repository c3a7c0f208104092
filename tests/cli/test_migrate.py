"""`python -m app migrate` prepares the database and builds the search index of its rows."""

import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import text

from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.notify import notify
from app.notifications.search.index import TABLE, is_complete
from app.settings import ROOT, Settings

pytestmark = pytest.mark.sqlite


async def test_events_from_before_there_was_an_index_are_found_after_an_upgrade(
    db: Database, settings: Settings, alice: User, video_squad: Team
) -> None:
    async with db.act() as session:
        for name in ("A", "B", "C"):
            names: dict[str, Any] = {"old_name": "Video Squad", "new_name": name}
            await notify(session, TEAM_UPDATED, team=video_squad, **names)
        await session.execute(text(f"DELETE FROM {TABLE}"))

    first, second = migrate(settings), migrate(settings)

    assert await is_complete(db)
    assert first.splitlines() == [
        "Preparing the search in notifications …",
        "  search                          3 events",
    ]
    assert second == ""


def migrate(settings: Settings) -> str:
    """What it prints."""
    ended = subprocess.run(
        [sys.executable, "-m", "app", "migrate"],
        cwd=ROOT,
        env={"DATA_DIR": str(settings.data_dir), "DEMO": "0", "SECRET_KEY": "a" * 32},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout
