"""From an act to the screen of a closed app, and from a click there to the notice."""

import asyncio
import json

from playwright.async_api import expect

from app.accounts.avatars import avatar_path, encode
from app.models import User
from tests.accounts.images import image_file
from tests.journeys.browsing import SERVER_IS_AWAY, sees
from tests.journeys.conftest import Arrive
from tests.journeys.push.pushing import Screen, until
from tests.journeys.push.steps import (
    INVITED,
    SETTINGS,
    close_app,
    enable,
    invite,
    is_shown,
    pushes_always,
    reload_without_worker,
    show_invitation,
    unread,
    with_push,
)
from tests.journeys.running import Site
from tests.push_service import PushService

pytestmark = with_push


async def test_what_somebody_does_is_shown_though_the_app_is_closed_and_a_click_leads_there(
    site: Site, arrive: Arrive, push_service: PushService, alice: User, bob: User
) -> None:
    inviter, invitee = await arrive(alice), await arrive(bob)
    browser = push_service.browser()
    screen = await enable(invitee, browser)
    await close_app(invitee)

    page = await inviter.open("/teams")
    await page.get_by_label("Team name").fill("Video Squad")
    await page.get_by_role("button", name="Create team").click()
    await page.get_by_label("Email address").fill("bob@example.com")
    await page.get_by_label("Role", exact=True).first.select_option("editor")
    await page.get_by_role("button", name="Send invitation").click()
    await screen.receive(await push_service.next_push(browser))

    await is_shown(screen, INVITED)
    [shown] = await screen.shown()
    assert shown["title"] == "Video Squad"
    assert shown["actions"] == ["open", "read"]
    assert await unread(site, bob) == 1

    assert await screen.click() == [shown["path"]]

    assert await screen.shown() == []
    assert await unread(site, bob) == 0
    await invitee.page.goto(site.url + shown["path"])
    await expect(invitee.page.get_by_role("button", name="Accept")).to_be_visible()


async def test_a_click_takes_a_tab_that_is_open_and_mark_as_read_takes_none(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await pushes_always(visitor.page)
    await invite(site, bob)
    await screen.receive(await push_service.next_push(browser))
    await is_shown(screen, INVITED)

    assert await screen.click("read") == []
    await sees(visitor.page, 0)

    await invite(site, bob)
    await screen.receive(await push_service.next_push(browser, 2))
    await is_shown(screen, INVITED)
    visitor.watch.expect("404")  # nobody has really invited, so there is nothing to accept
    assert await screen.click("open") == ["focus"]
    await expect(visitor.page).not_to_have_url(site.url + SETTINGS)
    assert await unread(site, bob) == 0


async def test_repeats_replace_each_other(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    for _time in range(2):
        await invite(site, bob)
    for number in (1, 2):
        await screen.receive(await push_service.next_push(browser, number))
    await is_shown(screen, INVITED)


BROKEN = [
    "",
    "not JSON",
    "[]",
    "null",
    "5",
    '{"title": 5}',
    '{"title": "t", "body": {}}',
    '{"title": "t", "tag": 5}',
    '{"title": "t", "icon": {}}',
    '{"title": "t", "image": {}}',
    '{"title": "t", "image": "/nowhere"}',
    '{"title": "t", "actions": 5}',
    '{"title": "t", "actions": [{}]}',
    '{"title": "t", "actions": [null, null]}',
    '{"title": "t", "actions": {"0": 1}}',
    '{"title": "t", "timestamp": "soon"}',
    '{"title": "t", "url": "//"}',
    '{"title": "t", "url": null}',
    '{"title": "t", "notification_id": "none"}',
    '{"title": "t", "notification_id": -1}',
    '{"title": "t", "unread_count": "many"}',
    '{"title": "t", "unread_count": -1}',
]


async def test_something_is_shown_of_whatever_comes(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    screen = await enable(visitor, push_service.browser())
    await close_app(visitor)

    for count, broken in enumerate(BROKEN, start=1):
        await shows(screen, count, broken)

    assert {one["path"] for one in await screen.shown()} == {"/notifications"}
    assert {one["title"] for one in await screen.shown()} == {"ClippyFront", "t"}
    assert {one["body"] for one in await screen.shown()} == {"Something new has happened."}
    good = '{"title": "Good", "body": "words", "url": "/teams", "actions": [{}]}'
    await shows(screen, len(BROKEN) + 1, good)
    [kept] = [one for one in await screen.shown() if one["title"] == "Good"]
    assert (kept["body"], kept["path"]) == ("words", "/teams")


async def shows(screen: Screen, count: int, received: str) -> None:
    """Exactly so many once it is received, also a moment later."""

    async def are_so_many() -> bool:
        return len(await screen.shown()) == count

    await screen.receive(received)
    await until(are_so_many)
    await asyncio.sleep(0.1)
    assert await are_so_many(), received


ELSEWHERE = [
    "https://evil.example/win",
    "//evil.example/win",
    "{site}//evil.example/win",
    "/.//evil.example/win",
    "\\\\evil.example/win",
    "javascript:alert(1)",
]


async def test_a_push_that_would_lead_elsewhere_leads_to_the_inbox(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    screen = await enable(visitor, push_service.browser())
    await close_app(visitor)

    for count, url in enumerate(ELSEWHERE, start=1):
        push = json.dumps({"title": "Prize", "url": url.format(site=site.url)})
        await shows(screen, count, push)

    assert [one["path"] for one in await screen.shown()] == ["/notifications"] * len(ELSEWHERE)
    assert await screen.click() == ["/notifications"]


async def test_a_notice_is_found_also_where_its_server_goes_by_another_name(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    await invite(site, bob)
    payload = (await push_service.next_push(browser)).payload

    await screen.receive(json.dumps(payload | {"url": "https://elsewhere.example/"}))

    await is_shown(screen, INVITED)
    [shown] = await screen.shown()
    assert shown["path"] == f"/notifications/{payload['notification_id']}"


async def test_a_private_picture_is_shown_as_its_user_may_see_it_and_nothing_of_other_servers(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    screen = await enable(visitor, push_service.browser())
    await close_app(visitor)
    picture = avatar_path(site.settings, bob.id, "5eed")
    picture.parent.mkdir(exist_ok=True)
    picture.write_bytes(encode(image_file()))
    addresses = [
        f"{site.url}/avatars/{bob.id}/5eed",
        f"{site.url}/avatars/{bob.id}/gone",
        f"{site.url}/notifications",
        "https://elsewhere.example/tracker.png",
    ]

    for number, address in enumerate(addresses):
        push = {"title": "Reel", "body": str(number), "tag": str(number), "image": address}
        await screen.receive(json.dumps(push))

    await is_shown(screen, *(str(number) for number in range(len(addresses))))
    images = await screen.evaluate(
        "async () => Object.fromEntries((await onScreen()).map(({ body, image }) => [body, image]))"
    )
    assert images.pop("0").startswith("data:image/webp;base64,")
    assert set(images.values()) == {""}


async def test_pushes_do_not_wait_for_a_server_that_does_not_give_out_their_icon(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    screen = await enable(visitor, browser)
    await close_app(visitor)
    await invite(site, bob)
    payload = (await push_service.next_push(browser)).payload
    site.web.freeze()
    try:
        for tag in ("1", "2"):
            await screen.receive(json.dumps(payload | {"tag": tag, "body": tag}))
        await is_shown(screen, "1", "2")
    finally:
        site.web.thaw()


async def test_a_click_opens_a_window_where_the_open_tab_cannot_be_taken_along(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    screen = await show_invitation(site, visitor, push_service, bob, is_open=True)
    await reload_without_worker(visitor)
    [shown] = await screen.shown()

    assert await screen.click() == [shown["path"]]


async def test_without_the_server_there_is_a_page_that_says_so(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor = await arrive(bob)
    visitor.watch.expect(SERVER_IS_AWAY)
    await enable(visitor, push_service.browser())
    await site.web.stop()

    await visitor.page.goto(site.url + "/teams")

    await expect(
        visitor.page.get_by_role("heading", name="ClippyFront cannot be reached")
    ).to_be_visible()
    assert await visitor.page.evaluate("getComputedStyle(document.body).margin === '0px'")
    await site.web.start()
    await visitor.page.get_by_role("link", name="Try again").click()
    await expect(visitor.page.get_by_role("heading", name="Teams")).to_be_visible()


async def test_what_a_browser_has_shown_by_itself_is_read_by_following_it(
    site: Site, arrive: Arrive, push_service: PushService, bob: User
) -> None:
    visitor, browser = await arrive(bob), push_service.browser()
    await enable(visitor, browser)
    await close_app(visitor)
    await invite(site, bob)
    declared = (await push_service.next_push(browser)).payload["notification"]
    visitor.watch.expect("404")  # nobody has really invited, so there is nothing to accept

    await visitor.page.goto(declared["navigate"])

    await sees(visitor.page, 0)
    assert "#" not in visitor.page.url
