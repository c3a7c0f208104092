"""Sessions: how long they last, what is stored, and who can end them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app import clock
from app.accounts.sessions import (
    end_all_sessions,
    end_session,
    find_session,
    remove_expired,
    session_cookie,
    sessions_of,
    start_session,
)
from app.database import Database
from app.errors import NotFound
from app.models import User, WebSession
from app.settings import Settings, load


async def begin(db: Database, user: User) -> str:
    async with db.write() as session:
        return await start_session(session, user, "Mozilla/5.0")


async def last_seen(db: Database) -> datetime:
    async with db.read() as session:
        return (await session.scalars(select(WebSession.last_seen_at))).one()


async def age(db: Database, **columns: datetime) -> None:
    async with db.write() as session:
        await session.execute(update(WebSession).values(columns))


async def test_a_token_finds_its_session(db: Database, alice: User) -> None:
    token = await begin(db, alice)

    found = await find_session(db, token)

    assert found is not None
    assert found[0].username == "alice"


async def test_the_token_is_stored_nowhere(db: Database, alice: User) -> None:
    token = await begin(db, alice)

    async with db.read() as session:
        row = (await session.scalars(select(WebSession))).one()
    assert token not in str(vars(row))
    assert len(token) >= 43


@pytest.mark.parametrize("token", ["", "made up", "é", "x" * 10_000])
async def test_another_token_finds_no_session(db: Database, alice: User, token: str) -> None:
    await begin(db, alice)

    assert await find_session(db, token) is None


async def test_each_session_has_its_own_token(db: Database, alice: User) -> None:
    assert await begin(db, alice) != await begin(db, alice)


async def test_an_idle_session_ends_after_14_days(db: Database, alice: User) -> None:
    token = await begin(db, alice)
    await age(db, last_seen_at=clock.now() - timedelta(days=14))

    assert await find_session(db, token) is None


async def test_a_busy_session_ends_after_30_days(db: Database, alice: User) -> None:
    token = await begin(db, alice)
    await age(db, created_at=clock.now() - timedelta(days=30))

    assert await find_session(db, token) is None


async def test_use_is_recorded_at_most_every_ten_minutes(db: Database, alice: User) -> None:
    token = await begin(db, alice)
    recently, long_ago = (clock.now() - timedelta(minutes=m) for m in (9, 11))

    await age(db, last_seen_at=recently)
    await find_session(db, token)
    assert await last_seen(db) == recently

    await age(db, last_seen_at=long_ago)
    await find_session(db, token)
    assert await last_seen(db) > recently


async def test_a_user_can_end_only_their_own_sessions(db: Database, alice: User, bob: User) -> None:
    token = await begin(db, alice)
    found = await find_session(db, token)
    assert found is not None

    async with db.write() as session:
        with pytest.raises(NotFound):
            await end_session(session, bob, found[1])
    assert await find_session(db, token) is not None

    async with db.write() as session:
        await end_session(session, alice, found[1])
    assert await find_session(db, token) is None


async def test_logging_out_everywhere_can_except_one_session(
    db: Database, alice: User, bob: User
) -> None:
    here, there, of_bob = await begin(db, alice), await begin(db, alice), await begin(db, bob)
    found = await find_session(db, here)
    assert found is not None

    async with db.write() as session:
        await end_all_sessions(session, alice, except_id=found[1])

    assert await find_session(db, here) is not None
    assert await find_session(db, there) is None
    assert await find_session(db, of_bob) is not None


async def test_expired_sessions_are_neither_listed_nor_kept(db: Database, alice: User) -> None:
    await begin(db, alice)
    await age(db, created_at=datetime(2020, 1, 1, tzinfo=UTC))

    async with db.read() as session:
        assert await sessions_of(session, alice) == []
    await begin(db, alice)
    await remove_expired(db)

    async with db.read() as session:
        assert len((await session.scalars(select(WebSession))).all()) == 1


async def test_a_login_deletes_no_session_because_a_clock_is_ahead(
    db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await begin(db, alice)
    with monkeypatch.context() as ahead:
        later = datetime.now(UTC) + timedelta(days=40)
        ahead.setattr(clock, "now", lambda: later)
        await begin(db, alice)

    assert await find_session(db, token) is not None


def test_the_cookie_is_http_only_and_same_site(settings: Settings) -> None:
    cookie = session_cookie(settings, "token")

    assert (cookie.key, cookie.httponly, cookie.samesite) == ("session", True, "lax")
    assert not cookie.secure


def test_under_https_the_cookie_is_bound_to_the_host(settings: Settings) -> None:
    secure = load({"DATA_DIR": str(settings.data_dir), "BASE_URL": "https://clips.example.com"})

    cookie = session_cookie(secure, "token")

    assert (cookie.key, cookie.secure, cookie.path) == ("__Host-session", True, "/")
    assert cookie.domain is None
