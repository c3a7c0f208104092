"""What must hold across hosts: sessions and their ends, limits, keys, files and the read state."""

import asyncio
import re
from functools import partial
from time import monotonic
from typing import Any

import httpx

from app.models import User
from tests import clips
from tests.cluster._ledger import Findings
from tests.cluster._site import Site
from tests.factories import PASSWORD, make_account, make_team

SECONDS_TO_END = 1.0
SECONDS_TO_COMPILE = 120
LOGINS = 10
STREAM = {"Accept": "text/event-stream"}


async def hold_together(site: Site) -> Findings:
    alice, bob = await make_account(site.db, "alice"), await make_account(site.db, "bob")
    browser, findings = Browser(), Findings()
    await browser.sign_in(site.urls[0], alice)
    for what, check in {
        "a session holds on all hosts": partial(_is_signed_in, site, browser),
        "a form of one host is taken by another": partial(_post_elsewhere, site, browser),
        "the push key is that of all hosts": partial(_same_key, site, browser),
        "a clip and its video are on all hosts": partial(_share_files, site, browser),
        "what is read on one host is read on all": partial(_read, site, alice, bob, browser),
        "an ended session ends everywhere within 1 s": partial(_end, site, browser),
        "logins are limited across hosts": partial(_guess, site, bob),
    }.items():
        try:
            findings.require(what, await check())
        except (AssertionError, TimeoutError, httpx.HTTPError) as error:
            findings.add(what, [repr(error)])
    return findings


class Browser:
    """Behind a proxy that sends each request wherever it likes: its cookies go to every host."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}
        self._client = httpx.AsyncClient(timeout=60)

    async def ask(self, method: str, url: str, **given: Any) -> httpx.Response:
        headers = {"Cookie": self.cookie, "X-CSRF-Token": self.cookies.get("csrftoken", "")}
        answer = await self._client.request(method, url, headers=headers, **given)
        self.cookies |= dict(answer.cookies)
        self._client.cookies.clear()
        return answer

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def get(self, url: str) -> httpx.Response:
        return await self.ask("GET", url)

    async def post(self, url: str, **given: Any) -> httpx.Response:
        """To the JSON API."""
        if "csrftoken" not in self.cookies:
            await self.get("/".join([*url.split("/")[:3], "account"]))
        answer = await self.ask("POST", url, **given)
        assert answer.is_success, f"{url}: {answer.status_code} {answer.text[:300]}"
        return answer

    async def fill_in(self, page: str, action: str, **fields: str) -> httpx.Response:
        """Sends a form with the token of the page it is on."""
        shown = await self.get(page)
        token = re.search(r'name="_csrf_token" value="([^"]+)"', shown.text)
        assert token, f"{page}: {shown.status_code} without a form"
        return await self.ask("POST", action, data={**fields, "_csrf_token": token[1]})

    async def sign_in(self, url: str, user: User) -> None:
        names = {"login": user.username, "password": PASSWORD}
        answer = await self.fill_in(f"{url}/login", f"{url}/login", **names)
        assert answer.status_code == 303, answer.text


async def _is_signed_in(site: Site, browser: Browser) -> bool:
    answers = [await browser.get(f"{url}/account") for url in site.urls]
    return [answer.status_code for answer in answers] == [200] * len(site.urls)


async def _post_elsewhere(site: Site, browser: Browser) -> bool:
    here, there, elsewhere = site.urls
    answer = await browser.fill_in(f"{here}/teams", f"{there}/teams", name="Made elsewhere")
    teams = (await browser.get(f"{elsewhere}/api/teams")).text
    return answer.status_code == 303 and "Made elsewhere" in teams


async def _same_key(site: Site, browser: Browser) -> bool:
    keys = {(await browser.get(f"{url}/push/state")).json()["key"] for url in site.urls}
    return len(keys) == 1


async def _share_files(site: Site, browser: Browser) -> bool:
    """Uploaded on one, compiled by whichever worker is first, and seen on all."""
    here, there, elsewhere = site.urls
    project = (await browser.post(f"{here}/api/projects", json={"name": "Reel"})).json()["id"]
    files = {"clips": ("mp4.mp4", clips.make("mp4").read_bytes(), "video/mp4")}
    path = f"/api/projects/{project}"
    await browser.post(f"{here}{path}/clips", files=files)
    await browser.post(f"{there}{path}/compile")
    made = await _compiled(browser, elsewhere + path)
    if made["status"] != "completed":
        print(f"        the compilation: {made}", flush=True)
        return False
    video = f"{path}/compilations/{made['id']}/video"
    videos = [await browser.get(url + video) for url in site.urls]
    return {(one.status_code, one.content) for one in videos} == {(200, videos[0].content)}


async def _compiled(browser: Browser, project: str) -> dict[str, Any]:
    """The compilation once it has ended."""
    async with asyncio.timeout(SECONDS_TO_COMPILE):
        while True:
            [made] = (await browser.get(project)).json()["compilations"]
            if made["status"] in ("completed", "failed"):
                return dict(made)
            await asyncio.sleep(0.5)


async def _read(site: Site, alice: User, bob: User, browser: Browser) -> bool:
    """Bob tells alice something on one host; she reads it on another, and asks all."""
    here, there, _elsewhere = site.urls
    team = await make_team(site.db, alice, "Their team", admins=[bob])
    other = Browser()
    await other.sign_in(there, bob)
    body = {"type": "custom", "title": "Read me", "team_id": team.id}
    await other.post(f"{there}/api/events", json=body)
    before = [await _unread(browser, url) for url in site.urls]
    await browser.post(f"{here}/api/notifications/read-all")
    after = [await _unread(browser, url) for url in site.urls]
    return min(before) > 0 and len(set(before)) == 1 and after == [0, 0, 0]


async def _unread(browser: Browser, url: str) -> int:
    return int((await browser.get(f"{url}/api/notifications/unread-count")).json()["count"])


async def _end(site: Site, browser: Browser) -> bool:
    """Streams on all hosts end, and no host answers any more, within a second of the answer."""
    cookie = {"Cookie": browser.cookie}
    streams = [asyncio.create_task(_until_it_ends(url, cookie)) for url in site.urls]
    await asyncio.sleep(3)
    assert not any(stream.done() for stream in streams), "a stream has ended too early"
    here = site.urls[0]
    answer = await browser.fill_in(f"{here}/account", f"{here}/logout")
    ended = monotonic()
    assert answer.status_code == 303, answer.text
    await asyncio.sleep(SECONDS_TO_END)
    async with httpx.AsyncClient(timeout=60) as stranger:
        answers = [await stranger.get(f"{url}/account", headers=cookie) for url in site.urls]
    async with asyncio.timeout(60):
        moments = await asyncio.gather(*streams)
    after = [moment - ended for moment in moments]
    print(
        f"streams ended {', '.join(f'{one:.2f}' for one in after)} s after the logout", flush=True
    )
    return max(after) <= SECONDS_TO_END and all(one.status_code != 200 for one in answers)


async def _until_it_ends(url: str, cookie: dict[str, str]) -> float:
    """The monotonic moment."""
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("GET", f"{url}/notifications/stream", headers={**STREAM, **cookie}) as stream,
    ):
        assert stream.status_code == 200, f"the stream: {stream.status_code}"
        async for line in stream.aiter_lines():
            if line == "event: bye":
                break
    return monotonic()


async def _guess(site: Site, user: User) -> bool:
    """Wrong passwords, each on the next host: they are counted together."""
    statuses = []
    wrong = {"login": user.email, "password": "wrong horse"}
    for number in range(LOGINS + 2):
        url = site.urls[number % len(site.urls)]
        answer = await Browser().fill_in(f"{url}/login", f"{url}/login", **wrong)
        statuses.append(answer.status_code)
    return 429 not in statuses[:LOGINS] and statuses[LOGINS:] == [429, 429]
