"""A migrated database in a temporary folder, with many people in it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import insert, text

from app import clock
from app.database import Database
from app.database.migrations import migrate
from app.installation import install
from app.models import Membership, User
from app.settings import load

PEOPLE_AT_ONCE = 5_000
EVENTS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most)"
    " INSERT INTO event (id, type, context, created_at)"
    """ SELECT i, 'team_updated', '{"old_name": "A", "new_name": "B"}', '2026-01-01 00:00:00' FROM n"""
)
NEWEST_CHANGE = text(
    "INSERT INTO change (id, kind, created_at) SELECT id, 'event', created_at FROM event"
    " ORDER BY id DESC LIMIT 1"
)
ROWS = text(
    "INSERT INTO notification (user_id, event_id, position, type, hidden, group_key, read_at)"
    " SELECT :user, id, id, type, 0, 'team_updated:team:' || (id % :groups),"
    " CASE WHEN id % 5 THEN '2026-01-01 00:00:00' END FROM event ORDER BY id LIMIT :most"
)


@asynccontextmanager
async def fresh_database() -> AsyncIterator[Database]:
    with TemporaryDirectory() as folder:
        settings = load({"DATA_DIR": str(Path(folder)), "SECRET_KEY": "a secret of the benchmark"})
        db = install(settings).db
        await migrate(db, settings)
        yield db
        await db.close()


async def add_people(db: Database, most: int) -> list[int]:
    """That many confirmed accounts; their ids."""
    rows = [
        {
            "username": f"person{n}",
            "username_key": f"person{n}",
            "email": f"person{n}@example.com",
            "email_key": f"person{n}@example.com",
            "email_confirmed_at": clock.now(),
            "password_hash": "-",
        }
        for n in range(most)
    ]
    ids: list[int] = []
    async with db.write() as session:
        for start in range(0, most, PEOPLE_AT_ONCE):
            batch = insert(User).returning(User.id)
            ids += (await session.scalars(batch, rows[start : start + PEOPLE_AT_ONCE])).all()
    return ids


async def add_members(db: Database, team_id: int, people: list[int]) -> None:
    rows = [{"team_id": team_id, "user_id": one, "role": "viewer"} for one in people]
    async with db.write() as session:
        for start in range(0, len(rows), PEOPLE_AT_ONCE):
            await session.execute(insert(Membership), rows[start : start + PEOPLE_AT_ONCE])
        await session.execute(text("ANALYZE"))


async def add_notices(db: Database, groups: Mapping[int, int], most: int) -> None:
    """Notifies these users of so many events; `groups` has the number of groups for each user."""
    async with db.write() as session:
        await session.execute(EVENTS, {"most": most})
        await session.execute(NEWEST_CHANGE)
        for user, count in groups.items():
            values = {"user": user, "groups": count, "most": most}
            await session.execute(ROWS, values)
        await session.execute(text("ANALYZE"))
