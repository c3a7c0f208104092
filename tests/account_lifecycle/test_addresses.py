"""Addresses: confirmed by a mailed link, and changed."""

import dataclasses
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import delete, select, update

from app import clock
from app.account_lifecycle import onboarding
from app.account_lifecycle.onboarding import change_address, confirm_address, register
from app.accounts.addresses import send_confirmation
from app.accounts.passwords import (
    change_password,
    require_password,
    reset_password,
    send_reset,
)
from app.accounts.sessions import end_all_sessions, end_session, sessions_of, start_session
from app.database import Database
from app.errors import Conflict, Invalid, NotFound
from app.models import Delivery, User
from app.settings import Settings
from tests.conftest import post, text_of
from tests.factories import PASSWORD, SIGNER
from tests.mailing import deliver_mail, kept, token_of

ALICE = "alice@example.com"


@pytest.fixture
def mailing(settings: Settings) -> Settings:
    return dataclasses.replace(settings, smtp_host="mail.example.com")


async def transactional_mails(db: Database) -> list[Delivery]:
    async with db.read() as session:
        mails = select(Delivery).where(Delivery.transactional.is_not(None))
        return list(await session.scalars(mails.order_by(Delivery.id)))


async def newest_mail(db: Database, name: str) -> Delivery:
    return [mail for mail in await transactional_mails(db) if mail.transactional == name][-1]


async def token_of_newest(db: Database) -> str:
    return token_of(await newest_mail(db, "confirm_address"))


async def confirm(db: Database, token: str) -> User:
    async with db.act() as session:
        return await confirm_address(session, token)


async def move(db: Database, settings: Settings, user: User, email: str) -> User:
    return await change_address(db, settings, user, email=email, password=PASSWORD)


async def test_the_mailed_link_confirms_an_address_once(db: Database, mailing: Settings) -> None:
    await register(db, mailing, username="dora", email="dora@example.com", password=PASSWORD)
    token = await token_of_newest(db)

    assert (await confirm(db, token)).is_confirmed
    with pytest.raises(NotFound):
        await confirm(db, token)


async def test_the_page_behind_the_link_names_the_account_and_says_what_to_do_if_it_is_not_yours(
    client: httpx.AsyncClient, db: Database, mailing: Settings
) -> None:
    await register(db, mailing, username="mallory", email="bob@example.com", password=PASSWORD)

    page = await client.get(f"/confirm/{await token_of_newest(db)}")

    shown = text_of(page)
    sentence = "Email for the account mallory will be sent to bob@example.com."
    assert sentence in shown
    assert "If this is not your account, close this page. Nothing will change." in shown


async def test_an_address_changes_once_the_new_one_is_confirmed(
    db: Database, mailing: Settings, alice: User
) -> None:
    changed = await move(db, mailing, alice, "Alice@Elsewhere.example")
    assert (changed.email, changed.pending_email) == (alice.email, "Alice@Elsewhere.example")

    confirmed = await confirm(db, await token_of_newest(db))

    assert (confirmed.email, confirmed.pending_email) == ("Alice@Elsewhere.example", None)
    newest = (await transactional_mails(db))[-1]
    assert (newest.transactional, newest.address) == ("address_changed", "alice@example.com")


async def test_without_mail_an_address_changes_at_once(
    db: Database, settings: Settings, alice: User
) -> None:
    changed = await move(db, settings, alice, "new@example.com")

    assert (changed.email, changed.email_key) == ("new@example.com", "new@example.com")
    assert [mail.transactional for mail in await transactional_mails(db)] == ["address_changed"]


async def test_asking_for_another_address_invalidates_the_first_link(
    db: Database, mailing: Settings, alice: User
) -> None:
    await move(db, mailing, alice, "first@example.com")
    first = await token_of_newest(db)
    await move(db, mailing, alice, "second@example.com")

    with pytest.raises(NotFound):
        await confirm(db, first)


@pytest.mark.parametrize("email", ["bob@example.com", "BOB@example.com"])
async def test_the_address_of_another_account_is_refused(
    db: Database, settings: Settings, alice: User, bob: User, email: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await move(db, settings, alice, email)

    assert set(caught.value.fields) == {"email"}


async def test_an_address_taken_meanwhile_is_not_confirmed(
    db: Database, mailing: Settings, settings: Settings, alice: User, bob: User
) -> None:
    await move(db, mailing, alice, "wanted@example.com")
    token = await token_of_newest(db)
    await move(db, settings, bob, "wanted@example.com")

    with pytest.raises(Invalid):
        await confirm(db, token)


async def test_only_the_case_of_an_address_may_change(
    db: Database, settings: Settings, alice: User
) -> None:
    assert (await move(db, settings, alice, "Alice@example.com")).email == "Alice@example.com"


async def test_changing_an_address_requires_the_password(
    db: Database, settings: Settings, alice: User
) -> None:
    with pytest.raises(Invalid) as caught:
        await change_address(db, settings, alice, email="new@example.com", password="wrong")

    assert set(caught.value.fields) == {"password"}


async def change_the_password(db: Database, alice: User) -> None:
    await change_password(db, alice, current=PASSWORD, new="battery staple")


async def reset_the_password(db: Database, alice: User) -> None:
    async with db.write() as session:
        await send_reset(session, alice.email)
    token = token_of(await newest_mail(db, "reset_password"))
    await reset_password(db, token, "battery staple")


async def log_out_everywhere(db: Database, alice: User) -> None:
    async with db.write() as session:
        await end_all_sessions(session, alice)


@pytest.mark.parametrize("ends_it", [change_the_password, reset_the_password, log_out_everywhere])
async def test_a_pending_change_ends_with(
    db: Database,
    mailing: Settings,
    alice: User,
    ends_it: Callable[[Database, User], Awaitable[None]],
) -> None:
    await move(db, mailing, alice, "intruder@example.com")
    token = await token_of_newest(db)

    await ends_it(db, alice)

    with pytest.raises(NotFound):
        await confirm(db, token)
    assert await address_of(db, alice) == ("alice@example.com", None)


async def test_a_pending_change_stays_when_one_browser_is_logged_out(
    db: Database, mailing: Settings, alice: User
) -> None:
    await move(db, mailing, alice, "new@example.com")
    async with db.write() as session:
        await start_session(session, alice, "a browser")
        [browser] = await sessions_of(session, alice)
        await end_session(session, alice, browser.id)

    assert (await confirm(db, await token_of_newest(db))).email == "new@example.com"


async def test_asking_again_after_a_pending_change_ended_does_not_revive_its_link(
    db: Database, mailing: Settings, alice: User
) -> None:
    await move(db, mailing, alice, "new@example.com")
    first = await token_of_newest(db)
    await log_out_everywhere(db, alice)
    await move(db, mailing, alice, "new@example.com")

    with pytest.raises(NotFound):
        await confirm(db, first)


async def test_a_pending_change_waits_seven_days(
    db: Database, mailing: Settings, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = await move(db, mailing, alice, "new@example.com")
    assert changed.awaited_email == "new@example.com"
    token, now = await token_of_newest(db), clock.now()

    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=7, seconds=1))

    assert changed.awaited_email == ""
    with pytest.raises(NotFound):
        await confirm(db, token)


async def test_a_link_mailed_again_confirms_the_change_as_well(
    db: Database, mailing: Settings, alice: User
) -> None:
    await move(db, mailing, alice, "new@example.com")
    async with db.write() as session:
        await send_confirmation(session, alice, "new@example.com")

    assert (await confirm(db, await token_of_newest(db))).email == "new@example.com"


async def test_the_link_of_a_deleted_account_confirms_no_later_one(
    db: Database, mailing: Settings
) -> None:
    dora, _unmailed = await register(
        db, mailing, username="dora", email="dora@example.com", password=PASSWORD
    )
    token = await token_of_newest(db)
    async with db.write() as session:
        await session.execute(delete(User).where(User.id == dora.id))
    later, _unmailed = await register(
        db, mailing, username="dora", email="dora@example.com", password=PASSWORD
    )
    async with db.write() as session:
        await session.execute(delete(Delivery))
        await session.execute(update(User).where(User.id == later.id).values(id=dora.id))

    with pytest.raises(NotFound):
        await confirm(db, token)


async def test_a_link_from_before_there_were_nonces_confirms_nothing(
    db: Database, mailing: Settings, alice: User
) -> None:
    await move(db, mailing, alice, "new@example.com")

    with pytest.raises(NotFound, match="already been used, or has expired"):
        await confirm(db, SIGNER.sign("confirm_address", [alice.id, "new@example.com"]))


async def cancel_path(db: Database, settings: Settings) -> str:
    """The newest link that cancels a change, as it is mailed to the old address of alice."""
    await deliver_mail(db, settings)
    mails = [str(mail.get_body(("plain",))) for mail in kept(settings) if mail["To"] == ALICE]
    links = re.findall(r"/account/address/cancel/[\w.-]+", "".join(mails).replace("=\n", ""))
    return str(links[-1])


async def test_the_old_address_is_mailed_and_can_cancel_without_a_login(
    client: httpx.AsyncClient, db: Database, mailing: Settings, settings: Settings, alice: User
) -> None:
    await move(db, mailing, alice, "intruder@example.com")
    token = await token_of_newest(db)
    link = await cancel_path(db, settings)

    shown = await client.get(link)
    sentence = "A change of the address of alice to intruder@example.com was requested."
    assert sentence in text_of(shown)
    assert await address_of(db, alice) == ("alice@example.com", "intruder@example.com")
    await post(client, link)

    assert await address_of(db, alice) == ("alice@example.com", None)
    with pytest.raises(NotFound):
        await confirm(db, token)


async def test_the_link_to_cancel_ends_with_the_change(
    client: httpx.AsyncClient, db: Database, mailing: Settings, settings: Settings, alice: User
) -> None:
    await move(db, mailing, alice, "first@example.com")
    first = await cancel_path(db, settings)
    await move(db, mailing, alice, "second@example.com")

    assert "already made or cancelled" in text_of(await client.get(first))
    assert (await post(client, first)).status_code == 404
    assert await address_of(db, alice) == ("alice@example.com", "second@example.com")


async def test_an_address_that_was_never_confirmed_learns_nothing_of_the_new_one(
    db: Database, mailing: Settings
) -> None:
    dora, _unmailed = await register(
        db, mailing, username="dora", email="typo@example.com", password=PASSWORD
    )
    await move(db, mailing, dora, "dora@example.com")
    await confirm(db, await token_of_newest(db))

    told = [mail.address for mail in await transactional_mails(db)]
    assert told == ["typo@example.com", "dora@example.com"]


async def test_links_to_an_earlier_address_end(
    db: Database, mailing: Settings, settings: Settings
) -> None:
    dora, _unmailed = await register(
        db, mailing, username="dora", email="typo@example.com", password=PASSWORD
    )
    first = await token_of_newest(db)
    await move(db, settings, dora, "dora@example.com")

    with pytest.raises(NotFound):
        await confirm(db, first)


async def address_of(db: Database, user: User) -> tuple[str, str | None]:
    """The present and the pending address."""
    async with db.read() as session:
        stored = await session.get_one(User, user.id)
    return stored.email, stored.pending_email


async def test_a_change_that_was_asked_for_with_a_password_replaced_meanwhile_is_refused(
    db: Database, mailing: Settings, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reset_after(user: User, password: str) -> None:
        await require_password(user, password)
        async with db.write() as session:
            await send_reset(session, ALICE)
        token = token_of(await newest_mail(db, "reset_password"))
        await reset_password(db, token, "battery staple")

    monkeypatch.setattr(onboarding, "require_password", reset_after)

    with pytest.raises(Conflict):
        await move(db, mailing, alice, "mallory@example.com")

    async with db.read() as session:
        assert (await session.get_one(User, alice.id)).pending_email is None
