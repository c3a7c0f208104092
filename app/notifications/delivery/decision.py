"""Whether, when and why a delivery is sent: the one place that decides it, for every channel.

A delivery is decided on just before it is sent, since much may have happened while it waited. One
query reads everything that RULES need for a whole claim.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app import clock
from app.models import (
    Delivery,
    Event,
    Membership,
    Notification,
    Project,
    Share,
    User,
)
from app.models.notification import DONE, FOR_GOOD, SNOOZED
from app.notifications.channels.base import Channel, Wait
from app.notifications.events.catalogue import TYPES, type_of, types_open_while
from app.notifications.preferences.switches import has_muted, wants_each

# Further reasons are two folders of a notification, DONE and SNOOZED.
WITHDRAWN, DELETED, READ = "withdrawn", "deleted", "read"
UNWANTED, MUTED = "unwanted", "muted"
SUSPENDED, INVITER_SUSPENDED = "suspended", "inviter_suspended"
EXPIRED, VISIBLE, PERHAPS_VISIBLE = "expired", "visible", "perhaps_visible"
UNKNOWN_TYPE = "unknown_type"
RESTORED = "restored"  # set where a backup is restored (app/backup/after_restore.py)
# A delivery with less time left than this would expire before it arrives.
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

_built = WeakKeyDictionary[Channel, Select[Any]]()


@dataclass(frozen=True)
class Send:
    """Send it now."""


@dataclass(frozen=True)
class Skip:
    """Do not send it; `state` is the row's new state, and `reason` a code."""

    reason: str
    state: str = "skipped"


SEND = Send()
Decision = Send | Skip | Wait
Rule = Callable[[Row[Any], Channel], Skip | Wait | None]


async def decide_all(
    session: AsyncSession, channel: Channel, which: ColumnElement[bool]
) -> Sequence[tuple[Row[Any], Decision]]:
    """The deliveries in `which`, with what sending them needs, and a decision on each."""
    rows = (await session.execute(_deliveries(channel).where(which))).all()
    obsolete: Mapping[int, str] = {}
    if transactional := [row for row in rows if row.transactional]:
        obsolete = await channel.find_obsolete(session, transactional)
    return [(row, decide(row, channel, obsolete.get(row.delivery_id))) for row in rows]


def decide(delivery: Row[Any], channel: Channel, obsolete: str | None = None) -> Decision:
    """The first rule with an objection decides. `obsolete` is the reason why a transactional
    message is no longer useful, if there is one.
    """
    if obsolete:
        return Skip(obsolete)
    for rule in RULES:
        if objection := rule(delivery, channel):
            return objection
    return SEND


def _is_settled_in_app(delivery: Row[Any], _channel: Channel) -> Skip | None:
    if delivery.is_withdrawn:
        return Skip(WITHDRAWN)
    if (event_type := TYPES.get(delivery.type)) and event_type.is_immediate:
        return None
    if delivery.is_deleted:
        return Skip(DELETED)
    if delivery.is_done:
        return Skip(DONE)
    return Skip(READ) if delivery.is_read else None


def _is_snoozed(delivery: Row[Any], _channel: Channel) -> Wait | None:
    """Waits until the notification is back in the inbox; its time to live begins then."""
    if delivery.snoozed_until is None or TYPES[delivery.type].is_immediate:
        return None
    back = max(delivery.snoozed_until, clock.now() + SECOND)
    return Wait(back, SNOOZED, begins_anew=True)


def _is_suspended(delivery: Row[Any], _channel: Channel) -> Skip | None:
    if delivery.is_suspended:
        return Skip(SUSPENDED)
    return Skip(INVITER_SUSPENDED) if delivery.is_inviter_suspended else None


def _has_unknown_type(delivery: Row[Any], _channel: Channel) -> Wait | None:
    """A newer version of the application wrote it, and its worker can handle it."""
    is_known = delivery.type is None or delivery.type in TYPES
    return None if is_known else Wait(clock.now() + MINUTE, UNKNOWN_TYPE)


def _is_unwanted(delivery: Row[Any], _channel: Channel) -> Skip | None:
    if delivery.transactional:
        return None
    if not delivery.is_wanted:
        return Skip(UNWANTED)
    return Skip(MUTED) if delivery.is_muted else None


def _has_no_address(delivery: Row[Any], _channel: Channel) -> Skip | None:
    return Skip(delivery.address_problem) if delivery.address_problem else None


def _is_expired(delivery: Row[Any], channel: Channel) -> Skip | None:
    lasts = channel.time_to_live(TYPES[delivery.type] if delivery.type else None)
    if lasts is None or clock.now() <= delivery.queued_at + lasts - SECOND:
        return None
    return Skip(EXPIRED, state="dead")


def _is_visible(delivery: Row[Any], channel: Channel) -> Skip | Wait | None:
    """A page in view shows an ordinary notification at once.

    But a page may fail to report that it is out of view, for example when a lid is closed. So a
    delivery is skipped only if a page reports being in view after the delivery came due. Until then
    it waits, at most until the last report is too old.
    """
    lasts, visible_until = channel.quiet_while_visible, delivery.visible_until
    if lasts is None or visible_until is None or visible_until <= clock.now():
        return None
    if not channel.delay or type_of(delivery.type, delivery.context).goes_at_once:
        return None
    if visible_until - lasts > delivery.queued_at + channel.delay:
        return Skip(VISIBLE)
    return Wait(visible_until, PERHAPS_VISIBLE)


RULES: tuple[Rule, ...] = (
    _is_settled_in_app,
    _is_suspended,
    _has_unknown_type,
    _is_unwanted,
    _has_no_address,
    _is_snoozed,
    _is_expired,
    _is_visible,
)


def _deliveries(channel: Channel) -> Select[Any]:
    """Cached for each channel: building it takes longer than running it for hundreds of deliveries."""
    if channel not in _built:
        _built[channel] = _deliveries_of(channel)
    return _built[channel]


def _deliveries_of(channel: Channel) -> Select[Any]:
    """The facts that the rules need, and those the channel adds. A transactional message has no
    notification and no event; without an account at the address, it has no user either.
    """
    rows = (
        select(
            Delivery.id.label("delivery_id"),
            Delivery.user_id,
            Delivery.notification_id,
            Delivery.address,
            Delivery.bundling,
            Delivery.bundle_id,
            Delivery.transactional,
            Delivery.context.label("facts"),
            Delivery.created_at,
            func.coalesce(Delivery.queued_at, Delivery.created_at).label("queued_at"),
            Event.type,
            Event.context,
            (Notification.changed_in == FOR_GOOD).label("is_withdrawn"),
            Notification.deleted_at.is_not(None).label("is_deleted"),
            Notification.read_at.is_not(None).label("is_read"),
            (Notification.folder == DONE).label("is_done"),
            Notification.snoozed_until,
            wants_each(Notification.user_id, Notification.type, channel.name).label("is_wanted"),
            _is_muted_now().label("is_muted"),
            User.suspended_at.is_not(None).label("is_suspended"),
            _is_inviter_suspended().label("is_inviter_suspended"),
            channel.address_problem().label("address_problem"),
            _visible_until().label("visible_until"),
        )
        .select_from(Delivery)
        .outerjoin(User, User.id == Delivery.user_id)
        .outerjoin(Notification, Notification.id == Delivery.notification_id)
        .outerjoin(Event, Event.id == Notification.event_id)
    )
    return channel.with_facts(rows)


def _visible_until() -> ColumnElement[Any]:
    """A notification hidden in the app is never in view on a page, and neither is a transactional
    message.
    """
    may_be_spared = and_(~User.pushes_always, Notification.hidden.is_(False))
    return case((may_be_spared, User.visible_until))


def _is_inviter_suspended() -> ColumnElement[bool]:
    inviter = aliased(User)
    suspended = exists(
        select(inviter.id)
        .where(inviter.id == Event.actor_id, inviter.suspended_at.is_not(None))
        .correlate_except(inviter)
    )
    return and_(Event.type.in_(types_open_while("invitation")), suspended)


def _is_muted_now() -> ColumnElement[bool]:
    """Ordinary events only: events about the user, or of high priority, are sent anyway."""
    ordinary = [one.name for one in TYPES.values() if one.can_be_muted]
    is_about_others = or_(Event.affected_id.is_(None), Event.affected_id != Notification.user_id)
    itself = has_muted(Notification.user_id, Event.team_id, Event.project_id)
    is_muted = or_(itself, _comes_through_muted_teams())
    return and_(Notification.type.in_(ordinary), is_about_others, is_muted)


def _comes_through_muted_teams() -> ColumnElement[bool]:
    """Whether the user sees another user's project only through teams that they have muted."""
    other_team = exists(
        select(Share.team_id)
        .join(Membership, Membership.team_id == Share.team_id)
        .where(
            Share.project_id == Event.project_id,
            Membership.user_id == Notification.user_id,
            ~has_muted(Notification.user_id, Share.team_id, literal(None, Event.project_id.type)),
        )
        .correlate_except(Share, Membership)
    )
    own = exists(
        select(Project.id)
        .where(Project.id == Event.project_id, Project.owner_id == Notification.user_id)
        .correlate_except(Project)
    )
    return and_(Event.project_id.is_not(None), Event.team_id.is_(None), ~own, ~other_team)
