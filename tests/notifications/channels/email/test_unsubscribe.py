"""Stopping mail from within a mail: by its page, by one click, and never by looking."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, update

from app import clock
from app.accounts.addresses import set_confirmed_address
from app.database import Database
from app.errors import NotFound
from app.models import User
from app.notifications.channels.email.unsubscribe import (
    EVERYTHING,
    RESUME,
    STOP,
    UnsubscribeLink,
    resume,
    stop,
    unsubscribe_url,
)
from app.notifications.events.catalogue import MEMBER_ADDED, PROJECT_SHARED, types_with_mandatory
from app.notifications.events.event_type import EMAIL
from app.notifications.preferences import switches
from app.settings import Settings
from tests.conftest import text_of
from tests.factories import SIGNER, make_account
from tests.switching import set_switch


async def mailed(db: Database, user: User) -> set[str]:
    """The types that are mailed."""
    async with db.read() as session:
        chosen = (await switches.read(session, user)).preferences
    return {name for name, channels in chosen.items() if channels[EMAIL]}


@pytest.fixture
def link(settings: Settings, alice: User) -> str:
    return unsubscribe_url(settings, SIGNER, alice, MEMBER_ADDED.name)


async def test_looking_at_the_page_stops_nothing(
    client: httpx.AsyncClient, db: Database, alice: User, link: str
) -> None:
    before = await mailed(db, alice)

    answer = await client.get(link)

    assert answer.status_code == 200
    assert "Someone joins one of your teams" in text_of(answer)
    assert await mailed(db, alice) == before


async def test_one_click_of_a_mail_program_needs_no_cookie(
    client: httpx.AsyncClient, db: Database, alice: User, link: str
) -> None:
    before = await mailed(db, alice)

    answer = await client.post(link, data={"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert before - await mailed(db, alice) == {MEMBER_ADDED.name}


async def test_a_second_click_does_no_harm(
    client: httpx.AsyncClient, db: Database, alice: User, link: str
) -> None:
    for _ in range(2):
        answer = await client.post(link, data={"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert MEMBER_ADDED.name not in await mailed(db, alice)


async def test_a_changed_signature_is_refused(
    client: httpx.AsyncClient, db: Database, alice: User, link: str
) -> None:
    before = await mailed(db, alice)

    for changed in (link[:-2] + "xx", link.replace("/unsubscribe/", "/unsubscribe/x")):
        assert (await client.get(changed)).status_code == 404
        assert (await client.post(changed)).status_code == 404

    assert await mailed(db, alice) == before


async def test_all_mail_is_stopped_by_its_button_and_taken_back_by_undo(
    client: httpx.AsyncClient, db: Database, alice: User, link: str
) -> None:
    async with db.act() as session:
        await set_switch(session, alice, PROJECT_SHARED.name, EMAIL, wanted=False)
    before = await mailed(db, alice)

    stopped = await client.post(link, data={"scope": EVERYTHING})
    assert await mailed(db, alice) == set(types_with_mandatory(EMAIL))
    back = stopped.text.partition('name="back" value="')[2].partition('"')[0]
    await client.post(f"{link}/undo", data={"back": back})

    assert await mailed(db, alice) == before


async def test_another_persons_mail_is_left_alone(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User, link: str
) -> None:
    before = await mailed(db, bob)

    await client.post(link, data={"scope": EVERYTHING})

    assert await mailed(db, bob) == before


async def test_the_page_does_not_show_the_whole_address(
    client: httpx.AsyncClient, alice: User, link: str
) -> None:
    assert alice.email not in (await client.get(link)).text


async def test_the_link_of_a_deleted_account_stops_nobodys_mail(
    client: httpx.AsyncClient, db: Database, alice: User, link: str
) -> None:
    async with db.write() as session:
        await session.execute(delete(User).where(User.id == alice.id))
    next_one = await make_account(db, "bob")
    await change(db, next_one, id=alice.id)
    next_one.id = alice.id
    before = await mailed(db, next_one)

    answer = await client.post(link, data={"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 404
    assert await mailed(db, next_one) == before


async def test_the_link_ends_when_mail_goes_to_another_address(
    client: httpx.AsyncClient, db: Database, alice: User, link: str
) -> None:
    async with db.act() as session:
        user = await session.get_one(User, alice.id)
        await set_confirmed_address(session, user, "alice@elsewhere.example")
    before = await mailed(db, alice)

    assert (await client.post(link, data={"scope": EVERYTHING})).status_code == 404
    assert await mailed(db, alice) == before


@pytest.fixture
def old_link(alice: User) -> str:
    """As mailed before links had a nonce."""
    return f"/unsubscribe/{SIGNER.sign(STOP, [alice.id, MEMBER_ADDED.name])}"


async def test_an_old_link_works_for_an_account_from_that_time(
    client: httpx.AsyncClient, db: Database, alice: User, old_link: str
) -> None:
    await change(db, alice, has_old_links=True)

    await client.post(old_link, data={"List-Unsubscribe": "One-Click"})

    assert MEMBER_ADDED.name not in await mailed(db, alice)


@pytest.mark.parametrize(
    "account",
    [
        {"has_old_links": False},
        {"has_old_links": True, "created_at": clock.now() + timedelta(days=1)},
    ],
    ids=["made after the migration", "made after the link"],
)
async def test_an_old_link_works_for_no_later_account(
    client: httpx.AsyncClient, db: Database, alice: User, old_link: str, account: dict[str, Any]
) -> None:
    await change(db, alice, **account)
    before = await mailed(db, alice)

    assert (await client.get(old_link)).status_code == 404
    assert (await client.post(old_link, data={"scope": EVERYTHING})).status_code == 404
    assert await mailed(db, alice) == before


async def test_an_old_link_ends_with_the_address_it_was_mailed_to(
    client: httpx.AsyncClient, db: Database, alice: User, old_link: str
) -> None:
    await change(db, alice, has_old_links=True)
    async with db.act() as session:
        user = await session.get_one(User, alice.id)
        await set_confirmed_address(session, user, "alice@elsewhere.example")

    assert (await client.get(old_link)).status_code == 404


async def change(db: Database, user: User, **values: Any) -> None:
    async with db.write() as session:
        await session.execute(update(User).where(User.id == user.id).values(**values))


@pytest.mark.parametrize("has_nonce", [True, False])
async def test_an_undo_from_before_a_change_of_address_or_without_a_nonce_undoes_nothing(
    db: Database, alice: User, has_nonce: bool
) -> None:
    async with db.act() as session:
        user = await session.get_one(User, alice.id)
        token = await stop(session, UnsubscribeLink(user, MEMBER_ADDED.name))
        await set_confirmed_address(session, user, "alice.new@example.com")
    if not has_nonce:
        token = SIGNER.sign(RESUME, [alice.id, [MEMBER_ADDED.name]])

    with pytest.raises(NotFound):
        async with db.act() as session:
            await resume(session, token)

    assert MEMBER_ADDED.name not in await mailed(db, alice)
