"""Accounts in JSON, for administrators."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from app.database import Database
from app.models import User
from tests.api.conftest import Program

URL = "/api/admin/accounts"


@pytest.fixture
async def for_admin(
    acting_for: Callable[..., Awaitable[Program]], db: Database, alice: User
) -> Program:
    async with db.write() as session:
        (await session.get_one(User, alice.id)).is_admin = True
    return await acting_for(alice)


async def test_nobody_else_finds_them(for_carol: Program, db: Database, bob: User) -> None:
    answers = [
        await for_carol.get(URL),
        await for_carol.post(f"{URL}/{bob.id}/suspend"),
        await for_carol.post(f"{URL}/{bob.id}/restore"),
        await for_carol.delete(f"{URL}/{bob.id}"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    async with db.read() as session:
        assert (await session.get_one(User, bob.id)).suspended_at is None


async def test_they_are_listed_newest_first_and_searched(
    for_admin: Program, alice: User, bob: User, carol: User
) -> None:
    listed = (await for_admin.get(URL)).json()
    found = (await for_admin.get(URL, params={"q": "bob@"})).json()
    beyond = (await for_admin.get(URL, params={"page": 2})).json()

    assert [one["username"] for one in listed["accounts"]] == ["carol", "bob", "alice"]
    assert {name: listed[name] for name in ("total", "page", "pages", "per_page")} == {
        "total": 3,
        "page": 1,
        "pages": 1,
        "per_page": 50,
    }
    [of_bob] = found["accounts"]
    assert (of_bob["id"], of_bob["email"], of_bob["is_admin"]) == (bob.id, bob.email, False)
    assert (of_bob["storage"], of_bob["mails_sent"], of_bob["last_seen_at"]) == (0, 0, None)
    assert listed["accounts"][2]["last_seen_at"] is not None
    assert (beyond["accounts"], beyond["total"], beyond["page"]) == ([], 3, 2)


@pytest.mark.parametrize(
    ("parameters", "field"), [({"page": 0}, "page"), ({"q": "x" * 255}, "q"), ({"q": "\x00"}, "q")]
)
async def test_a_wrong_parameter_is_named(
    for_admin: Program, parameters: dict[str, object], field: str
) -> None:
    answer = await for_admin.get(URL, params=parameters)  # type: ignore[arg-type]

    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_an_account_is_suspended_restored_and_deleted(
    for_admin: Program, for_bob: Program, db: Database, bob: User
) -> None:
    suspended = (await for_admin.post(f"{URL}/{bob.id}/suspend")).json()
    refused = await for_bob.get("/api/teams")
    restored = (await for_admin.post(f"{URL}/{bob.id}/restore")).json()
    accepted = await for_bob.get("/api/teams")
    deleted = await for_admin.delete(f"{URL}/{bob.id}")
    again = await for_admin.delete(f"{URL}/{bob.id}")

    assert suspended["suspended_at"] is not None
    assert restored["suspended_at"] is None
    assert (refused.status_code, accepted.status_code) == (401, 200)
    assert deleted.json() == {"message": "The account of bob was deleted."}
    assert again.status_code == 404
    async with db.read() as session:
        assert set(await session.scalars(select(User.username))) == {"alice"}


async def test_an_administrator_is_a_conflict(
    for_admin: Program, db: Database, alice: User
) -> None:
    answers = [
        await for_admin.post(f"{URL}/{alice.id}/suspend"),
        await for_admin.delete(f"{URL}/{alice.id}"),
    ]

    assert {answer.status_code for answer in answers} == {409}
    assert answers[0].json()["detail"] == "This is your own account."
