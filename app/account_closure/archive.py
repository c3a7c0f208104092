"""Everything that is stored about a person, for that person to take along."""

from typing import Any

from sqlalchemy import Executable, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import (
    Clip,
    Compilation,
    Delivery,
    Event,
    Invitation,
    Membership,
    Mute,
    Notification,
    Preference,
    Project,
    Team,
    Token,
    User,
    WebSession,
)
from app.notifications.events.catalogue import sentence

Records = list[dict[str, Any]]


async def export_account(session: AsyncSession, account: User) -> dict[str, Any]:
    """What JSON can say of it; times are aware. Secrets (hashes, tokens) and other people's
    data stay out, and clips are named, not contained.
    """
    return {
        "exported_at": clock.now(),
        "account": _account(account),
        "sessions": await _all(session, _sessions(account)),
        "tokens": await _all(session, _tokens(account)),
        "teams": await _all(session, _teams(account)),
        "invitations": await _all(session, _invitations(account)),
        "projects": await _all(session, _projects(account)),
        "clips": await _all(session, _clips(account)),
        "compilations": await _all(session, _compilations(account)),
        "preferences": await _all(session, _preferences(account)),
        "mutes": await _all(session, _mutes(account)),
        "notifications": await _notifications(session, account),
        "deliveries": await _all(session, _deliveries(account)),
    }


def _account(account: User) -> dict[str, Any]:
    fields = """id username email email_confirmed_at email_gone_at pending_email is_admin timezone
        language theme digest_is_on digest_frequency digest_hour pushes_always created_at"""
    return {field: getattr(account, field) for field in fields.split()}


async def _all(session: AsyncSession, query: Executable) -> Records:
    return [dict(row) for row in (await session.execute(query)).mappings()]


def _sessions(account: User) -> Executable:
    columns = WebSession.user_agent, WebSession.created_at, WebSession.last_seen_at
    return select(*columns).where(WebSession.user_id == account.id)


def _tokens(account: User) -> Executable:
    columns = Token.name, Token.scope, Token.created_at, Token.last_used_at
    return select(*columns).where(Token.user_id == account.id)


def _teams(account: User) -> Executable:
    return (
        select(Team.id, Team.name, Membership.role, Membership.joined_at)
        .join(Membership, Membership.team_id == Team.id)
        .where(Membership.user_id == account.id)
    )


def _invitations(account: User) -> Executable:
    """Those they sent, and those to their confirmed address."""
    concerns = [Invitation.inviter_id == account.id]
    if account.is_confirmed:
        concerns.append(Invitation.email_key == account.email_key)
    columns = (
        Invitation.id,
        Invitation.team_id,
        Invitation.email,
        Invitation.role,
        Invitation.status,
    )
    return select(*columns, Invitation.created_at, Invitation.answered_at).where(or_(*concerns))


def _projects(account: User) -> Executable:
    columns = Project.id, Project.name, Project.created_at
    return select(*columns).where(Project.owner_id == account.id)


def _clips(account: User) -> Executable:
    columns = Clip.project_id, Clip.filename, Clip.size, Clip.duration, Clip.created_at
    return select(*columns).where(Clip.uploader_id == account.id)


def _compilations(account: User) -> Executable:
    columns = Compilation.project_id, Compilation.status, Compilation.created_at
    return select(*columns).where(Compilation.requested_by_id == account.id)


def _preferences(account: User) -> Executable:
    columns = Preference.type, Preference.in_app, Preference.email, Preference.push
    return select(*columns).where(Preference.user_id == account.id)


def _mutes(account: User) -> Executable:
    return select(Mute.team_id, Mute.project_id).where(Mute.user_id == account.id)


def _deliveries(account: User) -> Executable:
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
    return select(*columns).where(Delivery.user_id == account.id)


async def _notifications(session: AsyncSession, account: User) -> Records:
    """Those in the inbox: what was withdrawn is no longer theirs to see."""
    shown = (
        select(Notification, Event)
        .join(Event, Event.id == Notification.event_id)
        .where(Notification.user_id == account.id, Notification.deleted_at.is_(None))
        .order_by(Event.id)
    )
    return [_notice(*row, account) for row in await session.execute(shown)]


def _notice(notification: Notification, event: Event, account: User) -> dict[str, Any]:
    to_affected = event.affected_id == account.id
    return {
        "type": event.type,
        "message": sentence(event.type, event.context, to_affected=to_affected),
        "created_at": event.created_at,
        "read_at": notification.read_at,
    }
