"""What every engine has to do alike: the bell, the inbox, preferences and the stream."""

import asyncio

import pytest
import pytest_asyncio

from app.models import Team, User
from app.notifications.preferences import switches
from tests.factories import PASSWORD, make_team
from tests.journeys.browsing import SERVER_IS_AWAY
from tests.journeys.conftest import Browse
from tests.journeys.engines.page import (
    bell,
    button,
    checkbox,
    heading,
    labelled,
    link,
    notice,
    without_reload,
)
from tests.journeys.relay import relay_to
from tests.journeys.running import Site, post_as

FILM = "Team 'Video Squad' is now called 'Film Squad'"
ROOM = "Team 'Film Squad' is now called 'Cutting Room'"
JOINS = "Someone joins one of your teams: Email"

# The relay has a port of its own, which browsers name as the host's.
pytestmark = pytest.mark.parametrize("site", [{"ALLOWED_HOSTS": "*"}], ids=[""], indirect=True)


@pytest_asyncio.fixture(loop_scope="session")
async def squad(site: Site, alice: User, bob: User) -> Team:
    """Alice's team, with bob as a member."""
    return await make_team(site.db, alice, "Video Squad", viewers=[bob])


async def test_a_user_logs_in_and_the_bell_says_how_many_are_unread(
    site: Site, browse: Browse, alice: User, bob: User, squad: Team
) -> None:
    await rename(site, alice, squad, "Film Squad", "Cutting Room")
    page = await browse()

    await page.open("/login")
    await page.fill(labelled("Email or username"), "bob")
    await page.fill(labelled("Password"), PASSWORD)
    await page.click(button("Log in", within="main"))

    await page.sees(bell(2))
    await page.shows(("#bell .badge", "2"))
    assert await page.tab.exposes("button", "Notifications, 2 unread")


@pytest.mark.parametrize("size", [(1280, 720), (390, 720)], ids=["desk", "phone"])
async def test_what_opens_from_the_header_is_as_high_as_what_is_in_it(
    site: Site, browse: Browse, alice: User, bob: User, squad: Team, size: tuple[int, int]
) -> None:
    await rename(site, alice, squad, *(f"Team {number}" for number in range(21)))
    page = await browse(bob)
    await page.open()
    await page.tab.resize(*size)

    await page.click(bell(21))
    await page.shows(("#panel-list", "is now called 'Team 20'"))
    panel, rows = await page.box("#panel"), await page.box("#panel-list")
    assert rows.height > 300
    assert panel.bottom < size[1]
    for number in range(1, 4):
        row = await page.box(f"#panel-list > :nth-child({number})")
        assert rows.top <= row.top < row.bottom - 40 < rows.bottom

    await page.press("Escape")
    await page.click(button("Account of bob"))
    await page.sees(button("Log out"))
    menu, last = await page.box("#account"), await page.box("#account > :last-child")
    assert last.bottom <= menu.bottom <= last.bottom + 20


async def test_a_question_is_as_high_as_what_is_in_it(
    site: Site, browse: Browse, bob: User, squad: Team
) -> None:
    page = await browse(bob)
    await page.open(f"/teams/{squad.id}")

    await page.click(link("Leave team"))
    await page.sees(link("Cancel", within="#question"))

    question, last = await page.box("#question"), await page.box("#question > :last-child")
    assert last.bottom < question.bottom < last.bottom + 40


async def test_the_inbox_is_narrowed_marked_deleted_and_brought_back(
    site: Site, browse: Browse, alice: User, bob: User, squad: Team
) -> None:
    await rename(site, alice, squad, "Film Squad", "Cutting Room")
    page = await browse(bob)
    await page.open("/notifications")

    for sentence in (FILM, ROOM):
        await page.click(checkbox(f"Select: {sentence}"))
    await page.click(button("Mark selected as read"))
    await page.shows(("#toasts", "2 notifications marked as read"))
    await page.sees(bell(0))

    await page.choose(labelled("Status"), "Unread")
    await page.shows(("#inbox", "No notifications match these filters"))
    await page.choose(labelled("Status"), "Read")
    await page.sees(notice(ROOM, within="#inbox"))

    await page.click(checkbox("Select all 2 matching"))
    await page.click(button("Delete selected"))
    await page.misses(notice(ROOM, within="#inbox"))
    await page.click(button("Undo", within="#toasts"))
    await page.shows(("#toasts", "2 notifications restored"), ("#inbox", FILM), ("#inbox", ROOM))


async def test_a_preference_is_stored_and_still_there_after_a_reload(
    site: Site, browse: Browse, bob: User
) -> None:
    page = await browse(bob)
    await page.open("/account/notifications")

    await page.click(checkbox(JOINS))
    await page.sees(link("Reset to defaults"))
    await page.reload()

    assert not await page.is_checked(checkbox(JOINS))
    async with site.db.read() as session:
        assert await switches.exceptions_of(session, bob) == {"member_added": {"email": False}}


async def test_a_notice_arrives_on_an_open_page(
    site: Site, browse: Browse, alice: User, bob: User, squad: Team
) -> None:
    page = await browse(bob)
    await page.open("/notifications")
    await page.click(bell(0))

    async with without_reload(page):
        await rename(site, alice, squad, "Film Squad")
        await page.shows(("#panel", FILM), ("#inbox", FILM))
        await page.sees(bell(1))


async def test_what_happens_while_the_network_is_down_arrives_once_when_it_is_back(
    site: Site, browse: Browse, alice: User, bob: User, squad: Team
) -> None:
    async with relay_to(site.url) as relay:
        page = await browse(bob, at=relay.url)
        page.expect(SERVER_IS_AWAY)
        await page.open("/notifications")
        await page.click(bell(0))

        async with without_reload(page):
            await rename(site, alice, squad, "Film Squad")
            await page.shows(("#panel", FILM), ("#inbox", FILM))
            await relay.cut()
            await rename(site, alice, squad, "Cutting Room")
            await relay.mend()
            await page.shows(("#panel", ROOM), ("#inbox", ROOM))
            await page.sees(bell(2))

        for within in ("#panel", "#inbox"):
            for sentence in (FILM, ROOM):
                await page.sees(notice(sentence, within))


@pytest.mark.parametrize("way", ["link", "address"])
async def test_a_page_that_is_left_while_it_waits_for_a_slow_server_reports_no_failure(
    site: Site, browse: Browse, bob: User, way: str
) -> None:
    async with relay_to(site.url) as relay:
        page = await browse(bob, at=relay.url)
        await page.open("/notifications")
        await page.evaluate(NOTE_PROBLEMS)
        leave = page.click(link("Teams")) if way == "link" else page.tab.go_to(page.url + "/teams")

        with relay.slow():
            await page.choose(labelled("Status"), "Unread")
            await relay.hears("GET /notifications?status=unread")
            leaving = asyncio.create_task(leave)
            await relay.hears("GET /teams ")
        await leaving

        await page.sees(heading("Teams"))
        assert await page.evaluate("() => sessionStorage.problem ?? ''") == ""
        await page.tab.go_to("about:blank")  # before the relay ends


# What the page has said meanwhile is kept for the next page of the tab.
NOTE_PROBLEMS = """() => {
  const problem = document.querySelector("#problem");
  const note = () => (sessionStorage.problem = problem.innerText);
  new MutationObserver(note).observe(problem, { childList: true, subtree: true });
}"""


async def test_mark_all_read_spares_nothing_after_a_reload(
    site: Site, browse: Browse, alice: User, bob: User, squad: Team
) -> None:
    """Firefox puts back what a script wrote into a hidden field, from the second page reloaded on."""
    async with relay_to(site.url) as relay:
        page = await browse(bob, at=relay.url)
        page.expect(SERVER_IS_AWAY)
        await page.open("/teams")
        await rename(site, alice, squad, "Film Squad")
        await page.sees(bell(1))
        await page.reload()
        await page.open("/projects")
        await rename(site, alice, squad, "Cutting Room")
        await page.sees(bell(2))
        await relay.cut()
        await rename(site, alice, squad, "Clip Club")
        await relay.mend()

        await page.reload()
        await page.click(bell(3))
        await page.click(button("Mark all read"))

        await page.sees(bell(0))


async def rename(site: Site, owner: User, team: Team, *names: str) -> None:
    """Gives the team these names, one after the other: each is a notice for its members."""
    for name in names:
        await post_as(site, owner, f"/teams/{team.id}/rename", name=name)
