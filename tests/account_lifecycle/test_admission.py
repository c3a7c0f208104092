"""REGISTRATION decides who may create an account: everyone, the invited, nobody."""

import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import select, update

from app import clock
from app.database import Database
from app.models import Invitation, Team, User
from app.settings import SettingError, Settings, load
from app.teams.invitation_links import invitation_path
from app.teams.invitations import invite, revoke
from tests.application import browser, serving
from tests.conftest import post, text_of
from tests.factories import SIGNER

DORA = {"username": "dora", "email": "dora@example.com", "password": "a long password"}
LINK = 'href="/register'


@pytest.fixture
async def invitation(db: Database, alice: User, video_squad: Team) -> Invitation:
    async with db.act() as session:
        return await invite(session, alice, video_squad.id, "Dora@example.com", "viewer")


@asynccontextmanager
async def visiting(settings: Settings, registration: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at an installation with this REGISTRATION."""
    async with (
        serving(dataclasses.replace(settings, registration=registration)) as app,
        browser(app) as client,
    ):
        yield client


async def names(db: Database) -> set[str]:
    async with db.read() as session:
        return set(await session.scalars(select(User.username)))


@pytest.mark.parametrize("value", ["open", "invited", "closed"])
def test_the_setting_is_one_of_three(settings: Settings, value: str) -> None:
    environ = {"DATA_DIR": str(settings.data_dir)}

    assert load(environ).registration == "open"
    assert load(environ | {"REGISTRATION": value}).registration == value


def test_any_other_value_refuses_to_start_and_is_named(settings: Settings) -> None:
    with pytest.raises(SettingError, match="REGISTRATION must be open, invited or closed"):
        load({"DATA_DIR": str(settings.data_dir), "REGISTRATION": "friends"})


@pytest.mark.parametrize("registration", ["invited", "closed"])
async def test_without_an_invitation_nobody_registers_and_no_page_leads_there(
    settings: Settings, db: Database, registration: str
) -> None:
    async with visiting(settings, registration) as client:
        pages = [await client.get(url) for url in ("/", "/login")]
        shown = await client.get("/register")
        answer = await post(client, "/register", **DORA)

    assert not [page.url for page in pages if LINK in page.text]
    assert shown.status_code == answer.status_code == 403
    sentence = "requires an invitation" if registration == "invited" else "Registration is closed"
    assert sentence in text_of(shown)
    assert sentence in text_of(answer)
    assert await names(db) == set()


async def test_the_invited_register_by_their_link_with_their_address(
    settings: Settings, db: Database, invitation: Invitation
) -> None:
    path = invitation_path(SIGNER, invitation)
    async with visiting(settings, "invited") as client:
        invited, login = await client.get(path), await client.get(f"/login?next={path}")
        form = await client.get(f"/register?next={path}")
        other = DORA | {"email": "eve@example.com"}
        refused = await post(client, "/register", **other, next=path)
        answer = await post(client, "/register", **DORA, next=path)

    assert LINK in invited.text
    assert LINK in login.text
    assert 'value="Dora@example.com"' in form.text
    assert refused.status_code == 422
    assert "Use the address that the invitation was sent to." in refused.text
    assert answer.headers["Location"] == path
    assert await names(db) == {"alice", "dora"}


async def expires(db: Database, _alice: User, invitation: Invitation) -> None:
    async with db.write() as session:
        await session.execute(update(Invitation).values(expires_at=clock.now()))


async def is_revoked(db: Database, alice: User, invitation: Invitation) -> None:
    async with db.act() as session:
        await revoke(session, alice, invitation.team_id, invitation.id)


@pytest.mark.parametrize("ends", [expires, is_revoked])
async def test_an_invitation_that_is_no_longer_open_admits_nobody(
    settings: Settings,
    db: Database,
    alice: User,
    invitation: Invitation,
    ends: Callable[..., object],
) -> None:
    await ends(db, alice, invitation)  # type: ignore[misc]
    path = invitation_path(SIGNER, invitation)
    async with visiting(settings, "invited") as client:
        answer = await post(client, "/register", **DORA, next=path)

    assert answer.status_code == 403
    assert "This invitation" in text_of(answer)
    assert await names(db) == {"alice"}


async def test_a_forged_link_admits_nobody(settings: Settings, db: Database) -> None:
    async with visiting(settings, "invited") as client:
        answer = await post(client, "/register", **DORA, next="/invitations/forged")

    assert answer.status_code == 403
    assert await names(db) == set()


async def test_while_closed_even_an_invitation_admits_nobody(
    settings: Settings, db: Database, invitation: Invitation
) -> None:
    path = invitation_path(SIGNER, invitation)
    async with visiting(settings, "closed") as client:
        shown = await client.get(path)
        answer = await post(client, "/register", **DORA, next=path)

    assert LINK not in shown.text
    assert answer.status_code == 403
    assert await names(db) == {"alice"}


async def test_an_invitation_admits_three_accounts_with_its_address_and_no_more(
    settings: Settings, db: Database, invitation: Invitation
) -> None:
    path = invitation_path(SIGNER, invitation)
    mailing = dataclasses.replace(settings, smtp_host="smtp.example.com")
    answers = []
    for name in ("dora", "dora2", "dora3", "dora4"):
        async with visiting(mailing, "invited") as client:
            form = DORA | {"username": name}
            answers.append(await post(client, "/register", **form, next=path))

    assert [answer.status_code for answer in answers] == [303, 303, 303, 403]
    assert await names(db) == {"alice", "dora", "dora2", "dora3"}
