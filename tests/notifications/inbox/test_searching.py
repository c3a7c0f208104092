"""What bob's search shows him, in list and bulk action alike."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.database import Database
from app.database.short_reads import ShortSession
from app.errors import Invalid
from app.models import Event, Notification, Team, User
from app.notifications.events.catalogue import CUSTOM, MEMBER_LEFT
from app.notifications.events.event_type import HIGH
from app.notifications.inbox import acts, feed, searching
from app.notifications.inbox.filters import Filter, read_filter
from app.notifications.inbox.searching import narrow, reading_search
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.totals import count_totals
from app.notifications.notify import notify
from app.notifications.search import sqlite
from app.notifications.supersede import Collapsing
from tests.notifications.conftest import Hands
from tests.notifications.inbox.conftest import Alter, Tell
from tests.statements import statements_heard

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(params=[(1, 0), (1, 1), (1, 2), (100, 100)], autouse=True)
def _looked_at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search looks at so many events, at first and at most, before it looks at all."""
    first, most = request.param
    monkeypatch.setattr(searching, "FIRST_EVENTS", first)
    monkeypatch.setattr(searching, "MOST_EVENTS", most)
    monkeypatch.setattr(searching, "FIRST_ROWS", first)
    monkeypatch.setattr(searching, "MOST_ROWS", most)


async def search(db: Database, user: User, q: str, **fields: str) -> list[int]:
    """The ids that the list shows, newest first; count, page and bulk action agree."""
    wanted = read_filter({"q": q, **fields}, BERLIN, user.id)
    async with reading_search(db, wanted, 0) as session:
        found = await narrow(session, wanted)
        count = (await count_totals(session, user.id, found)).filtered_count
        notices = await feed.read_slice(session, user.id, found, 0, 100, count)
        selected = await feed.count(session, user.id, Selection(filter=wanted))
    assert len(notices) == count == selected
    return [notice.id for notice in notices]


async def test_the_newest_stand_first(db: Database, bob: User, tell_bob: Tell) -> None:
    first, second, third = await tell_bob(3)

    assert await search(db, bob, "called") == [third, second, first]
    assert await search(db, bob, "called 1") == [second]


async def test_a_single_letter_begins_a_word(db: Database, bob: User, tell_bob: Tell) -> None:
    first, second, third = await tell_bob(3)

    assert await search(db, bob, "c") == [third, second, first]
    assert await search(db, bob, "c 1") == [second]
    assert await search(db, bob, '"c"') == []
    assert await search(db, bob, "-c") == []


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_a_prefix_finds_the_same_however_many_completions_it_has(
    db: Database,
    alice: User,
    bob: User,
    squad: Team,
    tell_bob: Tell,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    monkeypatch.setattr(sqlite, "MOST_COMPLETIONS", most)
    facts: dict[str, Any] = {"body": "", "priority": "normal"}
    titles = ["Big render", "Big renders", "Small Rénder", "Renderings", "Rend", "Bigger renderx"]
    async with db.act() as session:
        for title in titles:
            await notify(session, CUSTOM, team=squad, title=title, **facts)
    ids = await tell_bob(0)

    async def found(q: str) -> list[str]:
        return [titles[ids.index(one)] for one in reversed(await search(db, bob, q))]

    assert await found("render") == [one for one in titles if one != "Rend"]
    assert await found("renders") == ["Big renders"]
    assert await found('"big rend') == ["Big render", "Big renders"]
    assert await found("bigg render") == ["Bigger renderx"]
    assert await found("-rende -nowhere") == ["Rend"]
    assert await found('"render"') == ["Big render", "Small Rénder"]
    assert await found("renderz") == await found("from:rende") == []


async def test_a_single_letter_finds_what_came_back_and_what_is_old(
    db: Database, bob: User, tell_bob: Tell, alter: Alter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_FOUND", 2)
    first, second, third, fourth = await tell_bob(4)
    await alter([third], hidden=True)
    await alter([first], position=1_000_000)

    assert await found_first(db, bob, "c") == (first, fourth)
    assert await found_first(db, bob, "1") == (second,)


async def found_first(db: Database, user: User, q: str) -> tuple[int, ...] | None:
    async with db.read() as session:
        return (await narrow(session, read_filter({"q": q}, BERLIN, user.id))).found


async def test_what_came_back_stands_on_top(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    first, second, third = await tell_bob(3)
    await alter([first], position=1_000_000)

    assert await search(db, bob, "called") == [first, third, second]


async def test_what_is_deleted_or_withdrawn_or_not_shown_is_not_found(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    deleted, hidden, left = await tell_bob(3)
    await alter([deleted], deleted_at=datetime(2026, 1, 1, tzinfo=UTC))
    await alter([hidden], hidden=True)

    assert await search(db, bob, "called") == [left]


async def test_a_search_goes_with_every_other_filter(
    db: Database, alice: User, bob: User, squad: Team, tell_bob: Tell, alter: Alter
) -> None:
    read, unread = await tell_bob(2)
    await alter([read], read_at=datetime(2026, 1, 1, tzinfo=UTC))
    async with db.act() as session:
        await notify(session, MEMBER_LEFT, actor=alice, team=squad, username="carol")
    *_renamed, left = await tell_bob(0)

    assert await search(db, bob, "called", type="member_left") == []
    assert await search(db, bob, "team", type="team_updated") == [unread, read]
    assert await search(db, bob, "team", type="team_updated", status="read") == [read]
    assert await search(db, bob, "from:alice -type:team_updated") == [left]
    assert await search(db, bob, "type:team_updated is:unread") == [unread]
    assert await search(db, bob, "-is:unread") == [read]


async def test_a_state_shows_its_view(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    done, snoozed, saved, saved_and_done, plain = await tell_bob(5)
    await alter([done, saved_and_done], folder="done")
    await alter([snoozed], folder="snoozed")
    await alter([saved, saved_and_done], is_saved=True)

    assert await search(db, bob, "called") == [plain, saved]
    assert await search(db, bob, "is:done called") == [saved_and_done, done]
    assert await search(db, bob, "is:snoozed") == [snoozed]
    assert await search(db, bob, "is:saved") == [saved_and_done, saved]
    assert await search(db, bob, "is:saved is:done") == [saved_and_done]
    assert await search(db, bob, "is:saved", view="done") == [saved_and_done]
    assert await search(db, bob, "is:done", view="inbox") == []
    assert await search(db, bob, "is:saved", view="inbox") == [saved]
    assert await search(db, bob, "-is:done", view="saved") == [saved]
    assert await search(db, bob, "called", view="all") == [
        plain,
        saved_and_done,
        saved,
        snoozed,
        done,
    ]


async def test_a_notification_is_found_by_what_it_shows_now(
    db: Database, bob: User, squad: Team
) -> None:
    for title, quiet in (("Render 1 %", False), ("Render 50 %", False), ("Render done", True)):
        async with db.act() as session:
            same = Collapsing(key="render", quiet=quiet)
            await notify(
                session, CUSTOM, team=squad, title=title, priority="normal", collapsing=same
            )

    assert len(await search(db, bob, "render")) == len(await search(db, bob, "done")) == 1
    assert await search(db, bob, "50") == []


async def test_urgent_is_what_its_type_or_its_sender_calls_so(
    db: Database, bob: User, squad: Team, tell_bob: Tell
) -> None:
    await tell_bob(1)
    async with db.act() as session:
        await notify(session, CUSTOM, team=squad, title="Fire", priority=HIGH)
    _renamed, urgent = await tell_bob(0)

    assert await search(db, bob, "is:urgent") == [urgent]
    assert await search(db, bob, "fire is:urgent") == [urgent]
    assert await search(db, bob, "called is:urgent") == []


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("before:2026-11-01", [0]),
        ("after:2026-11-01", [2, 1]),
        ("after:2026-11-02", [2]),
        ("after:2026-11-01 before:2026-11-02", [1]),
        ("-after:2026-11-01 called", [0]),
        ("before:0001-01-01", []),
        ("after:9999-12-31", []),
    ],
)
async def test_a_day_begins_at_midnight_where_the_user_lives(
    db: Database, bob: User, tell_bob: Tell, q: str, found: list[int]
) -> None:
    ids = await tell_bob(3)
    moments = ["2026-10-31T23:59", "2026-11-01T00:00", "2026-11-02T00:00"]
    async with db.write() as session:
        for one, moment in zip(ids, moments, strict=True):
            event = await session.get_one(
                Event, (await session.get_one(Notification, one)).event_id
            )
            event.created_at = datetime.fromisoformat(moment).replace(tzinfo=BERLIN)

    assert await search(db, bob, q) == [ids[one] for one in found]


async def test_what_is_of_today_is_not_of_tomorrow(
    db: Database, bob: User, tell_bob: Tell, hands: Hands
) -> None:
    hands.set("2026-11-04 12:00")
    [one] = await tell_bob(1)
    assert await search(db, bob, "called", date_range="today") == [one]

    hands.move(timedelta(days=1))
    assert await search(db, bob, "called", date_range="today") == []


@pytest.mark.sqlite
async def test_a_search_holds_up_no_other_request(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    [first, *_others] = await tell_bob(3)
    await alter([first], position=1_000_000)
    wanted = read_filter({"q": "called"}, BERLIN, bob.id)
    async with reading_search(db, wanted, 0) as session:
        assert isinstance(session, ShortSession)
        with statements_heard() as heard:
            await narrow(session, wanted)

    long = [one for one in heard if " MATCH " in one.text or "+notification.event_id" in one.text]
    assert [one.is_in_main_thread for one in long] == [False] * len(long) != []


async def test_a_bulk_action_takes_what_the_search_finds(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    _first, second = await tell_bob(2)
    wanted = read_filter({"q": "called 0"}, BERLIN, bob.id)

    async with db.act() as session:
        await acts.delete(session, bob.id, Selection(filter=replace(wanted, up_to_position=10**9)))

    assert await search(db, bob, "called") == [second]


async def test_enough_among_the_newest_are_enough_unless_one_came_back(
    db: Database, bob: User, tell_bob: Tell, alter: Alter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_FOUND", 1)
    wanted = read_filter({"q": "called"}, BERLIN, bob.id)
    first, _second, third = await tell_bob(3)
    async with db.read() as session:
        before = await narrow(session, wanted)
    await alter([first], position=1_000_000)
    async with db.read() as session:
        after = await narrow(session, wanted)

    assert (before.found, after.found) == ((third,), (first,))


async def test_counting_stops_where_nobody_reads_on(
    db: Database, bob: User, tell_bob: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_FOUND", 2)
    _first, second, third = await tell_bob(3)
    async with db.read() as session:
        found = await narrow(session, read_filter({"q": "called"}, BERLIN, bob.id))

    assert found.found == (third, second)


@pytest.mark.parametrize("q", ["x" * 301, "a\x00b"])
def test_a_text_that_is_too_long_is_refused_by_name(q: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_filter({"q": q}, BERLIN, 1)

    assert refused.value.fields == {"q": "Search for at most 300 characters."}


def test_a_search_without_words_shows_everything() -> None:
    wanted: Any = read_filter({"q": " ! "}, BERLIN, 1)

    assert len(wanted.clauses()) == len(Filter().clauses())
