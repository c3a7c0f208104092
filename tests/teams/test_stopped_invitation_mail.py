"""The owner of an address stops invitation mail from this server, and allows it again."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select

from app.account_lifecycle.archive import export_account
from app.asgi import create_app
from app.database import Database
from app.installation import install
from app.mail.suppressions import is_suppressed, stop_token
from app.models import Delivery, Invitation, Suppression, User
from app.notifications.delivery.explanations import STOPPED
from app.settings import Settings
from app.teams.invitations import invite
from tests.application import running
from tests.conftest import post, sign_in, text_of
from tests.factories import SIGNER, make_account, make_team
from tests.mailing import deliver_mail
from tests.postoffice import PostOffice
from tests.push_service import Browser
from tests.pushing import enable_push

DORA = "dora@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
async def app(mailing: Settings) -> AsyncIterator[Litestar]:
    async with running(create_app(install(mailing))) as application:
        yield application


@pytest.fixture
def link() -> str:
    """As the mail to dora has it."""
    return f"/stop-invitations/{stop_token(SIGNER, DORA)}"


async def invite_dora(db: Database, inviter: User, email: str = DORA) -> Invitation:
    team = await make_team(db, inviter, "Film Squad")
    async with db.act() as session:
        return await invite(session, inviter, team.id, email, "viewer")


async def is_stopped(db: Database, email: str = DORA) -> bool:
    async with db.read() as session:
        return await is_suppressed(session, email)


async def test_the_mail_has_a_link_and_the_header_for_one_click(
    db: Database, mailing: Settings, office: PostOffice, alice: User, client: httpx.AsyncClient
) -> None:
    await invite_dora(db, alice)
    await deliver_mail(db, mailing)

    [mail] = office.mails
    [header] = re.findall(r"<http://testserver(/stop-invitations/[^>]+)>", mail["List-Unsubscribe"])
    bodies = [mail.get_body((kind,)) for kind in ("plain", "html")]
    answer = await client.post(header, data=ONE_CLICK)

    assert all(body and header in body.get_content() for body in bodies)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (answer.status_code, await is_stopped(db)) == (200, True)


async def test_looking_at_the_page_stops_nothing(
    db: Database, client: httpx.AsyncClient, link: str
) -> None:
    page = await client.get(link)

    assert "Users of this server can invite d…@example.com" in text_of(page)
    assert DORA not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert not await is_stopped(db)


async def test_it_is_stopped_and_taken_back_on_one_page_without_an_account(
    db: Database, client: httpx.AsyncClient, link: str
) -> None:
    stopped = await client.post(link)
    seen = await client.get(link)
    was_stopped = await is_stopped(db)
    resumed = await client.post(f"{link}/undo")

    assert "We no longer email invitations" in text_of(stopped)
    assert "Email me invitations again" in text_of(seen)
    assert was_stopped
    assert "Stop invitation emails?" in text_of(resumed)
    assert not await is_stopped(db)


@pytest.mark.parametrize("email", [DORA, "DORA@example.com", "dora+films@example.com"])
async def test_a_later_invitation_is_not_mailed_and_its_inviter_sees_that(
    db: Database,
    mailing: Settings,
    office: PostOffice,
    alice: User,
    client: httpx.AsyncClient,
    link: str,
    email: str,
) -> None:
    await client.post(link, data=ONE_CLICK)
    team = await make_team(db, alice, "Film Squad")
    await sign_in(client, alice)

    await post(client, f"/teams/{team.id}/invitations", email=email, role="viewer")
    page = text_of(await client.get(f"/teams/{team.id}"))
    await deliver_mail(db, mailing)

    assert f"{email} is invited. It was not emailed, because this address gets no" in page
    assert office.mails == []


async def test_a_mail_that_waits_is_not_sent(
    db: Database,
    mailing: Settings,
    office: PostOffice,
    alice: User,
    client: httpx.AsyncClient,
    link: str,
) -> None:
    await invite_dora(db, alice)
    await client.post(link, data=ONE_CLICK)
    await deliver_mail(db, mailing)

    async with db.read() as session:
        [delivery] = (await session.scalars(select(Delivery))).all()
    assert (delivery.state, delivery.reason) == ("skipped", STOPPED)
    assert office.mails == []


async def test_the_table_names_nobody(db: Database, client: httpx.AsyncClient, link: str) -> None:
    await client.post(link, data=ONE_CLICK)

    async with db.read() as session:
        [row] = (await session.scalars(select(Suppression))).all()
    assert re.fullmatch("[0-9a-f]{64}", row.mailbox_hash)


@pytest.mark.parametrize("token", ["of nothing", "W10.x.y"])
async def test_an_altered_link_stops_nothing(client: httpx.AsyncClient, token: str) -> None:
    for answer in (
        await client.get(f"/stop-invitations/{token}"),
        await client.post(f"/stop-invitations/{token}", data=ONE_CLICK),
        await client.post(f"/stop-invitations/{token}/undo"),
    ):
        assert answer.status_code == 404


async def test_the_account_that_confirms_the_address_gets_the_notification_and_can_allow_mail_again(
    db: Database, alice: User, client: httpx.AsyncClient, link: str
) -> None:
    await client.post(link, data=ONE_CLICK)
    dora = await make_account(db, "dora")
    await sign_in(client, dora)
    invitation = await invite_dora(db, alice)
    before = await client.get("/account/notifications")
    async with db.read() as session:
        archive = await export_account(session, dora)

    await post(client, "/account/notifications/invitation-mail")
    after = await client.get("/account/notifications")

    assert invitation.unmailed == STOPPED
    assert "Invitations are not emailed to dora@example.com" in text_of(before)
    assert archive["invitation_mail_is_stopped"] is True
    assert "Invitations are not emailed" not in text_of(after)
    assert not await is_stopped(db)


async def test_only_the_mail_of_a_notification_is_held_back(
    db: Database, alice: User, client: httpx.AsyncClient, link: str
) -> None:
    await client.post(link, data=ONE_CLICK)
    await enable_push(db, await make_account(db, "dora"), Browser("https://fcm.googleapis.com/1"))

    await invite_dora(db, alice)

    async with db.read() as session:
        rows = (await session.scalars(select(Delivery).order_by(Delivery.channel))).all()
    assert [(row.channel, row.state, row.reason) for row in rows] == [
        ("email", "skipped", STOPPED),
        ("push", "pending", None),
    ]


async def test_an_account_that_has_not_confirmed_the_address_changes_nothing(
    db: Database, client: httpx.AsyncClient, link: str
) -> None:
    await client.post(link, data=ONE_CLICK)
    dora = await make_account(db, "dora")
    async with db.write() as session:
        (await session.get_one(User, dora.id)).email_confirmed_at = None
    await sign_in(client, dora)

    answer = await post(client, "/account/notifications/invitation-mail")

    assert (answer.status_code, await is_stopped(db)) == (403, True)
