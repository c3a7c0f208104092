"""Defences of every route alike: forged requests, headers, markup, redirects."""

import re

import httpx
import pytest
from litestar import Litestar

from app.routes import API, PAGES
from app.web.static_files import asset
from tests.contract.cast import Stage
from tests.contract.doors import doors, every_door
from tests.contract.forms import MARKUP
from tests.contract.markup import unread_on
from tests.contract.test_strangers import everything
from tests.contract.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")
# Open to requests without a CSRF token, each for its reason.
EXEMPT = {
    "/unsubscribe/{token:str}": "a mail program has no token, and the signed link says all",
    "/unsubscribe/{token:str}/undo": "likewise",
    "/stop-invitations/{token:str}": "likewise",
    "/stop-invitations/{token:str}/undo": "likewise",
    "/api/tokens": "takes a password, and no cookie",
}
ENDLESS = ("/notifications/stream", "/api/notifications/stream")
SHARED = ("/static/{digest:str}/{path:path}", "/sw.js", "/offline.js")
READ = [path for one in [*PAGES, *API] if "GET" in one.http_methods for path in one.paths]
SAFE = ("GET",)
HEADERS = {
    "Content-Security-Policy": "script-src 'self'; ",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=()",
}
# Anything that a browser might take for another host, or for something to run.
ELSEWHERE = (
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "teams",
)


async def test_only_these_doors_take_requests_without_a_token(house: Litestar) -> None:
    exempt = {door.path for door in every_door(house) if door.is_exempt and door.method != "GET"}

    assert exempt == EXEMPT.keys()


@pytest.mark.parametrize("token", ["", "0" * 128])
async def test_without_the_token_nothing_is_done_anywhere(world: World, token: str) -> None:
    before = await everything(world)
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        del alice.headers["X-CSRF-Token"]
        alice.headers["HX-Request-Type"] = "partial"
        for door in every_door(world.app):
            if door.method not in SAFE and door.path not in EXEMPT:
                fields = world.right(door.path) | {"_csrf_token": token}
                answer = await alice.request(door.method, world.url(door.path), data=fields)

                assert answer.status_code == 403, (door.name, answer)
    assert await everything(world) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    ],
    ids=str,
)
async def test_even_with_the_token_nothing_is_done_for_another_site(
    world: World, headers: dict[str, str]
) -> None:
    before = await everything(world)
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        alice.headers.update(headers)
        for door in every_door(world.app):
            if door.method not in SAFE and door.path not in EXEMPT:
                answer = await alice.request(door.method, world.url(door.path))

                assert answer.status_code == 403, (door.name, answer)
    assert await everything(world) == before


async def test_every_answer_carries_the_headers_that_protect_it(world: World) -> None:
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        answers = [
            await alice.get(world.url(door.path))
            for door in doors(world.app, "GET")
            if door.path not in ENDLESS
        ]
        answers += [
            await alice.get("/nothing/here"),
            await alice.get("/nothing/here", headers={"Host": "evil.example"}),
            await alice.put("/teams"),
            await alice.post("/teams", headers={"X-CSRF-Token": ""}),
            await alice.post("/teams", content=b"x" * 11_000_000),
            await alice.get("/api/nothing"),
            await alice.get(asset("icons.svg")),
            await alice.get("/sw.js"),
        ]
    for answer in answers:
        assert answer.status_code < 500 or answer.request.url.path == "/readyz"
        if is_part(answer):
            continue
        missing = [
            name for name, part in HEADERS.items() if part not in answer.headers.get(name, "")
        ]
        assert missing == own_policies(answer), (answer.request.url.path, answer)


async def test_error_pages_keep_the_bell(stage: Stage) -> None:
    lost = await stage.vera.browser.get("/nothing/here")
    refused = await stage.vera.browser.put("/teams")

    assert (lost.status_code, refused.status_code) == (404, 405)
    assert unread_on(lost.text) == unread_on(refused.text) == 0


@pytest.mark.parametrize("path", [path for path in READ if path not in ENDLESS])
async def test_personal_responses_are_not_stored_by_shared_caches(world: World, path: str) -> None:
    """Public responses may be cached, so they set no cookie."""
    others = {name: 1 for name in re.findall(r"{(\w+)", path) if name not in world.ids}
    url = asset("app.css") if path in SHARED[:1] else world.url(path, **others)
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        alice.cookies.delete("csrftoken")
        answer = await alice.get(url)

    kept, varies = answer.headers["Cache-Control"], answer.headers.get("Vary", "")
    facts = ("private" in kept, "Cookie" in varies, "Set-Cookie" in answer.headers)
    assert facts == ((False, False, False) if path in SHARED else (True, True, True))


@pytest.mark.parametrize("following", ELSEWHERE)
async def test_no_form_redirects_to_another_site(world: World, following: str) -> None:
    for path in ("/login", "/register", "/projects/{project_id:int}/unshare"):
        async with world.visitor() as alice:
            await world.sign_in(alice, world.alice)
            answer = await alice.post(world.url(path), data=world.right(path) | {"next": following})

        assert answer.status_code == 303
        assert answer.headers["Location"] in ("/", "/projects"), path


@pytest.mark.parametrize("following", ELSEWHERE)
async def test_the_login_does_not_redirect_to_another_site(world: World, following: str) -> None:
    async with world.visitor() as alice:
        shown = await alice.get("/login", params={"next": following})
        await world.sign_in(alice, world.alice)
        answer = await alice.get("/login", params={"next": following})

    assert answer.headers["Location"] == "/"
    assert "evil" not in shown.text
    assert "javascript:" not in shown.text


async def test_a_team_called_by_markup_is_only_a_name(stage: Stage) -> None:
    await stage.adam.press("Rename team", stage.team_url, name=MARKUP)
    await stage.adam.press("Send invitation", stage.team_url, email="ines@example.com")
    await stage.bob.press("Share", stage.project_url, team_id=str(stage.team.id))
    await stage.settle()

    assert stage.ines.page.toasts == [f"adam invited you to join team '{MARKUP}' as editor"]
    assert (await stage.vera.reads())[0].endswith(f"was shared with team '{MARKUP}'")
    for user in (stage.ines, stage.vera):
        inbox = await user.open("/notifications")
        assert_no_markup(user.page.raw, inbox.text)
    team, members = await stage.alice.open(stage.team_url), await stage.alice.open("/teams")
    (notice,) = stage.ines.page.panel
    invitation = await stage.ines.open(f"/notifications/{notice}/invitation")
    assert_no_markup(team.text, members.text, invitation.text)


async def test_the_page_of_an_invitation_tells_its_address_to_nobody(
    world: World,
) -> None:
    async with world.visitor() as stranger:
        page = await stranger.get(world.url("/invitations/{token:str}"))

    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"


def assert_no_markup(*texts: str) -> None:
    for text in texts:
        assert "<script>alert" not in text
        assert "<img" not in text


@pytest.mark.parametrize("name", ["app.css", "base.js"])
async def test_subresources_carry_only_the_nosniff_header(world: World, name: str) -> None:
    """The policies of the page hold for it."""
    async with world.visitor() as visitor:
        answer = await visitor.get(asset(name))

    assert [name for name in HEADERS if name in answer.headers] == ["X-Content-Type-Options"]


def is_part(answer: httpx.Response) -> bool:
    """Scripts, styles and empty responses are not documents."""
    is_loaded = answer.headers.get("Content-Type", "").startswith(("text/css", "text/javascript"))
    is_static = answer.request.url.path.startswith("/static/")
    return answer.status_code == 204 or (is_loaded and is_static)


def own_policies(answer: httpx.Response) -> list[str]:
    """Files in a sandbox have a stricter policy, pages whose address is a key another referrer."""
    if "sandbox" in answer.headers["Content-Security-Policy"]:
        return ["Content-Security-Policy"]
    return ["Referrer-Policy"] if answer.headers["Referrer-Policy"] == "no-referrer" else []
