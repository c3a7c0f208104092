"""A migrated database in a temporary folder, with many people in it."""

from collections.abc import AsyncIterator
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
