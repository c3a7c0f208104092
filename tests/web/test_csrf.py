"""Unsafe requests are taken only from pages that we made for this user, in this session."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select

from app.accounts.tokens import create_token
from app.database import Database
from app.models import Team, User
from app.projects.projects import create_project
from app.settings import Settings
from app.web.csrf import Holder, read_token
from tests.application import browser, serving
from tests.conftest import post, sign_in, text_of

ELSEWHERE = [
    {"Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
]
# Browsers send the Origin "null" for a page that sends no referrer.
HERE = [
    {},
    {"Origin": "http://testserver"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
]


@pytest.fixture
async def as_alice(client: httpx.AsyncClient, alice: User) -> httpx.AsyncClient:
    await sign_in(client, alice)
    return client


@pytest.fixture
async def as_bob(app: Litestar, bob: User) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app) as one:
        await sign_in(one, bob)
        yield one


async def fields_of(client: httpx.AsyncClient, path: str = "/teams") -> dict[str, str]:
    """The hidden fields that every form of this page has."""
    page = (await client.get(path)).text
    found = re.findall(r'name="(_csrf_token|_user)" value="([^"]*)"', page)
    return dict(found)


def hidden_in(answer: httpx.Response) -> dict[str, str]:
    """The hidden fields of the form that a page shows again."""
    form = answer.text.partition('<form method="post" action="/teams')[2].partition("</form>")[0]
    return dict(re.findall(r'name="(_csrf_token|_user)" value="([^"]*)"', form))


async def names_of_teams(db: Database) -> list[str]:
    async with db.read() as session:
        return list((await session.scalars(select(Team.name))).all())


async def test_each_page_masks_the_token_of_the_session_anew(
    as_alice: httpx.AsyncClient, settings: Settings, alice: User
) -> None:
    first, second = await fields_of(as_alice), await fields_of(as_alice)

    holders = [read_token(settings, one["_csrf_token"]) for one in (first, second)]
    assert first["_csrf_token"] != second["_csrf_token"]
    assert holders[0] == holders[1]
    assert [holder and holder.user_id for holder in holders] == [alice.id, alice.id]
    assert first["_user"] == str(alice.id)


async def test_a_form_is_taken_with_the_token_of_its_page(
    as_alice: httpx.AsyncClient, db: Database
) -> None:
    answer = await as_alice.post("/teams", data=await fields_of(as_alice) | {"name": "Video Squad"})

    assert (answer.status_code, await names_of_teams(db)) == (303, ["Video Squad"])


async def test_the_token_of_one_session_is_no_use_in_another(
    as_alice: httpx.AsyncClient, as_bob: httpx.AsyncClient, db: Database
) -> None:
    token = (await fields_of(as_bob))["_csrf_token"]
    as_alice.cookies.set("csrftoken", as_bob.cookies["csrftoken"], "testserver.local")

    answer = await as_alice.post("/teams", data={"_csrf_token": token, "name": "Forged"})

    assert (answer.status_code, await names_of_teams(db)) == (403, [])


async def test_the_token_from_before_the_login_is_no_use_after_it(
    client: httpx.AsyncClient, alice: User, db: Database
) -> None:
    before = await fields_of(client, "/login")
    await sign_in(client, alice)

    answer = await client.post("/teams", data=before | {"name": "Forged"})

    assert (answer.status_code, await names_of_teams(db)) == (403, [])


async def test_a_form_sent_as_another_user_keeps_its_input(
    as_alice: httpx.AsyncClient, bob: User, db: Database
) -> None:
    fields = await fields_of(as_alice)
    await post(as_alice, "/logout")
    await sign_in(as_alice, bob)

    answer = await as_alice.post("/teams", data=fields | {"name": "Film & Co"})

    assert (answer.status_code, await names_of_teams(db)) == (409, [])
    assert "You have logged in as another user" in text_of(answer)
    assert 'value="Film &amp; Co"' in answer.text


async def test_the_page_of_a_conflict_says_who_is_logged_in_and_offers_both_ways_on(
    as_alice: httpx.AsyncClient, bob: User
) -> None:
    fields = await fields_of(as_alice)
    await post(as_alice, "/logout")
    await sign_in(as_alice, bob)
    before = {"Referer": "http://testserver/teams?q=film"}

    answer = await as_alice.post("/teams", data=fields | {"name": "Film & Co"}, headers=before)

    ways = re.sub("</?(bdi|span)>", "", answer.text)
    assert "You are logged in as bob" in text_of(answer)
    assert re.search(r'href="/">Continue as bob<', ways)
    login = r'href="/login\?switch=1&amp;next=/teams%3Fq%3Dfilm" target="_blank">Log in as alice<'
    assert re.search(login, ways)


async def test_a_kept_form_is_sent_once_its_owner_has_logged_in_again(
    as_alice: httpx.AsyncClient, alice: User, bob: User, db: Database
) -> None:
    fields = await fields_of(as_alice)
    await sign_in(as_alice, bob)
    kept = await as_alice.post("/teams", data=fields | {"name": "Film & Co"})
    await sign_in(as_alice, alice)

    again = await as_alice.post("/teams", data=hidden_in(kept) | {"name": "Film & Co"})
    await as_alice.post("/teams", data=hidden_in(again) | {"name": "Film & Co"})

    assert (kept.status_code, again.status_code) == (409, 422)
    assert 'value="Film &amp; Co"' in again.text
    assert await names_of_teams(db) == ["Film & Co"]


async def test_an_earlier_session_of_the_same_user_gets_the_form_again(
    as_alice: httpx.AsyncClient, alice: User, db: Database
) -> None:
    fields = await fields_of(as_alice)
    await post(as_alice, "/logout")
    await sign_in(as_alice, alice)
    typed = {"name": 'Film "Co"', "chosen": "7", "password": "a secret"}

    answer = await as_alice.post("/teams?from=here", data=fields | typed)

    assert (answer.status_code, await names_of_teams(db)) == (422, [])
    assert "You have logged in again since this page was opened." in text_of(answer)
    assert 'action="/teams?from=here"' in answer.text
    assert 'name="name" type="text" value="Film &#34;Co&#34;"' in answer.text
    assert '<input type="hidden" name="chosen" value="7" ' in answer.text
    assert "a secret" not in answer.text
    await as_alice.post("/teams", data=hidden_in(answer) | typed)
    assert await names_of_teams(db) == ['Film "Co"']


async def test_an_open_page_of_an_earlier_session_is_refused_in_words(
    as_alice: httpx.AsyncClient, alice: User, db: Database
) -> None:
    fields = await fields_of(as_alice)
    await post(as_alice, "/logout")
    await sign_in(as_alice, alice)
    headers = {"X-CSRF-Token": fields["_csrf_token"], "X-User": fields["_user"]}

    answer = await as_alice.post(
        "/teams", data={"name": "A"}, headers=headers | {"HX-Request-Type": "partial"}
    )

    assert (answer.status_code, await names_of_teams(db)) == (403, [])
    assert "You have logged in again" in text_of(answer)
    assert re.search(r'href=""><span>Reload the page<', answer.text)


@pytest.mark.parametrize("named", ["", "_user"])
@pytest.mark.parametrize("token", ["", "nonsense", "A" * 54, "A" * 107, "0" * 128])
async def test_a_wrong_token_is_refused_for_any_named_user(
    as_alice: httpx.AsyncClient, alice: User, db: Database, named: str, token: str
) -> None:
    fields = {"_csrf_token": token, "name": "Forged"} | ({named: str(alice.id)} if named else {})

    answer = await as_alice.post("/teams", data=fields)

    assert (answer.status_code, await names_of_teams(db)) == (403, [])


async def test_the_user_is_judged_before_the_token(as_alice: httpx.AsyncClient, bob: User) -> None:
    answer = await as_alice.post("/teams", data={"_csrf_token": "nonsense", "_user": str(bob.id)})

    assert answer.status_code == 409


async def test_the_api_judges_in_the_same_order(
    as_alice: httpx.AsyncClient, alice: User, bob: User, db: Database
) -> None:
    token = (await fields_of(as_alice))["_csrf_token"]

    statuses = [
        (await as_alice.post("/api/teams", json={"name": "A"}, headers=headers)).status_code
        for headers in (
            {"X-User": str(bob.id), "X-CSRF-Token": "nonsense"},
            {"X-User": str(alice.id), "X-CSRF-Token": "nonsense"},
            {"X-User": str(alice.id)},
            {"X-CSRF-Token": token, "Origin": "https://evil.example"},
            {"X-User": str(alice.id), "X-CSRF-Token": token},
        )
    ]

    assert (statuses, await names_of_teams(db)) == ([409, 403, 403, 403, 201], ["A"])


@pytest.mark.parametrize("headers", [*ELSEWHERE, *HERE], ids=str)
async def test_another_sites_page_is_refused_even_with_the_token(
    as_alice: httpx.AsyncClient, db: Database, headers: dict[str, str]
) -> None:
    fields = await fields_of(as_alice) | {"name": "Video Squad"}

    answer = await as_alice.post("/teams", data=fields, headers=headers)

    made = ["Video Squad"] if headers in HERE else []
    assert (answer.status_code, await names_of_teams(db)) == (303 if made else 403, made)


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
async def test_nobody_is_logged_in_by_another_sites_page(
    client: httpx.AsyncClient, alice: User, headers: dict[str, str]
) -> None:
    fields = await fields_of(client, "/login") | {"login": "alice", "password": "correct horse"}

    answer = await client.post("/login", data=fields, headers=headers)

    assert (answer.status_code, "session" in client.cookies) == (403, False)


async def test_a_login_page_opened_before_the_login_still_works(
    client: httpx.AsyncClient, alice: User
) -> None:
    fields = await fields_of(client, "/login")
    await sign_in(client, alice)
    before = client.cookies["session"]

    typed = {"login": "alice", "password": "wrong"}
    answer = await client.post("/login", data=fields | typed)

    assert (answer.status_code, client.cookies["session"]) == (422, before)


async def test_the_origin_of_base_url_is_ours_where_a_proxy_drops_the_port(
    settings: Settings, alice: User, db: Database
) -> None:
    public = replace(settings, base_url="http://testserver:8225")
    async with serving(public) as app, browser(app) as client:
        await sign_in(client, alice)
        fields = await fields_of(client) | {"name": "Video Squad"}
        await client.post("/teams", data=fields, headers={"Origin": "http://testserver:8225"})

    assert await names_of_teams(db) == ["Video Squad"]


async def test_a_page_of_a_user_who_has_left_leads_to_the_login(
    as_alice: httpx.AsyncClient, db: Database
) -> None:
    fields = await fields_of(as_alice)
    await post(as_alice, "/logout")

    answer = await as_alice.post("/teams", data=fields | {"name": "A"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/")


@pytest.mark.parametrize(
    "path", ["/notifications/stream", "/notifications/bell", "/api/notifications/stream"]
)
async def test_the_page_of_another_user_gets_no_news(
    as_alice: httpx.AsyncClient, alice: User, bob: User, path: str
) -> None:
    answer = await as_alice.get(path, params={"user": bob.id})

    assert answer.status_code == 409
    page = (await as_alice.get("/")).text
    assert f'hx-sse:connect="/notifications/stream?user={alice.id}&amp;since=' in page


@dataclass
class Upload:
    """A form with a file, and how a browser without scripts sends it: the file comes last."""

    path: str
    field: str
    page: str
    was_read: bool = False

    async def send(
        self, client: httpx.AsyncClient, fields: dict[str, str], **headers: str
    ) -> httpx.Response:
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        return await client.post(self.path, content=self._body(fields), headers=headers | kind)

    async def _body(self, fields: dict[str, str]) -> AsyncIterator[bytes]:
        for name, value in fields.items():
            yield part(f'name="{name}"') + f"{value}\r\n".encode()
        yield part(f'name="{self.field}"; filename="a.png"')
        self.was_read = True
        yield b"content\r\n--x--\r\n"


def part(disposition: str) -> bytes:
    return f"--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()


@pytest.fixture(params=["a clip", "a picture"])
async def upload(request: pytest.FixtureRequest, db: Database, alice: User) -> Upload:
    if request.param == "a picture":
        return Upload("/account/picture", "picture", "/account")
    async with db.act() as session:
        project = await create_project(session, alice, "Highlight Reel")
    page = f"/projects/{project.id}"
    return Upload(f"{page}/clips", "clips", page)


def is_read(answer: httpx.Response) -> bool:
    """The file is neither a video nor a picture, and the page says so at its field."""
    refusal = re.search("is not (a video we|an image that we) can read", text_of(answer))
    return answer.status_code == 422 and refusal is not None


@pytest.mark.parametrize("token", ["", "nonsense", "0" * 128])
async def test_an_upload_with_a_wrong_token_is_refused_before_its_file_is_read(
    as_alice: httpx.AsyncClient, alice: User, upload: Upload, token: str
) -> None:
    fields = {"_csrf_token": token, "_user": str(alice.id)} if token else {}

    answer = await upload.send(as_alice, fields)

    assert (answer.status_code, upload.was_read) == (403, False)


async def test_an_upload_is_taken_with_the_token_of_its_page(
    as_alice: httpx.AsyncClient, upload: Upload
) -> None:
    answer = await upload.send(as_alice, await fields_of(as_alice, upload.page))

    assert is_read(answer)


async def test_an_upload_by_a_script_is_taken_with_the_token_in_its_header(
    as_alice: httpx.AsyncClient, upload: Upload
) -> None:
    fields = await fields_of(as_alice, upload.page)
    headers = {"X-CSRF-Token": fields["_csrf_token"], "X-User": fields["_user"]}

    assert is_read(await upload.send(as_alice, {}, **headers))


async def test_a_token_behind_the_file_is_none(as_alice: httpx.AsyncClient, upload: Upload) -> None:
    token = (await fields_of(as_alice))["_csrf_token"]
    form = {upload.field: ("a.png", b"content"), "_csrf_token": (None, token.encode())}

    answer = await as_alice.post(upload.path, files=form)

    assert answer.status_code == 403


async def test_an_upload_of_another_users_page_is_refused_before_its_file_is_read(
    as_alice: httpx.AsyncClient, bob: User, upload: Upload
) -> None:
    fields = await fields_of(as_alice)
    await sign_in(as_alice, bob)

    by_form = await upload.send(as_alice, fields)
    by_script = await upload.send(as_alice, {}, **{"X-User": fields["_user"]})

    assert (by_form.status_code, by_script.status_code) == (409, 409)
    assert not upload.was_read
    assert "Send again as alice" in text_of(by_form)


async def test_an_upload_of_an_earlier_session_gets_a_form_for_the_file_again(
    as_alice: httpx.AsyncClient, alice: User, upload: Upload
) -> None:
    fields = await fields_of(as_alice, upload.page)
    await sign_in(as_alice, alice)

    answer = await upload.send(as_alice, fields)

    assert (answer.status_code, upload.was_read) == (422, False)
    assert "You have logged in again since this page was opened." in text_of(answer)
    form = answer.text.partition(f'action="{upload.path}"')[2].partition("</form>")[0]
    assert form.startswith(' enctype="multipart/form-data"')
    assert f'name="{upload.field}" type="file"' in form
    hidden = dict(re.findall(r'name="(_csrf_token|_user)" value="([^"]*)"', form))
    assert is_read(await upload.send(as_alice, hidden))


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
async def test_an_upload_of_another_sites_page_is_refused_even_with_the_token(
    as_alice: httpx.AsyncClient, upload: Upload, headers: dict[str, str]
) -> None:
    answer = await upload.send(as_alice, await fields_of(as_alice), **headers)

    assert (answer.status_code, upload.was_read) == (403, False)


async def test_an_upload_with_an_access_token_needs_no_other(
    client: httpx.AsyncClient, db: Database, alice: User
) -> None:
    async with db.act() as session:
        project = await create_project(session, alice, "Highlight Reel")
        _token, key = await create_token(session, alice, name="A script", scope="write")
    upload = Upload(f"/api/projects/{project.id}/clips", "clips", "")

    answer = await upload.send(client, {}, Authorization=f"Bearer {key}")

    assert (answer.status_code, upload.was_read) == (400, True)
    assert "is not a video" in answer.text


@pytest.mark.parametrize("text", ["", "A", "é", "A" * 54, "A" * 107, "A" * 1_000])
def test_a_foreign_token_is_refused(settings: Settings, text: str) -> None:
    assert read_token(settings, text) is None


def test_a_token_made_with_another_key_is_refused(settings: Settings) -> None:
    from app.web.csrf import _text_of

    token = _text_of(settings.secret_key, Holder(7, b"k" * 16))

    assert read_token(settings, token) == Holder(7, b"k" * 16)
    assert read_token(replace(settings, secret_key="another"), token) is None


async def test_a_script_of_a_page_whose_user_left_is_refused_and_not_sent_to_the_login(
    client: httpx.AsyncClient, alice: User
) -> None:
    """It would follow with all its headers, and be sent to the login from the login again."""
    answer = await client.post(
        "/push/visibility",
        headers={"X-User": str(alice.id), "Sec-Fetch-Mode": "cors", "Accept": "*/*"},
    )

    assert answer.status_code == 401
