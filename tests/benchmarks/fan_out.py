"""Telling a team of 10,000, beside the bare INSERT … SELECT of the same rows in the same run.

    python -m tests.benchmarks.fan_out [--members 10000] [--rounds 9]

All are counted in the time of one processor, so that other work on the machine does not count.
"""

from statistics import median
from time import process_time
from typing import Any

from sqlalchemy import TextClause, text

from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import PROJECT_SHARED, TEAM_UPDATED
from app.notifications.events.event_type import EventType
from app.notifications.events.positions import record_change
from app.notifications.notify import notify
from tests.benchmarks._table import Line, alone, at_most_times
from tests.benchmarks._world import add_members, add_people, fresh_database
from tests.factories import make_team

NOTIFICATIONS = text(
    "INSERT INTO notification (user_id, event_id, position, type, hidden, group_key)"
    " SELECT user_id, :event, :event, 'bare', 0, 'bare:team:1' FROM membership WHERE team_id = :team"
)
DELIVERIES = text(
    "INSERT INTO delivery (notification_id, user_id, channel, address, bundling, state, attempts,"
    " due_at, created_at)"
    " SELECT notification.id, user_id, 'email', email, 'bundle', 'pending', 0, '2026-01-01',"
    " '2026-01-01' FROM notification JOIN user ON user.id = user_id WHERE event_id = :event"
)
EVENT = text(
    "INSERT INTO event (id, type, context, created_at) VALUES (:id, 'bare', '{}', '2026-01-01')"
)


async def measure(members: int = 10_000, rounds: int = 9) -> list[Line]:
    async with fresh_database() as db:
        owner, *people = await add_people(db, members + 1)
        async with db.read() as session:
            actor = await session.get_one(User, owner)
        team = await make_team(db, actor)
        await add_members(db, team.id, people)
        one, two, in_app, mailed = list[float](), list[float](), list[float](), list[float]()
        for _round in range(rounds):
            one.append(await _bare(db, team, NOTIFICATIONS))
            in_app.append(await _told(db, TEAM_UPDATED, actor, team))
            two.append(await _bare(db, team, NOTIFICATIONS, DELIVERIES))
            mailed.append(await _told(db, PROJECT_SHARED, actor, team))
    telling = f"telling {members:,}, "
    return [
        Line(telling + "in the app", median(in_app), "ms", "the bare INSERT", median(one)),
        Line(
            telling + "with mail",
            median(mailed),
            "ms",
            "the two bare INSERTs",
            median(two),
            at_most_times(1.4),
        ),
    ]


async def _bare(db: Database, team: Team, *statements: TextClause) -> float:
    """Milliseconds, as `_told`."""
    async with db.act() as session:
        event = await record_change(session, "event")
        await session.execute(EVENT, {"id": event})
        began = process_time()
        for statement in statements:
            await session.execute(statement, {"event": event, "team": team.id})
        return (process_time() - began) * 1000


async def _told(db: Database, kind: EventType, actor: User, team: Team) -> float:
    facts: dict[str, Any] = {"old_name": "A", "new_name": "B", "project_name": "Reel"}
    async with db.act() as session:
        began = process_time()
        await notify(session, kind, actor=actor, team=team, **facts)
        return (process_time() - began) * 1000


if __name__ == "__main__":
    alone(measure)
