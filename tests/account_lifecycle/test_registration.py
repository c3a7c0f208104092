"""Registration: valid fields, a confirmed address, and invitations that were sent before."""

import dataclasses

import pytest
from sqlalchemy import select

from app import clock
from app.account_lifecycle.onboarding import change_address, confirm_address, register
from app.database import Database
from app.errors import Invalid
from app.models import Delivery, Invitation, Team, User
from app.security import verify_password
from app.settings import Settings
from app.teams.invitations import invite, revoke
from tests.bell import bell_of
from tests.factories import PASSWORD
from tests.mailing import token_of

INVITED = "alice invited you to join team 'Video Squad' as viewer"
REQUESTED = "A change of your address to dora@example.com was requested"
RIGHT = {"username": "dora", "email": "dora@example.com", "password": "correct horse"}


@pytest.fixture
def mailing(settings: Settings) -> Settings:
    return dataclasses.replace(settings, smtp_host="mail.example.com")


async def mails(db: Database) -> list[Delivery]:
    """The transactional mails for dora's account."""
    about_account = Delivery.transactional.is_not(None), Delivery.transactional != "invitation"
    async with db.read() as session:
        return list(await session.scalars(select(Delivery).where(*about_account)))


async def test_a_new_user_has_the_time_zone_and_language_of_the_browser(
    db: Database, settings: Settings
) -> None:
    dora, _unmailed = await register(
        db, settings, **RIGHT, timezone="Europe/Berlin", accept_language="xx, en-GB;q=0.8"
    )

    async with db.read() as session:
        stored = await session.get_one(User, dora.id)
    assert (stored.username, stored.timezone, stored.language) == ("dora", "Europe/Berlin", "en")
    assert await verify_password("correct horse", stored.password_hash)


async def test_an_unknown_time_zone_is_left_empty(db: Database, settings: Settings) -> None:
    dora, _unmailed = await register(db, settings, **RIGHT, timezone="../../etc/passwd")

    assert dora.timezone == ""


async def test_every_wrong_field_is_named_at_once(db: Database, settings: Settings) -> None:
    with pytest.raises(Invalid) as caught:
        await register(db, settings, username="d", email="dora@", password="short")

    assert set(caught.value.fields) == {"username", "email", "password"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "do"),
        ("username", "d" * 33),
        ("username", "dora smith"),
        ("username", "dörà"),
        ("username", "dora@example.com"),
        ("username", "dora\n"),
        ("username", "<b>dora</b>"),
        ("email", ""),
        ("email", "dora"),
        ("email", "dora@example"[:5]),
        ("email", "dora@example..com"),
        ("email", "dora@-example.com"),
        ("email", "dora@example.com\r\nBcc: eve@example.com"),
        ("email", "dora@exa mple.com"),
        ("email", "d" * 65 + "@example.com"),
        ("email", "dora@" + "example." * 40 + "com"),
        ("password", "1234567"),
        ("password", "x" * 1025),
        ("password", "é" * 513),
    ],
)
async def test_an_invalid_value_is_refused(
    db: Database, settings: Settings, field: str, value: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await register(db, settings, **(RIGHT | {field: value}))

    assert set(caught.value.fields) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "D_o.r-A"),
        ("username", "D" * 32),
        ("email", "dora.o'neil+clips@mail.example.co.uk"),
        ("email", "dora@localhost"),
        ("password", "x" * 1024),
        ("password", "éééé"),
    ],
)
async def test_an_unusual_but_valid_value_is_accepted(
    db: Database, settings: Settings, field: str, value: str
) -> None:
    dora, _unmailed = await register(db, settings, **(RIGHT | {field: value}))

    assert dora.id


async def test_name_and_address_are_taken_regardless_of_case(
    db: Database, settings: Settings, alice: User
) -> None:
    with pytest.raises(Invalid) as caught:
        await register(
            db, settings, username="ALICE", email="Alice@Example.com", password="correct horse"
        )

    assert set(caught.value.fields) == {"username", "email"}


async def test_without_mail_an_address_counts_as_confirmed(
    db: Database, settings: Settings
) -> None:
    dora, _unmailed = await register(db, settings, **RIGHT)

    assert dora.is_confirmed
    assert await mails(db) == []


async def test_with_mail_the_address_has_to_be_confirmed(db: Database, mailing: Settings) -> None:
    dora, _unmailed = await register(db, mailing, **RIGHT)

    (mail,) = await mails(db)
    assert not dora.is_confirmed
    assert (mail.transactional, mail.address) == ("confirm_address", "dora@example.com")


class TestInvitedBefore:
    @pytest.fixture(autouse=True)
    async def invitation(self, db: Database, alice: User, video_squad: Team) -> Invitation:
        """Alice invites dora, who has no account yet."""
        async with db.act() as session:
            return await invite(session, alice, video_squad.id, "Dora@example.com", "viewer")

    async def test_registering_brings_the_invitation_into_the_bell(
        self, db: Database, settings: Settings
    ) -> None:
        dora, _unmailed = await register(db, settings, **RIGHT)

        assert await bell_of(db, dora) == [INVITED]

    async def test_with_mail_the_invitation_appears_once_the_address_is_confirmed(
        self, db: Database, mailing: Settings
    ) -> None:
        dora, _unmailed = await register(db, mailing, **RIGHT)
        before = await bell_of(db, dora)
        token = token_of((await mails(db))[-1])

        async with db.act() as session:
            await confirm_address(session, token)

        assert before == []
        assert await bell_of(db, dora) == [INVITED]

    async def test_changing_to_the_invited_address_brings_the_invitation(
        self, db: Database, settings: Settings, bob: User
    ) -> None:
        await change_address(db, settings, bob, email="dora@example.com", password=PASSWORD)

        assert await bell_of(db, bob) == [INVITED, REQUESTED]

    async def test_a_requested_change_does_not_bring_the_invitation_yet(
        self, db: Database, mailing: Settings, bob: User
    ) -> None:
        await change_address(db, mailing, bob, email="dora@example.com", password=PASSWORD)

        assert await bell_of(db, bob) == [REQUESTED]

    async def test_an_expired_or_revoked_invitation_is_not_brought(
        self, db: Database, settings: Settings, alice: User, invitation: Invitation
    ) -> None:
        async with db.act() as session:
            await revoke(session, alice, invitation.team_id, invitation.id)
            expired = await invite(session, alice, invitation.team_id, "dora@example.com", "viewer")
            expired.expires_at = clock.now()

        dora, _unmailed = await register(db, settings, **RIGHT)

        assert await bell_of(db, dora) == []
