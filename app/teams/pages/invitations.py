"""Invitations: sent, sent again and revoked by the team; answered by the invitee.

The invitee answers on the page behind the invitation's link, or in place in a notification.
"""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect, without_referrer
from app.language import _
from app.layout import ask, page
from app.models import Invitation, Team, User
from app.notifications.pages.actions import answer_in_place
from app.security import Signer
from app.settings import Settings
from app.teams import responses
from app.teams.access import is_member, require
from app.teams.invitation_links import invitation_path, read_token, target_of
from app.teams.invitations import find_pending, invite, revoke, send_again, unmailed_reason
from app.teams.open_invitations import closed_reason
from app.teams.pages.team import show_team
from app.teams.queries import read_invitation
from app.teams.throttles import throttle_invitations
from app.values.names import isolate
from app.web.visits import Visits

PageOrRedirect = Response[Any]


@post(status_code=200)
async def send(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    team_id: FromPath[int],
) -> PageOrRedirect:
    await throttle_invitations(db, settings, user)
    try:
        async with db.act() as session:
            invitation = await invite(session, user, team_id, form["email"], form["role"])
    except Invalid as invalid:
        typed = {"typed": form, "errors": invalid.fields}
        return await show_team(request, db, user, team_id, status=422, **typed)
    return _sent(invitation, _("Invitation sent to {email}."))


@post()
async def resend(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    team_id: FromPath[int],
    invitation_id: FromPath[int],
) -> Response[None]:
    await throttle_invitations(db, settings, user)
    async with db.act() as session:
        invitation = await send_again(session, user, team_id, invitation_id)
    return _sent(invitation, _("Invitation sent to {email} again."))


@get()
async def ask_to_revoke(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    invitation_id: FromPath[int],
) -> Response[str]:
    async with db.read() as session:
        await require(session, user, team_id, "invite")
        invitation = await find_pending(session, team_id, invitation_id)
    return await ask(
        request,
        question=_("Revoke the invitation to {email}?").format(email=invitation.email),
        explanation=_("Its link stops working. Nobody is notified."),
        action=f"/teams/{team_id}/invitations/{invitation_id}/revoke",
        button_label=_("Revoke"),
        cancel_url=f"/teams/{team_id}",
    )


@post()
async def revoke_invitation(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    invitation_id: FromPath[int],
) -> Response[None]:
    async with db.act() as session:
        invitation = await revoke(session, user, team_id, invitation_id)
    text = _("Invitation to {email} revoked.").format(email=invitation.email)
    return redirect(f"/teams/{team_id}", text)


@get()
async def show(
    request: AnyRequest,
    db: NamedDependency[Database],
    optional_user: NamedDependency[User | None],
    visits: NamedDependency[Visits],
    token: FromPath[str],
) -> Response[str]:
    """Anyone with the link can see who invites to which team."""
    async with db.read() as session:
        invitation_id, is_mailed = await read_token(session, token)
        received = await read_invitation(session, invitation_id)
        reason = closed_reason(received.invitation)
        if optional_user and not reason:
            reason = await responses.refusal(
                session, received.invitation, optional_user, is_mailed=is_mailed
            )
        team_url = await _joined_team(session, received.invitation, optional_user)
    await visits.note(request, target_of(invitation_id))
    is_for_other = optional_user and optional_user.email_key != received.invitation.email_key
    response = await page(
        request,
        "teams/invitation.html",
        received=received,
        token=token,
        reason=reason,
        is_for_other=is_for_other and not closed_reason(received.invitation),
        team_url=team_url,
    )
    return without_referrer(response)


@post()
async def accept(
    db: NamedDependency[Database],
    optional_user: NamedDependency[User | None],
    token: FromPath[str],
) -> Response[None]:
    if optional_user is None:
        return await _to_login(db, token)
    async with db.act() as session:
        invitation_id, is_mailed = await read_token(session, token)
        team = await responses.accept(session, optional_user, invitation_id, is_mailed=is_mailed)
    return redirect(f"/teams/{team.id}", _welcome_to(team))


@post()
async def decline(
    db: NamedDependency[Database],
    optional_user: NamedDependency[User | None],
    token: FromPath[str],
) -> Response[None]:
    if optional_user is None:
        return await _to_login(db, token)
    async with db.act() as session:
        invitation_id, is_mailed = await read_token(session, token)
        team = await responses.decline(session, optional_user, invitation_id, is_mailed=is_mailed)
    return redirect("/notifications", _declined(team))


@get()
async def follow(
    db: NamedDependency[Database],
    signer: NamedDependency[Signer],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Response[None]:
    """Redirect from a notification to its invitation."""
    async with db.read() as session:
        invitation_id = await responses.invitation_of(session, user, notification_id)
        invitation = await session.get_one(Invitation, invitation_id)
    return redirect(invitation_path(signer, invitation))


@post(status_code=200)
async def accept_in_place(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> PageOrRedirect:
    async with db.act() as session:
        invitation_id = await responses.invitation_of(session, user, notification_id)
        team = await responses.accept(session, user, invitation_id)
    path, text = f"/teams/{team.id}", _welcome_to(team)
    return await answer_in_place(request, db, user, notification_id, path, text)


@post(status_code=200)
async def decline_in_place(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> PageOrRedirect:
    async with db.act() as session:
        invitation_id = await responses.invitation_of(session, user, notification_id)
        team = await responses.decline(session, user, invitation_id)
    path, text = "/notifications", _declined(team)
    return await answer_in_place(request, db, user, notification_id, path, text)


async def _joined_team(session: AsyncSession, invitation: Invitation, user: User | None) -> str:
    """The page of the team that the user joined through this invitation, "" if they did not."""
    if user is None or user.email_key != invitation.email_key or invitation.status != "accepted":
        return ""
    team_id = invitation.team_id
    return f"/teams/{team_id}" if await is_member(session, team_id, user.id) else ""


def _sent(invitation: Invitation, sentence: str) -> Response[None]:
    url = f"/teams/{invitation.team_id}"
    if reason := unmailed_reason(invitation):
        invited = _("{email} is invited.").format(email=invitation.email)
        return redirect(url, f"{invited} {reason}", kind="problem")
    return redirect(url, sentence.format(email=invitation.email))


async def _to_login(db: Database, token: str) -> Response[None]:
    """Raises NotFound for a link that does not work."""
    async with db.read() as session:
        await read_token(session, token)
    return redirect(f"/login?next=/invitations/{token}", _("Please log in first."), kind="problem")


def _welcome_to(team: Team) -> str:
    return _("Welcome to '{team}'.").format(team=isolate(team.name))


def _declined(team: Team) -> str:
    return _("You declined the invitation to '{team}'.").format(team=isolate(team.name))
