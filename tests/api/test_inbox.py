"""The inbox in JSON: the shapes of the specification, filters, pages, marks and undo."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app import clock
from app.database import Database
from app.models import Event, Notification, Team, User
from app.notifications.delivery.retention import clean_up
from app.notifications.events.catalogue import MEMBER_ADDED, MEMBER_LEFT
from app.notifications.events.positions import last_position
from app.notifications.notify import notify
from tests.api.conftest import Program
from tests.factories import make_team

URL = "/api/notifications"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, "My Team", editors=[bob])


async def tell_bob(db: Database, squad: Team, alice: User, bob: User, count: int = 1) -> None:
    for _number in range(count):
        async with db.act() as session:
            await notify(
                session, MEMBER_ADDED, actor=alice, affected=bob, team=squad, role="editor"
            )


async def ids_of(program: Program, **query: Any) -> list[int]:
    answer = await program.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    return [notice["id"] for notice in answer.json()["notifications"]]


async def test_the_list_has_the_shape_of_the_specification(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob)

    answer = (await for_bob.get(URL)).json()

    (notice,) = answer.pop("notifications")
    assert answer.pop("position") == await last_position(db)
    assert answer == {
        "unread_count": 1,
        "total": 1,
        "filtered_count": 1,
        "page": 1,
        "per_page": 20,
        "pages": 1,
    }
    assert notice.pop("id") > 0
    assert notice.pop("created_at").endswith("Z")
    assert notice.pop("position") > 0
    assert notice == {
        "type": "member_added",
        "message": "You were added to team 'My Team' as editor",
        "priority": "normal",
        "is_read": False,
        "read_at": None,
        "is_done": False,
        "is_saved": False,
        "snoozed_until": None,
        "group_key": f"member_added:team:{squad.id}",
        "thumbnail_url": None,
        "updated_at": None,
        "actor": {"id": alice.id, "username": "alice"},
        "team": {"id": squad.id, "name": "My Team"},
        "project": None,
        "context": {"username": "bob", "role": "editor"},
    }


async def test_pages_follow_one_another_and_end_empty(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob, 5)

    pages = [await ids_of(for_bob, limit=2, page=page) for page in (1, 2, 3, 4, 10**30)]
    middle = await for_bob.get(URL, params={"limit": 2, "page": 2, "status": "unread"})

    assert [len(page) for page in pages] == [2, 2, 1, 0, 0]
    together = [one for page in pages for one in page]
    assert together == sorted(together, reverse=True)
    assert middle.json()["pages"] == 3
    query = f"limit=2&status=unread&up_to_position={middle.json()['position']}"
    assert middle.headers["Link"] == (
        f'<{URL}?{query}&page=1>; rel="first", '
        f'<{URL}?{query}&page=3>; rel="last", '
        f'<{URL}?{query}&page=1>; rel="prev", '
        f'<{URL}?{query}&page=3>; rel="next"'
    )


async def test_nothing_repeats_from_page_to_page_while_notifications_arrive(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob, 5)
    there = await ids_of(for_bob)
    first = await for_bob.get(URL, params={"limit": 2})
    end = first.json()["position"]

    await tell_bob(db, squad, alice, bob, 3)
    pages = [await ids_of(for_bob, limit=2, page=n, up_to_position=end) for n in (1, 2, 3)]
    answer = (await for_bob.get(URL, params={"limit": 2, "up_to_position": end})).json()

    assert [one for page in pages for one in page] == there
    assert (answer["filtered_count"], answer["pages"], answer["total"]) == (5, 3, 8)
    assert answer["position"] > end
    assert first.links["next"]["url"] == f"{URL}?limit=2&up_to_position={end}&page=2"


@pytest.mark.parametrize("nonsense", ["abc", "-1", "1.5", "", str(2**63), "9" * 400])
async def test_a_position_that_is_none_is_named(for_bob: Program, nonsense: str) -> None:
    answer = await for_bob.get(URL, params={"up_to_position": nonsense})

    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == ["up_to_position"]


async def test_the_deprecated_parameters_give_way_to_the_new_ones(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob, 4)
    newest, second, third, fourth = await ids_of(for_bob)
    await for_bob.post(f"{URL}/{newest}/read")

    assert await ids_of(for_bob, offset=1, limit=2) == [second, third]
    assert await ids_of(for_bob, offset=1, limit=2, page=2) == [third, fourth]
    assert await ids_of(for_bob, unread_only="true") == [second, third, fourth]
    assert await ids_of(for_bob, unread_only="true", status="read") == [newest]


async def test_a_filter_may_name_several_types_and_a_synonym(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob)
    async with db.act() as session:
        await notify(session, MEMBER_LEFT, actor=alice, affected=alice, team=squad)
    left, added = await ids_of(for_bob)

    assert await ids_of(for_bob, type="member_left") == [left]
    assert await ids_of(for_bob, type=["member_left", "member_added"]) == [left, added]
    assert await ids_of(for_bob, type="compilation_complete") == []


async def test_a_day_begins_in_the_users_time_zone(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob)
    async with db.write() as session:
        await session.execute(
            update(User).where(User.id == bob.id).values(timezone="Pacific/Kiritimati")
        )
        midnight = (clock.now() + timedelta(hours=14)).replace(hour=0, minute=0, second=0)
        await session.execute(
            update(Event).values(created_at=midnight - timedelta(hours=14, minutes=1))
        )

    assert await ids_of(for_bob, date_range="today") == []
    assert len(await ids_of(for_bob, date_range="week")) == 1


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"limit": 0}, {"limit"}),
        ({"limit": 101}, {"limit"}),
        ({"limit": "ten"}, {"limit"}),
        ({"page": 0}, {"page"}),
        ({"offset": -1}, {"offset"}),
        ({"type": ["member_added", "rumour"]}, {"type"}),
        (
            {"status": "seen", "date_range": "decade", "limit": ""},
            {"status", "date_range", "limit"},
        ),
        ({"unread_only": "perhaps"}, {"unread_only"}),
    ],
)
async def test_every_wrong_parameter_is_named(
    for_bob: Program, query: dict[str, str], fields: set[str]
) -> None:
    answer = await for_bob.get(URL, params=query)

    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == fields


async def test_a_matching_etag_is_304(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob)
    for url in (URL, f"{URL}/unread-count"):
        known = {"If-None-Match": (await for_bob.get(url)).headers["ETag"]}
        assert (await for_bob.get(url, headers=known)).status_code == 304

        await tell_bob(db, squad, alice, bob)
        assert (await for_bob.get(url, headers=known)).status_code == 200


async def test_retention_changes_the_etag_of_the_list(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob)
    async with db.write() as session:
        await session.execute(update(Notification).values(read_at=LONG_AGO))
    known = {"If-None-Match": (await for_bob.get(URL)).headers["ETag"]}

    await clean_up(db, retention_days=30)

    assert (await for_bob.get(URL, headers=known)).json()["total"] == 0


async def test_another_language_has_another_etag(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    answer = await for_bob.get(URL)

    assert {"Authorization", "Cookie", "Accept-Language"} <= set(answer.headers["Vary"].split(", "))
    assert answer.headers["Cache-Control"] == "private, no-cache"


async def test_one_notification_is_shown_marked_and_deleted(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob)
    (one,) = await ids_of(for_bob)

    read = await for_bob.post(f"{URL}/{one}/read")
    seen = await for_bob.get(f"{URL}/{one}")
    unread = await for_bob.post(f"{URL}/{one}/unread")
    count = await for_bob.get(f"{URL}/unread-count")
    deleted = (await for_bob.delete(f"{URL}/{one}")).json()
    gone = await for_bob.get(f"{URL}/{one}")
    back = await for_bob.post(f"{URL}/undo", json={"undo": deleted["undo"]})

    assert read.json().keys() == {"message", "undo"}
    assert read.json()["message"] == "Notification marked as read"
    assert seen.json()["is_read"]
    assert seen.json()["read_at"].endswith("Z")
    assert unread.json().keys() == {"message", "undo"}
    assert unread.json()["message"] == "Notification marked as unread"
    assert count.json() == {"count": 1}
    assert (deleted["message"], deleted["count"]) == ("Notification deleted", 1)
    assert gone.status_code == 404
    assert back.json() == {"message": "1 notification restored", "count": 1}
    assert await ids_of(for_bob) == [one]


async def test_read_all_stops_at_the_highest_id_seen(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob, 2)
    newer, older = await ids_of(for_bob)

    first = await for_bob.post(f"{URL}/read-all", json={"up_to": older})
    left = await ids_of(for_bob, status="unread")
    await for_bob.post(f"{URL}/read-all")

    again = await for_bob.post(f"{URL}/read-all")
    assert first.json().keys() == {"message", "undo"}
    assert again.json() == {"message": "All notifications marked as read", "undo": None}
    assert left == [newer]
    assert await ids_of(for_bob, status="unread") == []
    back = await for_bob.post(f"{URL}/undo", json={"undo": first.json()["undo"]})
    assert back.json() == {"message": "1 notification restored", "count": 1}
    assert await ids_of(for_bob, status="unread") == [older]


async def test_many_are_marked_and_deleted_by_id(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob, 3)
    ids = await ids_of(for_bob)

    read = await for_bob.post(f"{URL}/bulk-mark-read", json={"notification_ids": ids})
    unread = await for_bob.post(f"{URL}/bulk-mark-unread", json={"notification_ids": ids[:2]})
    deleted = (await for_bob.post(f"{URL}/bulk-delete", json={"notification_ids": ids})).json()
    left = await ids_of(for_bob)
    back = await for_bob.post(f"{URL}/undo", json={"undo": deleted["undo"]})

    assert read.json().pop("undo")
    assert (read.json()["message"], read.json()["count"]) == ("3 notifications marked as read", 3)
    assert unread.json().pop("undo")
    assert unread.json()["message"] == "2 notifications marked as unread"
    assert unread.json()["count"] == 2
    assert (deleted["message"], deleted["count"]) == ("3 notifications deleted", 3)
    assert left == []
    assert back.json()["count"] == 3
    assert await ids_of(for_bob) == ids


async def test_a_filter_leaves_out_what_arrived_meanwhile(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob, 3)
    up_to = max(await ids_of(for_bob))
    await tell_bob(db, squad, alice, bob)
    sent = {"filter": {"type": "member_added", "status": "unread"}, "up_to": up_to}

    read = await for_bob.post(f"{URL}/bulk-mark-read", json=sent)
    sent["filter"] = {"status": "read", "type": ["member_added", "member_left"]}
    deleted = await for_bob.post(f"{URL}/bulk-delete", json=sent)

    assert read.json()["count"] == 3
    assert deleted.json()["count"] == 3
    assert len(await ids_of(for_bob)) == 1


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({}, {"notification_ids"}),
        ({"notification_ids": [1], "filter": {}, "up_to": 1}, {"filter"}),
        ({"filter": {}}, {"up_to"}),
        ({"notification_ids": [1], "up_to": 1}, {"up_to"}),
        ({"notification_ids": list(range(1, 1002))}, {"notification_ids"}),
        ({"notification_ids": ["1"]}, {"notification_ids"}),
        ({"notification_ids": [2**63]}, {"notification_ids"}),
        (
            {"filter": {"type": "rumour", "colour": "red"}, "up_to": "all"},
            {"filter.type", "filter.colour", "up_to"},
        ),
    ],
)
async def test_an_ambiguous_selection_is_refused(
    for_bob: Program, sent: dict[str, object], fields: set[str]
) -> None:
    for verb in ("mark-read", "mark-unread", "delete"):
        answer = await for_bob.post(f"{URL}/bulk-{verb}", json=sent)

        assert answer.status_code == 400
        assert {error["field"] for error in answer.json()["errors"]} == fields


async def test_notifications_of_another_user_are_404(
    for_bob: Program, for_carol: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    await tell_bob(db, squad, alice, bob)
    (one,) = await ids_of(for_bob)

    alone = [
        await for_carol.get(f"{URL}/{one}"),
        await for_carol.post(f"{URL}/{one}/read"),
        await for_carol.post(f"{URL}/{one}/unread"),
        await for_carol.delete(f"{URL}/{one}"),
    ]
    together = [
        await for_carol.post(f"{URL}/{verb}", json={"notification_ids": [one]})
        for verb in ("bulk-mark-read", "bulk-mark-unread", "bulk-delete")
    ]

    assert {answer.status_code for answer in alone} == {404}
    assert {answer.json()["count"] for answer in together} == {0}
    assert await ids_of(for_bob, status="unread") == [one]


async def test_an_undo_token_works_once_for_its_user_within_ten_minutes(
    for_bob: Program,
    for_carol: Program,
    db: Database,
    squad: Team,
    alice: User,
    bob: User,
) -> None:
    await tell_bob(db, squad, alice, bob)
    token = (await for_bob.delete(f"{URL}/{(await ids_of(for_bob))[0]}")).json()["undo"]

    tries = [
        await for_carol.post(f"{URL}/undo", json={"undo": token}),
        await for_bob.post(f"{URL}/undo", json={"undo": "made-up"}),
        await for_bob.post(f"{URL}/undo", json={"undo": token}),
        await for_bob.post(f"{URL}/undo", json={"undo": token}),
    ]

    assert [answer.status_code for answer in tries] == [404, 404, 200, 404]


async def test_deleting_nothing_offers_no_undo(for_bob: Program, db: Database) -> None:
    answer = await for_bob.post(f"{URL}/bulk-delete", json={"notification_ids": [1]})

    async with db.read() as session:
        rows = await session.scalar(select(func.count()).select_from(Notification))
    assert answer.json() == {"message": "0 notifications deleted", "count": 0, "undo": None}
    assert rows == 0


async def test_a_notice_of_a_newer_version_is_left_out_of_the_list_and_stays(
    for_bob: Program, db: Database, squad: Team, alice: User, bob: User
) -> None:
    """While hosts are upgraded one after the other, an older one reads what a newer one wrote."""
    await tell_bob(db, squad, alice, bob, 2)
    [newest, oldest] = await ids_of(for_bob)
    async with db.write() as session:
        newer = select(Notification.event_id).where(Notification.id == newest).scalar_subquery()
        await session.execute(
            update(Event).where(Event.id == newer).values(type="from_a_newer_version")
        )

    assert await ids_of(for_bob) == [oldest]

    async with db.read() as session:
        assert await session.get(Notification, newest)
