"""Telling people: event row → notification rows → delivery rows, three statements however many.

Called last by the verb that changes things, inside the same act, so that nobody is told of what
did not happen and nothing happens untold.
"""

from typing import Any

from sqlalchemy import Select, and_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import (
    Compilation,
    Event,
    Invitation,
    Notification,
    Preference,
    Project,
    Team,
    User,
)
from app.notifications.channels import add_deliveries
from app.notifications.events.audience import People
from app.notifications.events.catalogue import CHANNELS, IN_APP, EventType, kind_of
from app.notifications.events.positions import record_change
from app.notifications.preferences.switches import is_not_muted, wants
from app.telemetry.metrics import timing_fan_out


async def notify(
    session: AsyncSession,
    kind: EventType,
    *,
    actor: User | None = None,
    affected: User | None = None,
    team: Team | None = None,
    project: Project | None = None,
    invitation: Invitation | None = None,
    compilation: Compilation | None = None,
    people: People | None = None,
    **facts: Any,
) -> Event:
    """Record what happened and tell everyone concerned, but for the actor.

    `actor` is None when the system did it. The names of the team, project and affected person
    are added to `facts`; together they are the event's context, all that its sentence needs.
    `people`, rows as audience.py has them, are told in place of the type's audience.
    """
    await session.flush()
    kind = kind_of(kind.name, facts)
    event = Event(
        id=await record_change(session, "event"),
        type=kind.name,
        actor_id=actor and actor.id,
        affected_id=affected and affected.id,
        team_id=team and team.id,
        project_id=project and project.id,
        invitation_id=invitation and invitation.id,
        compilation_id=compilation and compilation.id,
        context=_names(affected, team, project) | facts,
        created_at=clock.now(),
    )
    session.add(event)
    await session.flush()
    with timing_fan_out(kind.name):
        await _add_notifications(
            session, event, kind, kind.audience(event) if people is None else people
        )
        await add_deliveries(session, event, kind)
    return event


def _names(affected: User | None, team: Team | None, project: Project | None) -> dict[str, Any]:
    names = {
        "username": affected and affected.username,
        "team_name": team and team.name,
        "project_name": project and project.name,
    }
    return {key: name for key, name in names.items() if name is not None}


async def _add_notifications(
    session: AsyncSession, event: Event, kind: EventType, people: People
) -> None:
    """One row for each recipient whom any channel reaches; hidden where the app is not wanted."""
    into = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    columns = ["user_id", "event_id", "type", "hidden"]
    rows = into(Notification).from_select(columns, _recipients(event, kind, people))
    await session.execute(rows.on_conflict_do_nothing())


def _recipients(event: Event, kind: EventType, audience: People) -> Select[Any]:
    people = audience.subquery("people")
    rows = (
        select(
            people.c.user_id,
            literal(event.id),
            literal(kind.name),
            ~wants(kind, IN_APP),
        )
        .join(
            Preference,
            and_(Preference.user_id == people.c.user_id, Preference.type == kind.name),
            isouter=True,
        )
        .where(or_(*(wants(kind, channel) for channel in CHANNELS)))
    )
    if event.actor_id is not None and event.actor_id != event.affected_id:
        rows = rows.where(people.c.user_id != event.actor_id)
    if (not_muted := is_not_muted(event, kind, people)) is not None:
        rows = rows.where(not_muted)
    return rows


async def count_recipients(session: AsyncSession, event: Event) -> int:
    """How many people were told."""
    told = select(func.count()).where(Notification.event_id == event.id)
    return int((await session.execute(told)).scalar_one())
