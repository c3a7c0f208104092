"""Notifying users of an event, by set-based SQL: event row → notification rows → delivery rows.

A verb calls `notify` last, in the transaction of the change itself: there is no notification of a
change that was rolled back, and no change without its notifications.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select
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
from app.notifications.events.catalogue import type_of
from app.notifications.events.event_type import IN_APP, EventType
from app.notifications.events.grouping import group_key_of
from app.notifications.events.notices import facts_of
from app.notifications.events.positions import record_change
from app.notifications.preferences.switches import is_choice, is_not_muted, wants
from app.notifications.search.index import add_documents
from app.notifications.supersede import (
    Collapsing,
    forget_withdrawn,
    supersede,
    without_older,
)
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
    collapsing: Collapsing | None = None,
    **facts: Any,
) -> Event:
    """Record an event and notify its audience, except the actor.

    `actor` is None when the system did it. The names of the team, project and affected user are
    added to `facts`; together they are the event's context, all that its sentence and link need.
    `recipients`, rows as audience.py selects them, replace the audience of the event type. With
    `collapsing`, the event replaces the earlier one in the notifications that have its key.
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
        await _fan_out(session, event, event_type, chosen, collapsing)
    return event


def _names(affected: User | None, team: Team | None, project: Project | None) -> dict[str, Any]:
    names = {
        "username": affected and affected.username,
        "team_name": team and team.name,
        "project_name": project and project.name,
    }
    return {key: name for key, name in names.items() if name is not None}


async def _fan_out(
    session: AsyncSession,
    event: Event,
    event_type: EventType,
    recipients: Recipients,
    collapsing: Collapsing | None,
) -> None:
    rows = _wanting(event, event_type, recipients, list(channels_of(session)))
    if collapsing is None:
        await _add_notifications(session, rows)
        await add_deliveries(session, event, event_type)
    else:
        await _collapse(session, event, event_type, rows, collapsing)
    await add_documents(session, [event.id])


async def _add_notifications(session: AsyncSession, rows: Select[Any]) -> None:
    columns = [column.name for column in rows.selected_columns]
    added = insert_into(session, Notification).from_select(columns, rows)
    await session.execute(added.on_conflict_do_nothing())


async def _collapse(
    session: AsyncSession,
    event: Event,
    event_type: EventType,
    rows: Select[Any],
    collapsing: Collapsing,
) -> None:
    """Deliveries are added for the notifications that are about this event by then: of a quiet one,
    only the new ones.
    """
    key, quiet = collapsing.key_of(event, event_type), collapsing.quiet
    await forget_withdrawn(session, key)
    if not quiet:
        await supersede(session, event, event_type, key, rows, quiet=False)
    added = without_older(rows, key).add_columns(literal(key).label("collapse_key"))
    await _add_notifications(session, added)
    await add_deliveries(session, event, event_type)
    if quiet:
        await supersede(session, event, event_type, key, rows, quiet=True)


def _wanting(
    event: Event, event_type: EventType, recipients: Recipients, channels: list[str]
) -> Select[Any]:
    """A row for each user who wants the event on any channel; hidden where the app is off.

    Almost everyone has the app on, so it is joined; others are looked up for the rest.
    """
    audience, in_app = recipients.subquery("audience"), aliased(Preference, name="in_app")
    user_id, name = audience.c.user_id, literal(event_type.name)
    is_shown = func.coalesce(in_app.wanted, event_type.is_on(IN_APP))
    rows = (
        select(
            user_id,
            literal(event.id, Event.id.type).label("event_id"),
            literal(event.id, Event.id.type).label("position"),
            name.label("type"),
            _target(event, event_type, user_id).label("target"),
            (~is_shown).label("hidden"),
            literal(group_key_of(event.id, event, event_type)).label("group_key"),
        )
        .outerjoin(in_app, is_choice(in_app, user_id, name, IN_APP))
        .where(or_(is_shown, *(wants(user_id, event_type, channel) for channel in channels)))
    )
    if event.actor_id is not None and event.actor_id != event.affected_id:
        rows = rows.where(user_id != event.actor_id)
    if (is_heard := is_not_muted(event, event_type, audience)) is not None:
        rows = rows.where(is_heard)
    return rows


def _target(event: Event, event_type: EventType, user_id: ColumnElement[int]) -> Any:
    """The page that opens the notification of each user."""
    own, others = (
        literal(
            event_type.target(facts_of(event), to_affected=to_affected), Notification.target.type
        )
        for to_affected in (True, False)
    )
    return case((user_id == event.affected_id, own), else_=others)


async def count_recipients(session: AsyncSession, event: Event) -> int:
    rows = select(func.count()).where(Notification.event_id == event.id)
    return int((await session.execute(rows)).scalar_one())
