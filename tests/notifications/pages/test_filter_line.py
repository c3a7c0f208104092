"""The line of filters above the list, and its chips, by plain requests and as htmx asks."""

import re
from html import unescape
from typing import Any

import httpx
import pytest

from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import MEMBER_LEFT, TEAM_UPDATED
from app.notifications.inbox.filter_names import NAMED
from app.notifications.inbox.filters import Filter
from app.notifications.notify import notify
from app.notifications.pages.filter_line import filter_line
from tests.conftest import sign_in, text_of

URL = "/notifications"


@pytest.fixture
async def as_alice(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User, video_squad: Team
) -> httpx.AsyncClient:
    """Bob has renamed her team, and left it."""
    names: dict[str, Any] = {"old_name": "A", "new_name": "B"}
    async with db.act() as session:
        await notify(session, TEAM_UPDATED, actor=bob, team=video_squad, **names)
        await notify(session, MEMBER_LEFT, actor=bob, team=video_squad, username="bob")
    await sign_in(client, alice)
    return client


def test_every_select_begins_with_the_choice_that_leaves_it_open() -> None:
    line = filter_line(Filter(), {name: {} for name in NAMED}, "en", is_open=True)

    assert [one.choices[0] for one in (*line.controls, *line.more)] == [
        ("", "All types"),
        ("", "All"),
        ("", "All time"),
        ("", "Everyone"),
        ("", "All teams"),
        ("", "All projects"),
        ("", "All"),
    ]


async def test_each_value_that_narrows_the_list_is_a_chip_that_leads_to_the_list_without_it(
    as_alice: httpx.AsyncClient, bob: User, video_squad: Team
) -> None:
    given = (
        f"type=member_left&type=team_updated&status=unread&date_range=week&q=team&actor={bob.id}"
    )

    page = await as_alice.get(f"{URL}?{given}&team={video_squad.id}&priority=high&view=all")

    assert list(chips_of(page)) == [
        "Type: Someone leaves one of your teams",
        "Type: One of your teams is renamed",
        "Unread",
        "Last 7 days",
        "From bob",
        "Team Video Squad",
        "Priority: Urgent",
        "Search: team",
    ]
    assert chips_of(page)["Unread"] == f"{URL}?" + "&".join(
        [
            "type=member_left&type=team_updated&date_range=week&view=all&q=team",
            f"actor={bob.id}&team={video_squad.id}&priority=high",
        ]
    )
    assert "type=team_updated&status" in chips_of(page)["Type: Someone leaves one of your teams"]


async def test_a_search_has_a_chip_for_each_of_its_terms(as_alice: httpx.AsyncClient) -> None:
    search = 'reel -from:"Bob B" is:unread after:2026-11-01 type:member_left "a b"'

    chips = chips_of(await as_alice.get(URL, params={"q": search}))

    assert list(chips) == [
        "Search: reel",
        "Without: From Bob B",
        "Unread",
        "After Nov 1, 2026",
        "Type: Someone leaves one of your teams",
        'Search: "a b"',
    ]
    without = httpx.URL(chips["Without: From Bob B"]).params["q"]
    assert without == 'reel is:unread after:2026-11-01 type:member_left "a b"'
    assert chips_of(await as_alice.get(URL, params={"q": "reel"})) == {"Search: reel": URL}


async def test_a_list_that_is_not_narrowed_has_no_chips(as_alice: httpx.AsyncClient) -> None:
    for path in (URL, f"{URL}?view=done"):
        page = await as_alice.get(path)
        assert chips_of(page) == {}
        assert "Clear all" not in page.text


async def test_all_filters_are_cleared_and_all_are_saved(as_alice: httpx.AsyncClient) -> None:
    page = unescape((await as_alice.get(f"{URL}?view=done&type=member_left&actor=2")).text)

    assert re.search(r'href="/notifications\?view=done">Clear all', page)
    assert f'href="{URL}/views?query=type%3Dmember_left%26view%3Ddone%26actor%3D2"' in page


async def test_an_id_that_the_user_never_met_has_no_name(
    as_alice: httpx.AsyncClient, carol: User
) -> None:
    page = await as_alice.get(f"{URL}?actor={carol.id}&more=1")

    assert list(chips_of(page)) == [f"From #{carol.id}"]
    assert "carol" not in page.text


async def test_several_values_stay_chosen_when_another_control_is_used(
    as_alice: httpx.AsyncClient,
) -> None:
    page = await as_alice.get(f"{URL}?type=member_left&type=team_updated")
    [chosen] = re.findall(r'<option value="([^"]*)" selected>2 chosen', page.text)

    narrowed = await as_alice.get(URL, params={"type": chosen, "status": "unread"})

    assert list(chips_of(narrowed))[:2] == [
        "Type: Someone leaves one of your teams",
        "Type: One of your teams is renamed",
    ]
    assert f'hx-get="{URL}?type=member_left&type=team_updated&status=unread"' in unescape(
        narrowed.text
    )


async def test_more_filters_come_when_they_are_asked_for_and_what_they_say_is_sent_until_then(
    as_alice: httpx.AsyncClient, bob: User
) -> None:
    closed = await as_alice.get(f"{URL}?actor={bob.id}")
    opened = await as_alice.get(f"{URL}?actor={bob.id}&more=1")

    [line] = re.findall(r'<form id="filters".*?</form>', closed.text, re.S)
    assert f'type="hidden" name="actor" value="{bob.id}"' in line
    assert 'name="more" value="1"' in line
    [line] = re.findall(r'<form id="filters".*?</form>', opened.text, re.S)
    assert re.findall(r'type="hidden" name="(\w+)"', line) == ["more"]
    assert re.findall(r'<label for="(\w+)">(\w+)', line)[3:] == [
        ("actor", "Person"),
        ("team", "Team"),
        ("project", "Project"),
        ("priority", "Priority"),
    ]
    assert f'<option value="{bob.id}" selected>bob' in line


@pytest.mark.parametrize(
    ("target", "begin", "ids"),
    [
        ("section#inbox", "<section", {"inbox", "chips", "views"}),
        ("div#more-filters", "<div", {"more-filters"}),
        ("div#inbox-page", "<div", {"inbox", "chips", "views", "filters", "more-filters"}),
    ],
)
async def test_an_open_page_gets_the_part_that_it_asks_for(
    as_alice: httpx.AsyncClient, target: str, begin: str, ids: set[str]
) -> None:
    headers = {"HX-Request-Type": "partial", "HX-Target": target}

    part = await as_alice.get(f"{URL}?status=unread&more=1", headers=headers)

    assert part.text.startswith(begin)
    known = {"inbox", "chips", "views", "filters", "more-filters", "bell"}
    assert known & set(re.findall(r' id="([\w-]+)"', part.text)) == ids


def chips_of(page: httpx.Response) -> dict[str, str]:
    """The address of each chip, by what it says."""
    found = re.findall(r'<a class="filter-chip" href="([^"]*)">(.*?)</a>', page.text, re.S)
    words = [(text_of(httpx.Response(200, text=said)).strip(), url) for url, said in found]
    return {unescape(text).removeprefix("Remove filter: "): unescape(url) for text, url in words}
