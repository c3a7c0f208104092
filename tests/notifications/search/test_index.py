"""What bob finds among the events of his team. Both databases answer alike."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import delete, select, text

from app.database import Database
from app.models import Event, Notification, Project, Team, User
from app.notifications.events.catalogue import (
    ANNOUNCEMENT,
    COMPILATION_FAILED,
    CUSTOM,
    MEMBER_ADDED,
    MEMBER_LEFT,
    PROJECT_SHARED,
    TYPES,
)
from app.notifications.notify import notify
from app.notifications.search import documents, sqlite
from app.notifications.search.index import (
    BATCH,
    TABLE,
    completions_of,
    events_found,
    fill,
    is_complete,
    renew_documents,
)
from app.notifications.search.query import parse_query
from tests.factories import make_account, make_team

Find = Callable[..., Awaitable[list[int]]]


@pytest.fixture
async def squad(db: Database, alice: User, bob: User, carol: User) -> Team:
    return await make_team(db, alice, editors=[bob], viewers=[carol])


@pytest.fixture
def find(db: Database, bob: User) -> Find:
    """The ids of the events that a user, at first bob, finds and has a notification of."""

    async def find(query: str, user: User = bob) -> list[int]:
        found = events_found(parse_query(query), user.id)
        mine = select(Notification.event_id).where(
            Notification.user_id == user.id, Notification.event_id.in_(found)
        )
        async with db.read() as session:
            return sorted(await session.scalars(mine))

    return find


async def tell(db: Database, *given: Any, **facts: Any) -> int:
    async with db.act() as session:
        return (await notify(session, *given, **facts)).id


async def tell_message(db: Database, squad: Team, title: str, body: str = "") -> int:
    facts = {"title": title, "body": body, "priority": "normal"}
    return await tell(db, CUSTOM, team=squad, **facts)


async def test_a_notice_is_found_by_the_sentence_that_its_reader_sees(
    db: Database, alice: User, bob: User, carol: User, squad: Team, find: Find
) -> None:
    added = await tell(
        db, MEMBER_ADDED, actor=alice, affected=bob, team=squad, role="editor", username="bob"
    )

    assert await find("you were added", bob) == [added]
    assert await find("joined", bob) == []
    assert await find("joined", carol) == [added]
    assert await find("you", carol) == []
    assert await find("-joined", bob) == [added]


async def test_a_notice_is_found_in_a_team_larger_than_a_document_names(
    db: Database, alice: User, bob: User, squad: Team, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MOST_NAMED", 1)
    monkeypatch.setattr("app.notifications.search.index.MOST_NAMED", 1)
    carol, dave = [await make_account(db, name) for name in ("dave", "erin")]
    team = await make_team(db, alice, editors=[bob, carol, dave])

    added = await tell(db, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="editor")

    assert await find("added", bob) == [added]
    assert await find("joined", bob) == []
    assert await find("joined", carol) == await find("joined", dave) == [added]
    assert await find("added", carol) == []


async def test_words_count_from_their_beginning_and_in_any_order(
    db: Database, squad: Team, find: Find
) -> None:
    one = await tell_message(db, squad, "Nightly render done", "Frames: 4711")

    for query in ("render", "REND", "done nightly", "frames 47", "réndér", "-carol night"):
        assert await find(query) == [one], query
    for query in ("ender", "renders", "nightly failed", "-render", "nightly -done"):
        assert await find(query) == [], query


async def test_a_phrase_reaches_over_no_end_of_a_sentence(
    db: Database, squad: Team, find: Find
) -> None:
    one = await tell_message(db, squad, "Nightly render", "done at last")

    assert await find('"nightly render"') == [one]
    assert await find('"done at') == [one]
    for query in ('"render nightly"', '"nightly rend"', '"render done"'):
        assert await find(query) == [], query


@pytest.mark.parametrize(
    ("title", "queries"),
    [
        ("来週は東京都で上映会", ["東京", "京都", "上映会", "会", '"来週は"', "東京 上映"]),
        ("ประชุมวันศุกร์", ["ประชุม", "ศุกร์", "วัน"]),
        ("クリップの編集", ["クリップ", "リップ", "編集"]),
        ("Премьера фильма 🎬", ["ПРЕМЬЕРА", "фильм", "🎬"]),
    ],
)
async def test_words_are_found_in_every_script(
    db: Database, squad: Team, find: Find, title: str, queries: list[str]
) -> None:
    one = await tell_message(db, squad, title)

    for query in queries:
        assert await find(query) == [one], query
    assert await find("大阪") == []


async def test_an_operator_looks_at_one_name_only(
    db: Database, alice: User, squad: Team, find: Find
) -> None:
    async with db.write() as session:
        project = Project(name="Alice in Wonderland", owner_id=alice.id)
        session.add(project)
    facts = {"actor": alice, "team": squad, "project": project}
    shared = await tell(db, PROJECT_SHARED, **facts)
    left = await tell(db, MEMBER_LEFT, team=squad, username="Alice")

    assert await find("alice") == [shared, left]
    assert await find("from:ali") == [shared]
    assert await find("-from:alice") == [left]
    assert await find('team:"video squad"') == [shared, left]
    assert await find("project:wonder") == await find("project:alice") == [shared]
    assert await find("from:wonderland") == await find("team:alice") == []
    assert await find('project:"in wonderland" from:alice -carol') == [shared]


async def test_the_reason_of_a_failure_is_found(db: Database, bob: User, find: Find) -> None:
    async with db.write() as session:
        project = Project(name="Reel", owner_id=bob.id)
        session.add(project)
    failed = await tell(db, COMPILATION_FAILED, project=project, error="Clip 3 has no picture.")

    assert await find('"no picture"') == [failed]


async def test_nobody_finds_the_sentences_of_others(
    db: Database, carol: User, squad: Team, find: Find
) -> None:
    stranger = await make_account(db, "stranger")
    await tell_message(db, squad, "Nightly render done")

    assert len(await find("render", carol)) == 1
    assert await find("render", stranger) == []


async def test_nothing_in_a_query_is_taken_for_syntax(
    db: Database, squad: Team, find: Find
) -> None:
    one = await tell_message(db, squad, "NEAR OR AND NOT")

    for query in ("near", "OR", "not", 'NEAR("or" AND', "ne*r", "a:b", "words:near", "' OR 1=1 --"):
        await find(query)
    assert await find('"near or and not"') == [one]
    assert await find("{words}: near") == []


async def test_the_longest_message_and_the_longest_query_are_taken(
    db: Database, squad: Team, find: Find
) -> None:
    one = await tell_message(db, squad, "x" * 200, "東" * 20_000 + " end")

    assert await find("end") == await find("x" * 200) == await find("東" * 200) == [one]


async def test_events_without_a_document_are_filled_in(
    db: Database, squad: Team, find: Find
) -> None:
    """They are from before there was an index, or from an older process."""
    first, second, third = [await tell_message(db, squad, f"Message {n}") for n in range(3)]
    async with db.write() as session:
        await session.execute(text(f"DELETE FROM {TABLE}"))
        await renew_documents(session, [second])
    assert await is_complete(db) is False

    counts = [count async for count in fill(db)]

    assert counts == [2]
    assert await is_complete(db) is True
    assert await find("message") == [first, second, third]
    assert [count async for count in fill(db)] == []


async def test_they_are_filled_in_by_batches(
    db: Database, squad: Team, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.notifications.search.index.BATCH", 2)
    told = [await tell_message(db, squad, f"Message {n}") for n in range(5)]
    async with db.write() as session:
        await session.execute(text(f"DELETE FROM {TABLE}"))

    assert [count async for count in fill(db)] == [2, 2, 1]
    assert await find("message") == told


async def test_an_event_of_a_newer_version_is_left_to_it(
    db: Database, squad: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell_message(db, squad, "Message")
    monkeypatch.delitem(TYPES, CUSTOM.name)

    assert await is_complete(db) is True
    assert [count async for count in fill(db)] == []


async def test_a_document_goes_with_its_event(db: Database, squad: Team) -> None:
    await tell_message(db, squad, "Message")
    await tell(db, ANNOUNCEMENT, title="Hello", priority="normal")

    async with db.write() as session:
        await session.execute(delete(Event).where(Event.type == CUSTOM.name))

    async with db.read() as session:
        assert await session.scalar(text(f"SELECT count(*) FROM {TABLE}")) == 1
    assert BATCH > 0


async def test_a_prefix_has_completions_where_they_are_few(
    db: Database, squad: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "MOST_COMPLETIONS", 2)
    for title in ("Render one", "Renders", "Clip1234 of 東京都", "Clip1235", "Clip1236"):
        await tell_message(db, squad, title)

    async def begun(query: str) -> Mapping[str, Sequence[str]]:
        async with db.short_read() as session:
            return await completions_of(session, parse_query(query))

    named = {"rende": ["render", "renders"]} if db.is_sqlite else {}
    assert await begun('rende clip123 ren -rende nowhere "big rende"') == named
    assert await begun('"rende"') == await begun("is:unread") == {}
