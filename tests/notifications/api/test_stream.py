"""The JSON stream: each change once, in order, also for a client that reconnects."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import delete, insert, select, text, update

from app import clock
from app.accounts.tokens import revoke_all_tokens
from app.database import Database
from app.models import Change, Event, Membership, Notification, Preference, Team, User
from app.models.notification import UPDATED
from app.notifications.events.catalogue import MEMBER_ADDED
from app.notifications.events.notices import Notice
from app.notifications.events.positions import last_position, record_change
from app.notifications.inbox import acts, feed
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.json_shapes import NotificationObject, as_json
from app.notifications.inbox.selection import Selection
from app.notifications.live import json
from app.notifications.live.hub import STREAMS_PER_USER
from app.notifications.notify import notify
from app.notifications.withdraw import withdraw_team
from tests.application import browser
from tests.conftest import sign_in
from tests.factories import make_team
from tests.notifications.api.listening import Program, program_of

URL = "/api/notifications"


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


@pytest.fixture
async def program(app: Litestar, db: Database, bob: User) -> Program:
    """Bob's."""
    return await program_of(db, bob)


async def tell(db: Database, squad: Team, alice: User, bob: User) -> int:
    """Alice adds bob; returns the id of his notification."""
    async with db.act() as session:
        event = await notify(
            session, MEMBER_ADDED, actor=alice, affected=bob, team=squad, role="editor"
        )
        mine = select(Notification.id).where(Notification.event_id == event.id)
        return int(await session.scalar(mine.where(Notification.user_id == bob.id)) or 0)


async def test_it_starts_with_the_count_and_the_present_id(
    app: Litestar, db: Database, squad: Team, alice: User, bob: User, program: Program
) -> None:
    await tell(db, squad, alice, bob)

    program.connect(app)
    (hello,) = await program.until("hello")

    present = await last_position(db)
    assert (hello.id, hello.data) == (present, {"unread_count": 1, "position": present})


async def test_a_notification_is_the_same_object_as_in_the_inbox(
    app: Litestar, db: Database, squad: Team, alice: User, bob: User, program: Program
) -> None:
    program.connect(app)
    await program.until("hello")

    id = await tell(db, squad, alice, bob)
    (told,) = await program.until("notification")

    async with browser(app) as client:
        client.headers["Authorization"] = f"Bearer {program.key}"
        shown = (await client.get(f"{URL}/{id}")).json()
    assert told.data == shown | {"unread_count": 1}
    assert told.id == await last_position(db)


async def test_each_kind_of_change_comes_with_the_count_after_it(
    app: Litestar, db: Database, squad: Team, alice: User, bob: User, program: Program
) -> None:
    first, second = [await tell(db, squad, alice, bob) for _ in range(2)]
    program.connect(app)
    await program.until("hello")
    told: list[tuple[str, dict[str, Any]]] = []

    async def note(event: str) -> None:
        told.extend((one.event, one.data) for one in await program.until(event))

    async with db.act() as session:
        await acts.mark(session, bob.id, Selection([first]), read=True)
    await note("read")
    async with db.act() as session:
        await acts.mark(session, bob.id, Selection([first]), read=False)
    await note("unread")
    async with db.act() as session:
        _count, undo = await acts.delete(session, bob.id, Selection([first, second]))
    await note("deleted")
    async with db.act() as session:
        await acts.undo(session, bob.id, undo)
    await note("restored")
    async with db.act() as session:
        made = await feed.made_at(session, bob.id, second)
        await acts.read_all(session, bob.id, made)
    await note("read")
    async with db.act() as session:
        everybody = select(Membership.user_id).where(Membership.team_id == squad.id)
        await withdraw_team(session, squad.id, everybody)
    await note("deleted")

    both = {"ids": [first, second]}
    assert told == [
        ("read", {"ids": [first], "unread_count": 1}),
        ("unread", {"ids": [first], "unread_count": 2}),
        ("deleted", both | {"unread_count": 0}),
        ("restored", both | {"unread_count": 2}),
        ("read", {"all": True, "up_to": second, "up_to_position": made, "unread_count": 0}),
        ("deleted", both | {"unread_count": 0}),
    ]


async def test_a_filtered_act_on_2500_comes_in_events_of_at_most_1000_ids(
    app: Litestar, db: Database, bob: User, program: Program
) -> None:
    async with db.write() as session:
        made = insert(Change).returning(Change.id)
        events = (await session.scalars(made, [{"kind": "event"}] * 2_500)).all()
        facts = {"type": "team_updated", "context": {"old_name": "A", "new_name": "B"}}
        await session.execute(insert(Event), [{"id": n} | facts for n in events])
        own = {"user_id": bob.id, "type": "team_updated", "hidden": False}
        await session.execute(insert(Notification), [{"event_id": n} | own for n in events])
    program.connect(app)
    await program.until("hello")

    async with db.act() as session:
        renamed = Filter({"type": ("team_updated",)})
        await acts.mark(session, bob.id, Selection(filter=renamed), read=True)
    told = await program.until("read", "read", "read")

    assert [len(one.data["ids"]) for one in told] == [1000, 1000, 500]
    assert len({id for one in told for id in one.data["ids"]}) == 2_500


@pytest.mark.parametrize("by", ["header", "query"])
async def test_a_client_that_reconnects_gets_each_missed_change_once(
    app: Litestar,
    db: Database,
    squad: Team,
    alice: User,
    bob: User,
    program: Program,
    by: str,
) -> None:
    program.connect(app)
    await program.until("hello")
    seen = await tell(db, squad, alice, bob)
    await program.until("notification")
    last = program.last
    await program.hang_up()
    missed = await tell(db, squad, alice, bob)
    async with db.act() as session:
        await acts.mark(session, bob.id, Selection([seen]), read=True)
        await acts.delete(session, bob.id, Selection([missed]))

    if by == "query":
        program.last = ""
    program.connect(app, query=f"since={last if by == 'query' else 'nonsense'}")
    hello, *told = await program.until("hello", "notification", "read", "deleted")
    present = await last_position(db)
    coming = await tell(db, squad, alice, bob)
    told += await program.until("notification")

    assert (hello.id, hello.data) == (int(last), {"unread_count": 0, "position": present})
    assert [(one.event, one.data.get("id") or one.data["ids"]) for one in told] == [
        ("notification", missed),
        ("read", [seen]),
        ("deleted", [missed]),
        ("notification", coming),
    ]
    ids = [one.id for one in told]
    assert ids == sorted(set(ids))
    assert ids[0] > int(last)


async def test_a_client_that_missed_more_than_fits_one_part_gets_it_all(
    app: Litestar, db: Database, squad: Team, alice: User, bob: User, program: Program
) -> None:
    program.connect(app)
    await program.until("hello")
    await program.hang_up()
    id = await tell(db, squad, alice, bob)
    async with db.act() as session:
        for number in range(1_200):
            await acts.mark(session, bob.id, Selection([id]), read=number % 2 == 0)

    program.connect(app)
    await program.connection.until(lambda: len(program.waiting()) == 1_202)
    hello, first, *others = program.take()

    assert (hello.event, first.event) == ("hello", "notification")
    assert [one.event for one in others] == ["read", "unread"] * 600
    assert [one.id for one in others] == sorted({one.id for one in others})


async def test_a_notification_withdrawn_meanwhile_is_not_sent(
    app: Litestar, db: Database, squad: Team, alice: User, bob: User, program: Program
) -> None:
    program.connect(app)
    await program.until("hello")
    await program.hang_up()
    id = await tell(db, squad, alice, bob)
    async with db.act() as session:
        everybody = select(Membership.user_id).where(Membership.team_id == squad.id)
        await withdraw_team(session, squad.id, everybody)

    program.connect(app)
    told = await program.until("hello", "deleted")

    assert told[1].data == {"ids": [id], "unread_count": 0}


@pytest.mark.parametrize("since", ["old", "future", "nonsense", "-5", "9" * 40])
async def test_an_id_that_is_not_kept_gets_one_resync_and_then_live_events(
    app: Litestar,
    db: Database,
    squad: Team,
    alice: User,
    bob: User,
    program: Program,
    since: str,
) -> None:
    for _ in range(3):
        await tell(db, squad, alice, bob)
    async with db.write() as session:
        eight_days_ago = clock.now() - timedelta(days=8)
        aged = update(Change).where(Change.id <= 2).values(created_at=eight_days_ago)
        await session.execute(aged)
    given = {"old": "1", "future": str(await last_position(db) + 1)}.get(since, since)

    program.connect(app, query=f"since={given}")
    hello, resync = await program.until("hello", "resync")
    await tell(db, squad, alice, bob)
    told = await program.until("notification")

    present = await last_position(db) - 1
    assert (resync.id, resync.data) == (present, {"unread_count": 3, "position": present})
    assert hello.id == (int(given) if since in ("old", "future") else resync.id)
    assert len(told) == 1


async def test_an_old_id_gets_a_resync_after_every_change_was_pruned(
    app: Litestar, db: Database, squad: Team, alice: User, bob: User, program: Program
) -> None:
    for _ in range(2):
        await tell(db, squad, alice, bob)
    await app.state.follower.reach_present()
    async with db.write() as session:
        await session.execute(delete(Change))

    program.connect(app, query="since=1")
    _hello, resync = await program.until("hello", "resync")

    assert (resync.id, resync.data) == (2, {"unread_count": 2, "position": 2})


async def test_a_client_that_resumes_gets_only_visible_notifications_of_its_own(
    app: Litestar,
    db: Database,
    squad: Team,
    alice: User,
    bob: User,
    carol: User,
    program: Program,
) -> None:
    async with db.write() as session:
        session.add(Membership(team_id=squad.id, user_id=carol.id, role="viewer"))
        session.add(
            Preference(user_id=bob.id, type=MEMBER_ADDED.name, channel="in_app", wanted=False)
        )
    await tell(db, squad, alice, bob)
    async with db.write() as session:
        await session.execute(update(Preference).values(wanted=True))
    visible = await tell(db, squad, alice, bob)
    async with db.act() as session:
        await acts.read_all(session, carol.id)

    program.connect(app, query="since=0")
    _hello, told = await program.until("hello", "notification")

    assert told.data["id"] == visible


@pytest.mark.sqlite  # PostgreSQL stores no such context
async def test_a_client_resumes_past_an_event_that_cannot_be_rendered(
    app: Litestar, db: Database, squad: Team, alice: User, bob: User, program: Program
) -> None:
    await tell(db, squad, alice, bob)
    async with db.write() as session:
        await session.execute(text("UPDATE event SET context = '{'"))
    whole = await tell(db, squad, alice, bob)

    program.connect(app, query="since=0")
    _hello, told = await program.until("hello", "notification")

    assert told.data["id"] == whole


@pytest.mark.parametrize("how", ["live", "resumed", "updated"])
async def test_a_client_gets_past_a_notification_that_cannot_be_rendered(
    app: Litestar,
    db: Database,
    squad: Team,
    alice: User,
    bob: User,
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    how: str,
) -> None:
    damaged = await last_position(db) + 1

    def failing(notice: Notice) -> NotificationObject:
        if notice.position == damaged:
            raise ValueError("A damaged row.")
        return as_json(notice)

    monkeypatch.setattr(json, "as_json", failing)
    if how == "live":
        program.connect(app)
        await program.until("hello")
    first = await tell(db, squad, alice, bob)
    if how == "updated":
        program.connect(app)
        await program.until("hello")
        async with db.act() as session:
            await record_change(session, UPDATED, bob.id, ids=[first])
    whole = await tell(db, squad, alice, bob)
    if how == "resumed":
        program.connect(app, query="since=0")
    told = await program.until("notification")

    assert [one.data["id"] for one in told if one.event != "hello"] == [whole]
    assert f"The event at {damaged} cannot be rendered." in caplog.text


async def test_the_oldest_id_that_is_kept_can_be_resumed(
    app: Litestar, db: Database, squad: Team, alice: User, bob: User, program: Program
) -> None:
    for _ in range(3):
        await tell(db, squad, alice, bob)
    async with db.write() as session:
        eight_days_ago = clock.now() - timedelta(days=8)
        aged = update(Change).where(Change.id <= 2).values(created_at=eight_days_ago)
        await session.execute(aged)

    program.connect(app, query="since=2")
    told = await program.until("hello", "notification")

    assert told[1].id == 3


async def test_after_quiet_days_the_last_id_can_still_be_resumed(
    app: Litestar, db: Database, squad: Team, alice: User, bob: User, program: Program
) -> None:
    await tell(db, squad, alice, bob)
    last = await last_position(db)
    async with db.write() as session:
        await session.execute(update(Change).values(created_at=clock.now() - timedelta(days=30)))

    program.connect(app, query=f"since={last}")
    (hello,) = await program.until("hello")
    await tell(db, squad, alice, bob)
    await program.until("notification")

    assert [one.event for one in program.heard] == ["hello", "notification"]
    assert hello.id == last


async def test_a_notification_deleted_at_once_is_sent_first_so_that_it_can_be_restored(
    app: Litestar, db: Database, squad: Team, alice: User, bob: User, program: Program
) -> None:
    program.connect(app)
    await program.until("hello")

    id = await tell(db, squad, alice, bob)
    async with db.act() as session:
        _count, undo = await acts.delete(session, bob.id, Selection([id]))
    async with db.act() as session:
        await acts.undo(session, bob.id, undo)

    told = await program.until("notification", "deleted", "restored")
    assert told[0].data["id"] == id


async def test_hidden_notifications_and_those_of_other_users_are_not_sent(
    app: Litestar,
    db: Database,
    squad: Team,
    alice: User,
    bob: User,
    carol: User,
    program: Program,
) -> None:
    async with db.write() as session:
        session.add(
            Preference(user_id=bob.id, type=MEMBER_ADDED.name, channel="in_app", wanted=False)
        )
    outsider = await program_of(db, carol)
    program.connect(app)
    outsider.connect(app)
    for each in (program, outsider):
        await each.until("hello")

    await tell(db, squad, alice, bob)
    async with db.write() as session:
        session.add(Membership(team_id=squad.id, user_id=carol.id, role="viewer"))
        await session.execute(update(Preference).values(wanted=True))
    await tell(db, squad, alice, bob)

    (to_bob,) = await program.until("notification")
    (to_carol,) = await outsider.until("notification")
    assert to_bob.data["message"].startswith("You were added")
    assert to_carol.data["message"] == "bob joined the team as editor"
    assert to_bob.data["id"] != to_carol.data["id"]


async def test_the_31st_stream_ends_the_oldest_for_a_minute(
    app: Litestar, db: Database, bob: User
) -> None:
    programs = [await program_of(db, bob) for _ in range(STREAMS_PER_USER + 1)]
    for program in programs:
        program.connect(app)
        await program.until("hello")

    (bye,) = await programs[0].until("bye")

    assert bye.retry == 60_000
    assert not any(program.waiting() for program in programs[1:])


async def test_revoking_a_token_ends_its_stream(app: Litestar, bob: User, program: Program) -> None:
    program.connect(app)
    await program.until("hello")

    async with app.state.db.write() as session:
        await revoke_all_tokens(session, bob)

    await program.until("bye")
    await program.connection.until_served()


async def test_a_request_without_a_token_or_session_is_refused(app: Litestar) -> None:
    async with browser(app) as nobody:
        answer = await nobody.get(f"{URL}/stream")

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_page_of_another_site_cannot_open_it_with_the_cookie(
    app: Litestar, client: httpx.AsyncClient, bob: User
) -> None:
    await sign_in(client, bob)

    answer = await client.get(f"{URL}/stream", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
