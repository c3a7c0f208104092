"""Access tokens: created, used, listed, revoked; what authenticates a request and what does not."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from app import clock
from app.accounts.passwords import _fingerprint, reset_password
from app.accounts.tokens import create_token
from app.database import Database
from app.models import Event, Team, Token, User
from tests.api.conftest import Program, key_of
from tests.conftest import post, sign_in
from tests.factories import PASSWORD, SIGNER


async def make(program: Program, **fields: object) -> httpx.Response:
    return await program.post("/api/tokens", json={"login": "alice", "name": "Script"} | fields)


async def test_a_token_is_created_with_a_password_and_authenticates_requests(
    nobody: Program, alice: User
) -> None:
    made = await make(nobody, password=PASSWORD)
    key = made.json()["token"]

    listed = await nobody.get("/api/tokens", headers={"Authorization": f"Bearer {key}"})

    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "private, no-store"
    assert made.json().keys() == {"token"}
    assert [(one["name"], one["scope"]) for one in listed.json()["tokens"]] == [("Script", "write")]


async def test_the_token_itself_is_not_stored(nobody: Program, db: Database, alice: User) -> None:
    key = (await make(nobody, password=PASSWORD)).json()["token"]

    async with db.read() as session:
        token = (await session.scalars(select(Token))).one()

    assert key not in str(vars(token).values())


async def test_the_notification_names_the_token_as_the_list_does(db: Database, alice: User) -> None:
    async with db.act() as session:
        token, _key = await create_token(session, alice, name=" Backup  script ", scope="read")

    async with db.read() as session:
        event = (await session.scalars(select(Event))).one()
    assert event.context["name"] == token.name == "Backup script"


async def test_a_wrong_password_creates_no_token(
    nobody: Program, db: Database, alice: User
) -> None:
    answer = await make(nobody, password="wrong horse")

    async with db.read() as session:
        tokens = await session.scalar(select(func.count()).select_from(Token))
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["login"]
    assert tokens == 0


async def test_every_wrong_field_is_named_at_once(nobody: Program) -> None:
    answer = await nobody.post("/api/tokens", json={"login": 7, "scope": "all", "admin": True})

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {error["field"] for error in answer.json()["errors"]} == {
        "login",
        "password",
        "name",
        "scope",
        "admin",
    }


@pytest.mark.parametrize(
    "body", [b"{", b"[1]", b'"\xff"', b"[" * 100_000, b'{"login": "\\ud800"}', b"NaN"]
)
async def test_a_body_that_is_no_json_object_is_malformed(nobody: Program, body: bytes) -> None:
    answer = await nobody.post("/api/tokens", content=body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["body"]


async def test_a_body_beyond_a_megabyte_is_too_large(nobody: Program) -> None:
    answer = await nobody.post("/api/tokens", content=b" " * 1_000_001)

    assert answer.status_code == 413


async def test_without_a_token_a_request_is_401(nobody: Program) -> None:
    answer = await nobody.get("/api/tokens")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_wrong_token_is_refused_despite_a_valid_cookie(
    client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)

    by_cookie = await client.get("/api/tokens")
    by_both = await client.get("/api/tokens", headers={"Authorization": "Bearer clippy_wrong"})

    assert by_cookie.status_code == 200
    assert by_both.status_code == 401


async def test_a_request_with_a_token_needs_no_csrf_token_despite_a_cookie(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User
) -> None:
    await sign_in(client, bob)
    bearer = {"Authorization": f"Bearer {await key_of(db, alice)}"}

    (of_alice,) = (await client.get("/api/tokens", headers=bearer)).json()["tokens"]
    revoked = await client.delete(f"/api/tokens/{of_alice['id']}", headers=bearer)

    assert revoked.status_code == 200


async def test_a_request_with_a_cookie_needs_the_csrf_token_in_the_header(
    client: httpx.AsyncClient, db: Database, alice: User
) -> None:
    await sign_in(client, alice)
    await key_of(db, alice)
    (token,) = (await client.get("/api/tokens")).json()["tokens"]

    without = await client.delete(f"/api/tokens/{token['id']}")
    wrong = await client.delete(f"/api/tokens/{token['id']}", headers={"X-CSRF-Token": "0" * 128})
    right = await client.delete(
        f"/api/tokens/{token['id']}", headers={"X-CSRF-Token": client.cookies["csrftoken"]}
    )

    assert [answer.status_code for answer in (without, wrong, right)] == [403, 403, 200]


async def test_a_token_opens_no_page(client: httpx.AsyncClient, db: Database, alice: User) -> None:
    bearer = {"Authorization": f"Bearer {await key_of(db, alice)}"}

    answer = await client.get("/account", headers=bearer)

    assert answer.headers["Location"] == "/login?next=/account"


async def test_a_read_token_cannot_change_anything(
    acting_for: object, db: Database, alice: User, nobody: Program
) -> None:
    bearer = {"Authorization": f"Bearer {await key_of(db, alice, 'read')}"}

    (token,) = (await nobody.get("/api/tokens", headers=bearer)).json()["tokens"]
    answer = await nobody.delete(f"/api/tokens/{token['id']}", headers=bearer)

    assert answer.status_code == 403
    assert len((await nobody.get("/api/tokens", headers=bearer)).json()["tokens"]) == 1


async def test_a_revoked_token_is_refused(for_alice: Program) -> None:
    (token,) = (await for_alice.get("/api/tokens")).json()["tokens"]

    await for_alice.delete(f"/api/tokens/{token['id']}")

    assert (await for_alice.get("/api/tokens")).status_code == 401


async def test_a_token_of_another_user_cannot_be_revoked(
    for_alice: Program, for_bob: Program
) -> None:
    (of_alice,) = (await for_alice.get("/api/tokens")).json()["tokens"]

    answer = await for_bob.delete(f"/api/tokens/{of_alice['id']}")

    assert answer.status_code == 404
    assert (await for_alice.get("/api/tokens")).status_code == 200


async def test_the_last_use_is_stamped_once_a_minute(
    for_alice: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    stamps = []
    for seconds in (0, 30, 61):
        monkeypatch.setattr(clock, "now", lambda s=seconds: now + timedelta(seconds=s))
        (token,) = (await for_alice.get("/api/tokens")).json()["tokens"]
        stamps.append(token["last_used_at"])

    assert stamps[0] == stamps[1] != stamps[2]


@pytest.mark.parametrize("number", [0, 2**63, 10**30])
async def test_an_id_beyond_any_column_is_404(for_alice: Program, number: int) -> None:
    answer = await for_alice.delete(f"/api/tokens/{number}")

    assert answer.status_code == 404
    assert answer.json()["status"] == 404


async def test_an_unknown_address_is_a_problem_in_json(nobody: Program) -> None:
    answer = await nobody.get("/api/nothing")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_an_unsupported_method_is_405_with_the_allowed_ones(nobody: Program) -> None:
    answer = await nobody.put("/api/tokens")

    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


async def test_options_lists_the_methods_of_an_address(client: httpx.AsyncClient) -> None:
    answers = [await client.options(url) for url in ("/api/tokens", "/api/teams/1", "/login")]

    assert [answer.headers["Allow"] for answer in answers] == [
        "GET, HEAD, OPTIONS, POST",
        "DELETE, GET, HEAD, OPTIONS, PUT",
        "GET, HEAD, OPTIONS, POST",
    ]


async def test_a_token_is_created_and_revoked_on_the_page(
    client: httpx.AsyncClient, db: Database, alice: User
) -> None:
    await sign_in(client, alice)

    made = await post(client, "/account/tokens", name="<b>Mine", scope="read", password=PASSWORD)
    again = await client.get("/account/tokens")
    async with db.read() as session:
        token = (await session.scalars(select(Token))).one()
    revoked = await post(client, f"/account/tokens/{token.id}/revoke")

    assert "clippy_" in made.text
    assert "clippy_" not in again.text
    assert "&lt;b&gt;Mine" in again.text
    assert revoked.status_code == 303
    assert "<b>" not in again.text


async def test_the_page_asks_for_the_password(
    client: httpx.AsyncClient, db: Database, alice: User, video_squad: Team
) -> None:
    await sign_in(client, alice)

    answer = await post(client, "/account/tokens", name="Mine", scope="write", password="wrong")

    assert answer.status_code == 422
    assert "This password is incorrect." in answer.text
    assert 'value="Mine"' in answer.text


async def test_logging_out_everywhere_offers_to_revoke_the_tokens(
    client: httpx.AsyncClient, db: Database, alice: User, for_alice: Program
) -> None:
    await sign_in(client, alice)
    passwords = {"current_password": PASSWORD, "new_password": "battery staple"}

    offer = await client.get("/account")
    await post(client, "/account/password", **passwords)
    kept = await for_alice.get("/api/tokens")
    await post(client, "/account/sessions/end", revoke_tokens="1")
    revoked = await for_alice.get("/api/tokens")

    assert "Also revoke my access token" in offer.text
    assert kept.status_code == 200
    assert revoked.status_code == 401


async def test_changing_the_password_revokes_the_tokens_on_request(
    client: httpx.AsyncClient, alice: User, for_alice: Program
) -> None:
    await sign_in(client, alice)
    passwords = {"current_password": PASSWORD, "new_password": "battery staple"}

    await post(client, "/account/password", revoke_tokens="1", **passwords)

    assert (await for_alice.get("/api/tokens")).status_code == 401


async def test_a_reset_by_mail_revokes_every_token(
    db: Database, alice: User, for_alice: Program
) -> None:
    token = SIGNER.sign("reset_password", [alice.id, _fingerprint(alice)])

    await reset_password(db, token, "battery staple")

    assert (await for_alice.get("/api/tokens")).status_code == 401
