"""The delivery log of a notification, as its recipient sees it."""

import httpx
import pytest
from sqlalchemy import update

from app import clock
from app.database import Database
from app.models import Delivery, Team, User
from app.notifications.delivery.delivery_log import DeliveryLog, read_log
from app.notifications.events.catalogue import MEMBER_ADDED
from app.notifications.events.event_type import EMAIL
from app.teams.membership import add_member
from tests.bell import newest_notices
from tests.conftest import sign_in, text_of
from tests.switching import set_switch

REFUSED = {
    "failure": "refused",
    "host": "mail.example",
    "status_code": 550,
    "detail": "No such person",
}


@pytest.fixture
async def notice(db: Database, alice: User, bob: User, video_squad: Team) -> int:
    """Bob's, of having been added."""
    return await added(db, alice, bob, video_squad)


async def added(db: Database, alice: User, bob: User, team: Team) -> int:
    async with db.act() as session:
        await add_member(session, alice, team.id, bob.username, "editor")
    async with db.read() as session:
        return (await newest_notices(session, bob.id))[0].id


async def settle(db: Database, **values: object) -> None:
    async with db.write() as session:
        await session.execute(update(Delivery).values(settled_at=clock.now(), **values))


async def log_of(db: Database, user: User, notice: int) -> DeliveryLog:
    async with db.read() as session:
        return await read_log(session, user, notice)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"state": "sent"}, ""),
        ({"state": "skipped", "reason": "read"}, "You had already read it in the app."),
        ({"state": "skipped", "reason": "gone"}, "Email to this address was permanently refused."),
        (REFUSED | {"state": "failed"}, "mail.example refused it: 550 No such person"),
        (
            {"state": "pending", "attempts": 2, "failure": "unavailable", "status_code": 451},
            "Tried 2 times so far. The service asked to try again later: 451",
        ),
        (
            {"state": "pending", "reason": "outage"},
            "The service cannot be reached. We will try again.",
        ),
        (
            REFUSED | {"state": "dead", "reason": "expired"},
            "It expired before it could be delivered. mail.example refused it: 550 No such person",
        ),
        ({"state": "dead", "reason": "interrupted"}, "Every attempt was interrupted."),
    ],
)
async def test_each_outcome_is_explained(
    db: Database, bob: User, notice: int, values: dict[str, object], words: str
) -> None:
    await settle(db, **values)

    line = (await log_of(db, bob, notice)).lines[0]

    assert (line.channel.name, line.address_label) == (EMAIL, bob.email)
    assert (line.state, line.explanation) == (values["state"], words)


async def test_a_channel_that_was_turned_off_says_so(
    db: Database, alice: User, bob: User, video_squad: Team
) -> None:
    async with db.act() as session:
        await set_switch(session, bob, MEMBER_ADDED.name, EMAIL, wanted=False)
    notice = await added(db, alice, bob, video_squad)

    line = (await log_of(db, bob, notice)).lines[0]

    assert (line.state, line.explanation) == ("none", "You have turned this off.")


async def test_the_page_is_the_recipients_alone(
    client: httpx.AsyncClient, bob: User, carol: User, notice: int
) -> None:
    await sign_in(client, carol)
    assert (await client.get(f"/notifications/{notice}/deliveries")).status_code == 404

    await sign_in(client, bob)
    answer = await client.get(f"/notifications/{notice}/deliveries")
    assert bob.email in text_of(answer)
