from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from app.database import Database
from app.errors import Invalid
from app.models import Event, Notification, Team, User
from app.notifications.events.catalogue import ANNOUNCEMENT, CUSTOM, MEMBER_LEFT
from app.notifications.events.event_type import HIGH, NORMAL, PRIORITIES
from app.notifications.inbox import feed
from app.notifications.inbox.filters import (
    FIELDS,
    MOST_VALUES,
    Filter,
    parse_filter,
    read_filter,
)
from app.notifications.inbox.totals import count_totals
from app.notifications.notify import notify
from tests.notifications.conftest import Hands
from tests.notifications.inbox.conftest import Alter, Tell

BERLIN = ZoneInfo("Europe/Berlin")


async def matching(db: Database, user: User, wanted: Filter) -> list[int]:
    """The ids that match, oldest first; page and count agree."""
    async with db.read() as session:
        count = (await count_totals(session, user.id, wanted)).filtered_count
        found = await feed.read_slice(session, user.id, wanted, 0, 100, count)
    assert len(found) == count
    return sorted(notice.id for notice in found)


async def test_a_type_narrows_and_several_types_add_up(
    db: Database, alice: User, bob: User, squad: Team, tell_bob: Tell
) -> None:
    [renamed] = await tell_bob(1)
    async with db.act() as session:
        await notify(session, MEMBER_LEFT, actor=alice, team=squad, username="carol")
    [_renamed, left] = await tell_bob(0)

    assert await matching(db, bob, Filter({"type": ("member_left",)})) == [left]
    assert await matching(db, bob, Filter({"type": ("member_left", "team_updated")})) == [
        renamed,
        left,
    ]
    assert await matching(db, bob, Filter({"type": ("team_deleted",)})) == []


@pytest.mark.parametrize(
    ("facts", "found_as"),
    [({"priority": HIGH}, HIGH), ({"priority": NORMAL}, NORMAL), ({}, NORMAL)],
)
async def test_a_priority_is_the_one_that_its_sender_chose(
    db: Database, alice: User, bob: User, squad: Team, facts: dict[str, Any], found_as: str
) -> None:
    async with db.act() as session:
        await notify(session, CUSTOM, actor=alice, team=squad, title="Done", **facts)
        await notify(session, ANNOUNCEMENT, actor=alice, title="The server rests", **facts)
        mine = select(Notification.id).where(Notification.user_id == bob.id)
        ids = sorted(await session.scalars(mine))

    found = {name: await matching(db, bob, Filter({"priority": (name,)})) for name in PRIORITIES}

    assert found == {name: ids if name == found_as else [] for name in PRIORITIES}


async def test_a_status_narrows_to_the_read_or_the_unread(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    read, unread = await tell_bob(2)
    await alter([read], read_at=datetime(2026, 1, 1, tzinfo=UTC))

    assert await matching(db, bob, Filter({"status": ("read",)})) == [read]
    assert await matching(db, bob, Filter({"status": ("unread",)})) == [unread]


@pytest.mark.parametrize(
    ("date_range", "first_day"),
    [
        ("today", "2026-06-30"),
        ("week", "2026-06-23"),
        ("month", "2026-05-31"),
        ("3months", "2026-03-31"),
    ],
)
async def test_a_date_range_begins_at_midnight_where_the_user_lives(
    db: Database, bob: User, tell_bob: Tell, hands: Hands, date_range: str, first_day: str
) -> None:
    too_old, first, last = await tell_bob(3)
    midnight = datetime.fromisoformat(first_day).replace(tzinfo=BERLIN)
    hands.set(datetime(2026, 6, 30, 23, 59, tzinfo=BERLIN))
    await happened(db, too_old, midnight - timedelta(seconds=1))
    await happened(db, first, midnight)
    await happened(db, last, datetime(2026, 6, 30, 23, 58, tzinfo=BERLIN))

    wanted = Filter({"date_range": (date_range,)}, BERLIN)

    assert await matching(db, bob, wanted) == [first, last]


async def test_a_date_range_in_which_nothing_happened_is_empty(
    db: Database, bob: User, tell_bob: Tell, hands: Hands
) -> None:
    await tell_bob(2)
    hands.move(timedelta(days=92))

    assert await matching(db, bob, Filter({"date_range": ("3months",)})) == []


async def test_fields_narrow_together_and_never_show_hidden_deleted_or_foreign_notices(
    db: Database, alice: User, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    ids = await tell_bob(4)
    read, hidden, deleted, unread = ids
    await alter([hidden], hidden=True)
    await alter([deleted], deleted_at=datetime(2026, 1, 1, tzinfo=UTC))
    await alter([read], read_at=datetime(2026, 1, 1, tzinfo=UTC))

    both = Filter({"type": ("team_updated",), "status": ("unread",)})
    assert await matching(db, bob, both) == [unread]
    assert await matching(db, bob, Filter()) == [read, unread]
    assert await matching(db, alice, Filter()) == []


def test_a_form_leaves_open_what_it_leaves_empty_and_knows_the_synonyms() -> None:
    given = {"type": " compilation_complete ", "status": "all", "date_range": "", "colour": "red"}

    wanted = read_filter(given, BERLIN)

    assert wanted == Filter({"type": ("compilation_completed",)}, BERLIN)
    assert read_filter({}, BERLIN).is_open


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(Invalid) as raised:
        read_filter({"type": "rumour", "status": "seen", "date_range": "decade"}, BERLIN)

    assert raised.value.fields == {
        "type": "Unknown notification type.",
        "status": "The status must be unread, read or all.",
        "date_range": "The date range must be today, week, month, 3months or all.",
    }


def test_a_value_that_is_given_twice_counts_once_in_the_order_given() -> None:
    given = {"actor": ["7", "1"] * 280, "type": ["team_updated", "member_left", "team_updated"]}

    assert parse_filter(given, BERLIN).chosen == {
        "type": ("team_updated", "member_left"),
        "actor": (7, 1),
    }


@pytest.mark.parametrize("name", ["actor", "team", "project"])
def test_a_field_takes_a_limited_number_of_values(name: str) -> None:
    ids = [str(number) for number in range(1, MOST_VALUES + 2)]

    assert len(parse_filter({name: ids[:-1]}, BERLIN).chosen[name]) == MOST_VALUES
    with pytest.raises(Invalid) as refused:
        parse_filter({name: ids}, BERLIN)
    assert refused.value.fields == {name: "Choose at most 50 values."}


def test_a_filter_is_written_into_an_address_and_read_back() -> None:
    wanted = parse_filter({"type": ["member_left", "team_updated"], "status": ["unread"]}, BERLIN)

    assert wanted.query == "type=member_left&type=team_updated&status=unread"
    assert read_filter(dict(Filter({"status": ("unread",)}).pairs), BERLIN).query == "status=unread"


def test_a_control_shows_all_that_is_chosen_and_sends_it_back() -> None:
    wanted = Filter({"type": ("member_left", "team_updated"), "status": ("unread",)}, BERLIN)

    shown = {field.name: wanted.value_of(field.name) for field in FIELDS}

    assert [shown[name] for name in ("type", "status", "date_range")] == [
        "member_left,team_updated",
        "unread",
        "",
    ]
    assert read_filter(shown, BERLIN) == wanted


def test_a_value_is_taken_out_of_a_filter() -> None:
    wanted = Filter({"type": ("member_left", "team_updated"), "status": ("unread",)})

    assert wanted.without("type", "member_left").query == "type=team_updated&status=unread"
    assert wanted.without("status", "unread").query == "type=member_left&type=team_updated"


async def happened(db: Database, notification_id: int, moment: datetime) -> None:
    event_id = select(Notification.event_id).where(Notification.id == notification_id)
    async with db.write() as session:
        await session.execute(
            update(Event).where(Event.id == event_id.scalar_subquery()).values(created_at=moment)
        )
