"""Rate limits: attempts are counted in windows, for all processes."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app import clock
from app.database import Database
from app.errors import TooMany
from app.models import Throttle
from app.settings import Settings
from app.throttle import throttle


@pytest.fixture
def limited(settings: Settings) -> Settings:
    return dataclasses.replace(settings, rate_limits=True)


async def test_an_attempt_beyond_the_limit_has_to_wait(db: Database, limited: Settings) -> None:
    for _ in range(3):
        await throttle(db, limited, "login:bob", limit=3, seconds=600)

    with pytest.raises(TooMany) as caught:
        await throttle(db, limited, "login:bob", limit=3, seconds=600)

    assert 590 < caught.value.retry_after <= 600


async def test_each_key_has_its_own_counter(db: Database, limited: Settings) -> None:
    await throttle(db, limited, "login:bob", limit=1, seconds=600)

    await throttle(db, limited, "login:carol", limit=1, seconds=600)


async def test_concurrent_attempts_are_all_counted(db: Database, limited: Settings) -> None:
    attempts = [throttle(db, limited, "login:bob", limit=5, seconds=600) for _ in range(8)]

    outcomes = await asyncio.gather(*attempts, return_exceptions=True)

    assert sum(isinstance(outcome, TooMany) for outcome in outcomes) == 3


async def test_a_new_window_starts_after_the_old_one(db: Database, limited: Settings) -> None:
    await throttle(db, limited, "login:bob", limit=1, seconds=600)
    async with db.write() as session:
        await session.execute(update(Throttle).values(resets_at=clock.now() - timedelta(seconds=1)))

    await throttle(db, limited, "login:bob", limit=1, seconds=600)


async def test_a_window_that_began_while_the_clock_was_ahead_is_over(
    db: Database, limited: Settings
) -> None:
    await throttle(db, limited, "login:bob", limit=1, seconds=600)
    async with db.write() as session:
        in_weeks = clock.now() + timedelta(days=40)
        await session.execute(update(Throttle).values(resets_at=in_weeks))

    await throttle(db, limited, "login:bob", limit=1, seconds=600)


async def test_a_window_that_another_host_began_is_not_over_for_one_whose_clock_is_behind(
    db: Database, limited: Settings
) -> None:
    await throttle(db, limited, "login:bob", limit=1, seconds=600)
    async with db.write() as session:
        there = clock.now() + timedelta(seconds=603)
        await session.execute(update(Throttle).values(resets_at=there))

    with pytest.raises(TooMany):
        await throttle(db, limited, "login:bob", limit=1, seconds=600)


async def test_an_overlong_key_is_cut(db: Database, limited: Settings) -> None:
    await throttle(db, limited, "login:" + "x" * 10_000, limit=1, seconds=600)

    async with db.read() as session:
        assert len((await session.scalars(select(Throttle.key))).one()) == 200


async def test_nothing_is_counted_while_limits_are_off(db: Database, settings: Settings) -> None:
    for _ in range(20):
        await throttle(db, settings, "login:bob", limit=1, seconds=600)
