"""nginx, configured with the block in the README, in front of the application."""

import asyncio
import re
import shutil
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update

from app.accounts.validation import DEMO_PASSWORD
from app.models import Clip, User
from app.security import hash_password
from app.settings import ROOT
from tests import clips
from tests.certificates import Authority
from tests.factories import PASSWORD, make_account
from tests.journeys.running import Site, free_port, serving

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/bin")
NAME = "clips.example.test"
ALICES, BOBS = "127.0.0.2", "127.0.0.3"  # two clients' addresses
SECONDS = 20

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


@dataclass
class Front:
    """The application behind nginx, at `url`; `host` is its public name with the port."""

    site: Site
    url: str
    host: str

    def client(self, address: str) -> httpx.AsyncClient:
        """A browser whose connections come from this address. The certificate names localhost."""
        transport = httpx.AsyncHTTPTransport(verify=False, local_address=address)
        headers = {"Host": self.host}
        return httpx.AsyncClient(
            transport=transport, base_url=self.url, headers=headers, timeout=SECONDS
        )

    @property
    def log(self) -> str:
        return self.site.web.log


@pytest.fixture(params=["http", "https"])
async def front(
    tmp_path: Path, authority: Authority, request: pytest.FixtureRequest
) -> AsyncIterator[Front]:
    """alice still has the password of the demo, bob and carol have their own."""
    port, scheme = free_port(), request.param
    environ = {"BASE_URL": f"{scheme}://{NAME}:{port}", "RATE_LIMITS": ""}
    async with serving(tmp_path / "data", environ, worker=False) as site:
        alice, *_others = [await make_account(site.db, name) for name in ("alice", "bob", "carol")]
        async with site.db.write() as session:
            known = {"password_hash": await hash_password(DEMO_PASSWORD), "is_admin": True}
            await session.execute(update(User).where(User.id == alice.id).values(**known))
        block = block_of_readme().replace("127.0.0.1:8000", f"127.0.0.1:{site.settings.port}")
        certificate = authority.path.with_name("server.pem")
        async with nginx(tmp_path, block, port, certificate if scheme == "https" else None):
            yield Front(site, f"{scheme}://127.0.0.1:{port}", f"{NAME}:{port}")


def block_of_readme() -> str:
    found = re.search(r"```nginx\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found
    return found[1]


@asynccontextmanager
async def nginx(
    folder: Path, block: str, port: int, certificate: Path | None
) -> AsyncIterator[None]:
    """nginx with this block in its only server, and what a distribution sets around it."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    stores = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    tls = f"ssl_certificate {certificate}; ssl_certificate_key {certificate};"
    listen = f"listen 127.0.0.1:{port} ssl; {tls}" if certificate else f"listen 127.0.0.1:{port};"
    (folder / "nginx.conf").write_text(
        f"user root; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{ }}"
        f"http {{ access_log off; gzip on; {stores} server {{ {listen} {block} }} }}"
    )
    assert NGINX
    process = await asyncio.create_subprocess_exec(
        NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.log")
    )
    try:
        await _wait_until_it_listens(port)
        yield
    finally:
        process.terminate()
        await process.wait()


async def _wait_until_it_listens(port: int) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            with suppress(OSError):
                _reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


async def log_in(client: httpx.AsyncClient, name: str, password: str) -> httpx.Response:
    fields = await fields_of(client, "/login")
    return await client.post("/login", data=fields | {"login": name, "password": password})


async def fields_of(client: httpx.AsyncClient, path: str) -> dict[str, str]:
    page = (await client.get(path)).text
    return dict(re.findall(r'name="(_csrf_token|_user)" value="([^"]*)"', page))


async def token_of(client: httpx.AsyncClient, name: str) -> dict[str, str]:
    fields = {"login": name, "password": PASSWORD, "name": "A script"}
    answer = await client.post("/api/tokens", json=fields)
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def add_to_a_team(client: httpx.AsyncClient, member: str) -> None:
    """carol makes a team and adds the member."""
    key = await token_of(client, "carol")
    team = (await client.post("/api/teams", json={"name": "Video Squad"}, headers=key)).json()
    url, fields = f"/api/teams/{team['id']}/members", {"username": member, "role": "editor"}
    (await client.post(url, json=fields, headers=key)).raise_for_status()


async def test_people_log_in_hear_of_things_at_once_and_upload(front: Front) -> None:
    async with front.client(BOBS) as client:
        entered = await log_in(client, "bob", PASSWORD)
        assert (entered.status_code, entered.headers["Location"]) == (303, "/")
        assert "bob" in (await client.get("/account")).text

        async with client.stream("GET", "/notifications/stream") as stream:
            assert stream.status_code == 200
            await add_to_a_team(client, "bob")
            await read_until(stream, "You were added to team")

        key = await token_of(client, "bob")
        project = (await client.post("/api/projects", json={"name": "A"}, headers=key)).json()
        form = await fields_of(client, f"/projects/{project['id']}")
        files = {"clips": ("long.mp4", longer_than_nginx_allows(), "video/mp4")}
        answer = await client.post(f"/projects/{project['id']}/clips", data=form, files=files)

    assert answer.status_code == 303, answer.text
    async with front.site.db.read() as session:
        assert (await session.scalars(select(Clip.filename))).all() == ["long.mp4"]


async def read_until(stream: httpx.Response, words: str) -> None:
    text = ""
    async with asyncio.timeout(SECONDS):
        async for part in stream.aiter_text():
            text += part
            if words in text:
                return


def longer_than_nginx_allows() -> bytes:
    """A clip of more than 1 MB, nginx's default: what follows the video is a box to be skipped."""
    padding = bytes(3_000_000)
    return clips.make("mp4").read_bytes() + struct.pack(">I4s", 8 + len(padding), b"free") + padding


async def test_the_administrator_of_the_demo_cannot_log_in(front: Front) -> None:
    async with front.client(ALICES) as client:
        page = await log_in(client, "alice", DEMO_PASSWORD)
        fields = {"login": "alice", "password": DEMO_PASSWORD, "name": "A script"}
        token = await client.post("/api/tokens", json=fields)
        account, mail, metrics = [
            (await client.get(path)).status_code for path in ("/account", "/dev/mail", "/metrics")
        ]

    assert (page.status_code, token.status_code) == (422, 400)
    assert (account, mail, metrics) == (303, 404, 404)
    assert "Others can reach this server, because BASE_URL is" in front.log


async def test_throttles_and_the_security_log_know_each_client_by_its_address(
    front: Front,
) -> None:
    async with front.client(ALICES) as alice, front.client(BOBS) as bob:
        alice.headers["X-Forwarded-For"] = "198.51.100.7"  # which nginx did not see
        fields = await fields_of(alice, "/register")
        sent = [fields | {"email": f"nobody{number}"} for number in range(21)]
        statuses = [(await alice.post("/register", data=one)).status_code for one in sent]
        others = await bob.post("/register", data=await fields_of(bob, "/register"))
        await log_in(bob, "bob", PASSWORD)

    assert statuses == [422] * 20 + [429]
    assert others.status_code == 422
    assert f"event=throttled user=- address={ALICES} " in front.log
    assert f"event=login user=bob address={BOBS}" in front.log
    assert "198.51.100.7" not in front.log


async def test_under_https_the_session_is_known_by_one_secure_cookie(front: Front) -> None:
    async with front.client(BOBS) as client:
        await log_in(client, "bob", PASSWORD)
        names = {cookie.name: cookie.secure for cookie in client.cookies.jar}

    is_https = front.url.startswith("https")
    assert ("__Host-session" if is_https else "session") in names
    assert set(names.values()) == {is_https}


async def test_pages_and_files_pass_compressed_and_streams_as_they_are(front: Front) -> None:
    async with front.client(BOBS) as client:
        await log_in(client, "bob", PASSWORD)
        client.headers["Accept-Encoding"] = "gzip, br"
        page = await client.get("/notifications")
        (style,) = re.findall(r'href="(/static/[^"]*app\.css)"', page.text)
        file = await client.get(style)
        again = await client.get(style, headers={"If-None-Match": file.headers["ETag"]})
        async with client.stream("GET", "/notifications/stream") as stream:
            head = stream.headers

    assert [one.headers.get("Content-Encoding") for one in (page, file)] == ["br", "br"]
    assert "immutable" in file.headers["Cache-Control"]
    assert again.status_code == 304
    assert ("Content-Encoding" in head, head["Content-Type"]) == (
        False,
        "text/event-stream; charset=utf-8",
    )
