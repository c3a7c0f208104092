"""Whether a delivery is still right at the moment of sending: each reason not to is kept."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.language import N_
from app.models import (
    Delivery,
    Event,
    Membership,
    Notification,
    Project,
    Share,
    User,
)
from app.models.notification import FOR_GOOD
from app.notifications.events.catalogue import HIGH, TYPES
from app.notifications.events.notices import all_notices
from app.notifications.preferences.switches import has_muted, wants_each

WITHDRAWN, DELETED, READ = "withdrawn", "deleted", "read"
UNWANTED, MUTED = "unwanted", "muted"
UNCONFIRMED, GONE = "unconfirmed", "gone"
REASONS = {
    WITHDRAWN: N_("You may no longer see what it was about."),
    DELETED: N_("It was deleted before."),
    READ: N_("It was read in the app before."),
    UNWANTED: N_("You have switched this off since."),
    MUTED: N_("You have muted the team or project since."),
    UNCONFIRMED: N_("The address is not confirmed."),
    GONE: N_("Mail to this address was refused for good."),
    "answered": N_("The invitation is no longer open."),
    "confirmed": N_("The address was confirmed or given up before."),
    "visible": N_("You had a page open."),
    "removed": N_("The device was removed."),
    "outage": N_("The service could not be reached; it is tried again."),
}


IDS_AT_ONCE = 1000


async def read_claimed(
    session: AsyncSession, channel: str, ids: Iterable[int]
) -> Sequence[Row[Any]]:
    """For each delivery of a notice: all that a `Notice` needs, `delivery_id`, the `User`,
    and `reason`: why not to send it, or None.
    """
    wanted, found = list(ids), list[Row[Any]]()
    for start in range(0, len(wanted), IDS_AT_ONCE):
        some = _claimed(channel).where(Delivery.id.in_(wanted[start : start + IDS_AT_ONCE]))
        found += (await session.execute(some)).all()
    return found


def _claimed(channel: str) -> Select[Any]:
    return (
        all_notices()
        .add_columns(Delivery.id.label("delivery_id"), User, reason_against(channel))
        .join(Delivery, Delivery.notification_id == Notification.id)
        .join(User, User.id == Notification.user_id)
        .order_by(Delivery.id)
    )


def reason_against(channel: str) -> Any:
    """`reason`: why not to send it, or NULL; in a select of Notification and Event."""
    wanted = wants_each(Notification.user_id, Notification.type, channel)
    return case(
        (Notification.deleted_in == FOR_GOOD, WITHDRAWN),
        (Notification.deleted_at.is_not(None), DELETED),
        (Notification.read_at.is_not(None), READ),
        (~wanted, UNWANTED),
        (_is_muted(), MUTED),
        else_=None,
    ).label("reason")


def _is_muted() -> Any:
    """Ordinary events only: what is about oneself, or of high priority, comes all the same."""
    ordinary = [kind.name for kind in TYPES.values() if kind.can_be_muted]
    custom = [kind.name for kind in TYPES.values() if kind.is_custom]
    is_urgent = and_(Event.type.in_(custom), Event.context["priority"].as_string() == HIGH)
    is_about_others = or_(Event.affected_id.is_(None), Event.affected_id != Notification.user_id)
    itself = has_muted(Notification.user_id, Event.team_id, Event.project_id)
    is_muted = or_(itself, _comes_through_muted_teams())
    return and_(Notification.type.in_(ordinary), ~is_urgent, is_about_others, is_muted)


def _comes_through_muted_teams() -> ColumnElement[bool]:
    """It is about a project of somebody else's, and every team that lets one see it is muted."""
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
