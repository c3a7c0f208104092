"""An administrator suspends an account, and restores it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select

from app.account_lifecycle.suspension import restore, suspend
from app.accounts.sessions import start_session
from app.accounts.tokens import create_token
from app.database import Database
from app.errors import Conflict, NotFound
from app.models import PushSubscription, Team, User, WebSession
from app.notifications.channels.email.channel import Email
from app.notifications.delivery.delivery_log import read_log
from app.notifications.delivery.explanations import explain_reason
from app.settings import Settings
from app.teams.invitations import invite
from tests.application import browser
from tests.bell import newest_notices
from tests.conftest import post, sign_in, text_of
from tests.factories import PASSWORD, make_account, make_team
from tests.mailing import deliver_mail, deliveries, kept, make_due, share

WRONG = "The username, email address or password is incorrect."
SUSPENDED = "This account is suspended."


@pytest.fixture
async def admin(db: Database) -> User:
    root = await make_account(db, "root")
    async with db.write() as session:
        (await session.get_one(User, root.id)).is_admin = True
    return root


@pytest.fixture
async def program(app: Litestar, bob: User) -> AsyncIterator[httpx.AsyncClient]:
    """A program with an access token of bob."""
    async with app.state.db.write() as session:
        _token, key = await create_token(session, bob, name="script", scope="write")
    async with browser(app) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


Change = Callable[..., Awaitable[User]]


async def change(db: Database, admin: User, user: User, verb: Change = suspend) -> None:
    async with db.write() as session:
        await verb(session, admin, user.id)


async def ask_for_token(client: httpx.AsyncClient, password: str) -> httpx.Response:
    fields = {"login": "bob", "password": password, "name": "script"}
    return await client.post("/api/tokens", json=fields)


async def test_a_suspended_account_cannot_sign_in_and_only_the_right_password_reveals_the_suspension(
    client: httpx.AsyncClient, db: Database, admin: User, bob: User
) -> None:
    await change(db, admin, bob)

    pages = [
        await post(client, "/login", login="bob", password=each) for each in (PASSWORD, "wrong one")
    ]
    answers = [await ask_for_token(client, each) for each in (PASSWORD, "wrong one")]

    assert [page.status_code for page in pages] == [403, 422]
    assert [answer.status_code for answer in answers] == [403, 400]
    for right, wrong in (pages, answers):
        assert SUSPENDED in text_of(right)
        assert SUSPENDED not in text_of(wrong)
        assert WRONG in text_of(wrong)
    async with db.read() as session:
        assert (await session.scalars(select(WebSession))).all() == []


async def test_a_restored_account_can_sign_in_and_its_tokens_work_again(
    client: httpx.AsyncClient, program: httpx.AsyncClient, db: Database, admin: User, bob: User
) -> None:
    await sign_in(client, bob)
    await change(db, admin, bob)
    meanwhile = [await client.get("/account"), await program.get("/api/teams")]
    await change(db, admin, bob, restore)

    afterwards = [await client.get("/account"), await program.get("/api/teams")]
    await sign_in(client, bob)

    assert [answer.status_code for answer in meanwhile] == [303, 401]
    assert [answer.status_code for answer in afterwards] == [303, 200]
    assert (await client.get("/account")).status_code == 200


async def test_a_session_that_starts_while_the_account_is_suspended_is_not_accepted(
    client: httpx.AsyncClient, db: Database, admin: User, bob: User
) -> None:
    await change(db, admin, bob)
    async with db.write() as session:
        token = await start_session(session, bob, "")
    client.cookies.set("session", token, "testserver.local")

    assert (await client.get("/account")).status_code == 303


async def test_push_devices_of_a_suspended_account_are_removed(
    db: Database, admin: User, bob: User
) -> None:
    async with db.write() as session:
        keys = {"p256dh": "k", "auth": "a", "vapid_key": "v", "name": "Firefox on Linux"}
        device = PushSubscription(user_id=bob.id, endpoint="https://x", endpoint_hash="h", **keys)
        session.add(device)

    await change(db, admin, bob)

    async with db.read() as session:
        assert (await session.scalars(select(PushSubscription))).all() == []


async def test_pending_and_later_deliveries_of_a_suspended_account_are_not_sent(
    db: Database, settings: Settings, admin: User, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])
    await share(db, alice, team, "Before")
    await change(db, admin, bob)
    at_once = [(row.state, row.reason) for row in await deliveries(db)]
    await share(db, alice, team, "Meanwhile")
    await make_due(db)
    await deliver_mail(db, settings)
    await change(db, admin, bob, restore)
    await share(db, alice, team, "Afterwards")
    await make_due(db)

    await deliver_mail(db, settings)

    assert at_once == [("skipped", "suspended")]
    assert [(row.state, row.reason) for row in await deliveries(db)] == [
        ("skipped", "suspended"),
        ("skipped", "suspended"),
        ("sent", None),
    ]
    assert len(kept(settings)) == 1
    async with db.read() as session:
        oldest = (await newest_notices(session, bob.id))[-1]
        [mail, _push] = (await read_log(session, bob, oldest.id)).lines
    assert mail.explanation == "Your account was suspended at the time."


async def test_invitations_by_a_suspended_person_are_no_longer_mailed(
    db: Database, settings: Settings, admin: User, alice: User, bob: User, video_squad: Team
) -> None:
    async with db.act() as session:
        for address in ("stranger@example.com", bob.email):
            await invite(session, alice, video_squad.id, address, "viewer")

    await change(db, admin, alice)
    await deliver_mail(db, settings)

    assert {(row.address, row.state, row.reason) for row in await deliveries(db)} == {
        (address, "skipped", "inviter_suspended")
        for address in ("stranger@example.com", "bob@example.com")
    }
    assert explain_reason("inviter_suspended", Email.words) != "inviter_suspended"
    assert kept(settings) == []


@pytest.mark.parametrize("verb", [suspend, restore])
async def test_no_administrator_can_be_suspended_or_restored_by_another_or_by_themself(
    db: Database, admin: User, alice: User, verb: Change
) -> None:
    async with db.write() as session:
        (await session.get_one(User, alice.id)).is_admin = True

    for user, words in ((alice, "alice is an administrator"), (admin, "your own account")):
        with pytest.raises(Conflict, match=words):
            await change(db, admin, user, verb)
    with pytest.raises(NotFound):
        async with db.write() as session:
            await verb(session, admin, 999)

    async with db.read() as session:
        assert set(await session.scalars(select(User.suspended_at))) == {None}
