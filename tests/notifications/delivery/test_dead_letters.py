"""Dead letters, as an administrator sees and redelivers them."""

import httpx
import pytest
from sqlalchemy import select, update

from app import clock
from app.database import Database
from app.mail.transactional import add_transactional_mail
from app.models import Delivery, User
from app.notifications.delivery.explanations import failure_of
from app.settings import Settings
from tests.conftest import post, sign_in, text_of
from tests.mailing import deliver_mail, deliveries


@pytest.fixture
async def dead_letters(db: Database, alice: User) -> list[int]:
    """A transactional mail that was refused and one that was given up."""
    async with db.write() as session:
        for _ in range(2):
            await add_transactional_mail(
                session, "address_changed", address=alice.email, username="alice", email="new@x.org"
            )
    async with db.write() as session:
        ids = list(await session.scalars(select(Delivery.id).order_by(Delivery.id)))
        for id, state in zip(ids, ("failed", "dead"), strict=True):
            row = update(Delivery).where(Delivery.id == id)
            await session.execute(
                row.values(
                    state=state,
                    failure="refused",
                    host="mail.example",
                    status_code=550,
                    detail="No",
                    attempts=3,
                    settled_at=clock.now(),
                )
            )
        await session.execute(update(User).where(User.id == alice.id).values(is_admin=True))
    return ids


async def states(db: Database) -> list[str]:
    async with db.read() as session:
        return list(await session.scalars(select(Delivery.state).order_by(Delivery.id)))


async def test_only_administrators_find_the_page(
    client: httpx.AsyncClient, alice: User, bob: User, dead_letters: list[int]
) -> None:
    await sign_in(client, bob)
    assert (await client.get("/admin/deliveries")).status_code == 404
    assert (await post(client, "/admin/deliveries", all="1")).status_code == 404

    await sign_in(client, alice)
    answer = text_of(await client.get("/admin/deliveries"))
    assert "mail.example refused it: 550 No" in answer
    assert "3 attempts" in answer


async def test_the_selected_ones_are_sent_again_and_arrive(
    client: httpx.AsyncClient,
    db: Database,
    settings: Settings,
    alice: User,
    dead_letters: list[int],
) -> None:
    await sign_in(client, alice)

    answer = await post(client, "/admin/deliveries", ids=str(dead_letters[1]))
    await deliver_mail(db, settings)

    assert answer.status_code == 303
    assert await states(db) == ["failed", "sent"]
    _failed, sent = await deliveries(db)
    assert (sent.attempts, failure_of(sent)) == (1, None)


async def test_all_are_sent_again(
    client: httpx.AsyncClient, db: Database, alice: User, dead_letters: list[int]
) -> None:
    await sign_in(client, alice)

    await post(client, "/admin/deliveries", all="1")

    assert await states(db) == ["pending", "pending"]


async def test_without_a_selection_nothing_is_sent(
    client: httpx.AsyncClient, db: Database, alice: User, dead_letters: list[int]
) -> None:
    await sign_in(client, alice)

    await post(client, "/admin/deliveries")

    assert await states(db) == ["failed", "dead"]
    assert "Select some deliveries first." in text_of(await client.get("/admin/deliveries"))


@pytest.mark.parametrize("asked", ["all", "selected"])
async def test_what_was_sent_again_already_is_not_said_to_be_unselected(
    client: httpx.AsyncClient, alice: User, dead_letters: list[int], asked: str
) -> None:
    await sign_in(client, alice)
    form = {"all": "1"} if asked == "all" else {"ids": str(dead_letters[0])}

    await post(client, "/admin/deliveries", all="1")
    await post(client, "/admin/deliveries", **form)

    page = text_of(await client.get("/admin/deliveries"))
    assert "There was nothing left to send again." in page
    assert "Select some deliveries first." not in page
