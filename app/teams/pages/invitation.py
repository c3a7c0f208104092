"""Invitations from both sides: sent, revoked and sent again by the team; answered by the invitee,
on the link's page or in place from a notification."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.broker import Broker
from app.broker.relay import CHANGES
from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect, without_referrer
from app.language import _
from app.layout import page
from app.models import Team, User
from app.notifications.pages.actions import answer_in_place
from app.security import Signer
from app.settings import Settings
from app.teams import responses
from app.teams.invitations import (
    closed_sentence,
    invite,
    link_token,
    read_token,
    revoke,
    send_again,
)
from app.teams.pages.team import show_team
from app.teams.queries import read_invitation
from app.throttle import throttle

Answer = Response[str] | Response[None]


@post("/teams/{team_id:int}/invitations", status_code=200)
async def send(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    broker: NamedDependency[Broker],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    team_id: FromPath[int],
) -> Answer:
    await require_patience(db, settings, user)
    try:
        async with db.act() as session:
            await invite(session, user, team_id, form["email"], form["role"])
    except Invalid as invalid:
        typed = {"typed": form, "errors": invalid.fields}
        return await show_team(request, db, user, team_id, status=422, **typed)
    broker.relay.poke(CHANGES)
    return redirect(
        f"/teams/{team_id}", _("Invitation sent to {email}.").format(email=form["email"])
    )


async def require_patience(db: Database, settings: Settings, user: User) -> None:
    """Raises TooMany for who invites or adds more people than anybody would by hand."""
    await throttle(db, settings, f"invite:{user.id}", most=60, seconds=3600)


@post("/teams/{team_id:int}/invitations/{invitation_id:int}/again")
async def again(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    broker: NamedDependency[Broker],
    user: NamedDependency[User],
    team_id: FromPath[int],
    invitation_id: FromPath[int],
) -> Response[None]:
    await require_patience(db, settings, user)
    async with db.act() as session:
        invitation = await send_again(session, user, team_id, invitation_id)
    broker.relay.poke(CHANGES)
    text = _("Invitation sent to {email} again.").format(email=invitation.email)
    return redirect(f"/teams/{team_id}", text)


@post("/teams/{team_id:int}/invitations/{invitation_id:int}/revoke")
async def take_back(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    team_id: FromPath[int],
    invitation_id: FromPath[int],
) -> Response[None]:
    async with db.act() as session:
        invitation = await revoke(session, user, team_id, invitation_id)
    text = _("Invitation to {email} revoked.").format(email=invitation.email)
    return redirect(f"/teams/{team_id}", text)


@get("/invitations/{token:str}")
async def show(
    request: AnyRequest,
    db: NamedDependency[Database],
    signer: NamedDependency[Signer],
    visitor: NamedDependency[User | None],
    token: FromPath[str],
) -> Response[str]:
    """Who invites to what; anybody with the link may read that much."""
    invitation_id, is_mailed = read_token(signer, token)
    async with db.read() as session:
        asked = await read_invitation(session, invitation_id)
    wrong = closed_sentence(asked.invitation)
    if visitor and not wrong:
        wrong = responses.wrong_person(asked.invitation, visitor, is_mailed=is_mailed)
    answer = await page(request, "teams/invitation.html", asked=asked, token=token, wrong=wrong)
    return without_referrer(answer)


@post("/invitations/{token:str}/accept")
async def accept(
    db: NamedDependency[Database],
    signer: NamedDependency[Signer],
    visitor: NamedDependency[User | None],
    token: FromPath[str],
) -> Response[None]:
    invitation_id, is_mailed = read_token(signer, token)
    if visitor is None:
        return _to_login(token)
    async with db.act() as session:
        team = await responses.accept(session, visitor, invitation_id, is_mailed=is_mailed)
    return redirect(f"/teams/{team.id}", _welcome_to(team))


@post("/invitations/{token:str}/decline")
async def decline(
    db: NamedDependency[Database],
    signer: NamedDependency[Signer],
    visitor: NamedDependency[User | None],
    token: FromPath[str],
) -> Response[None]:
    invitation_id, is_mailed = read_token(signer, token)
    if visitor is None:
        return _to_login(token)
    async with db.act() as session:
        team = await responses.decline(session, visitor, invitation_id, is_mailed=is_mailed)
    return redirect("/notifications", _declined(team))


@get("/notifications/{notification_id:int}/invitation")
async def follow(
    db: NamedDependency[Database],
    signer: NamedDependency[Signer],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Response[None]:
    """From the notice to the invitation's own page."""
    async with db.read() as session:
        invitation_id = await responses.invitation_told_in(session, user, notification_id)
    return redirect(f"/invitations/{link_token(signer, invitation_id)}")


@post("/notifications/{notification_id:int}/accept", status_code=200)
async def accept_in_place(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Answer:
    async with db.act() as session:
        invitation_id = await responses.invitation_told_in(session, user, notification_id)
        team = await responses.accept(session, user, invitation_id)
    place, text = f"/teams/{team.id}", _welcome_to(team)
    return await answer_in_place(request, db, user, notification_id, place, text)


@post("/notifications/{notification_id:int}/decline", status_code=200)
async def decline_in_place(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Answer:
    async with db.act() as session:
        invitation_id = await responses.invitation_told_in(session, user, notification_id)
        team = await responses.decline(session, user, invitation_id)
    place, text = "/notifications", _declined(team)
    return await answer_in_place(request, db, user, notification_id, place, text)


def _to_login(token: str) -> Response[None]:
    return redirect(f"/login?next=/invitations/{token}", _("Please log in first."), kind="problem")


def _welcome_to(team: Team) -> str:
    return _("Welcome to '{team}'.").format(team=team.name)


def _declined(team: Team) -> str:
    return _("You declined the invitation to '{team}'.").format(team=team.name)


routes = [
    send,
    again,
    take_back,
    show,
    accept,
    decline,
    follow,
    accept_in_place,
    decline_in_place,
]
