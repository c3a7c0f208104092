"""Taking one's data along, and deleting an account."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from litestar.serialization import encode_json
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.account_closure import closing
from app.account_closure.archive import export_account
from app.account_closure.closing import Farewell, delete_account
from app.database import Database
from app.errors import Conflict, Invalid
from app.models import Event, Invitation, Membership, Notification, Team, User
from app.notifications.events.catalogue import INVITATION_RECEIVED, MEMBER_ADDED
from app.notifications.notify import notify
from app.settings import Settings
from tests.factories import PASSWORD, make_team


@pytest.fixture
def farewells() -> Iterator[list[Farewell]]:
    before = closing.farewells[:]
    closing.farewells.clear()
    yield closing.farewells
    closing.farewells[:] = before


async def welcome_bob(db: Database, alice: User, bob: User) -> Team:
    """Bob is in Alice's team, and she was told; returns the team."""
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=bob, affected=bob, team=team, role="editor")
    return team


async def test_what_a_person_did_stays_without_their_name(
    db: Database, settings: Settings, alice: User, bob: User, farewells: list[Farewell]
) -> None:
    await welcome_bob(db, alice, bob)

    await delete_account(db, settings, bob, PASSWORD)

    async with db.read() as session:
        joined, left = (await session.scalars(select(Event).order_by(Event.id))).all()
        assert await session.get(User, bob.id) is None
    assert [joined.type, left.type] == ["member_added", "member_left"]
    assert [joined.context["username"], left.context["username"]] == ["Someone", "Someone"]
    assert (left.actor_id, left.affected_id) == (None, None)


async def test_all_that_is_theirs_alone_goes_along(
    db: Database, settings: Settings, alice: User, bob: User, farewells: list[Farewell]
) -> None:
    await welcome_bob(db, alice, bob)
    await make_team(db, bob, "Bob alone")
    await delete_account(db, settings, bob, PASSWORD)

    async with db.read() as session:
        assert (await session.scalars(select(Team.name))).all() == ["Video Squad"]
        assert (await session.scalars(select(Membership.user_id))).all() == [alice.id]
        assert set(await session.scalars(select(Notification.user_id))) == {alice.id}


async def test_nobody_is_left_with_an_invitation_to_a_team_that_is_gone(
    db: Database, settings: Settings, alice: User, bob: User, farewells: list[Farewell]
) -> None:
    team = await make_team(db, bob, "Bob alone")
    async with db.act() as session:
        invitation = Invitation(
            team_id=team.id,
            inviter_id=bob.id,
            email=alice.email,
            email_key=alice.email_key,
            role="editor",
            expires_at=clock.now() + timedelta(days=7),
        )
        session.add(invitation)
        await notify(
            session,
            INVITATION_RECEIVED,
            actor=bob,
            affected=alice,
            team=team,
            invitation=invitation,
            role="editor",
            inviter="bob",
        )

    await delete_account(db, settings, bob, PASSWORD)

    async with db.read() as session:
        notice = (await session.scalars(select(Notification))).one()
        event = (await session.scalars(select(Event))).one()
    assert notice.deleted_at is not None
    assert event.context["inviter"] == "Someone"


async def test_who_owns_a_team_with_others_hands_it_over_first(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    await welcome_bob(db, alice, bob)

    with pytest.raises(Conflict, match="Video Squad"):
        await delete_account(db, settings, alice, PASSWORD)

    async with db.read() as session:
        assert await session.get(User, alice.id) is not None


async def test_deleting_takes_the_password(db: Database, settings: Settings, alice: User) -> None:
    with pytest.raises(Invalid) as caught:
        await delete_account(db, settings, alice, "wrong")

    assert set(caught.value.fields) == {"password"}


async def test_files_go_once_the_account_is_gone(
    db: Database, settings: Settings, alice: User, tmp_path: Path, farewells: list[Farewell]
) -> None:
    clip, gone = tmp_path / "clip", tmp_path / "gone already"
    clip.touch()

    async def leave(_session: AsyncSession, _settings: Settings, _account: User) -> list[Path]:
        return [clip, gone]

    farewells.append(leave)
    await delete_account(db, settings, alice, PASSWORD)

    assert not clip.exists()


async def test_the_export_tells_what_is_stored(db: Database, alice: User, bob: User) -> None:
    await welcome_bob(db, alice, bob)

    async with db.read() as session:
        archive = json.loads(encode_json(await export_account(session, alice)))

    assert archive["account"]["email"] == "alice@example.com"
    assert [team["name"] for team in archive["teams"]] == ["Video Squad"]
    assert [notice["message"] for notice in archive["notifications"]] == [
        "bob joined the team as editor"
    ]


async def test_the_export_holds_no_secrets_and_nobody_else(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    await welcome_bob(db, alice, bob)

    async with db.read() as session:
        text = encode_json(await export_account(session, alice)).decode()

    assert alice.password_hash not in text
    assert "bob@example.com" not in text
    assert "carol" not in text
