"""Exporting and deleting an account."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from itertools import count

import pytest
from litestar.serialization import encode_json
from sqlalchemy import select, update

from app.account_lifecycle import closing
from app.account_lifecycle.archive import export_account
from app.account_lifecycle.closing import AT_ONCE, delete_account, delete_managed_account
from app.account_lifecycle.suspension import suspend
from app.accounts.passwords import change_password
from app.accounts.sessions import find_session, start_session
from app.accounts.sign_in_places import remember
from app.accounts.tokens import create_token, find_token
from app.database import Database
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import Clip, Event, Membership, Notification, Project, Share, Team, User
from app.notifications.events.catalogue import INVITATION_RECEIVED, MEMBER_ADDED, TYPES
from app.notifications.events.event_type import ACCOUNT
from app.notifications.inbox.filters import UTC
from app.notifications.inbox.saved_views import create_view
from app.notifications.notify import notify
from app.notifications.preferences.switches import change
from app.notifications.search.index import events_found
from app.notifications.search.query import parse_query
from app.settings import Settings
from app.teams.invitations import invite
from app.teams.membership import hand_over
from app.teams.responses import accept
from tests.bell import bell_of
from tests.factories import PASSWORD, make_account, make_team
from tests.teams.conftest import share

BetweenActs = Callable[[Callable[[], Awaitable[object]]], None]


@pytest.fixture
def between_acts(monkeypatch: pytest.MonkeyPatch) -> Iterator[BetweenActs]:
    """Has something done once, in the first pause of a deletion that takes several acts. Fails if
    there was no pause.
    """
    to_do = list[Callable[[], Awaitable[object]]]()

    async def pause() -> None:
        while to_do:
            await to_do.pop()()

    monkeypatch.setattr(closing, "_pause", pause)
    yield to_do.append
    assert to_do == []


async def add_bob(db: Database, alice: User, bob: User) -> Team:
    """Bob is in Alice's team, and she was notified; returns the team."""
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=bob, affected=bob, team=team, role="editor")
    return team


async def add_clips(db: Database, project: Project, *names: str) -> None:
    async with db.write() as session:
        for position, name in enumerate(names):
            clip = Clip(project_id=project.id, position=position, filename=name, stored_as=name)
            clip.uploader_id, clip.size, clip.duration = project.owner_id, 1, 1.0
            clip.width, clip.height = 16, 16
            session.add(clip)


async def test_events_of_a_deleted_user_stay_without_the_name(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    await add_bob(db, alice, bob)

    await delete_account(db, settings, bob, PASSWORD)

    async with db.read() as session:
        joined, left = (await session.scalars(select(Event).order_by(Event.id))).all()
        assert await session.get(User, bob.id) is None
    assert [joined.type, left.type] == ["member_added", "member_left"]
    assert [joined.context["username"], left.context["username"]] == ["Someone", "Someone"]
    assert (left.actor_id, left.affected_id) == (None, None)


async def test_the_name_of_a_deleted_user_is_not_found_any_more(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    await add_bob(db, alice, bob)
    named, from_him = [events_found(parse_query(q), alice.id) for q in ("bob", "from:bob")]
    async with db.read() as session:
        assert len((await session.scalars(named)).all()) == 1
        assert len((await session.scalars(from_him)).all()) == 1

    await delete_account(db, settings, bob, PASSWORD)

    someone = events_found(parse_query("someone"), alice.id)
    async with db.read() as session:
        assert (await session.scalars(named)).all() == []
        assert (await session.scalars(from_him)).all() == []
        assert len((await session.scalars(someone)).all()) == 2


async def test_account_events_of_a_deleted_user_lose_their_context(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    async with db.act() as session:
        for event_type in (one for one in TYPES.values() if one.heading == ACCOUNT):
            await notify(session, event_type, affected=bob, **event_type.example)

    await delete_account(db, settings, bob, PASSWORD)

    async with db.read() as session:
        contexts = (await session.scalars(select(Event.context))).all()
    assert contexts == [{}] * 4


async def test_everything_of_the_user_alone_is_deleted(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    await add_bob(db, alice, bob)
    await make_team(db, bob, "Bob alone")
    await delete_account(db, settings, bob, PASSWORD)

    async with db.read() as session:
        assert (await session.scalars(select(Team.name))).all() == ["Video Squad"]
        assert (await session.scalars(select(Membership.user_id))).all() == [alice.id]
        assert set(await session.scalars(select(Notification.user_id))) == {alice.id}


async def test_an_invitation_to_a_deleted_team_is_withdrawn(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    team = await make_team(db, bob, "Bob alone")
    async with db.act() as session:
        await invite(session, bob, team.id, alice.email, "editor")

    await delete_account(db, settings, bob, PASSWORD)

    async with db.read() as session:
        sent = select(Event).where(Event.type == INVITATION_RECEIVED.name)
        event = (await session.scalars(sent)).one()
    assert await bell_of(db, alice) == []
    assert event.context["inviter"] == "Someone"


async def test_the_owner_of_a_team_with_members_cannot_be_deleted(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    await add_bob(db, alice, bob)

    with pytest.raises(Conflict, match="Video Squad"):
        await delete_account(db, settings, alice, PASSWORD)

    async with db.read() as session:
        assert await session.get(User, alice.id) is not None


async def test_deleting_requires_the_password(
    db: Database, settings: Settings, alice: User
) -> None:
    with pytest.raises(Invalid) as caught:
        await delete_account(db, settings, alice, "wrong")

    assert set(caught.value.fields) == {"password"}


async def test_projects_are_deleted_with_their_files_and_their_teams_are_notified(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])
    project = await share(db, bob, "Highlight Reel", team)
    await add_clips(db, project, "clip", "clip whose file is missing")
    file = settings.clips_dir / "clip"
    file.parent.mkdir(exist_ok=True)
    file.touch()

    await delete_account(db, settings, bob, PASSWORD)

    assert not file.exists()
    async with db.read() as session:
        assert (await session.scalars(select(Project))).all() == []
    assert await bell_of(db, alice) == [
        "Someone left the team",
        "Project 'Highlight Reel' is no longer shared with team 'Video Squad'",
    ]


async def test_many_projects_are_deleted_in_several_acts_and_each_is_reported_once(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])
    for number in range(2 * AT_ONCE + 1):
        await share(db, bob, f"Reel {number}", team)
    commits = db.version()[0]

    await delete_account(db, settings, bob, PASSWORD)

    assert db.version()[0] - commits == 3
    async with db.read() as session:
        types = (await session.scalars(select(Event.type).order_by(Event.id))).all()
        assert await session.get(User, bob.id) is None
    assert types == ["project_unshared"] * (2 * AT_ONCE + 1) + ["member_left"]


async def test_an_interrupted_deletion_leaves_an_account_that_can_be_deleted_again(
    db: Database, settings: Settings, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await make_team(db, alice, editors=[bob])
    for number in range(AT_ONCE + 1):
        await share(db, bob, f"Reel {number}", team)
    for number in range(AT_ONCE):
        await make_team(db, bob, f"Bob alone {number}")

    pauses = count(1)

    async def interrupt() -> None:
        if next(pauses) == 2:
            raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(closing, "_pause", interrupt)
        with pytest.raises(asyncio.CancelledError):
            await delete_account(db, settings, bob, PASSWORD)
    async with db.read() as session:
        left = (await session.scalars(select(Project.name))).all()
        assert (await session.scalars(select(Team.id))).all() == [team.id]
        assert (await session.get_one(User, bob.id)).username == "bob"

    await delete_account(db, settings, bob, PASSWORD)

    assert left == [f"Reel {AT_ONCE}"]
    async with db.read() as session:
        assert (await session.scalars(select(Project))).all() == []
        assert await session.get(User, bob.id) is None


async def test_the_projects_of_an_account_that_cannot_be_deleted_stay(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    await add_bob(db, alice, bob)
    await share(db, alice, "Highlight Reel")

    with pytest.raises(Conflict):
        await delete_account(db, settings, alice, PASSWORD)

    async with db.read() as session:
        assert (await session.scalars(select(Project.name))).all() == ["Highlight Reel"]


async def test_nobody_can_join_a_team_of_the_user_alone_once_projects_are_deleted(
    db: Database, settings: Settings, alice: User, bob: User, between_acts: BetweenActs
) -> None:
    team = await make_team(db, alice, "Alice alone")
    async with db.act() as session:
        invitation = await invite(session, alice, team.id, bob.email, "editor")
    for number in range(AT_ONCE + 1):
        await share(db, alice, f"Reel {number}")

    async def accept_it() -> None:
        async with db.act() as session:
            with pytest.raises(NotFound):
                await accept(session, bob, invitation.id)

    between_acts(accept_it)
    await delete_account(db, settings, alice, PASSWORD)

    async with db.read() as session:
        assert await session.get(User, alice.id) is None


async def test_a_team_that_the_user_is_given_while_projects_are_deleted_goes_to_its_oldest_admin(
    db: Database, settings: Settings, alice: User, bob: User, between_acts: BetweenActs
) -> None:
    team = await make_team(db, alice, editors=[bob])
    for number in range(AT_ONCE + 1):
        await share(db, bob, f"Reel {number}")

    async def give_it() -> None:
        async with db.act() as session:
            await hand_over(session, alice, team.id, bob.id)

    between_acts(give_it)
    await delete_account(db, settings, bob, PASSWORD)

    async with db.read() as session:
        member = (await session.scalars(select(Membership))).one()
        assert (member.user_id, member.role) == (alice.id, "owner")
        assert await session.get(User, bob.id) is None


@pytest.mark.parametrize("ends_by", ["password", "suspension"])
async def test_a_deletion_stops_when_the_password_is_changed_or_the_account_suspended_meanwhile(
    db: Database, settings: Settings, alice: User, between_acts: BetweenActs, ends_by: str
) -> None:
    root = await make_account(db, "root")
    for number in range(AT_ONCE + 1):
        await share(db, alice, f"Reel {number}")

    async def end_authority() -> None:
        if ends_by == "password":
            await change_password(db, alice, current=PASSWORD, new="another long password")
        else:
            async with db.act() as session:
                await suspend(session, root, alice.id)

    between_acts(end_authority)
    with pytest.raises(Conflict if ends_by == "password" else Forbidden):
        await delete_account(db, settings, alice, PASSWORD)

    async with db.read() as session:
        assert (await session.scalars(select(Project.name))).all() == [f"Reel {AT_ONCE}"]
        assert await session.get(User, alice.id) is not None


async def test_a_team_that_is_left_keeps_its_other_members_and_projects(
    db: Database, settings: Settings, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(db, alice, editors=[bob], viewers=[carol])
    await share(db, alice, "Best Clips", team)

    await delete_account(db, settings, bob, PASSWORD)

    async with db.read() as session:
        members = select(Membership.user_id).order_by(Membership.user_id)
        assert (await session.scalars(members)).all() == [alice.id, carol.id]
        assert (await session.scalars(select(Share.team_id))).all() == [team.id]


async def test_an_administrator_hands_the_teams_of_a_deleted_user_to_their_oldest_admin(
    db: Database, settings: Settings, alice: User, bob: User, carol: User
) -> None:
    root, dora = [await make_account(db, name) for name in ("root", "dora")]
    team = await make_team(db, alice, admins=[carol, bob], editors=[dora])
    async with db.write() as session:
        (await session.get_one(Membership, (team.id, bob.id))).joined_at -= timedelta(days=1)

    await delete_managed_account(db, settings, root, alice.id)

    async with db.read() as session:
        roles = select(User.username, Membership.role).join(User, User.id == Membership.user_id)
        assert dict((await session.execute(roles)).all()) == {
            "bob": "owner",
            "carol": "admin",
            "dora": "editor",
        }
        assert await session.get(User, alice.id) is None
    assert await bell_of(db, bob) == [
        "Someone left the team",
        "Your role in team 'Video Squad' changed from admin to owner",
    ]
    assert await bell_of(db, dora) == [
        "Someone left the team",
        "bob's role changed from admin to owner",
    ]


async def test_a_suspended_admin_inherits_a_team_only_where_there_is_no_other(
    db: Database, settings: Settings, alice: User, bob: User, carol: User
) -> None:
    root = await make_account(db, "root")
    first = await make_team(db, alice, "First", admins=[bob, carol])
    second = await make_team(db, alice, "Second", admins=[bob])
    async with db.write() as session:
        await suspend(session, root, bob.id)

    await delete_managed_account(db, settings, root, alice.id)

    async with db.read() as session:
        owners = select(Membership.team_id, Membership.user_id).where(Membership.role == "owner")
        assert dict((await session.execute(owners)).all()) == {
            first.id: carol.id,
            second.id: bob.id,
        }


async def test_a_team_without_an_admin_is_deleted_as_its_owner_would(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    root = await make_account(db, "root")
    await add_bob(db, alice, bob)

    await delete_managed_account(db, settings, root, alice.id)

    async with db.read() as session:
        assert (await session.scalars(select(Team))).all() == []
    assert await bell_of(db, bob) == ["Team 'Video Squad' was deleted"]


async def test_a_user_whom_an_administrator_deletes_loses_access_before_the_first_project_goes(
    db: Database, settings: Settings, alice: User, between_acts: BetweenActs
) -> None:
    root = await make_account(db, "root")
    async with db.act() as session:
        cookie = await start_session(session, alice, "")
        _token, key = await create_token(session, alice, name="script", scope="write")
    for number in range(AT_ONCE + 1):
        await share(db, alice, f"Reel {number}")
    access = list[object]()

    async def try_both() -> None:
        access.extend([await find_session(db, cookie), await find_token(db, key)])

    between_acts(try_both)
    await delete_managed_account(db, settings, root, alice.id)

    assert access == [None, None]


async def test_no_administrator_is_deleted_by_another_or_by_themself(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    async with db.write() as session:
        for user in (alice, bob):
            (await session.get_one(User, user.id)).is_admin = True

    for user in (alice, bob):
        with pytest.raises(Conflict):
            await delete_managed_account(db, settings, alice, user.id)

    async with db.read() as session:
        assert set(await session.scalars(select(User.username))) == {"alice", "bob"}


async def test_the_export_has_the_stored_data(db: Database, alice: User, bob: User) -> None:
    await add_bob(db, alice, bob)

    async with db.read() as session:
        archive = json.loads(encode_json(await export_account(session, alice)))

    assert archive["account"]["email"] == "alice@example.com"
    assert [team["name"] for team in archive["teams"]] == ["Video Squad"]
    assert [notice["message"] for notice in archive["notifications"]] == [
        "bob joined the team as editor"
    ]


async def test_the_export_leaves_out_a_notice_of_a_newer_version(
    db: Database, alice: User, bob: User
) -> None:
    """Two versions run while hosts are upgraded one after the other, or an upgrade is undone."""
    await add_bob(db, alice, bob)
    async with db.write() as session:
        await session.execute(update(Event).values(type="from_a_newer_version"))

    async with db.read() as session:
        archive = await export_account(session, alice)

    assert archive["notifications"] == []


async def test_the_export_has_how_the_inbox_looks_and_its_saved_views(
    db: Database, alice: User
) -> None:
    looks = {"grouping": False, "density": "compact", "shortcuts": False, "sound": True}
    looks["urgent_first"] = True
    async with db.act() as session:
        await change(session, alice, {**looks, "ungrouped_types": ["member_added"]})
        await create_view(session, alice, UTC, "Urgent", "priority=high")

    async with db.read() as session:
        archive = await export_account(session, await session.get_one(User, alice.id))

    assert {name: archive["account"][name] for name in looks} == looks
    assert archive["ungrouped_types"] == ["member_added"]
    assert [(one["name"], one["query"]) for one in archive["saved_views"]] == [
        ("Urgent", "priority=high")
    ]


async def test_the_export_says_from_where_its_user_has_signed_in(db: Database, alice: User) -> None:
    async with db.act() as session:
        await remember(session, alice, device="a secret", host="203.0.113.7")

    async with db.read() as session:
        places = (await export_account(session, alice))["sign_in_places"]

    assert sorted((one["kind"], one["network"]) for one in places) == [
        ("browser", None),
        ("network", "203.0.113.0/24"),
    ]


async def test_the_export_has_no_secrets_and_no_data_of_others(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    await add_bob(db, alice, bob)

    async with db.read() as session:
        text = encode_json(await export_account(session, alice)).decode()

    assert alice.password_hash not in text
    assert "bob@example.com" not in text
    assert "carol" not in text
