"""The account pages, as a browser without scripts uses them."""

import dataclasses
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select

from app.accounts.passwords import send_reset
from app.database import Database
from app.models import User, WebSession
from app.settings import Settings
from tests.application import browser, serving
from tests.conftest import post, sign_in, text_of
from tests.factories import PASSWORD
from tests.mailing import deliver_mail


def label_of(page: str, name: str) -> str:
    field = re.search(rf'<(?:input|select) id="([^"]+)" name="{name}"', page)
    assert field, name
    label = re.search(rf'<label for="{field[1]}">([^<]+)</label>', page)
    assert label, name
    return label[1]


async def mailed_link(db: Database, settings: Settings, kind: str) -> str:
    await deliver_mail(db, settings)
    mails = "".join(file.read_text() for file in settings.mail_dir.glob("*.eml"))
    link = re.search(rf"/{kind}/[\w.-]+", mails.replace("=\n", "").replace("=\r\n", ""))
    assert link
    return link[0]


@pytest.fixture
async def second(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Another browser."""
    async with browser(app) as other:
        yield other


async def test_fields_and_buttons_have_their_labels(client: httpx.AsyncClient) -> None:
    register, login = (await client.get("/register")).text, (await client.get("/login")).text

    labels = [label_of(register, name) for name in ("username", "email", "password")]
    assert labels == ["Username", "Email", "Password"]
    assert [label_of(login, name) for name in ("login", "password")] == [
        "Email or username",
        "Password",
    ]
    assert re.search(r"<button[^>]*>Create account</button>", register)
    assert re.search(r"<button[^>]*>Log in</button>", login)


@pytest.mark.parametrize(
    ("given", "followed"),
    [
        ("/teams", "/teams"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
    ],
)
async def test_login_redirects_only_within_the_application(
    client: httpx.AsyncClient, alice: User, given: str, followed: str
) -> None:
    answer = await post(client, "/login", login="alice", password=PASSWORD, next=given)

    assert answer.headers["location"] == followed


async def test_next_survives_a_wrong_password_and_the_link_to_registration(
    client: httpx.AsyncClient, alice: User
) -> None:
    page = await client.get("/login?next=/invitations/abc")
    answer = await post(client, "/login", login="alice", password="wrong", next="/invitations/abc")

    assert 'href="/register?next=/invitations/abc"' in page.text
    assert answer.status_code == 422
    assert 'name="next" value="/invitations/abc"' in answer.text
    assert 'value="alice"' in answer.text


async def test_each_login_sets_a_new_cookie_that_scripts_cannot_read(
    client: httpx.AsyncClient, alice: User
) -> None:
    first = await post(client, "/login", login="alice", password=PASSWORD)
    second = await post(client, "/login", login="alice", password=PASSWORD)

    cookies = [answer.headers["set-cookie"] for answer in (first, second)]
    assert cookies[0] != cookies[1]
    assert "HttpOnly" in cookies[0]
    assert "samesite=lax" in cookies[0].lower()


async def test_login_replaces_a_planted_cookie(
    client: httpx.AsyncClient, second: httpx.AsyncClient, alice: User
) -> None:
    for browser_of in (client, second):
        browser_of.cookies.set("session", "planted", domain="testserver.local")

    await sign_in(client, alice)

    assert (await second.get("/account")).status_code == 303


async def test_the_first_login_fills_in_the_time_zone(
    db: Database, client: httpx.AsyncClient, alice: User
) -> None:
    async with db.write() as session:
        (await session.get_one(User, alice.id)).timezone = ""

    fields = {"login": "alice", "password": PASSWORD, "timezone": "Asia/Tokyo"}
    await post(client, "/login", **fields)

    async with db.read() as session:
        assert (await session.get_one(User, alice.id)).timezone == "Asia/Tokyo"


async def test_logging_out_ends_the_session(client: httpx.AsyncClient, alice: User) -> None:
    await sign_in(client, alice)
    token = client.cookies["session"]

    await post(client, "/logout")

    answer = await client.get("/account", headers={"Cookie": f"session={token}"})
    assert answer.headers["location"] == "/login?next=/account"


async def test_the_page_to_log_out_asks_first(client: httpx.AsyncClient, alice: User) -> None:
    await sign_in(client, alice)

    page = await client.get("/logout")
    still_in = (await client.get("/account")).status_code == 200
    form = page.text.partition("<main")[2].partition("</main>")[0]
    token = re.search(r'name="_csrf_token" value="([^"]+)"', form)
    assert token
    answer = await client.post("/logout", data={"_csrf_token": token[1], "_user": str(alice.id)})

    assert (page.status_code, still_in, answer.status_code) == (200, True, 303)
    assert re.search(r'action="/logout".*Log out</button>', form)
    assert (await client.get("/account")).status_code == 303


async def test_who_is_logged_out_already_is_led_to_the_login(client: httpx.AsyncClient) -> None:
    answer = await client.get("/logout")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")


async def test_who_logs_out_after_the_session_has_ended_is_not_asked_again_after_the_next_login(
    client: httpx.AsyncClient,
) -> None:
    client.headers["Referer"] = "http://testserver/logout"

    answer = await post(client, "/logout")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/")


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/logout", {}),
        ("/account/sessions/end", {}),
        ("/account/delete", {"password": PASSWORD}),
    ],
)
async def test_the_browser_forgets_what_it_was_shown_when_its_user_logs_out(
    client: httpx.AsyncClient, alice: User, path: str, typed: dict[str, str]
) -> None:
    await sign_in(client, alice)
    device = client.cookies["device"]

    answer = await post(client, path, **typed)

    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert "session" not in client.cookies
    assert client.cookies["device"] == device


async def test_a_form_without_csrf_token_is_refused(client: httpx.AsyncClient, alice: User) -> None:
    await sign_in(client, alice)

    answer = await client.post("/account/delete", data={"password": PASSWORD})

    assert answer.status_code == 403
    assert (await client.get("/account")).status_code == 200


async def test_one_browser_can_log_out_another(
    client: httpx.AsyncClient, second: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)
    await sign_in(second, alice)
    form = re.search(r"/account/sessions/\d+/end", (await client.get("/account")).text)
    assert form

    await post(client, form[0])

    assert (await client.get("/account")).status_code == 200
    assert (await second.get("/account")).status_code == 303


async def test_nobody_can_log_out_another_user(
    db: Database, client: httpx.AsyncClient, second: httpx.AsyncClient, alice: User, bob: User
) -> None:
    await sign_in(client, alice)
    await sign_in(second, bob)
    async with db.read() as session:
        theirs = select(WebSession.id).where(WebSession.user_id == alice.id)
        alices = (await session.scalars(theirs)).one()

    assert (await post(second, f"/account/sessions/{alices}/end")).status_code == 404
    assert (await client.get("/account")).status_code == 200


async def test_logging_out_everywhere_includes_this_browser(
    client: httpx.AsyncClient, second: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)
    await sign_in(second, alice)

    await post(client, "/account/sessions/end")

    assert (await client.get("/account")).status_code == 303
    assert (await second.get("/account")).status_code == 303


async def test_a_new_password_logs_out_the_other_browsers_only(
    client: httpx.AsyncClient, second: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)
    await sign_in(second, alice)
    before = client.cookies["session"]

    answer = await post(
        client, "/account/password", current_password=PASSWORD, new_password="battery staple"
    )

    assert answer.status_code == 303
    assert client.cookies["session"] != before
    assert (await client.get("/account")).status_code == 200
    assert (await second.get("/account")).status_code == 303


SPACED = "  battery staple "


async def tokens_for(client: httpx.AsyncClient, login: str, *passwords: str) -> list[int]:
    """How the API answers each of these passwords."""
    named = [{"login": login, "password": one, "name": "A script"} for one in passwords]
    return [(await client.post("/api/tokens", json=fields)).status_code for fields in named]


async def test_the_spaces_around_a_password_belong_to_it_on_every_page(
    client: httpx.AsyncClient, second: httpx.AsyncClient, db: Database, settings: Settings
) -> None:
    await post(client, "/register", username="alice", email="alice@example.com", password=SPACED)
    assert await tokens_for(second, "alice", SPACED, SPACED.strip()) == [201, 400]

    changed = "\tstaple battery "
    await post(client, "/account/password", current_password=SPACED, new_password=changed)
    assert await tokens_for(second, "alice", changed, changed.strip()) == [201, 400]
    assert (await post(second, "/login", login="alice", password=changed)).status_code == 303

    await post(client, "/forgot", email="alice@example.com")
    await post(client, await mailed_link(db, settings, "reset"), password=SPACED)
    assert await tokens_for(second, "alice", SPACED, SPACED.strip()) == [201, 400]


async def test_a_password_that_was_stored_without_its_spaces_still_logs_in_with_them(
    client: httpx.AsyncClient, second: httpx.AsyncClient, alice: User
) -> None:
    typed = f" {PASSWORD} "

    assert (await post(client, "/login", login="alice", password=typed)).status_code == 303
    new = await post(client, "/account/password", current_password=typed, new_password=SPACED)
    assert new.status_code == 303
    assert await tokens_for(second, " alice ", SPACED) == [201]


async def test_a_forgotten_password_is_set_by_the_mailed_link(
    db: Database, settings: Settings, client: httpx.AsyncClient, alice: User
) -> None:
    await post(client, "/forgot", email="ALICE@example.com")
    link = await mailed_link(db, settings, "reset")

    page = await client.get(link)
    short = await post(client, link, password="short")
    done = await post(client, link, password="battery staple")
    again = await client.get(link)

    assert page.headers["referrer-policy"] == "no-referrer"
    assert [short.status_code, done.status_code, again.status_code] == [422, 303, 404]
    login = await post(client, "/login", login="alice", password="battery staple")
    assert login.status_code == 303


async def test_asking_for_a_reset_link_does_not_reveal_accounts(
    client: httpx.AsyncClient, alice: User
) -> None:
    known = await post(client, "/forgot", email="alice@example.com")
    seen = text_of(await client.get("/login"))
    unknown = await post(client, "/forgot", email="nobody@example.com")

    assert (known.status_code, known.headers["location"]) == (303, "/login")
    assert (unknown.status_code, unknown.headers["location"]) == (303, "/login")
    assert text_of(await client.get("/login")) == seen


async def test_the_profile_is_saved_and_shown(client: httpx.AsyncClient, alice: User) -> None:
    await sign_in(client, alice)

    saved = {"timezone": "Europe/Berlin", "language": "en", "theme": "dark"}
    answer = await post(client, "/account/profile", **saved)
    page = (await client.get("/account")).text

    assert answer.status_code == 303
    assert 'value="Europe/Berlin" selected' in page
    assert 'data-theme="dark"' in page
    assert (await post(client, "/account/profile", timezone="x")).status_code == 422


async def test_the_eleventh_wrong_password_is_throttled(settings: Settings, alice: User) -> None:
    limited = dataclasses.replace(settings, rate_limits=True)

    async with serving(limited) as app, browser(app) as client:
        attempts = [await post(client, "/login", login="ALICE", password="no") for _ in range(11)]

    assert [answer.status_code for answer in attempts] == [422] * 10 + [429]
    assert int(attempts[-1].headers["retry-after"]) > 0


async def test_wrong_passwords_in_a_session_are_counted_by_account_from_many_networks(
    settings: Settings, alice: User, bob: User
) -> None:
    limited = dataclasses.replace(settings, rate_limits=True, trusted_proxies=("127.0.0.1/32",))

    async with serving(limited) as app, browser(app) as client, browser(app) as other:
        await sign_in(client, alice)
        statuses = []
        for number in range(21):
            client.headers["X-Forwarded-For"] = f"203.0.113.{number}"
            answer = await post(client, "/account/delete", password="wrong")
            statuses.append(answer.status_code)
        await sign_in(other, bob)
        bobs = await post(other, "/account/delete", password="wrong")

    assert statuses == [422] * 20 + [429]
    assert bobs.status_code == 422


@pytest.mark.parametrize("path", ["/reset/junk", "/confirm/junk", "/reset/%00", "/confirm/é"])
async def test_a_forged_link_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


class TestMailbox:
    @pytest.fixture
    async def local(self, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
        """A browser on the machine itself."""
        at_home = dataclasses.replace(settings, base_url="http://127.0.0.1:8000", port=8000)
        at_home = dataclasses.replace(at_home, allowed_hosts=("127.0.0.1",))
        async with serving(at_home) as app, browser(app, "http://127.0.0.1:8000") as client:
            yield client

    @pytest.fixture
    async def name(self, db: Database, settings: Settings, alice: User) -> str:
        async with db.write() as session:
            await send_reset(session, alice.email)
        await deliver_mail(db, settings)
        return next(settings.mail_dir.glob("*.eml")).name

    async def test_it_shows_the_mail_with_its_links(
        self, local: httpx.AsyncClient, name: str
    ) -> None:
        listed = await local.get("/dev/mail")
        shown = await local.get(f"/dev/mail/{name}")

        assert f"/dev/mail/{name}" in listed.text
        assert re.search(r'<a href="[^"]+/reset/', shown.text)

    async def test_html_is_shown_in_a_sandbox(self, local: httpx.AsyncClient, name: str) -> None:
        answer = await local.get(f"/dev/mail/{name}/html")

        policies = answer.headers.get_list("content-security-policy")
        assert len(policies) == 1
        assert policies[0].startswith("sandbox")
        assert "allow-scripts" not in policies[0]

    @pytest.mark.parametrize("path", ["", "/nothing.eml", "/..%2f..%2fsecret_key"])
    async def test_it_knows_only_its_own_files(
        self, local: httpx.AsyncClient, name: str, path: str
    ) -> None:
        assert (await local.get(f"/dev/mail{path}")).status_code == (404 if path else 200)

    async def test_it_is_closed_through_a_proxy(self, local: httpx.AsyncClient) -> None:
        answer = await local.get("/dev/mail", headers={"X-Forwarded-For": "203.0.113.7"})

        assert answer.status_code == 404

    async def test_it_is_closed_where_the_address_is_public(
        self, client: httpx.AsyncClient, name: str
    ) -> None:
        for path in ("/dev/mail", f"/dev/mail/{name}", f"/dev/mail/{name}/html"):
            assert (await client.get(path)).status_code == 404
