"""A world to get lost in: a team of 10,000 members, and 100,000 notices of one person.

Built once per session in set-based statements; a test marked `large_world` begins with a copy.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import Account, Clip, Project, Share, Team
from tests.benchmarks._world import add_members, add_people
from tests.factories import make_account, make_team

MEMBERS = 10_000
NOTICES = 100_000
DAYS = 120
EVERY_NTH_IS_UNREAD = 7

EVENTS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :notices)"
    " INSERT INTO event (id, type, actor_id, affected_id, team_id, project_id, context, created_at)"
    " SELECT i, kind.type, CASE WHEN kind.has_actor THEN actor.id END, NULL, kind.team_id,"
    " kind.project_id, json_set(kind.context, '$.username', actor.username),"
    " strftime('%Y-%m-%d %H:%M:%f000', 'now', ((i - :notices) * :pace) || ' seconds')"
    " FROM n JOIN kind ON kind.number = (i * 31 % 17) % (SELECT count(*) FROM kind)"
    " JOIN account actor ON actor.id = :first + i % :crowd"
)
CHANGES = text(
    "INSERT INTO change (id, kind, created_at) SELECT id, 'event', created_at FROM event"
)
ROWS = text(
    "INSERT INTO notification (user_id, event_id, type, hidden, read_at)"
    " SELECT :person, id, type, 0, CASE WHEN id % :unread THEN created_at END FROM event ORDER BY id"
)


def build(path: Path) -> None:
    """Fill the migrated, empty database at `path`."""
    asyncio.run(_build(path))


async def _build(path: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{path}")
    alice, bob, carol = [await make_account(db, name) for name in ("alice", "bob", "carol")]
    crowd = await add_people(db, MEMBERS - 2)
    squad = await make_team(db, alice, "Video Squad", editors=[bob])
    editors = await make_team(db, bob, "Editors", admins=[alice], viewers=[carol])
    await add_members(db, squad.id, crowd)
    async with db.write() as session:
        projects = await _add_projects(session, alice, bob, squad, editors)
        await _add_notices(session, alice, crowd, _kinds(squad, editors, *projects))
        await session.execute(text("ANALYZE"))
    await db.close()


async def _add_projects(
    session: AsyncSession, alice: Account, bob: Account, squad: Team, editors: Team
) -> tuple[Project, Project]:
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
    return reel, best


async def _add_notices(
    session: AsyncSession, person: Account, crowd: list[int], kinds: list[dict[str, Any]]
) -> None:
    await session.execute(
        text(
            "CREATE TEMP TABLE kind (number INTEGER PRIMARY KEY, type TEXT, has_actor INTEGER,"
            " team_id INTEGER, project_id INTEGER, context TEXT)"
        )
    )
    insert = text(
        "INSERT INTO kind VALUES (:number, :type, :has_actor, :team_id, :project_id, :context)"
    )
    await session.execute(insert, [kind | {"number": n} for n, kind in enumerate(kinds)])
    pace = DAYS * 86_400 / NOTICES
    values = {"notices": NOTICES, "pace": pace, "first": crowd[0], "crowd": len(crowd)}
    await session.execute(EVENTS, values)
    await session.execute(CHANGES)
    await session.execute(ROWS, {"person": person.id, "unread": EVERY_NTH_IS_UNREAD})
    await session.execute(text("DROP TABLE kind"))


def _kinds(squad: Team, editors: Team, reel: Project, best: Project) -> list[dict[str, Any]]:
    """What the notices tell of, in turns."""
    return [
        _kind("member_added", team=squad, role="viewer"),
        _kind("project_shared", team=editors, project=best),
        _kind("compilation_completed", project=reel, has_actor=False, duration=12.0, size=2400),
        _kind("member_left", team=squad),
        _kind("member_role_changed", team=squad, old_role="viewer", new_role="editor"),
        _kind("compilation_failed", project=reel, has_actor=False, error="goal.mp4 is broken."),
        _kind("team_updated", team=editors, old_name="Cutters", new_name="Editors"),
    ]


def _kind(
    name: str,
    *,
    team: Team | None = None,
    project: Project | None = None,
    has_actor: bool = True,
    **facts: Any,
) -> dict[str, Any]:
    names = {"team_name": team and team.name, "project_name": project and project.name}
    return {
        "type": name,
        "has_actor": has_actor,
        "team_id": team and team.id,
        "project_id": project and project.id,
        "context": json.dumps({key: said for key, said in names.items() if said} | facts),
    }
