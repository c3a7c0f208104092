"""Notifying users of an event, by set-based SQL: event row → notification rows → delivery rows.

A verb calls `notify` last, in the transaction of the change itself: there is no notification of a
change that was rolled back, and no change without its notifications.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import UpdateBase

from app import clock
from app.database.upsert import dialect_of, insert_on
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
from app.notifications.channels import INSERTIONS_KEPT, add_deliveries
from app.notifications.channels.base import channels_of
from app.notifications.events.audience import (
    AFFECTED,
    EVENT,
    Recipients,
    id_parameter,
    ids_of,
)
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
        await _fan_out(session, event, event_type, recipients, collapsing)
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
    recipients: Recipients | None,
    collapsing: Collapsing | None,
) -> None:
    dialect, channels = dialect_of(session), tuple(channels_of(session))
    values = _values(event, event_type)
    if collapsing is not None:
        rows = _wanting(event_type, recipients, channels).params(values)
        await _collapse(session, event, event_type, rows, collapsing)
    else:
        if recipients is None:
            insertion = _insertion_for_audience(dialect, event_type, channels)
        else:
            insertion = _insertion(dialect, _wanting(event_type, recipients, channels))
        await (await session.connection()).execute(insertion, values)
        await add_deliveries(session, event, event_type)
    await add_documents(session, [event.id])


async def _collapse(
    session: AsyncSession,
    event: Event,
    event_type: EventType,
    rows: Select[Any],
    collapsing: Collapsing,
) -> None:
    """Deliveries are added for the notifications that are about this event at that moment: of a
    quiet event, only for new notifications.
    """
    key, quiet = collapsing.key_of(event, event_type), collapsing.quiet
    await forget_withdrawn(session, key)
    if not quiet:
        await supersede(session, event, event_type, key, rows, quiet=False)
    added = without_older(rows, key).add_columns(literal(key).label("collapse_key"))
    await session.execute(_insertion(dialect_of(session), added))
    await add_deliveries(session, event, event_type)
    if quiet:
        await supersede(session, event, event_type, key, rows, quiet=True)


@lru_cache(INSERTIONS_KEPT)
def _insertion_for_audience(
    dialect: str, event_type: EventType, channels: tuple[str, ...]
) -> UpdateBase:
    """Cached, because building it takes longer than running it for a few recipients."""
    return _insertion(dialect, _wanting(event_type, None, channels))


def _insertion(dialect: str, rows: Select[Any]) -> UpdateBase:
    columns = [column.name for column in rows.selected_columns]
    return insert_on(dialect, Notification).from_select(columns, rows).on_conflict_do_nothing()


def _wanting(
    event_type: EventType, recipients: Recipients | None, channels: tuple[str, ...]
) -> Select[Any]:
    """A row for each user who wants an event of this type on any channel; hidden if the app is off
    for them. Everything that depends on the event is a parameter; `_values` has the values.

    The app's preference is joined, because almost everyone has it on; those of other channels are
    looked up only for the rest.
    """
    chosen = event_type.audience() if recipients is None else recipients
    audience, in_app = chosen.subquery("audience"), aliased(Preference, name="in_app")
    user_id, name = audience.c.user_id, literal(event_type.name)
    is_shown = func.coalesce(in_app.wanted, event_type.is_on(IN_APP))
    rows = (
        select(
            user_id,
            EVENT.label("event_id"),
            EVENT.label("position"),
            name.label("type"),
            case((user_id == AFFECTED, _TARGET_OF_AFFECTED), else_=_TARGET).label("target"),
            (~is_shown).label("hidden"),
            _GROUP_KEY.label("group_key"),
        )
        .outerjoin(in_app, is_choice(in_app, user_id, name, IN_APP))
        .where(user_id != _LEFT_OUT)
        .where(or_(is_shown, *(wants(user_id, event_type, channel) for channel in channels)))
    )
    is_heard = is_not_muted(event_type, audience)
    return rows if is_heard is None else rows.where(is_heard)


_TARGET_OF_AFFECTED, _TARGET = (
    bindparam(name, type_=Notification.target.type)
    for name in ("target_of_affected", "target_of_others")
)
_GROUP_KEY = bindparam("key", type_=Notification.group_key.type)
# The actor, who is not notified of their own act, unless they are also the affected user.
_LEFT_OUT = id_parameter("left_out")
_NOBODY = 0


def _values(event: Event, event_type: EventType) -> dict[str, Any]:
    to_affected, to_others = (
        event_type.target(facts_of(event), to_affected=to_affected) for to_affected in (True, False)
    )
    is_own = event.actor_id is None or event.actor_id == event.affected_id
    return ids_of(event) | {
        _TARGET_OF_AFFECTED.key: to_affected,
        _TARGET.key: to_others,
        _GROUP_KEY.key: group_key_of(event.id, event, event_type),
        _LEFT_OUT.key: _NOBODY if is_own else event.actor_id,
    }


async def count_recipients(session: AsyncSession, event: Event) -> int:
    rows = select(func.count()).where(Notification.event_id == event.id)
    return int((await session.execute(rows)).scalar_one())
