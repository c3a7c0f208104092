from typing import Any

import pytest

from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.inbox import filter_names
from app.notifications.inbox.filter_names import Names, read_names
from app.notifications.inbox.filters import Filter
from app.notifications.notify import notify
from app.teams.membership import remove_member
from tests.factories import make_team
from tests.notifications.inbox.conftest import Alter, Tell

NOTHING: Names = {"actor": {}, "team": {}, "project": {}}


async def names(
    db: Database, user: User, wanted: Filter | None = None, *, with_choices: bool = False
) -> Names:
    async with db.read() as session:
        return await read_names(session, user.id, wanted or Filter(), with_choices=with_choices)


async def rename(db: Database, actor: User, team: Team) -> None:
    facts: dict[str, Any] = {"old_name": "A", "new_name": "B"}
    async with db.act() as session:
        await notify(session, TEAM_UPDATED, actor=actor, team=team, **facts)


async def test_users_who_occur_in_the_inbox_can_be_chosen(
    db: Database, alice: User, bob: User, carol: User, squad: Team, tell_bob: Tell
) -> None:
    await tell_bob(2)
    await rename(db, carol, squad)

    assert await names(db, bob, with_choices=True) == {
        "actor": {alice.id: "alice", carol.id: "carol"},
        "team": {squad.id: squad.name},
        "project": {},
    }
    assert await names(db, bob) == NOTHING


async def test_the_choices_are_those_of_the_view(
    db: Database, bob: User, tell_bob: Tell, alter: Alter
) -> None:
    await alter(await tell_bob(1), folder="done")

    assert await names(db, bob, with_choices=True) == NOTHING
    done = await names(db, bob, Filter({"view": ("done",)}), with_choices=True)
    assert list(done["actor"].values()) == ["alice"]


async def test_of_many_users_the_latest_and_the_chosen_one_can_be_chosen(
    db: Database,
    alice: User,
    bob: User,
    carol: User,
    squad: Team,
    tell_bob: Tell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filter_names, "MOST_NAMES", 1)
    await tell_bob(1)
    await rename(db, carol, squad)

    last = await names(db, bob, with_choices=True)
    chosen = await names(db, bob, Filter({"actor": (alice.id,)}), with_choices=True)

    assert last["actor"] == {carol.id: "carol"}
    assert chosen["actor"] == {alice.id: "alice", carol.id: "carol"}


async def test_an_id_reveals_no_name_outside_the_users_notifications(
    db: Database, alice: User, bob: User, carol: User, tell_bob: Tell, alter: Alter
) -> None:
    secret = await make_team(db, carol, "Secret", editors=[alice])
    await rename(db, carol, secret)
    ids = await tell_bob(1)
    wanted = Filter({"actor": (alice.id, carol.id), "team": (secret.id,)})

    assert await names(db, bob, wanted) == {**NOTHING, "actor": {alice.id: "alice"}}
    await alter(ids, hidden=True)
    assert await names(db, bob, wanted, with_choices=True) == NOTHING


async def test_a_team_that_the_user_has_left_is_not_named_as_it_is_called_now(
    db: Database, alice: User, bob: User, squad: Team, tell_bob: Tell
) -> None:
    await tell_bob(1)
    async with db.act() as session:
        await remove_member(session, alice, squad.id, bob.id)

    wanted = Filter({"team": (squad.id,)})
    assert (await names(db, bob, wanted, with_choices=True))["team"] == {}


async def test_teams_that_the_user_has_left_leave_room_for_the_others(
    db: Database,
    alice: User,
    bob: User,
    squad: Team,
    tell_bob: Tell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filter_names, "MOST_NAMES", 1)
    await tell_bob(1)
    left = await make_team(db, alice, "Left", editors=[bob])
    await rename(db, alice, left)
    async with db.act() as session:
        await remove_member(session, alice, left.id, bob.id)

    assert (await names(db, bob, with_choices=True))["team"] == {squad.id: squad.name}
