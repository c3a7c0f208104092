"""Registering, changing the address, exporting and deleting, as a browser without scripts does it."""

import httpx

from app.database import Database
from app.models import User
from tests.conftest import post, sign_in, text_of
from tests.factories import PASSWORD, make_team

DORA = {"username": "dora", "email": "dora@example.com", "password": "correct horse"}


async def test_registering_signs_in(client: httpx.AsyncClient) -> None:
    answer = await post(client, "/register", **DORA)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "dora@example.com" in (await client.get("/account")).text


async def test_an_invalid_form_comes_back_with_its_values(client: httpx.AsyncClient) -> None:
    answer = await post(client, "/register", **(DORA | {"username": "<d>", "password": "short"}))

    assert answer.status_code == 422
    assert 'value="dora@example.com"' in answer.text
    assert 'value="&lt;d&gt;"' in answer.text
    assert "Use at least 8 characters." in text_of(answer)
    assert "short" not in answer.text


async def test_an_empty_form_names_every_missing_field(client: httpx.AsyncClient) -> None:
    answer = await post(client, "/register")

    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 3


async def test_an_address_changes_and_an_invalid_one_comes_back(
    client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)

    wrong = await post(client, "/account/address", email="no address", password=PASSWORD)
    right = await post(client, "/account/address", email="new@example.com", password=PASSWORD)

    assert wrong.status_code == 422
    assert 'value="no address"' in wrong.text
    assert right.status_code == 303
    assert "new@example.com" in (await client.get("/account")).text


async def test_the_export_is_a_download(client: httpx.AsyncClient, alice: User) -> None:
    await sign_in(client, alice)

    answer = await client.get("/account/export")

    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.json()["account"]["username"] == "alice"


async def test_deleting_the_account_requires_the_password(
    client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)

    wrong = await post(client, "/account/delete", password="wrong")
    right = await post(client, "/account/delete", password=PASSWORD)

    assert wrong.status_code == 422
    assert right.headers["location"] == "/login"
    login = await post(client, "/login", login="alice", password=PASSWORD)
    assert login.status_code == 422


async def test_the_owner_of_a_team_with_members_is_asked_to_hand_it_over(
    db: Database, client: httpx.AsyncClient, alice: User, bob: User
) -> None:
    await make_team(db, alice, editors=[bob])
    await sign_in(client, alice)

    answer = await post(client, "/account/delete", password=PASSWORD)

    assert answer.status_code == 409
    assert "Video Squad" in text_of(answer)
