"""Groups in the inbox page: one row each, opened in place, acted on as one."""

import re
from itertools import pairwise
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.database import Database
from app.models import Notification, Team, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.inbox import acts, feed, open_groups
from app.notifications.inbox.selection import Selection
from app.notifications.live.html import Bells
from app.notifications.notify import notify
from app.notifications.preferences.switches import change
from tests.bell import newest_notices
from tests.conftest import post, sign_in, text_of
from tests.factories import make_account, make_team
from tests.notifications.pages.test_actions import post_partial, submit

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def bob(db: Database) -> User:
    """With groups, as everyone is who registers."""
    return await make_account(db, "bob", grouping=True)


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


@pytest.fixture
async def page(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


async def send(db: Database, alice: User, squad: Team, *titles: str, key: str = "a") -> None:
    async with db.act() as session:
        for title in titles:
            await notify(session, CUSTOM, actor=alice, team=squad, title=title, group_key=key)


def rows_of(answer: httpx.Response) -> list[str]:
    return re.findall(r'<li id="notice-(\S+)"', answer.text)


def seen_on(answer: httpx.Response) -> str:
    return str(re.findall(r'name="seen" value="(\d+)"', answer.text)[-1])


async def folders(db: Database, bob: User) -> list[tuple[str, int]]:
    async with db.read() as session:
        rows = select(Notification.folder, func.count()).where(
            Notification.user_id == bob.id, Notification.deleted_at.is_(None)
        )
        grouped = rows.group_by(Notification.folder).order_by(Notification.folder)
        return [(folder, count) for folder, count in await session.execute(grouped)]


async def test_a_group_is_unread_while_any_of_its_parts_is(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    async with db.act() as session:
        [newest, _oldest] = await newest_notices(session, bob.id)
        await acts.mark(session, bob.id, Selection([newest.id]), read=True)

    partly = (await page.get("/notifications")).text.partition('id="inbox"')[2]
    async with db.act() as session:
        await acts.read_all(session, bob.id)
    wholly = (await page.get("/notifications")).text.partition('id="inbox"')[2]

    assert f'formaction="/notifications/{newest.id}/read"' in partly
    assert "is-unread" in partly
    assert f'formaction="/notifications/{newest.id}/unread"' in wholly
    assert "is-unread" not in wholly


async def test_a_group_is_one_row_with_a_button_for_its_parts(
    page: httpx.AsyncClient, db: Database, alice: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two", "Three")
    await send(db, alice, squad, "Alone", key="b")

    shown = await page.get("/notifications")

    assert rows_of(shown) == ["4", "3"]
    assert "Three and 2 more" in text_of(shown)
    assert text_of(shown).count("Show 3 notifications") == 1
    assert "Show 1 notification " not in text_of(shown)


async def test_its_parts_are_shown_below_it_or_on_a_page(
    page: httpx.AsyncClient, db: Database, alice: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")

    opened = await page.get("/notifications/group/2", headers=PARTIAL)
    closed = await page.get("/notifications/group/2?hide=1", headers=PARTIAL)
    plain = await page.get("/notifications/group/2")
    parts = await page.get(plain.headers["Location"])

    assert rows_of(opened) == ["part-2", "part-1"]
    assert "in team" not in text_of(opened)
    assert "Hide 2 notifications" in text_of(opened)
    assert (rows_of(closed), "Show 2 notifications" in text_of(closed)) == ([], True)
    assert rows_of(parts) == ["2", "1"]


@pytest.mark.parametrize("query", ["", "status=unread"])
async def test_rows_that_are_being_read_are_on_one_of_the_pages_of_groups(
    page: httpx.AsyncClient, db: Database, alice: User, squad: Team, query: str
) -> None:
    for number in range(21):
        await send(db, alice, squad, "One", "Two", key=f"{number}")
    shown = await page.get(f"/notifications?{query}")

    opened = f"shown={','.join(rows_of(shown))}&seen={seen_on(shown)}"
    refreshed = await page.get(f"/notifications?{query}&{opened}", headers=PARTIAL)

    assert "Page 1 of 2" in shown.text
    assert "Page 1 of 2" in refreshed.text


async def test_an_act_on_its_row_is_one_on_all_that_was_seen(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    fields = {"grouped": "1", "seen": seen_on(await page.get("/notifications"))}
    await send(db, alice, squad, "Later")

    await post(page, "/notifications/2/done", **fields)

    assert await folders(db, bob) == [("done", 2), ("inbox", 1)]


async def test_an_act_on_a_part_is_one_on_that_alone(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    fields = {"grouped": "1", "seen": seen_on(await page.get("/notifications"))}

    await post(page, "/notifications/1/done?alone=1", **fields)

    assert await folders(db, bob) == [("done", 1), ("inbox", 1)]


@pytest.mark.parametrize(
    ("do", "answer", "left"),
    [
        ("snooze", {"for": "tomorrow"}, [("inbox", 1), ("snoozed", 2)]),
        ("delete", {}, [("inbox", 1)]),
    ],
)
async def test_a_row_about_which_a_page_asks_stands_for_its_group_too(
    page: httpx.AsyncClient,
    db: Database,
    alice: User,
    bob: User,
    squad: Team,
    do: str,
    answer: dict[str, str],
    left: list[tuple[str, int]],
) -> None:
    await send(db, alice, squad, "One", "Two")
    fields = {"grouped": "1", "seen": seen_on(await page.get("/notifications"))}
    await send(db, alice, squad, "Later")

    asked = await post(page, f"/notifications/2/{do}", **fields)
    assert do == "snooze" or "Delete 2 notifications?" in asked.text
    await submit(page, asked, **answer)

    assert await folders(db, bob) == left


async def test_a_part_is_snoozed_alone_and_in_its_own_row(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    fields = {"grouped": "1", "seen": seen_on(await page.get("/notifications"))}
    page.headers["HX-Current-URL"] = "http://testserver/notifications"

    asked = await post_partial(page, "/notifications/2/snooze?alone=1", **fields)

    assert 'hx-post="/notifications/2/snooze?alone=1" hx-target="#notice-part-2"' in asked.text
    assert 'name="grouped"' not in asked.text


async def test_the_row_of_another_user_stands_for_no_group(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, carol: User
) -> None:
    squad = await make_team(db, alice, editors=[bob, carol])
    await send(db, alice, squad, "One")
    async with db.read() as session:
        of_carol = await session.scalar(
            select(Notification.id).where(Notification.user_id == carol.id)
        )
    fields = {"grouped": "1", "seen": seen_on(await page.get("/notifications"))}

    await post(page, "/notifications/bulk", do="done", ids=str(of_carol), **fields)

    assert await folders(db, bob) == [("inbox", 1)]


async def test_checked_rows_stand_for_their_groups(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    await send(db, alice, squad, "Other", key="b")
    fields = {"grouped": "1", "seen": seen_on(await page.get("/notifications"))}

    await post(page, "/notifications/bulk", do="done", ids="2", **fields)

    assert await folders(db, bob) == [("done", 2), ("inbox", 1)]


@pytest.mark.parametrize("do", ["done", "delete"])
async def test_a_checked_part_stands_for_itself(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team, do: str
) -> None:
    await send(db, alice, squad, "One", "Two", "Three")
    fields = {"grouped": "1", "seen": seen_on(await page.get("/notifications"))}

    answer = await post(page, "/notifications/bulk", do=do, parts="2", **fields)
    if do == "delete":
        assert "Delete 1 notification?" in answer.text
        await submit(page, answer)

    assert dict(await folders(db, bob))["inbox"] == 2


async def test_an_open_group_stays_open_when_its_list_is_updated(
    page: httpx.AsyncClient, db: Database, alice: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    await send(db, alice, squad, "Other", "Another", key="b")

    updated = await page.get("/notifications?open=1", headers=PARTIAL)
    reloaded = await page.get("/notifications?open=1")

    assert rows_of(updated) == ["4", "2", "part-2", "part-1"]
    assert "Hide 2 notifications" in text_of(updated)
    assert "Show 2 notifications" in text_of(updated)
    assert rows_of(reloaded) == ["4", "2"]


async def test_open_groups_have_a_limited_number_of_parts_in_all(
    page: httpx.AsyncClient,
    db: Database,
    alice: User,
    squad: Team,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The parts of a hundred large groups would be megabytes, which hold up everybody else."""
    for key in ("a", "b", "c"):
        await send(db, alice, squad, "One", "Two", key=key)
    monkeypatch.setattr(open_groups, "MOST_PARTS_IN_ALL", 3)

    updated = await page.get("/notifications?open=2,4,6", headers=PARTIAL)

    assert rows_of(updated) == ["6", "part-6", "part-5", "4", "2"]
    assert text_of(updated).count("Hide 2 notifications") == 1
    assert text_of(updated).count("Show 2 notifications") == 2


async def test_an_open_group_that_is_being_read_has_its_parts_as_they_are_now(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two", "Three")
    seen = seen_on(await page.get("/notifications"))
    await send(db, alice, squad, "Later")
    async with db.act() as session:
        await acts.carry_out(session, bob.id, acts.doing(), Selection([3]))

    updated = await page.get(f"/notifications?shown=3&open=3&seen={seen}", headers=PARTIAL)

    assert rows_of(updated) == ["2", "part-2", "part-1"]
    assert "Show 1 new notification" in text_of(updated)


async def test_an_open_group_stays_open_after_an_act_on_its_row(
    page: httpx.AsyncClient, db: Database, alice: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    fields = {"grouped": "1", "seen": seen_on(await page.get("/notifications"))}

    closed = await post_partial(page, "/notifications/2/save", **fields)
    opened = await post_partial(page, "/notifications/2/read", **fields, open="2")

    assert rows_of(closed) == ["2"]
    assert rows_of(opened) == ["2", "part-2", "part-1"]


async def test_a_part_deleted_alone_offers_undo_in_its_place_and_comes_back_there(
    page: httpx.AsyncClient, db: Database, alice: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two", "Three")
    seen = seen_on(await page.get("/notifications"))
    deleted = await post_partial(page, "/notifications/3/delete?alone=1", grouped="1", seen=seen)
    [token] = re.findall(r'name="undo" value="([^"]+)"', deleted.text)

    updated = await page.get(
        f"/notifications?shown=3&open=3&removed=3&seen={seen}", headers=PARTIAL
    )
    restored = await post_partial(
        page, "/notifications/undo", undo=token, shown="2", open="2", seen=seen, grouped="1"
    )

    assert rows_of(updated) == ["2", "part-3", "part-2", "part-1"]
    assert text_of(updated).count("Deleted.") == 1
    assert rows_of(restored) == ["3", "part-3", "part-2", "part-1"]
    assert "Deleted." not in text_of(restored)


async def test_the_undo_that_a_flash_offers_leaves_the_group_open(
    page: httpx.AsyncClient, db: Database, alice: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two", "Three")
    fields = {"grouped": "1", "seen": seen_on(await page.get("/notifications"))}
    done = await post_partial(page, "/notifications/2/done?alone=1", **fields)
    [url] = set(re.findall(r'hx-post="(/notifications/undo[^"]+)"', done.text))

    restored = await post_partial(page, url, open="3")

    assert rows_of(restored) == ["3", "part-3", "part-2", "part-1"]


async def test_nobody_opens_the_group_of_another_user(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, carol: User
) -> None:
    squad = await make_team(db, alice, editors=[bob, carol])
    await send(db, alice, squad, "One", "Two")
    async with db.read() as session:
        of_carol = await session.scalar(
            select(Notification.id).where(Notification.user_id == carol.id).limit(1)
        )

    shown = await page.get(f"/notifications?open={of_carol}", headers=PARTIAL)

    assert "part-" not in shown.text


async def test_who_wants_no_groups_gets_a_row_for_each(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    async with db.write() as session:
        (await session.get_one(User, bob.id)).grouping = False

    shown = await page.get("/notifications")

    assert rows_of(shown) == ["2", "1"]
    assert 'name="grouped"' not in shown.text


async def test_notices_of_a_type_that_forms_no_groups_get_a_row_each(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    before = await page.get("/notifications")
    async with db.act() as session:
        await change(session, bob, {"ungrouped_types": ["custom"]})

    shown = await page.get("/notifications")
    listed = await page.get("/notifications?type=custom")
    acted = await post_partial(page, "/notifications/2/done", grouped="1", seen=seen_on(shown))

    assert rows_of(before) == ["2"]
    assert rows_of(shown) == rows_of(listed) == ["2", "1"]
    assert 'id="parts-' not in shown.text
    assert acted.status_code == 200
    assert await folders(db, bob) == [("done", 1), ("inbox", 1)]


async def test_open_pages_hear_that_their_lists_are_arranged_otherwise(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    choices: list[dict[str, Any]] = [
        {"ungrouped_types": ["custom"]},
        {"grouping": False},
        {"urgent_first": True},
        {"urgent_first": False},
        {"grouping": True, "ungrouped_types": []},
        {"grouping": True, "ungrouped_types": []},
    ]
    positions, frames = [await feed.position_of(db, bob.id)], []
    for choice in choices:
        async with db.act() as session:
            await change(session, bob, choice)
        positions.append(await feed.position_of(db, bob.id))
        frames.append((await Bells(db).read([bob.id]))[bob.id])

    moved = [after - before for before, after in pairwise(positions)]
    is_arranged = [True, False, True, False, True, True]
    assert [bool(one) for one in moved] == [True] * 5 + [False]
    assert [b"data: arranged" in frame for frame in frames] == is_arranged
    assert [b'id="panel-list"' not in frame for frame in frames] == is_arranged


def panel_of(answer: httpx.Response) -> str:
    [panel] = re.findall(r'<ul id="panel-list".*?</ul>', answer.text, re.DOTALL)
    return str(panel)


async def test_a_group_says_who_did_it_unless_several_people_did(
    page: httpx.AsyncClient, db: Database, alice: User, carol: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two", key="a")
    await send(db, alice, squad, "Three", key="b")
    await send(db, carol, squad, "Four", key="b")

    rows = (await page.get("/notifications")).text.partition('id="inbox-list"')[2]

    assert re.findall(r'class="notice-meta">(?:<span><bdi>)?(\w+|<time)', rows) == [
        "<time",
        "alice",
    ]


async def test_the_panel_and_the_dashboard_show_groups_as_the_inbox_does(
    page: httpx.AsyncClient, db: Database, alice: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two", "Three")
    await send(db, alice, squad, "Alone", key="b")

    home = await page.get("/")
    bell = await page.get("/notifications/bell", headers=PARTIAL)

    for panel in (panel_of(home), panel_of(bell)):
        assert re.findall(r'<li id="panel-notice-(\d+)"', panel) == ["4", "3"]
        assert "Three</bdi> and 2 more" in panel or "Three and 2 more" in panel
    assert re.findall(r'id="brief-text-(\d+)"', home.text) == ["4", "3"]
    assert 'aria-label="Notifications, 4 unread"' in home.text


async def test_an_act_on_a_group_in_the_panel_is_one_on_all_that_it_showed(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    [form] = re.findall(r'<form id="panel-form".*?</form>', (await page.get("/")).text, re.DOTALL)
    fields = dict(re.findall(r'name="(grouped|seen)" value="(\d+)"', form))
    await send(db, alice, squad, "Later")

    answer = await post_partial(page, "/notifications/2/done", **fields)

    assert await folders(db, bob) == [("done", 2), ("inbox", 1)]
    assert re.findall(r'<li id="panel-notice-(\d+)"', panel_of(answer)) == ["3"]


async def test_a_change_is_streamed_without_a_panel_to_who_wants_groups(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    squad = await make_team(db, alice, editors=[bob, carol])
    await send(db, alice, squad, "One", "Two")

    frames = await Bells(db).read([bob.id, carol.id])

    assert b"panel-list" not in frames[bob.id]
    assert b"2 unread" in frames[bob.id]
    assert frames[bob.id].endswith(b"event: notifications-changed\nid: 2\ndata: arranged\n\n")
    assert b"panel-list" in frames[carol.id]
