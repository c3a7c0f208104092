"""The actions of the inbox, as plain forms and by htmx."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from app.database import Database
from app.models import Notification, Team, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.totals import count_totals
from app.notifications.notify import notify
from app.teams.invitations import invite
from tests.bell import newest_notices
from tests.conftest import post, sign_in
from tests.factories import make_team
from tests.notifications.seen import made_at

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def editors(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, "Editors", editors=[bob])


@pytest.fixture
async def told(db: Database, alice: User, bob: User, editors: Team) -> list[int]:
    """Bob has three notifications; their ids, newest first."""
    for number in range(3):
        await rename(db, alice, editors, str(number))
    async with db.read() as session:
        return [notice.id for notice in await newest_notices(session, bob.id)]


@pytest.fixture
async def as_bob(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


async def test_deleting_all_matches_asks_how_many_and_spares_later_arrivals(
    as_bob: httpx.AsyncClient,
    db: Database,
    alice: User,
    bob: User,
    editors: Team,
    told: list[int],
) -> None:
    chosen = {
        "do": "delete",
        "all_matching": "1",
        "status": "unread",
        "seen": await made_at(db, bob, told[0]),
    }
    await rename(db, alice, editors, "News")

    asked = await post(as_bob, "/notifications/bulk", **chosen)
    assert "Delete 3 notifications?" in asked.text
    assert 'href="/notifications?status=unread"' in asked.text
    assert await total(db, bob) == 4
    await submit(as_bob, asked)

    assert await total(db, bob) == 1


async def test_deleting_the_selected_asks_how_many_of_them_are_there(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    chosen = {"do": "delete", "ids": [*told[:2], 10**6], "page": "2", "type": "team_updated"}

    asked = await post(as_bob, "/notifications/bulk", **chosen)
    assert "Delete 2 notifications?" in asked.text
    deleted = await submit(as_bob, asked)

    assert deleted.headers["location"] == "/notifications?type=team_updated&page=2"
    assert await total(db, bob) == 1


async def test_deleting_one_is_confirmed_and_leads_back(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    asked = await post(as_bob, f"/notifications/{told[0]}/delete", status="unread")
    assert "Delete 1 notification?" in asked.text
    assert await total(db, bob) == 3
    deleted = await submit(as_bob, asked)

    assert deleted.headers["location"] == "/notifications?status=unread"
    assert await total(db, bob) == 2


async def test_a_deletion_can_be_undone_where_the_reader_was(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    chosen = {"do": "delete", "ids": told[:2], "status": "unread", "confirmed": "1"}

    deleted = await post(as_bob, "/notifications/bulk", **chosen)
    page = await as_bob.get(deleted.headers["location"])
    assert "2 notifications deleted" in page.text
    restored = await post(as_bob, undo_in(page, "action"))

    assert restored.headers["location"] == "/notifications?status=unread"
    assert "2 notifications restored" in (await as_bob.get("/notifications")).text
    assert await total(db, bob) == 3


async def test_the_flash_in_an_open_page_undoes_in_place_and_keeps_the_filters(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    chosen = {"do": "delete", "ids": told[:1], "type": "team_updated"}

    deleted = await post_partial(as_bob, "/notifications/bulk", **chosen)
    url = undo_in(deleted, "hx-post")
    restored = await post_partial(as_bob, url)

    assert "1 notification deleted" in deleted.text
    assert parse_qs(urlsplit(url).query)["type"] == ["team_updated"]
    assert "1 notification restored" in restored.text
    assert 'hx-get="/notifications?type=team_updated"' in restored.text
    assert await total(db, bob) == 3


async def test_undo_in_a_row_leaves_the_other_open_rows_where_they_are(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    _newest, middle, oldest = told
    deleted = await post_partial(as_bob, f"/notifications/{middle}/delete")
    token = re.search(r'name="undo" value="([^"]+)"', deleted.text)
    assert token
    open_rows = {"shown": f"{middle},{oldest}", "seen": await made_at(db, bob, middle)}

    restored = await post_partial(as_bob, "/notifications/undo", undo=token[1], **open_rows)

    assert rows_in(restored) == [middle, oldest]
    assert "Show 1 new notification" in restored.text
    assert await total(db, bob) == 3


async def test_a_row_is_marked_in_place_and_the_bell_with_it(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    read = await post_partial(as_bob, f"/notifications/{told[0]}/read")
    assert rows_in(read) == [told[0]]
    assert "Mark as unread" in read.text
    assert 'aria-label="Notifications, 2 unread"' in read.text
    assert await unread(db, bob) == 2

    back = await post_partial(as_bob, f"/notifications/{told[0]}/unread")
    assert "Mark as read" in back.text
    assert await unread(db, bob) == 3


@pytest.mark.parametrize(("do", "left"), [("read", 2), ("unread", 3)])
async def test_without_scripts_one_is_marked_and_the_page_comes_back(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int], do: str, left: int
) -> None:
    if do == "unread":
        await post(as_bob, f"/notifications/{told[0]}/read")

    marked = await post(as_bob, f"/notifications/{told[0]}/{do}", page="2", type="<junk>")

    assert marked.status_code == 303
    assert marked.headers["location"] == "/notifications"
    page = await as_bob.get("/notifications")
    assert f"1 notification marked as {do}" in page.text
    assert "/notifications/undo?" in page.text
    assert await unread(db, bob) == left


async def test_the_selected_are_marked_and_no_others(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    some = await post_partial(as_bob, "/notifications/bulk", do="read", ids=told[:2])
    assert "2 notifications marked as read" in some.text
    assert rows_in(some) == told
    assert await unread(db, bob) == 1

    await post_partial(as_bob, "/notifications/bulk", do="unread", ids=[told[0], "x", ""])
    assert await unread(db, bob) == 2


async def test_all_matches_are_marked_up_to_the_position_of_the_page(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    chosen = {
        "do": "read",
        "all_matching": "1",
        "seen": await made_at(db, bob, told[1]),
        "status": "unread",
    }

    marked = await post(as_bob, "/notifications/bulk", **chosen)

    assert marked.headers["location"] == "/notifications?status=unread"
    assert await unread(db, bob) == 1


@pytest.mark.parametrize("seen", ["", "0", "none"])
async def test_selecting_all_matches_without_a_watermark_selects_nothing(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int], seen: str
) -> None:
    await post(as_bob, "/notifications/bulk", do="read", all_matching="1", seen=seen)

    assert await unread(db, bob) == 3


@pytest.mark.parametrize("do", ["read", "unread", "delete"])
async def test_nothing_selected_is_said_at_once(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int], do: str
) -> None:
    answer = await post(as_bob, "/notifications/bulk", do=do, seen=told[0], status="read")

    assert answer.headers["location"] == "/notifications?status=read"
    page = (await as_bob.get("/notifications")).text
    assert "Select some" in page.partition('class="notice-box is-problem" role="alert"')[2]
    assert await total(db, bob) == 3


async def test_nothing_selected_is_shown_as_a_problem_in_an_open_page(
    as_bob: httpx.AsyncClient, told: list[int]
) -> None:
    headers = {"HX-Request-Type": "partial"}
    fields = {"do": "read", "seen": str(told[0]), "_csrf_token": as_bob.cookies["csrftoken"]}

    answer = await as_bob.post("/notifications/bulk", data=fields, headers=headers)

    assert "Select some" in answer.text.partition('class="toast is-problem" role="alert"')[2]


async def test_an_unknown_action_is_refused(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    many = await post(as_bob, "/notifications/bulk", do="burn", ids=told)
    one = await post(as_bob, f"/notifications/{told[0]}/burn")

    assert (many.status_code, one.status_code) == (400, 404)
    assert "Choose what to do" in many.text
    assert await unread(db, bob) == 3


@pytest.mark.parametrize("do", ["read", "unread", "delete"])
async def test_another_users_notification_is_not_found(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User, told: list[int], do: str
) -> None:
    await sign_in(client, alice)

    answer = await post(client, f"/notifications/{told[0]}/{do}", confirmed="1")

    assert answer.status_code == 404
    assert (await total(db, bob), await unread(db, bob)) == (3, 3)


async def test_a_form_selects_at_most_a_thousand(
    as_bob: httpx.AsyncClient, db: Database, bob: User, told: list[int]
) -> None:
    ids = [*range(10**6, 10**6 + 998), *told]

    await post(as_bob, "/notifications/bulk", do="read", ids=ids)

    assert await unread(db, bob) == 1


async def test_an_answer_in_an_open_page_is_the_row_as_it_is_now(
    client: httpx.AsyncClient, db: Database, alice: User, carol: User, editors: Team
) -> None:
    async with db.act() as session:
        await invite(session, alice, editors.id, carol.email, "viewer")
    async with db.read() as session:
        [notice] = await newest_notices(session, carol.id)
    await sign_in(client, carol)

    answer = await post_partial(client, f"/notifications/{notice.id}/accept")

    row = answer.text[: answer.text.index("</li>")]
    assert f'id="notice-{notice.id}"' in row
    assert "is-unread" not in row
    assert "/accept" not in row
    assert "Welcome to &#39;<bdi>Editors</bdi>&#39;." in answer.text


async def rename(db: Database, actor: User, team: Team, name: str) -> None:
    async with db.act() as session:
        await notify(
            session, TEAM_UPDATED, actor=actor, team=team, old_name=team.name, new_name=name
        )


async def total(db: Database, user: User) -> int:
    async with db.read() as session:
        return (await count_totals(session, user.id, Filter())).total


async def unread(db: Database, user: User) -> int:
    rows = select(func.count()).where(
        Notification.user_id == user.id, Notification.read_at.is_(None)
    )
    async with db.read() as session:
        return int(await session.scalar(rows.select_from(Notification)) or 0)


def undo_in(answer: httpx.Response, attribute: str) -> str:
    """Where the flash leads that offers Undo."""
    undo = re.search(rf'{attribute}="(/notifications/undo\?[^"]+)"', answer.text)
    assert undo
    return unescape(undo[1])


def rows_in(answer: httpx.Response) -> list[int]:
    return [int(one) for one in re.findall(r'id="notice-(\d+)"', answer.text)]


async def submit(
    client: httpx.AsyncClient, asked: httpx.Response, **pressed: str
) -> httpx.Response:
    """Answer on the page that asks."""
    form = asked.text[asked.text.index("<main") :]
    pairs = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(unescape(name), []).append(unescape(value))
    return await client.post(asked.url.path, data=fields | pressed)


async def post_partial(client: httpx.AsyncClient, url: str, **fields: object) -> httpx.Response:
    headers = PARTIAL | {"X-CSRF-Token": client.cookies["csrftoken"]}
    answer = await client.post(url, data=fields, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer
