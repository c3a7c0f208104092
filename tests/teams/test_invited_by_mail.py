"""From a mailed invitation through registration into the team; mails that became pointless."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select, update

from app import clock
from app.asgi import create_app
from app.database import Database
from app.installation import install
from app.models import Invitation, Membership, Team, User
from app.notifications.delivery.explanations import REASONS
from app.settings import Settings
from app.teams.invitations import invite, revoke
from app.teams.responses import accept, decline
from app.teams.teams import delete_team
from tests.application import browser, running
from tests.conftest import post, sign_in, text_of
from tests.factories import PASSWORD, make_account
from tests.mailing import deliver_mail, deliveries, kept
from tests.postoffice import PostOffice

DORA = "dora@example.com"


@pytest.fixture
async def app(mailing: Settings) -> AsyncIterator[Litestar]:
    async with running(create_app(install(mailing))) as application:
        yield application


def link_in(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"http://testserver\S+", body.get_content())
    assert found is not None
    return urlsplit(found[0]).path


async def roles(db: Database, team: Team) -> dict[str, str]:
    """The role of each member, by username."""
    async with db.read() as session:
        rows = select(User.username, Membership.role).join(
            Membership, Membership.user_id == User.id
        )
        found = await session.execute(rows.where(Membership.team_id == team.id))
        return {row.username: row.role for row in found}


async def test_the_mailed_link_leads_through_registration_into_the_team(
    db: Database,
    mailing: Settings,
    office: PostOffice,
    app: Litestar,
    client: httpx.AsyncClient,
    alice: User,
    video_squad: Team,
) -> None:
    await sign_in(client, alice)
    await post(client, f"/teams/{video_squad.id}/invitations", email=DORA, role="editor")
    await deliver_mail(db, mailing)
    [mail] = office.mails
    assert mail["To"] == DORA
    link = link_in(mail)

    async with browser(app) as dora:
        assert "alice" in text_of(await dora.get(link))
        sent_away = await post(dora, f"{link}/accept")
        login = await dora.get(sent_away.headers["location"])
        register_link = re.search(r'href="(/register\?next=[^"]+)"', login.text)
        assert register_link is not None
        form = await dora.get(register_link[1])
        following = re.search(r'name="next" value="([^"]+)"', form.text)
        assert following is not None
        fields = {"username": "dora", "email": DORA, "password": PASSWORD, "next": following[1]}
        back = await post(dora, "/register", **fields)
        assert back.headers["location"] == link
        welcome = await post(dora, f"{link}/accept")

    assert welcome.headers["location"] == f"/teams/{video_squad.id}"
    assert await roles(db, video_squad) == {"alice": "owner", "dora": "editor"}


async def test_accepting_by_the_mailed_link_makes_the_confirmation_mail_unnecessary(
    db: Database,
    mailing: Settings,
    office: PostOffice,
    app: Litestar,
    alice: User,
    video_squad: Team,
) -> None:
    async with db.act() as session:
        invitation = await invite(session, alice, video_squad.id, DORA, "editor")
    async with browser(app) as dora:
        await post(dora, "/register", username="dora", email=DORA, password=PASSWORD)
    async with db.act() as session:
        user = (await session.scalars(select(User).where(User.email == DORA))).one()
        await accept(session, user, invitation.id, is_mailed=True)

    await deliver_mail(db, mailing)

    reasons = {row.transactional: row.reason for row in await deliveries(db) if row.transactional}
    assert reasons == {"invitation": "answered", "confirm_address": "confirmed"}
    assert [mail["Subject"] for mail in office.mails if mail["To"] == DORA] == []


async def is_revoked(db: Database, alice: User, invitation: Invitation) -> None:
    async with db.act() as session:
        await revoke(session, alice, invitation.team_id, invitation.id)


async def is_accepted(db: Database, _alice: User, invitation: Invitation) -> None:
    dora = await make_account(db, "dora")
    async with db.act() as session:
        await accept(session, dora, invitation.id, is_mailed=True)


async def is_declined(db: Database, _alice: User, invitation: Invitation) -> None:
    dora = await make_account(db, "dora")
    async with db.act() as session:
        await decline(session, dora, invitation.id, is_mailed=True)


async def expires(db: Database, _alice: User, invitation: Invitation) -> None:
    async with db.write() as session:
        mine = update(Invitation).where(Invitation.id == invitation.id)
        await session.execute(mine.values(expires_at=clock.now() - timedelta(seconds=1)))


async def loses_its_team(db: Database, alice: User, invitation: Invitation) -> None:
    async with db.act() as session:
        await delete_team(session, alice, invitation.team_id)


Meanwhile = Callable[[Database, User, Invitation], Awaitable[None]]
TOO_LATE: list[Meanwhile] = [is_revoked, is_accepted, is_declined, expires, loses_its_team]


@pytest.mark.parametrize("meanwhile", TOO_LATE, ids=lambda one: str(one.__name__))
async def test_the_mail_about_a_closed_invitation_is_not_sent(
    db: Database, settings: Settings, alice: User, video_squad: Team, meanwhile: Meanwhile
) -> None:
    async with db.act() as session:
        invitation = await invite(session, alice, video_squad.id, DORA, "editor")
    await meanwhile(db, alice, invitation)

    await deliver_mail(db, settings)

    [letter] = [row for row in await deliveries(db) if row.transactional]
    assert (letter.state, letter.reason) == ("skipped", "answered")
    assert REASONS["answered"]
    assert [
        mail for mail in kept(settings) if mail["To"] == DORA and "invited" in mail["Subject"]
    ] == []
