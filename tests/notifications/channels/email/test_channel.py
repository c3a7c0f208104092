"""Mail as a channel: for whom a delivery waits, where it goes, and what it is called."""

import dataclasses
import shutil
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app import clock
from app.account_lifecycle.onboarding import change_address
from app.database import Database
from app.installation import TRANSACTIONAL_MAILS
from app.mail.transactional import TransactionalMail
from app.models import Notification, Preference, Team, User
from app.notifications.events.catalogue import INVITATION_RECEIVED, PROJECT_SHARED
from app.notifications.notify import notify
from app.notifications.preferences import switches
from app.settings import Settings
from tests.factories import PASSWORD, make_team
from tests.mailing import (
    change_deliveries,
    deliver_mail,
    deliveries,
    email,
    kept,
    make_due,
    share,
    write,
)
from tests.notifications.conftest import Hands

NOW, WAIT = timedelta(0), timedelta(seconds=120)


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


async def change(db: Database, user: User, **values: object) -> None:
    async with db.write() as session:
        await session.execute(update(User).where(User.id == user.id).values(**values))


async def invite(db: Database, user: User, team: Team) -> None:
    async with db.act() as session:
        await notify(
            session, INVITATION_RECEIVED, affected=user, team=team, role="editor", inviter="alice"
        )


async def test_an_ordinary_mail_waits_and_an_urgent_one_does_not(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await share(db, alice, squad)
    await invite(db, bob, squad)

    ordinary, urgent = await deliveries(db)

    assert (ordinary.bundling, urgent.bundling) == ("bundle", "alone")
    assert ordinary.due_at == clock.now() + WAIT
    assert urgent.due_at == clock.now()
    assert {ordinary.address, urgent.address} == {bob.email}


async def test_how_long_it_waits_is_a_setting(settings: Settings) -> None:
    channel = email(dataclasses.replace(settings, email_delay_seconds=3))

    assert channel.delay == timedelta(seconds=3)


async def test_with_a_digest_only_urgent_mail_is_sent_alone(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    async with db.act() as session:
        await switches.change(session, bob, {"digest": {"enabled": True, "hour": 8}})
        due = (await session.get_one(User, bob.id)).digest_due_at
    await share(db, alice, squad)
    await invite(db, bob, squad)

    gathered, urgent = await deliveries(db)

    assert (gathered.bundling, gathered.due_at) == ("digest", due)
    assert urgent.bundling == "alone"


@pytest.mark.parametrize(
    "values",
    [{"email_confirmed_at": None}, {"email_gone_at": clock.now()}],
    ids=["unconfirmed", "gone"],
)
async def test_no_mail_is_queued_for_an_undeliverable_address(
    db: Database, alice: User, bob: User, squad: Team, values: dict[str, object]
) -> None:
    await change(db, bob, **values)

    await share(db, alice, squad)

    assert await deliveries(db) == []
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(Notification)) == 1


async def test_no_mail_is_queued_for_users_who_turned_this_type_off(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    async with db.write() as session:
        session.add(
            Preference(user_id=bob.id, type=PROJECT_SHARED.name, channel="email", wanted=False)
        )

    await share(db, alice, squad)

    assert await deliveries(db) == []


async def test_a_mail_that_waits_goes_to_the_address_of_the_day(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team
) -> None:
    await share(db, alice, squad)
    await change_address(db, settings, bob, email="robert@example.com", password=PASSWORD)
    await make_due(db)

    await deliver_mail(db, settings)

    assert sorted((one["To"], one["Subject"].partition(" ")[0]) for one in kept(settings)) == [
        ("bob@example.com", "A"),  # change of your address was requested
        ("bob@example.com", "Your"),
        ("robert@example.com", "Project"),
    ]
    assert (await deliveries(db))[0].address == "robert@example.com"


async def test_the_id_of_a_mail_is_its_own_and_always_the_same(
    db: Database, settings: Settings, alice: User, squad: Team
) -> None:
    for _ in range(2):
        await share(db, alice, squad)
        await make_due(db)
        await deliver_mail(db, settings)
    first = [one["Message-ID"] for one in kept(settings)]
    shutil.rmtree(settings.mail_dir)
    await change_deliveries(db, state="pending", due_at=clock.now())
    await deliver_mail(db, settings)

    assert len(set(first)) == 2
    assert [one["Message-ID"] for one in kept(settings)] == first


async def test_an_unwritable_mail_does_not_hold_up_the_others(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_signer: object, _facts: object) -> dict[str, str]:
        raise RuntimeError("Nobody foresaw this")

    unwritable = TransactionalMail("confirm_address", stumble)
    monkeypatch.setitem(TRANSACTIONAL_MAILS, "confirm_address", unwritable)
    await write(db, "one@example.com")
    await write(db, "two@example.com", name="confirm_address")
    await write(db, "three@example.com")

    await deliver_mail(db, settings)

    rows = await deliveries(db)
    assert [row.state for row in rows] == ["sent", "failed", "sent"]
    assert (rows[1].failure, rows[1].detail) == (
        "unwritable",
        "RuntimeError('Nobody foresaw this')",
    )
    assert [one["To"] for one in kept(settings)] == ["one@example.com", "three@example.com"]
