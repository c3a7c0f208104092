"""Done, saved and snoozed on the page: as a plain form, and as htmx asks for it."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app import clock
from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.notify import notify
from tests.bell import newest_notices
from tests.conftest import post, sign_in, text_of
from tests.factories import make_team
from tests.notifications.conftest import Hands
from tests.notifications.pages.test_actions import post_partial, submit


@pytest.fixture
async def told(db: Database, alice: User, bob: User) -> list[int]:
    """Bob has three notifications; their ids, newest first."""
    editors: Team = await make_team(db, alice, "Editors", editors=[bob])
    for number in range(3):
        names: dict[str, Any] = {"old_name": "A", "new_name": str(number)}
        async with db.act() as session:
            await notify(session, TEAM_UPDATED, actor=alice, team=editors, **names)
    async with db.read() as session:
        return [notice.id for notice in await newest_notices(session, bob.id)]


@pytest.fixture
async def as_bob(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


@pytest.mark.parametrize(
    ("act", "view", "back"),
    [("done", "done", "Move to inbox"), ("save", "saved", "Remove from saved")],
)
async def test_what_is_done_or_saved_stands_in_its_view_and_can_return(
    as_bob: httpx.AsyncClient, told: list[int], act: str, view: str, back: str
) -> None:
    await post(as_bob, f"/notifications/{told[1]}/{act}")

    page = await as_bob.get(f"/notifications?view={view}")

    assert rows_of(page) == [told[1]]
    assert f'title="{back}"' in page.text
    in_inbox = rows_of(await as_bob.get("/notifications"))
    assert in_inbox == ([told[0], told[2]] if act == "done" else told)


async def test_a_row_that_leaves_the_open_list_is_gone_and_can_be_undone(
    as_bob: httpx.AsyncClient, told: list[int]
) -> None:
    answer = await post_partial(as_bob, f"/notifications/{told[0]}/done")

    assert answer.text.startswith("<hx-partial")
    assert "1 notification done" in answer.text
    assert "/notifications/undo?undo=" in answer.text


async def test_a_row_that_stays_is_shown_as_it_is_now(
    as_bob: httpx.AsyncClient, told: list[int]
) -> None:
    answer = await post_partial(as_bob, f"/notifications/{told[0]}/save")

    assert answer.text.startswith(f'<li id="notice-{told[0]}"')
    assert 'title="Remove from saved"' in answer.text


async def test_what_was_done_elsewhere_leaves_a_list_that_is_being_read(
    as_bob: httpx.AsyncClient, told: list[int]
) -> None:
    await post(as_bob, f"/notifications/{told[1]}/done")

    shown: dict[str, str | int] = {"shown": ",".join(map(str, told)), "seen": 10**6}
    page = await as_bob.get("/notifications", params=shown, headers={"HX-Request-Type": "partial"})

    assert rows_of(page) == [told[0], told[2]]


@pytest.mark.parametrize("where", ["row", "selection"])
async def test_snoozing_asks_until_when(
    as_bob: httpx.AsyncClient, told: list[int], hands: Hands, where: str
) -> None:
    hands.set(f"{clock.now():%Y-%m-%d} 12:00")
    if where == "row":
        asked = await post(as_bob, f"/notifications/{told[0]}/snooze")
    else:
        asked = await post(as_bob, "/notifications/bulk", do="snooze", ids=told[:1])
    assert all(one in text_of(asked) for one in ("In an hour", "This evening", "Next week"))
    assert rows_of(await as_bob.get("/notifications")) == told
    await submit(as_bob, asked, **{"for": "tomorrow"})

    assert rows_of(await as_bob.get("/notifications")) == told[1:]
    snoozed = await as_bob.get("/notifications?view=snoozed")
    assert rows_of(snoozed) == told[:1]
    assert 'title="Unsnooze"' in snoozed.text


@pytest.mark.parametrize("typed", ["2020-01-01T09:30", "never"])
@pytest.mark.parametrize("where", ["row", "selection"])
async def test_a_wrong_time_comes_back_with_the_form(
    as_bob: httpx.AsyncClient, told: list[int], where: str, typed: str
) -> None:
    row = f"/notifications/{told[0]}/snooze"
    url, fields = (row, {}) if where == "row" else ("/notifications/bulk", {"do": "snooze"})

    asked = await post(as_bob, url, ids=told[:1], until=typed, **fields)

    assert asked.status_code == 422
    assert f'value="{typed}"' in asked.text
    assert 'id="until-error"' in asked.text
    await submit(as_bob, asked, **{"for": "tomorrow"})
    assert rows_of(await as_bob.get("/notifications?view=snoozed")) == told[:1]


async def test_an_open_page_asks_in_its_dialog(as_bob: httpx.AsyncClient, told: list[int]) -> None:
    as_bob.headers["HX-Current-URL"] = "http://testserver/notifications?status=unread"

    asked = await post_partial(as_bob, f"/notifications/{told[0]}/snooze")

    assert asked.text.startswith('<h1 id="question-title">Snooze until</h1>')
    assert f'hx-target="#notice-{told[0]}"' in asked.text


async def test_a_row_of_the_bell_can_be_done_snoozed_and_marked_on_every_page(
    as_bob: httpx.AsyncClient, told: list[int]
) -> None:
    page = await as_bob.get("/teams")
    row = page.text[page.text.index(f'<li id="panel-notice-{told[0]}"') :].partition("</li>")[0]
    assert re.findall(r'aria-label="([^"]+)"', row) == ["Done", "Snooze", "Mark as read"]

    done = await post_partial(as_bob, f"/notifications/{told[0]}/done")
    asked = await post_partial(as_bob, f"/notifications/{told[1]}/snooze")

    assert f"panel-notice-{told[0]}" not in done.text
    assert f"panel-notice-{told[1]}" in done.text
    assert 'hx-swap="none"' in asked.text, "there is no row to swap"


async def test_a_date_is_taken_in_the_zone_of_the_reader(
    as_bob: httpx.AsyncClient, told: list[int]
) -> None:
    later = clock.now() + timedelta(days=3)

    await post(as_bob, f"/notifications/{told[0]}/snooze", until=f"{later:%Y-%m-%dT09:30}")

    page = await as_bob.get("/notifications?view=snoozed")
    assert re.search(rf'<time datetime="{later:%Y-%m-%d}T09:30:00Z">', page.text)


async def test_a_snoozed_row_says_first_until_when(
    as_bob: httpx.AsyncClient, told: list[int]
) -> None:
    await post(as_bob, f"/notifications/{told[0]}/snooze", **{"for": "tomorrow"})

    page = await as_bob.get("/notifications?view=snoozed")

    meta = re.search(r'id="inbox".*?<p class="notice-meta">(.*?)</p>', page.text, re.DOTALL)
    assert meta
    assert re.sub("<[^>]*>", "", meta[1]).strip().startswith("Until ")


async def test_the_tabs_say_what_waits_in_each_view(
    as_bob: httpx.AsyncClient, told: list[int]
) -> None:
    await post(as_bob, f"/notifications/{told[0]}/save")
    await post(as_bob, f"/notifications/{told[1]}/done")

    page = await as_bob.get("/notifications?view=saved")

    tabs = re.search(r'<nav id="views".*?</nav>', page.text, re.DOTALL)
    assert tabs
    assert re.findall(r"\w+", re.sub("<[^>]*>", " ", tabs[0])) == [
        *("Inbox", "2", "Saved", "1", "Done", "1", "Snoozed")
    ]
    assert re.search(r'view=saved" aria-current="page"', tabs[0])


async def test_an_inbox_at_zero_is_not_one_that_never_had_anything(
    as_bob: httpx.AsyncClient, told: list[int]
) -> None:
    await post(as_bob, "/notifications/bulk", do="done", ids=told)

    page = await as_bob.get("/notifications")

    assert "All done" in page.text
    assert "Nothing snoozed" in (await as_bob.get("/notifications?view=snoozed")).text


async def test_rows_stand_as_close_as_the_user_chose(
    as_bob: httpx.AsyncClient, told: list[int]
) -> None:
    assert 'class="is-compact"' not in (await as_bob.get("/notifications")).text

    answer = await post(as_bob, "/notifications/density", density="compact", status="unread")

    assert answer.headers["Location"] == "/notifications?status=unread"
    page = await as_bob.get("/notifications")
    assert "is-compact" in page.text


def rows_of(page: httpx.Response) -> list[int]:
    return [int(one) for one in re.findall(r'<li id="notice-(\d+)"', page.text)]
