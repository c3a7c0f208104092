"""Placeholders, and names and titles that look like numbers."""

import runpy

import pytest
from litestar import Litestar
from sqlalchemy import select

from app.database import Database
from app.models import Membership, Team, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.live import placeholders
from app.notifications.live.html import Bells
from app.notifications.live.placeholders import COUNT, ID, POSITION
from app.notifications.live.publisher import StreamPublisher
from app.notifications.notify import notify
from tests.factories import make_account, make_team
from tests.notifications.api.listening import Program, program_of
from tests.notifications.live.test_follower import Recorder, following

# The greatest number that JSON has everywhere, which once was a placeholder.
GREATEST = 2**53 - 1


@pytest.fixture
async def program(app: Litestar, db: Database, bob: User) -> Program:
    """Bob's."""
    return await program_of(db, bob)


def test_placeholders_are_three_different_numbers_of_equal_length() -> None:
    numbers = {str(number) for number in (ID, POSITION, COUNT)}

    assert [len(number) for number in numbers] == [18, 18, 18]


def test_every_process_draws_its_own() -> None:
    again = runpy.run_path(placeholders.__file__)

    assert not {ID, POSITION, COUNT} & {again[name] for name in ("ID", "POSITION", "COUNT")}


async def make_named_by(db: Database, number: int, reader: User) -> tuple[User, Team]:
    """A user of this name, and their team, in which the reader is."""
    owner = await make_account(db, str(number))
    return owner, await make_team(db, owner, f"Team {number}", editors=[reader])


async def send(db: Database, number: int, sender: User, team: Team, reader: User) -> None:
    async with db.act() as session:
        all_members = select(Membership.user_id, Membership.team_id)
        await notify(
            session,
            CUSTOM,
            actor=sender,
            team=team,
            recipients=all_members.where(Membership.user_id == reader.id),
            title=f"Part {number} is done",
            priority="high",
        )


async def test_a_program_hears_of_a_title_a_team_and_a_user_named_by_a_number(
    app: Litestar, db: Database, bob: User, program: Program
) -> None:
    sender, team = await make_named_by(db, GREATEST, bob)
    program.connect(app)
    await program.until("hello")

    await send(db, GREATEST, sender, team, bob)
    (told,) = await program.until("notification")

    assert told.data["message"] == f"Part {GREATEST} is done"
    assert told.data["actor"]["username"] == str(GREATEST)
    assert told.data["team"]["name"] == f"Team {GREATEST}"
    assert (told.data["id"], told.data["unread_count"]) == (1, 1)


async def test_a_page_shows_a_title_a_team_and_a_user_named_by_a_number(
    db: Database, bob: User
) -> None:
    sender, team = await make_named_by(db, GREATEST, bob)
    hub = Recorder(bob)
    async with following(db, hub, StreamPublisher(db, hub, Bells(db))):
        await send(db, GREATEST, sender, team, bob)
        update = await hub.next_for(bob)

    opening = (await Bells(db).opening(bob.id, 0)).frames.decode()
    for shown in (update, opening):
        assert f"Part {GREATEST} is done" in shown
        assert f"Team {GREATEST}" in shown
        assert f"<bdi>{GREATEST}</bdi>" in shown
