"""A stream ends with the session or token that opened it, in every process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.account_lifecycle.suspension import suspend
from app.accounts import revocation, sessions, tokens
from app.accounts.passwords import RESET, reset_password, send_reset
from app.accounts.sessions import ABSOLUTE_TIMEOUT, end_all_sessions, start_session
from app.accounts.tokens import create_token, revoke_all_tokens, revoke_token
from app.broker.relay import SESSIONS
from app.database import Database
from app.models import Delivery, Token, User, WebSession
from app.notifications.live.stream import SESSION, TOKEN, EventStream, Key
from app.settings import Settings
from tests.application import browser, serving
from tests.conftest import post, sign_in
from tests.factories import PASSWORD, make_account
from tests.mailing import token_of
from tests.notifications._connection import Connection, present_state, request_of

Verb = Callable[[httpx.AsyncClient, Database, User], Awaitable[object]]


@pytest.fixture
async def elsewhere(settings: Settings) -> AsyncIterator[Litestar]:
    """The same application once more, as in another process."""
    async with serving(settings) as application:
        yield application


@pytest.fixture
async def app(settings: Settings, elsewhere: Litestar) -> AsyncIterator[Litestar]:
    """Made last, so that pokes of this process go out through its relay."""
    async with serving(settings) as application:
        yield application


async def open_stream(application: Litestar, client: httpx.AsyncClient) -> Connection:
    scope = request_of("/notifications/stream")
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    scope["headers"] = [(b"host", b"testserver"), (b"cookie", cookies.encode())]
    connection = Connection()
    connection.open(application, scope)
    await connection.until_received(b"notifications-changed")
    return connection


async def log_out(client: httpx.AsyncClient, db: Database, alice: User) -> None:
    await post(client, "/logout")


async def log_out_everywhere(client: httpx.AsyncClient, db: Database, alice: User) -> None:
    await post(client, "/account/sessions/end")


async def change_password(client: httpx.AsyncClient, db: Database, alice: User) -> None:
    await post(
        client, "/account/password", current_password=PASSWORD, new_password="battery staple"
    )


async def reset_by_mail(client: httpx.AsyncClient, db: Database, alice: User) -> None:
    async with db.write() as session:
        await send_reset(session, alice.email)
        [mail] = await session.scalars(select(Delivery).where(Delivery.transactional == RESET))
    await reset_password(db, token_of(mail), "battery staple")


async def delete_account(client: httpx.AsyncClient, db: Database, alice: User) -> None:
    await post(client, "/account/delete", password=PASSWORD)


async def is_suspended(client: httpx.AsyncClient, db: Database, alice: User) -> None:
    root = await make_account(db, "root")
    async with db.write() as session:
        await suspend(session, root, alice.id)


@pytest.mark.parametrize(
    "verb",
    [log_out, log_out_everywhere, change_password, reset_by_mail, delete_account, is_suspended],
)
async def test_ending_sessions_ends_their_streams_in_every_process(
    client: httpx.AsyncClient,
    app: Litestar,
    elsewhere: Litestar,
    alice: User,
    bob: User,
    verb: Verb,
) -> None:
    await sign_in(client, alice)
    streams = [await open_stream(each, client) for each in (app, elsewhere)]
    async with browser(elsewhere) as bobs:
        await sign_in(bobs, bob)
        of_bob = await open_stream(elsewhere, bobs)

        await verb(client, app.state.db, alice)
        await asyncio.gather(*(stream.until_served() for stream in streams))

    assert all(b"event: bye" in stream.body for stream in streams)
    assert not of_bob.is_complete


async def test_ending_another_browsers_session_ends_its_stream(
    client: httpx.AsyncClient, elsewhere: Litestar, db: Database, alice: User
) -> None:
    async with browser(elsewhere) as phone:
        await sign_in(phone, alice)
        async with db.read() as session:
            of_phone = await session.scalar(select(WebSession.id))
        await sign_in(client, alice)
        on_phone, here = [await open_stream(elsewhere, each) for each in (phone, client)]

        await post(client, f"/account/sessions/{of_phone}/end")
        await on_phone.until_served()

    assert not here.is_complete


async def test_a_stream_does_not_go_on_by_a_new_session_with_the_id_of_its_own(
    app: Litestar, client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)
    stream = await open_stream(app, client)

    async with app.state.db.write() as session:
        [former] = await session.scalars(select(WebSession.id))
        await end_all_sessions(session, alice)
        await start_session(session, alice, "the same browser")
        await session.execute(update(WebSession).values(id=former))

    await stream.until_served()


async def test_a_stream_does_not_go_on_by_a_new_token_with_the_id_of_its_own(
    app: Litestar, alice: User
) -> None:
    async with app.state.db.write() as session:
        former, key = await create_token(session, alice, name="script", scope="read")
    stream = Connection()
    scope = request_of("/api/notifications/stream")
    scope["headers"] = [(b"host", b"testserver"), (b"authorization", f"Bearer {key}".encode())]
    stream.open(app, scope)
    await stream.until_received(b"hello")

    async with app.state.db.write() as session:
        await revoke_all_tokens(session, alice)
        await create_token(session, alice, name="another", scope="read")
        await session.execute(update(Token).values(id=former.id))

    await stream.until_served()


@pytest.mark.parametrize("ends", [revoke_token, revoke_all_tokens])
async def test_revoking_a_token_ends_its_streams(
    elsewhere: Litestar, app: Litestar, db: Database, alice: User, ends: Callable[..., object]
) -> None:
    async with db.write() as session:
        token, _key = await create_token(session, alice, name="script", scope="read")
    stream = Connection()
    key = tokens.stream_key(token)
    stream.open(EventStream(elsewhere.state.hub, alice.id, key, present_state))
    await stream.until_received(b"hello")

    async with app.state.db.write() as session:
        given = [token.id] if ends is revoke_token else []
        await ends(session, alice, *given)  # type: ignore[misc]

    await stream.until_served()


async def test_a_suspension_ends_the_streams_of_access_tokens(app: Litestar, alice: User) -> None:
    db = app.state.db
    async with db.write() as session:
        token, _key = await create_token(session, alice, name="script", scope="read")
    stream = Connection()
    stream.open(EventStream(app.state.hub, alice.id, tokens.stream_key(token), present_state))
    await stream.until_received(b"hello")

    async with browser(app) as client:
        await is_suspended(client, db, alice)

    await stream.until_served()


async def end_sessions(session: AsyncSession, user: User) -> None:
    await end_all_sessions(session, user)


async def suspend_account(session: AsyncSession, user: User) -> None:
    root = await session.scalar(select(User).where(User.username == "bob"))
    assert root
    await suspend(session, root, user.id)


@pytest.mark.parametrize("ends", [end_sessions, suspend_account, revoke_all_tokens])
async def test_streams_end_also_where_the_poke_is_lost(
    settings: Settings,
    app: Litestar,
    alice: User,
    bob: User,
    ends: Callable[[AsyncSession, User], Awaitable[None]],
) -> None:
    deaf = Database(settings.database_url)
    async with app.state.db.write() as session:
        token, _key = await create_token(session, alice, name="script", scope="read")
        cookie = await start_session(session, alice, "a browser")
    key = tokens.stream_key(token)
    if ends is not revoke_all_tokens:
        key = sessions.stream_key(cookie)
    stream = Connection()
    stream.open(EventStream(app.state.hub, alice.id, key, present_state))
    await stream.until_received(b"hello")
    await app.state.revocation_watcher.check()

    async with deaf.write() as session:
        await ends(session, alice)
    await deaf.close()

    await stream.until_served()


async def test_a_session_that_expires_ends_its_streams_without_a_poke(
    settings: Settings, db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "CHECK_SECONDS", 0.05)
    async with serving(settings) as app, browser(app) as client:
        await sign_in(client, alice)
        stream = await open_stream(app, client)

        async with db.write() as session:
            long_ago = clock.now() - ABSOLUTE_TIMEOUT
            await session.execute(update(WebSession).values(created_at=long_ago))

        await stream.until_served()


async def test_a_stream_that_opens_just_after_its_session_ended_is_found(
    app: Litestar, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "LOOK_SECONDS", 0.1)
    async with app.state.db.write() as session:
        await end_all_sessions(session, alice)
    await asyncio.sleep(0.05)

    late = Connection()
    late.open(EventStream(app.state.hub, alice.id, (SESSION, "ended"), present_state))

    await late.until_served()


async def test_a_check_ends_the_streams_of_ended_sessions_and_tokens_only(
    app: Litestar, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "KEYS_AT_ONCE", 2)
    async with app.state.db.write() as session:
        token, _key = await create_token(session, alice, name="script", scope="read")
        cookie = await start_session(session, alice, "a browser")
    valid = [sessions.stream_key(cookie), tokens.stream_key(token)]
    ended = [(SESSION, "ended"), (TOKEN, "ended")]
    streams = {key: Connection() for key in (*valid, *ended)}
    for key, stream in streams.items():
        stream.open(EventStream(app.state.hub, alice.id, key, present_state))
        await stream.until_received(b"hello")

    await app.state.revocation_watcher.check()

    assert [key for key, stream in streams.items() if stream.is_complete] == ended


async def test_a_check_that_fails_is_repeated_until_it_succeeds(
    app: Litestar,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(revocation, "LOOK_SECONDS", 0.05)
    watcher, failures = app.state.revocation_watcher, ["busy", "still busy"]
    valid = watcher._valid

    async def valid_at_last(keys: set[Key]) -> set[Key]:
        if failures:
            raise OperationalError("SELECT", {}, Exception(failures.pop(0)))
        return set(await valid(keys))

    monkeypatch.setattr(watcher, "_valid", valid_at_last)
    stream = Connection()
    stream.open(EventStream(app.state.hub, alice.id, (SESSION, "ended"), present_state))

    app.state.broker.relay.poke(SESSIONS)
    await stream.until_served()

    assert caplog.text.count("Could not check which sessions have ended.") == 2
