"""A large database: a team of 10,000 members, and 100,000 notifications of one user.

It is built once per session, with set-based statements. One site serves all tests marked
`large_world`, and each starts with the database as it was built.
"""

import json
import shutil
import sqlite3
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.installation import install
from app.models import Clip, Compilation, Project, Share, Team, User
from app.notifications.search.index import add_documents
from app.settings import load
from tests.benchmarks._world import add_members, add_people
from tests.factories import SECRET_KEY, make_account, make_team
from tests.journeys.running import Site, serving

MEMBERS = 10_000
NOTICES = 100_000
DAYS = 120
EVERY_NTH_IS_UNREAD = 7
SQUAD, EDITORS = 1, 2  # the ids of the teams

EVENTS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :notices)"
    " INSERT INTO event (id, type, actor_id, affected_id, team_id, project_id, compilation_id, context,"
    " created_at)"
    " SELECT i, kind.type, CASE WHEN kind.has_actor THEN actor.id END, NULL, kind.team_id,"
    " kind.project_id, kind.compilation_id, json_set(kind.context, '$.username', actor.username),"
    " strftime('%Y-%m-%d %H:%M:%f000', 'now', ((i - :notices) * :pace) || ' seconds')"
    " FROM n JOIN kind ON kind.number = (i * 31 % 17) % (SELECT count(*) FROM kind)"
    " JOIN user actor ON actor.id = :first + i % :crowd"
)
CHANGES = text(
    "INSERT INTO change (id, kind, created_at) SELECT id, 'event', created_at FROM event"
)
TOUCHED = (
    "UPDATE main.notification AS n SET (read_at, deleted_at, changed_in) ="
    " (p.read_at, p.deleted_at, p.changed_in) FROM pristine.notification AS p WHERE p.id = n.id"
    " AND (p.read_at IS NOT n.read_at OR n.deleted_at IS NOT NULL)"
)
COUNT_ANEW = (
    "INSERT INTO main.removal_count (id, count) VALUES (1, 1)"
    " ON CONFLICT (id) DO UPDATE SET count = count + 1"
)
ROWS = text(
    "INSERT INTO notification (user_id, event_id, type, hidden, read_at)"
    " SELECT :user, id, type, 0, CASE WHEN id % :unread THEN created_at END FROM event ORDER BY id"
)


@dataclass
class LargeWorld:
    """Built and served on first use. `close` ends the site."""

    folder: Path
    migrated: Path
    site: Site | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def as_built(self) -> Site:
        if self.site is None:
            shutil.copy(self.migrated, self._pristine)
            await _build(self._pristine)
            shutil.copy(self._pristine, self.folder)
            self.site = await self._stack.enter_async_context(serving(self.folder))
        else:
            _restore(self.site.settings.sqlite_path, self._pristine)
        return self.site

    async def close(self) -> None:
        await self._stack.aclose()

    @property
    def _pristine(self) -> Path:
        folder = self.folder / "pristine"
        folder.mkdir(exist_ok=True)
        return folder / self.migrated.name


async def member(db: Database, number: int) -> User:
    """One of the 10,000 members of Video Squad."""
    named = select(User).where(User.username_key == f"person{number}")
    async with db.read() as session:
        return (await session.scalars(named)).one()


def _restore(path: Path, pristine: Path) -> None:
    """Restores every table but those whose numbers must keep growing, because processes follow them:
    the positions, and the counts that tell whether what was remembered still holds.
    """
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as db:
        db.execute("ATTACH ? AS pristine", [str(pristine)])
        db.execute("BEGIN IMMEDIATE")
        for table in _small_tables(db):
            db.execute(f"DELETE FROM main.{table}")
            db.execute(f"INSERT INTO main.{table} SELECT * FROM pristine.{table}")
        for table in ("notification", "event"):
            db.execute(f"DELETE FROM main.{table} WHERE id > ?", [NOTICES])
        db.execute(TOUCHED)
        db.execute(COUNT_ANEW)
        db.execute("COMMIT")


def _small_tables(db: sqlite3.Connection) -> list[str]:
    tables = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
    names = [name for (name,) in db.execute(tables)]
    others = (
        *("change", "event", "notification", "alembic_version"),
        *("ending_count", "removal_count"),
    )
    return [name for name in names if name not in others and not name.startswith("sqlite_")]


async def _build(path: Path) -> None:
    url = f"sqlite+aiosqlite:///{path}"
    settings = load({"DATA_DIR": str(path.parent), "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
    db = install(settings).db
    alice, bob, carol = [await make_account(db, name) for name in ("alice", "bob", "carol")]
    crowd = await add_people(db, MEMBERS - 2)
    squad = await make_team(db, alice, "Video Squad", editors=[bob])
    editors = await make_team(db, bob, "Editors", admins=[alice], viewers=[carol])
    await add_members(db, squad.id, crowd)
    async with db.write() as session:
        broken, best = await _add_projects(session, alice, bob, squad, editors)
        await _add_notices(session, alice, crowd, _kinds(squad, editors, broken, best))
        # No journey searches: with its newest event indexed, the world is served without the rest.
        await add_documents(session, [NOTICES])
        await session.execute(text("ANALYZE"))
    await db.close()


async def _add_projects(
    session: AsyncSession, alice: User, bob: User, squad: Team, editors: Team
) -> tuple[Compilation, Project]:
    """Adds a project of alice, whose compilation failed, and one of bob."""
    reel = Project(name="Highlight Reel", owner_id=alice.id)
    best = Project(name="Best Clips 2025", owner_id=bob.id)
    session.add_all([reel, best])
    await session.flush()
    session.add(Share(project_id=reel.id, team_id=squad.id))
    session.add(Share(project_id=best.id, team_id=editors.id))
    session.add(
        Clip(
            project_id=reel.id,
            uploader_id=alice.id,
            position=0,
            filename="goal.mp4",
            stored_as="not there",
            size=2_400_000,
            duration=12.0,
            width=1920,
            height=1080,
        )
    )
    broken = Compilation(project_id=reel.id, status="failed", error="goal.mp4 cannot be read.")
    session.add(broken)
    await session.flush()
    return broken, best


async def _add_notices(
    session: AsyncSession, user: User, crowd: list[int], kinds: list[dict[str, Any]]
) -> None:
    await session.execute(
        text(
            "CREATE TEMP TABLE kind (number INTEGER PRIMARY KEY, type TEXT, has_actor INTEGER,"
            " team_id INTEGER, project_id INTEGER, compilation_id INTEGER, context TEXT)"
        )
    )
    insert = text(
        "INSERT INTO kind VALUES (:number, :type, :has_actor, :team_id, :project_id,"
        " :compilation_id, :context)"
    )
    await session.execute(insert, [kind | {"number": n} for n, kind in enumerate(kinds)])
    pace = DAYS * 86_400 / NOTICES
    values = {"notices": NOTICES, "pace": pace, "first": crowd[0], "crowd": len(crowd)}
    await session.execute(EVENTS, values)
    await session.execute(CHANGES)
    await session.execute(ROWS, {"user": user.id, "unread": EVERY_NTH_IS_UNREAD})
    await session.execute(text("DROP TABLE kind"))


def _kinds(squad: Team, editors: Team, broken: Compilation, best: Project) -> list[dict[str, Any]]:
    """The kinds of events, which alternate."""
    reel: dict[str, Any] = {"project_id": broken.project_id, "compilation_id": broken.id}
    reel |= {"project_name": "Highlight Reel", "has_actor": False}
    return [
        _kind("member_added", team=squad, role="viewer"),
        _kind("project_shared", team=editors, project_id=best.id, project_name=best.name),
        _kind("compilation_completed", **reel, duration=12.0),
        _kind("member_left", team=squad),
        _kind("member_role_changed", team=squad, old_role="viewer", new_role="editor"),
        _kind("compilation_failed", **reel, error=broken.error),
        _kind("team_updated", team=editors, old_name="Cutters", new_name="Editors"),
    ]


def _kind(
    name: str,
    *,
    team: Team | None = None,
    project_id: int | None = None,
    compilation_id: int | None = None,
    has_actor: bool = True,
    **facts: Any,
) -> dict[str, Any]:
    team_name = {"team_name": team.name} if team else {}
    return {
        "type": name,
        "has_actor": has_actor,
        "team_id": team and team.id,
        "project_id": project_id,
        "compilation_id": compilation_id,
        "context": json.dumps(team_name | facts),
    }
