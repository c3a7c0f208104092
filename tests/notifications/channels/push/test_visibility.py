"""A page that is looked at says so, for devices to stay quiet."""

from datetime import timedelta

from app import clock
from app.database import Database
from app.models import User
from app.notifications.channels.push.visibility import note_visible
from tests.notifications._devices import enable
from tests.notifications.conftest import Hands


async def note(db: Database, user: User, *, is_visible: bool) -> bool:
    async with db.write() as session:
        return await note_visible(session, user, is_visible=is_visible)


async def left(db: Database, user: User) -> timedelta:
    """For how long the page counts as looked at."""
    async with db.read() as session:
        until = (await session.get_one(User, user.id)).visible_until
    assert until
    return until - clock.now()


async def test_it_holds_until_the_page_has_had_time_to_say_so_again(
    db: Database, alice: User, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await enable(db, alice, "phone")

    assert await note(db, alice, is_visible=True)

    assert await left(db, alice) == timedelta(seconds=30)


async def test_leaving_the_page_ends_it_at_once(db: Database, alice: User, hands: Hands) -> None:
    hands.set("2026-11-23 10:00")
    await enable(db, alice, "phone")
    await note(db, alice, is_visible=True)

    await note(db, alice, is_visible=False)

    assert await left(db, alice) == timedelta(0)


async def test_without_a_device_pages_do_not_report_visibility(
    db: Database, alice: User, bob: User
) -> None:
    await enable(db, bob, "his")

    assert not await note(db, alice, is_visible=True)

    async with db.read() as session:
        assert (await session.get_one(User, alice.id)).visible_until is None
