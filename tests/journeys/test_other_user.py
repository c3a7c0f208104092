"""Two users of one browser: a page goes on as the user it was made for, or not at all."""

from playwright.async_api import Page, expect

from app.models import Team, User
from tests.factories import PASSWORD, make_team
from tests.journeys.browsing import DEADLINE, Visitor, bell, shows, toasts
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site, post_as

REFUSED = r"status (of )?(401|409|403|422)"
IN_TIME = DEADLINE * 1000


async def opened(arrive: Arrive, alice: User, path: str) -> tuple[Visitor, Page]:
    """Alice's browser with this page in its first tab, and a second tab with the login form."""
    browser = await arrive(alice)
    browser.watch.expect(REFUSED)
    page = await browser.open(path)
    return browser, page


async def log_in_beside(browser: Visitor, user: User) -> Page:
    """In another tab, over the present session."""
    tab = await browser.tab("/login?switch=1")
    await tab.get_by_label("Email or username").fill(user.username)
    await tab.get_by_label("Password").fill(PASSWORD)
    await tab.get_by_role("button", name="Log in").click()
    await expect(tab.get_by_role("heading", name="Log in")).to_be_hidden()
    return tab


async def test_a_page_with_unsaved_input_says_who_is_logged_in_and_does_nothing_as_them(
    site: Site, arrive: Arrive, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(site.db, carol, "Video Squad", viewers=[bob])
    browser, page = await opened(arrive, alice, "/teams")
    await page.get_by_label("Team name").fill("Film & Co")
    tab = await log_in_beside(browser, bob)

    await expect(toasts(page)).to_contain_text("You are logged in as bob", timeout=IN_TIME)
    await give_bob_a_notice(site, team, carol, bob)
    await shows(tab, unread=1, where=()).wait()
    await expect(bell(page)).to_have_accessible_name("Notifications")
    await expect(page.locator("#panel-list > li")).to_have_count(0)

    await page.get_by_role("button", name="Create team").click()
    await expect(page.get_by_role("heading", name="You are logged in as bob")).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Film & Co")
    await tab.goto(site.url + "/teams")
    await expect(tab.get_by_text("Film & Co")).to_have_count(0)


async def test_what_was_typed_is_sent_after_logging_in_again_in_another_tab(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    browser, page = await opened(arrive, alice, "/teams")
    await page.get_by_label("Team name").fill("Film & Co")
    await log_in_beside(browser, bob)
    await page.get_by_role("button", name="Create team").click()

    async with browser.context.expect_page() as opening:
        await page.get_by_role("link", name="Log in as alice").click()
    login = await opening.value
    await login.get_by_label("Email or username").fill("alice")
    await login.get_by_label("Password").fill(PASSWORD)
    await login.get_by_role("button", name="Log in").click()
    await expect(login.get_by_role("heading", name="Teams")).to_be_visible()
    # Its stream has been refused meanwhile, and the form is still there.
    await expect(toasts(page)).to_contain_text("You are logged in as alice", timeout=IN_TIME)

    await page.get_by_role("button", name="Send again as alice").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Film & Co")
    await page.get_by_role("button", name="Send again").click()
    await expect(page.get_by_role("heading", name="Film & Co")).to_be_visible()


async def test_the_form_of_an_earlier_session_comes_again_filled_in(
    site: Site, arrive: Arrive, alice: User
) -> None:
    browser, page = await opened(arrive, alice, "/teams")
    await page.get_by_label("Team name").fill("Film & Co")
    await log_in_beside(browser, alice)

    await page.get_by_role("button", name="Create team").click()
    again = page.get_by_role("heading", name="Please send this once more")
    await expect(again).to_be_visible()
    await page.get_by_role("button", name="Send again").click()
    await expect(page.get_by_role("heading", name="Film & Co")).to_be_visible()


async def test_a_page_without_input_becomes_the_page_of_the_user_who_logged_in(
    site: Site, arrive: Arrive, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(site.db, carol, "Video Squad", viewers=[bob])
    browser, page = await opened(arrive, alice, "/teams")
    await log_in_beside(browser, bob)

    await expect(page.locator(f"body[data-user='{bob.id}']")).to_be_visible(timeout=IN_TIME)
    await expect(toasts(page)).to_contain_text("You are logged in as bob now.")
    await give_bob_a_notice(site, team, carol, bob)
    await shows(page, unread=1, where=()).wait()


async def test_buttons_of_an_open_page_do_nothing_as_another_user(
    site: Site, arrive: Arrive, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(site.db, carol, "Video Squad", viewers=[bob])
    await give_bob_a_notice(site, team, carol, bob)
    browser, page = await opened(arrive, alice, "/teams")
    await page.get_by_label("Team name").fill("Film & Co")
    tab = await log_in_beside(browser, bob)

    await bell(page).click()
    await page.get_by_role("button", name="Mark all read").click()
    await expect(toasts(page)).to_contain_text("You are logged in as bob")
    await expect(toasts(page).get_by_role("link", name="Continue as bob")).to_be_visible()
    await tab.reload()
    await shows(tab, unread=1, where=()).wait()


async def test_a_user_logged_out_while_typing_sees_that_and_loses_nothing(
    site: Site, arrive: Arrive, alice: User
) -> None:
    browser, page = await opened(arrive, alice, "/teams")
    await page.get_by_label("Team name").fill("Film & Co")
    other = await browser.tab("/account")
    await other.get_by_role("button", name="Log out everywhere").click()

    await expect(toasts(page)).to_contain_text("Please log in", timeout=IN_TIME)
    await log_in_beside(browser, alice)
    await page.get_by_role("button", name="Create team").click()
    await page.get_by_role("button", name="Send again").click()
    await expect(page.get_by_role("heading", name="Film & Co")).to_be_visible()


async def give_bob_a_notice(site: Site, team: Team, owner: User, bob: User) -> None:
    await post_as(site, owner, f"/teams/{team.id}/members/{bob.id}/role", role="editor")
