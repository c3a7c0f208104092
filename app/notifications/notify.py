"""Notifying users of an event, by set-based SQL: event row → notification rows → delivery rows.

A verb calls `notify` last, in the transaction of the change itself: there is no notification of a
change that was rolled back, and no change without its notifications.
"""

from typing import Any

from sqlalchemy import Select, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app import clock
from app.database.upsert import insert_into
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
from app.notifications.channels.base import channels_of
from app.notifications.events.audience import Recipients
from app.notifications.events.catalogue import IN_APP, EventType, type_of
from app.notifications.events.positions import record_change
from app.notifications.preferences.switches import is_choice, is_not_muted, wants
from app.telemetry.metrics import timing_fan_out


async def notify(
    session: AsyncSession,
    event_type: EventType,
    *,
    actor: User | None = None,
    affected: User | None = None,
    team: Team | None = None,
    project: Project | None = None,
    invitation: Invitation | None = None,
    compilation: Compilation | None = None,
    recipients: Recipients | None = None,
    **facts: Any,
) -> Event:
    """Record an event and notify its audience, except the actor.

    `actor` is None when the system did it. The names of the team, project and affected user are
    added to `facts`; together they are the event's context, all that its sentence and link need.
    `recipients`, rows as audience.py selects them, replace the audience of the event type.
    """
    await session.flush()
    event_type = type_of(event_type.name, facts)
    event = Event(
        id=await record_change(session, "event"),
        type=event_type.name,
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
    with timing_fan_out(event_type.name):
        chosen = event_type.audience(event) if recipients is None else recipients
        await _add_notifications(session, event, event_type, chosen)
        await add_deliveries(session, event, event_type)
    return event


def _names(affected: User | None, team: Team | None, project: Project | None) -> dict[str, Any]:
    names = {
        "username": affected and affected.username,
        "team_name": team and team.name,
        "project_name": project and project.name,
    }
    return {key: name for key, name in names.items() if name is not None}


async def _add_notifications(
    session: AsyncSession, event: Event, event_type: EventType, recipients: Recipients
) -> None:
    """One row for each user who wants the event on any channel; hidden where the app is off."""
    columns = ["user_id", "event_id", "type", "hidden"]
    chosen = _wanting(event, event_type, recipients, list(channels_of(session)))
    rows = insert_into(session, Notification).from_select(columns, chosen)
    await session.execute(rows.on_conflict_do_nothing())


def _wanting(
    event: Event, event_type: EventType, recipients: Recipients, channels: list[str]
) -> Select[Any]:
    """Almost everyone has the app on, so it is joined; others are looked up for the rest."""
    audience, in_app = recipients.subquery("audience"), aliased(Preference, name="in_app")
    user_id, name = audience.c.user_id, literal(event_type.name)
    is_shown = func.coalesce(in_app.wanted, event_type.is_on(IN_APP))
    rows = (
        select(user_id, literal(event.id), name, ~is_shown)
        .outerjoin(in_app, is_choice(in_app, user_id, name, IN_APP))
        .where(or_(is_shown, *(wants(user_id, event_type, channel) for channel in channels)))
    )
    if event.actor_id is not None and event.actor_id != event.affected_id:
        rows = rows.where(user_id != event.actor_id)
    if (is_heard := is_not_muted(event, event_type, audience)) is not None:
        rows = rows.where(is_heard)
    return rows


async def count_recipients(session: AsyncSession, event: Event) -> int:
    rows = select(func.count()).where(Notification.event_id == event.id)
    return int((await session.execute(rows)).scalar_one())
