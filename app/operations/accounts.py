"""The accounts as administrators see them: with search and pages, and the usage of each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Executable, and_, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database.search import contains
from app.models import Clip, Compilation, Delivery, Event, Invitation, Notification, Project, User
from app.models.project import keeps_video
from app.notifications.events.event_type import EMAIL
from app.settings import Settings
from app.teams.invitation_mail import MAIL
from app.values.email_addresses import address_key
from app.values.numbers import page_count

PER_PAGE = 50


@dataclass(frozen=True)
class Usage:
    """`storage` is the size of the user's clips and videos, in bytes.

    `mails_sent` went to others because of what the user did, `mails_received` went to the user;
    both since `Settings.retention_days`, as long as the delivery log reaches back.
    """

    storage: int = 0
    mails_sent: int = 0
    mails_received: int = 0


@dataclass(frozen=True)
class Account:
    user: User
    usage: Usage


@dataclass(frozen=True)
class AccountPage:
    """`total` counts all accounts that match the search."""

    accounts: list[Account]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return page_count(self.total, PER_PAGE)


async def read_accounts(
    session: AsyncSession, settings: Settings, q: str = "", page: int = 1
) -> AccountPage:
    """The accounts whose name or address contains `q`, newest first. A page beyond the last is
    empty.
    """
    total = await session.scalar(select(func.count()).where(_matches(q))) or 0
    newest = select(User).where(_matches(q)).order_by(User.id.desc())
    some = newest.limit(PER_PAGE).offset(min((page - 1) * PER_PAGE, total))
    users = (await session.scalars(some)).all()
    usage = await _read_usage(session, settings, [user.id for user in users])
    return AccountPage([Account(user, usage[user.id]) for user in users], total, page)


async def read_account(session: AsyncSession, settings: Settings, user: User) -> Account:
    return Account(user, (await _read_usage(session, settings, [user.id]))[user.id])


def _matches(q: str) -> ColumnElement[bool]:
    key = q.casefold()
    return or_(contains(User.username_key, key), contains(User.email_key, address_key(q)))


async def _read_usage(
    session: AsyncSession, settings: Settings, ids: Collection[int]
) -> Mapping[int, Usage]:
    since = clock.days_ago(settings.retention_days)
    storage = await _by_user(session, _storage(ids))
    sent = await _by_user(session, _sent(ids, since))
    received = await _by_user(session, _received(ids, since))
    return {id: Usage(storage.get(id, 0), sent.get(id, 0), received.get(id, 0)) for id in ids}


async def _by_user(session: AsyncSession, numbers: Executable) -> dict[int, int]:
    return {user_id: int(number) for user_id, number in await session.execute(numbers)}


def _storage(ids: Collection[int]) -> Executable:
    clips = select(Project.owner_id, Clip.size).join(Clip, Clip.project_id == Project.id)
    videos = (
        select(Project.owner_id, Compilation.size)
        .join(Compilation, Compilation.project_id == Project.id)
        .where(keeps_video)
    )
    theirs = Project.owner_id.in_(ids)
    files = union_all(clips.where(theirs), videos.where(theirs)).subquery()
    return select(files.c.owner_id, func.sum(files.c.size)).group_by(files.c.owner_id)


def _received(ids: Collection[int], since: datetime) -> Executable:
    mails = select(Delivery.user_id, func.count(_mail().distinct()))
    return mails.where(Delivery.user_id.in_(ids), _was_sent(since)).group_by(Delivery.user_id)


def _sent(ids: Collection[int], since: datetime) -> Executable:
    """Notification mails about what they did, and the invitations mailed to addresses without an
    account.
    """
    notified = (
        select(Event.actor_id.label("user_id"), _mail().label("mail"))
        .join(Notification, Notification.event_id == Event.id)
        .join(Delivery, Delivery.notification_id == Notification.id)
        .where(Event.actor_id.in_(ids), Delivery.user_id != Event.actor_id, _was_sent(since))
    )
    invitation_id = Delivery.context["invitation_id"].as_integer()
    invited = (
        select(Invitation.inviter_id, _mail())
        .join(Delivery, and_(Delivery.transactional == MAIL, invitation_id == Invitation.id))
        .where(Invitation.inviter_id.in_(ids), _was_sent(since))
    )
    mails = union_all(notified, invited).subquery()
    counted = select(mails.c.user_id, func.count(mails.c.mail.distinct()))
    return counted.group_by(mails.c.user_id)


def _mail() -> ColumnElement[int]:
    """The same for all deliveries of one mail."""
    return func.coalesce(Delivery.bundle_id, Delivery.id)


def _was_sent(since: datetime) -> ColumnElement[bool]:
    return and_(Delivery.channel == EMAIL, Delivery.state == "sent", Delivery.settled_at > since)
