"""A newer event with the same collapse_key takes the place of the older one."""

from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar
from sqlalchemy import delete, literal, select, update

from app import clock
from app.database import Database
from app.errors import NotFound
from app.models import Delivery, Notification, Project, Share, Team, User
from app.notifications.delivery.retention import clean_up
from app.notifications.events.catalogue import CUSTOM
from app.notifications.events.event_type import EMAIL
from app.notifications.events.notices import Notice
from app.notifications.inbox import acts
from app.notifications.inbox.bulk_actions import snooze
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.history import read_history
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.totals import count_totals
from app.notifications.notify import notify
from app.notifications.supersede import Collapsing
from app.notifications.withdraw import withdraw_project, withdraw_team
from app.teams.membership import add_member
from tests.bell import newest_notices
from tests.factories import make_team
from tests.notifications.api.listening import program_of
from tests.notifications.conftest import Hands
from tests.notifications.inbox.test_groups import groups_of
from tests.notifications.seen import made_at
from tests.switching import set_switch
from tests.teams.conftest import share as shared_project


@pytest.fixture
async def squad(db: Database, alice: User, bob: User, carol: User) -> Team:
    return await make_team(db, alice, editors=[bob])


async def send(
    db: Database,
    actor: User,
    team: Team,
    title: str,
    key: str = "deploy",
    *,
    project: Project | None = None,
    quiet: bool = False,
) -> None:
    async with db.act() as session:
        await notify(
            session,
            CUSTOM,
            actor=actor,
            team=team,
            project=project,
            title=title,
            collapsing=Collapsing(key, quiet) if key else None,
        )


async def inbox(db: Database, user: User) -> list[Notice]:
    async with db.read() as session:
        return await newest_notices(session, user.id)


async def history(db: Database, user: User, notice: Notice) -> list[str]:
    async with db.read() as session:
        return [one.text for one in await read_history(session, user.id, notice.id)]


async def carry_out(db: Database, user: User, act: acts.Act) -> str:
    async with db.act() as session:
        seen = Selection(filter=Filter({"view": ("all",)}))
        return (await acts.carry_out(session, user.id, act, seen))[1]


async def test_one_row_shows_the_newest_at_the_top_and_keeps_the_earlier_ones(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "10 %")
    await send(db, alice, squad, "Something else", key="")
    [_other, before] = await inbox(db, bob)

    await send(db, alice, squad, "50 %")
    await send(db, alice, squad, "100 %")

    notice, other = await inbox(db, bob)
    assert (notice.id, notice.text, other.text) == (before.id, "100 %", "Something else")
    assert notice.position > other.position
    assert (before.updated_at, notice.updated_at is not None) == (None, True)
    assert await history(db, bob, notice) == ["50 %", "10 %"]
    async with db.read() as session:
        totals = await count_totals(session, bob.id, Filter())
    assert (totals.total, totals.unread_count) == (2, 2)
    assert totals.position == notice.position


async def test_keys_of_other_teams_are_other_keys(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    others = await make_team(db, alice, "Others", editors=[bob])

    await send(db, alice, squad, "Here")
    await send(db, alice, others, "There")

    assert [one.text for one in await inbox(db, bob)] == ["There", "Here"]


ACTS = {
    "read": acts.reading,
    "done": acts.doing,
    "deleted": acts.deleting,
}


@pytest.mark.parametrize("name", ACTS)
async def test_it_comes_back_unread_whatever_its_reader_did(
    db: Database, alice: User, bob: User, squad: Team, name: str
) -> None:
    await send(db, alice, squad, "Failed")
    undo = await carry_out(db, bob, ACTS[name]())

    await send(db, alice, squad, "Mended")

    [notice] = await inbox(db, bob)
    assert (notice.text, notice.is_read, notice.is_done) == ("Mended", False, False)
    async with db.act() as session:
        with pytest.raises(NotFound):
            await acts.undo(session, bob.id, undo)


@pytest.mark.parametrize("name", ACTS)
async def test_a_quiet_one_leaves_it_read_or_done_or_deleted(
    db: Database, alice: User, bob: User, squad: Team, name: str
) -> None:
    await send(db, alice, squad, "10 %")
    undo = await carry_out(db, bob, ACTS[name]())

    await send(db, alice, squad, "20 %", quiet=True)

    shown = [(one.text, one.is_read) for one in await inbox(db, bob)]
    assert shown == ([("20 %", True)] if name == "read" else [])
    async with db.act() as session:
        await acts.undo(session, bob.id, undo)
    assert [(one.text, one.is_read) for one in await inbox(db, bob)] == [("20 %", False)]


async def test_users_who_join_later_get_a_notification_without_history(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    await send(db, alice, squad, "10 %")
    async with db.act() as session:
        await add_member(session, alice, squad.id, "carol", "editor")

    await send(db, alice, squad, "20 %")

    notice = (await inbox(db, carol))[0]
    assert (notice.text, notice.updated_at) == ("20 %", None)
    assert await history(db, carol, notice) == []


async def test_users_who_regain_access_get_a_new_notification(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "10 %")
    async with db.act() as session:
        await withdraw_team(session, squad.id, select(User.id).where(User.id == bob.id))

    await send(db, alice, squad, "20 %")

    [notice] = await inbox(db, bob)
    assert notice.text == "20 %"
    assert await history(db, bob, notice) == []


async def deliveries(db: Database) -> list[tuple[str, str]]:
    async with db.read() as session:
        rows = await session.execute(select(Delivery.channel, Delivery.state).order_by(Delivery.id))
        return [(channel, state) for channel, state in rows]


@pytest.mark.parametrize(
    ("state", "quiet", "left"),
    [
        ("pending", False, ["pending"]),
        ("sent", False, ["pending"]),
        ("skipped", False, ["pending"]),
        ("pending", True, ["pending"]),
        ("sent", True, ["sent"]),
    ],
)
async def test_a_newer_one_is_delivered_once_unless_it_is_quiet(
    db: Database, alice: User, bob: User, squad: Team, state: str, quiet: bool, left: list[str]
) -> None:
    async with db.act() as session:
        await set_switch(session, bob, CUSTOM.name, EMAIL, wanted=True)
    await send(db, alice, squad, "10 %")
    async with db.write() as session:
        await session.execute(update(Delivery).values(state=state))

    await send(db, alice, squad, "20 %", quiet=quiet)

    assert await deliveries(db) == [(EMAIL, one) for one in left]


async def test_mail_about_a_newer_one_does_not_wait_for_the_end_of_a_snooze(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    async with db.act() as session:
        await set_switch(session, bob, CUSTOM.name, EMAIL, wanted=True)
    await send(db, alice, squad, "10 %")
    back = clock.now() + timedelta(days=7)
    async with db.act() as session:
        await snooze(session, bob.id, Selection(filter=Filter()), back)

    await send(db, alice, squad, "Failed")

    async with db.read() as session:
        [delivery] = await session.scalars(select(Delivery))
    assert (delivery.reason, delivery.due_at < back) == (None, True)


async def test_retention_keeps_the_history_of_kept_notifications(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set(clock.now())
    await send(db, alice, squad, "10 %")
    await send(db, alice, squad, "20 %")
    hands.move(timedelta(days=30))

    await clean_up(db, 7)

    [notice] = await inbox(db, bob)
    assert await history(db, bob, notice) == ["10 %"]


async def test_streams_send_the_whole_object_and_resume_with_each_change(
    app: Litestar, db: Database, alice: User, bob: User, squad: Team
) -> None:
    program = await program_of(db, bob)
    program.connect(app)
    await program.until("hello")
    since = program.last
    await send(db, alice, squad, "10 %")
    live = await program.until("notification")
    await send(db, alice, squad, "20 %")
    live += await program.until("updated")
    await program.hang_up()
    program.last = since
    program.connect(app)
    _hello, *resumed = await program.until("hello", "notification", "updated")

    [notice] = await inbox(db, bob)
    for told in (live, resumed):
        said = [(one.event, one.data["id"], one.data["message"]) for one in told]
        assert said == [("notification", notice.id, "10 %"), ("updated", notice.id, "20 %")]
        assert told[1].id == told[1].data["position"] == notice.position
        assert told[1].data["unread_count"] == 1
    assert [one.id for one in live] == [one.id for one in resumed]


async def test_the_history_of_other_users_is_not_found(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    await send(db, alice, squad, "10 %")
    [notice] = await inbox(db, bob)

    with pytest.raises(NotFound):
        await history(db, carol, notice)


async def test_it_leaves_its_former_group(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    for number, group in enumerate(("a", "a", "b")):
        async with db.act() as session:
            facts: dict[str, Any] = {"group_key": group, "title": str(number)}
            collapsing = Collapsing(f"key {number}")
            await notify(session, CUSTOM, actor=alice, team=squad, collapsing=collapsing, **facts)
    assert [group.count for group in await groups_of(db, bob)] == [1, 2]

    async with db.act() as session:
        facts = {"group_key": "b", "title": "moved"}
        await notify(
            session, CUSTOM, actor=alice, team=squad, collapsing=Collapsing("key 0"), **facts
        )

    assert [group.count for group in await groups_of(db, bob)] == [2, 1]
    async with db.read() as session:
        assert len((await session.scalars(select(Notification.id))).all()) == 3


async def test_a_watermark_by_id_spares_what_arrived_before_an_older_one_was_updated(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "10 %")
    await send(db, alice, squad, "Seen", key="")
    [seen, _first] = await inbox(db, bob)
    await send(db, alice, squad, "Not seen", key="")
    await send(db, alice, squad, "100 %")

    assert await made_at(db, bob, seen.id) == seen.position


async def test_the_history_about_a_project_is_withdrawn_with_it(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    project = await shared_project(db, alice, "Highlight Reel", squad)
    await send(db, alice, squad, "Rendering 'Highlight Reel'", project=project)
    await send(db, alice, squad, "Waiting for work")
    [notice] = await inbox(db, bob)
    assert await history(db, bob, notice) == ["Rendering 'Highlight Reel'"]

    async with db.act() as session:
        await session.execute(delete(Share).where(Share.project_id == project.id))
        await withdraw_project(session, project.id, select(User.id).where(User.id == bob.id))

    assert [one.text for one in await inbox(db, bob)] == ["Waiting for work"]
    assert await history(db, bob, notice) == []


async def test_keys_of_other_senders_are_other_keys_where_no_team_is_named(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    only_bob = select(User.id.label("user_id"), literal(0).label("team_id"))
    for actor, title in ((alice, "Of alice"), (carol, "Of carol"), (alice, "Of alice again")):
        async with db.act() as session:
            await notify(
                session,
                CUSTOM,
                actor=actor,
                recipients=only_bob.where(User.id == bob.id),
                title=title,
                collapsing=Collapsing("deploy"),
            )

    assert [one.text for one in await inbox(db, bob)] == ["Of alice again", "Of carol"]
