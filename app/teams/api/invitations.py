"""Invitations in JSON: sent, listed, sent again, revoked; read and answered by their token."""

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.api.problems import problems
from app.api.shapes import Message, NamedReference
from app.database import Database
from app.language import _
from app.models import User
from app.security import Signer
from app.settings import Settings
from app.teams import responses
from app.teams.access import require
from app.teams.api.shapes import (
    InvitationList,
    InvitationObject,
    InvitationSeen,
    Joined,
    NewInvitation,
    invitation_object,
)
from app.teams.invitation_links import link_token, read_token
from app.teams.invitations import find_invitation, invite, revoke, send_again
from app.teams.queries import pending_invitations, read_invitation
from app.teams.throttles import throttle_invitations


@post(responses=problems(409, 429))
async def create(
    db: NamedDependency[Database],
    signer: NamedDependency[Signer],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
    data: JSONBody[NewInvitation],
) -> InvitationObject:
    """Invite an address to a team. The invitation expires after seven days."""
    await throttle_invitations(db, settings, user)
    async with db.act() as session:
        invitation = await invite(session, user, team_id, data.email, data.role)
    return invitation_object(invitation, link_token(signer, invitation))


@get(responses=problems(403))
async def index(
    db: NamedDependency[Database], user: NamedDependency[User], team_id: FromPath[int]
) -> InvitationList:
    """List a team's pending invitations, including expired ones, which can be sent again."""
    async with db.read() as session:
        await require(session, user, team_id, "invite")
        invitations = await pending_invitations(session, team_id)
    return InvitationList([invitation_object(invitation) for invitation in invitations])


@get(responses=problems(403))
async def show_sent(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    invitation_id: FromPath[int],
) -> InvitationObject:
    """Show one of a team's invitations, also after it was answered or revoked."""
    async with db.read() as session:
        await require(session, user, team_id, "invite")
        return invitation_object(await find_invitation(session, team_id, invitation_id))


@post(responses=problems(409, 429))
async def again(
    db: NamedDependency[Database],
    signer: NamedDependency[Signer],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
    invitation_id: FromPath[int],
) -> InvitationObject:
    """Send an invitation again. It expires after another seven days."""
    await throttle_invitations(db, settings, user)
    async with db.act() as session:
        invitation = await send_again(session, user, team_id, invitation_id)
    return invitation_object(invitation, link_token(signer, invitation))


@delete(
    status_code=200,
    responses=problems(409),
)
async def take_back(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    invitation_id: FromPath[int],
) -> Message:
    """Revoke an invitation. Its link stops working."""
    async with db.act() as session:
        invitation = await revoke(session, user, team_id, invitation_id)
    return Message(_("Invitation to {email} revoked.").format(email=invitation.email))


@get(is_public=True)
async def show(db: NamedDependency[Database], token: FromPath[str]) -> InvitationSeen:
    """Show an invitation to anyone who has its token."""
    async with db.read() as session:
        invitation_id, _is_mailed = await read_token(session, token)
        received = await read_invitation(session, invitation_id)
    seen = invitation_object(received.invitation)
    return InvitationSeen(
        id=seen.id,
        email=seen.email,
        role=seen.role,
        status=seen.status,
        expires_at=seen.expires_at,
        team=NamedReference(received.invitation.team_id, received.team_name),
        inviter=received.inviter,
    )


@post(status_code=200, responses=problems(409))
async def accept(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    token: FromPath[str],
) -> Joined:
    """Accept an invitation and join the team. Only the account with the invited address can."""
    async with db.act() as session:
        invitation_id, is_mailed = await read_token(session, token)
        team = await responses.accept(session, user, invitation_id, is_mailed=is_mailed)
    text = _("Welcome to '{team}'.").format(team=team.name)
    return Joined(text, NamedReference(team.id, team.name))


@post(status_code=200, responses=problems(409))
async def decline(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    token: FromPath[str],
) -> Message:
    """Decline an invitation. The inviter is notified."""
    async with db.act() as session:
        invitation_id, is_mailed = await read_token(session, token)
        team = await responses.decline(session, user, invitation_id, is_mailed=is_mailed)
    return Message(_("You declined the invitation to '{team}'.").format(team=team.name))
