"""Telling a team of 10,000, beside the bare INSERT … SELECT of the same rows in the same run.

python -m tests.benchmarks.fan_out [--members 10000] [--rounds 7]
"""

import argparse
import asyncio
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import text

from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import PROJECT_SHARED, TEAM_UPDATED, EventType
from app.notifications.events.positions import record_change
from app.notifications.notify import notify
from tests.benchmarks._world import add_members, add_people, fresh_database
from tests.factories import make_team

BARE = text(
    "INSERT INTO notification (user_id, event_id, type, hidden)"
    " SELECT user_id, :event, 'bare', 0 FROM membership WHERE team_id = :team"
)
EVENT = text(
    "INSERT INTO event (id, type, context, created_at) VALUES (:id, 'bare', '{}', '2026-01-01')"
)


async def measure(members: int, rounds: int) -> None:
    async with fresh_database() as db:
        owner, *people = await add_people(db, members + 1)
        async with db.read() as session:
            actor = await session.get_one(User, owner)
        team = await make_team(db, actor)
        await add_members(db, team.id, people)
        rows: dict[str, list[float]] = {
            "bare INSERT … SELECT": [],
            "in the app": [],
            "with mail": [],
        }
        for _round in range(rounds):
            rows["bare INSERT … SELECT"].append(await _bare(db, team))
            rows["in the app"].append(await _told(db, TEAM_UPDATED, actor, team))
            rows["with mail"].append(await _told(db, PROJECT_SHARED, actor, team))
    _print(members, rows)


async def _bare(db: Database, team: Team) -> float:
    async with db.act() as session:
        event = await record_change(session, "event")
        await session.execute(EVENT, {"id": event})
        began = perf_counter()
        await session.execute(BARE, {"event": event, "team": team.id})
        return perf_counter() - began


async def _told(db: Database, kind: EventType, actor: User, team: Team) -> float:
    facts: dict[str, Any] = {"old_name": "A", "new_name": "B", "project_name": "Reel"}
    async with db.act() as session:
        began = perf_counter()
        await notify(session, kind, actor=actor, team=team, **facts)
        return perf_counter() - began


def _print(members: int, rows: dict[str, list[float]]) -> None:
    bare = median(rows["bare INSERT … SELECT"])
    print(f"\nTelling {members} people; medians, and how many times the bare statement\n")
    for name, seconds in rows.items():
        print(f"{name:24} {median(seconds) * 1000:8.1f} ms {median(seconds) / bare:6.2f}×")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    asyncio.run(measure(chosen.members, chosen.rounds))
