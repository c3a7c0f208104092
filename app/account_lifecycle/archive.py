"""The export: everything that is stored about a user, for that user to download."""

from typing import Any

from sqlalchemy import Executable, case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.addresses import CONFIRM
from app.accounts.sign_in_places import NETWORK
from app.mail.suppressions import is_suppressed
from app.models import (
    Clip,
    Compilation,
    Delivery,
    Event,
    Invitation,
    Membership,
    Mute,
    Notification,
    Project,
    SavedView,
    SignInPlace,
    Team,
    Token,
    User,
    WebSession,
)
from app.notifications.events.notices import has_known_type
from app.notifications.events.sentences import sentence
from app.notifications.preferences.channels import channel_names
from app.notifications.preferences.switches import exceptions_of, ungrouped_types

Records = list[dict[str, Any]]


async def export_account(session: AsyncSession, user: User) -> dict[str, Any]:
    """The archive as a dict that can be encoded as JSON; times are aware.

    Left out are secrets (password hash, tokens), other people's data, and the files of clips and of
    the picture.
    """
    return {
        "exported_at": clock.now(),
        "account": _account(user),
        "sessions": await _all(session, _sessions(user)),
        "sign_in_places": await _all(session, _sign_in_places(user)),
        "tokens": await _all(session, _tokens(user)),
        "teams": await _all(session, _teams(user)),
        "invitations": await _all(session, _invitations(user)),
        "projects": await _all(session, _projects(user)),
        "clips": await _all(session, _clips(user)),
        "compilations": await _all(session, _compilations(user)),
        "preferences": await _preferences(session, user),
        "ungrouped_types": await ungrouped_types(session, user),
        "saved_views": await _all(session, _saved_views(user)),
        "invitation_mail_is_stopped": user.is_confirmed
        and await is_suppressed(session, user.email),
        "mutes": await _all(session, _mutes(user)),
        "notifications": await _notifications(session, user),
        "deliveries": await _all(session, _deliveries(user)),
    }


def _account(user: User) -> dict[str, Any]:
    fields = """id username email email_confirmed_at email_gone_at pending_email is_admin timezone
        language theme digest_is_on digest_frequency digest_hour pushes_always added_directly_by
        grouping density shortcuts sound urgent_first avatar suspended_at last_seen_at created_at"""
    return {field: getattr(user, field) for field in fields.split()}


async def _all(session: AsyncSession, query: Executable) -> Records:
    return [dict(row) for row in (await session.execute(query)).mappings()]


def _sessions(user: User) -> Executable:
    columns = WebSession.user_agent, WebSession.created_at, WebSession.last_seen_at
    return select(*columns).where(WebSession.user_id == user.id)


def _sign_in_places(user: User) -> Executable:
    """Browsers and networks; browsers without the tokens that identify them."""
    network = case((SignInPlace.kind == NETWORK, SignInPlace.value)).label("network")
    columns = SignInPlace.kind, network, SignInPlace.first_seen_at, SignInPlace.last_seen_at
    return select(*columns).where(SignInPlace.user_id == user.id)


def _tokens(user: User) -> Executable:
    columns = Token.name, Token.scope, Token.created_at, Token.last_used_at
    return select(*columns).where(Token.user_id == user.id)


def _teams(user: User) -> Executable:
    return (
        select(Team.id, Team.name, Membership.role, Membership.joined_at)
        .join(Membership, Membership.team_id == Team.id)
        .where(Membership.user_id == user.id)
    )


def _invitations(user: User) -> Executable:
    """The invitations that the user sent, and those sent to their confirmed address."""
    conditions = [Invitation.inviter_id == user.id]
    if user.is_confirmed:
        conditions.append(Invitation.email_key == user.email_key)
    columns = (
        Invitation.id,
        Invitation.team_id,
        Invitation.email,
        Invitation.role,
        Invitation.status,
    )
    return select(*columns, Invitation.created_at, Invitation.answered_at).where(or_(*conditions))


def _projects(user: User) -> Executable:
    columns = Project.id, Project.name, Project.created_at
    return select(*columns).where(Project.owner_id == user.id)


def _clips(user: User) -> Executable:
    columns = Clip.project_id, Clip.filename, Clip.size, Clip.duration, Clip.created_at
    return select(*columns).where(Clip.uploader_id == user.id)


def _compilations(user: User) -> Executable:
    columns = Compilation.project_id, Compilation.status, Compilation.created_at
    return select(*columns).where(Compilation.requested_by_id == user.id)


async def _preferences(session: AsyncSession, user: User) -> Records:
    """For each type that was changed, what was chosen for each channel; None for the default."""
    channels = channel_names(session)
    return [
        {"type": type} | {channel: chosen.get(channel) for channel in channels}
        for type, chosen in (await exceptions_of(session, user)).items()
    ]


def _saved_views(user: User) -> Executable:
    columns = SavedView.name, SavedView.query, SavedView.created_at
    mine = select(*columns).where(SavedView.user_id == user.id)
    return mine.order_by(SavedView.rank, SavedView.id)


def _mutes(user: User) -> Executable:
    return select(Mute.team_id, Mute.project_id).where(Mute.user_id == user.id)


def _deliveries(user: User) -> Executable:
    """Leaves out confirmation mails. None is sent to an address that another account has confirmed,
    so the list would reveal which addresses have an account.
    """
    columns = (
        Delivery.channel,
        Delivery.address,
        Delivery.transactional,
        Delivery.state,
        Delivery.reason,
        Delivery.failure,
        Delivery.host,
        Delivery.status_code,
        Delivery.detail,
        Delivery.created_at,
        Delivery.attempted_at,
        Delivery.settled_at,
    )
    is_listed = Delivery.transactional.is_distinct_from(CONFIRM)
    return select(*columns).where(Delivery.user_id == user.id, is_listed)


async def _notifications(session: AsyncSession, user: User) -> Records:
    """Left out are deleted and withdrawn notifications, and those of a type that a newer version of
    the application wrote: this one has no sentence for them.
    """
    shown = (
        select(Notification, Event)
        .join(Event, Event.id == Notification.event_id)
        .where(Notification.user_id == user.id, Notification.deleted_at.is_(None))
        .where(has_known_type())
        .order_by(Event.id)
    )
    return [_notice(*row, user) for row in await session.execute(shown)]


def _notice(notification: Notification, event: Event, user: User) -> dict[str, Any]:
    to_affected = event.affected_id == user.id
    return {
        "type": event.type,
        "message": sentence(event.type, event.context, to_affected=to_affected),
        "created_at": event.created_at,
        "read_at": notification.read_at,
    }
