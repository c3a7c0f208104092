"""What a person can see of how a notice reached them."""

import httpx
import pytest
from sqlalchemy import update

from app import clock
from app.database import Database
from app.models import Delivery, Team, User
from app.notifications.delivery.delivery_log import Reach, read_reach
from app.notifications.events.catalogue import EMAIL, MEMBER_ADDED
from app.notifications.inbox import feed
from app.notifications.preferences import switches
from app.teams.membership import add_member
from tests.conftest import sign_in, text_of


@pytest.fixture
async def notice(db: Database, alice: User, bob: User, video_squad: Team) -> int:
    """Bob's, of having been added."""
    return await added(db, alice, bob, video_squad)


async def added(db: Database, alice: User, bob: User, team: Team) -> int:
    async with db.act() as session:
        await add_member(session, alice, team.id, bob.username, "editor")
    async with db.read() as session:
        return (await feed.newest(session, bob.id))[0].id


async def settle(db: Database, **values: object) -> None:
    async with db.write() as session:
        await session.execute(update(Delivery).values(settled_at=clock.now(), **values))


async def reach_of(db: Database, user: User, notice: int) -> Reach:
    async with db.read() as session:
        return await read_reach(session, user, notice)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"state": "sent"}, ""),
        ({"state": "skipped", "reason": "read"}, "It was read in the app before."),
        ({"state": "failed", "error": "550 No such person"}, "550 No such person"),
        ({"state": "pending", "attempts": 2, "error": "451"}, "Tried 2 times so far. 451"),
        (
            {"state": "pending", "reason": "outage"},
            "The service could not be reached; it is tried again.",
        ),
    ],
)
async def test_each_outcome_is_told_with_its_reason(
    db: Database, bob: User, notice: int, values: dict[str, object], text: str
) -> None:
    await settle(db, **values)

    line = (await reach_of(db, bob, notice)).lines[0]

    assert (line.channel, line.where) == (EMAIL, bob.email)
    assert (line.state, line.text) == (values["state"], text)


async def test_what_was_switched_off_says_so(
    db: Database, alice: User, bob: User, video_squad: Team
) -> None:
    async with db.act() as session:
        await switches.set_switch(session, bob, MEMBER_ADDED.name, EMAIL, wanted=False)
    notice = await added(db, alice, bob, video_squad)

    line = (await reach_of(db, bob, notice)).lines[0]

    assert (line.state, line.text) == ("none", "You have this switched off.")


async def test_the_page_is_the_recipients_alone(
    client: httpx.AsyncClient, bob: User, carol: User, notice: int
) -> None:
    await sign_in(client, carol)
    assert (await client.get(f"/notifications/{notice}/deliveries")).status_code == 404

    await sign_in(client, bob)
    answer = await client.get(f"/notifications/{notice}/deliveries")
    assert bob.email in text_of(answer)
