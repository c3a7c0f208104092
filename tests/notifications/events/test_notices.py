"""A notice: what its recipient reads, where it leads, and what can be done with it right now."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from app import clock
from app.database import Database
from app.models import Compilation, Event, Invitation, Notification, Project, Team, User
from app.notifications.events.catalogue import (
    COMPILATION_FAILED,
    CUSTOM,
    INVITATION_RECEIVED,
    MEMBER_ADDED,
    MEMBER_REMOVED,
    PROJECT_UNSHARED,
    TEAM_UPDATED,
    EventType,
)
from app.notifications.events.notices import (
    Action,
    Notice,
    all_events,
    all_notices,
    as_notice,
    notices_of,
)
from app.notifications.notify import notify
from tests.factories import make_team
from tests.notifications.conftest import Hands

A_SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def statements_built_anew() -> None:
    """They are built once for a process. Here each test runs those of the code as it is now, which
    a mutation run changes in between.
    """
    for built_once in (all_notices, all_events):
        built_once.cache_clear()


@pytest.fixture
async def squad(db: Database, alice: User, bob: User, carol: User) -> Team:
    return await make_team(db, alice, "Video Squad", editors=[bob], viewers=[carol])


@pytest.fixture
async def reel(db: Database, bob: User) -> Project:
    project = Project(name="Highlight Reel", owner_id=bob.id)
    async with db.write() as session:
        session.add(project)
    return project


async def tell(db: Database, event_type: EventType, **of: Any) -> None:
    async with db.act() as session:
        await notify(session, event_type, **of)


async def change(db: Database, model: Any, **values: Any) -> None:
    async with db.write() as session:
        await session.execute(update(model).values(**values))


async def notice_of(db: Database, user: User) -> Notice:
    """The user's only notice."""
    async with db.read() as session:
        return as_notice((await session.execute(notices_of(user.id))).one())


async def test_a_notice_holds_what_its_row_and_its_event_hold(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    names: dict[str, Any] = {"old_name": "Film Squad", "new_name": "Video Squad"}
    await tell(db, TEAM_UPDATED, actor=alice, team=squad, **names, secret="not of this type")
    await change(db, Event, created_at=clock.now() - A_SECOND)

    unread = await notice_of(db, bob)
    await change(db, Notification, read_at=clock.now())
    read = await notice_of(db, bob)

    async with db.read() as session:
        row = await session.get_one(Notification, unread.id)
    link = Action("Go to Team", f"/teams/{squad.id}")
    assert unread == Notice(
        id=row.id,
        position=row.event_id,
        type="team_updated",
        icon="bi-pencil",
        sentence="Team '\u2068Film Squad\u2069' is now called '\u2068Video Squad\u2069'",
        actor="alice",
        created_at=clock.now() - A_SECOND,
        is_read=False,
        is_high=False,
        actions=[link],
        target=link.url,
        actor_id=alice.id,
        team=(squad.id, "Video Squad"),
        context=names,
    )
    assert (read.is_read, read.read_at) == (True, clock.now())


async def test_what_was_deleted_since_is_named_no_more(
    db: Database, alice: User, bob: User, squad: Team, reel: Project
) -> None:
    facts = {"old_name": "A", "new_name": "B"}
    await tell(db, TEAM_UPDATED, actor=alice, team=squad, project=reel, **facts)
    assert (await notice_of(db, bob)).project == (reel.id, "Highlight Reel")

    async with db.write() as session:
        for model, one in ((Team, squad), (Project, reel), (User, alice)):
            await session.execute(delete(model).where(model.id == one.id))
    notice = await notice_of(db, bob)

    assert (notice.actor, notice.actor_id, notice.team, notice.project) == (None, None, None, None)
    assert (notice.actions, notice.target) == ([], "/notifications")


async def test_the_affected_read_a_sentence_of_their_own(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    await tell(db, MEMBER_ADDED, actor=alice, affected=carol, team=squad, role="viewer")

    assert (await notice_of(db, bob)).text == "carol joined the team as viewer"
    assert (await notice_of(db, carol)).text == "You were added to team 'Video Squad' as viewer"


async def test_a_link_that_leads_nowhere_for_the_affected_is_not_offered_to_them(
    db: Database, alice: User, bob: User, squad: Team, carol: User
) -> None:
    await tell(db, MEMBER_REMOVED, actor=alice, affected=carol, team=squad)

    assert (await notice_of(db, bob)).target == f"/teams/{squad.id}"
    theirs = await notice_of(db, carol)
    assert (theirs.actions, theirs.target) == ([], "/notifications")


async def test_a_type_without_an_action_leads_to_the_inbox(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    await tell(db, PROJECT_UNSHARED, actor=alice, team=squad, project_name="Highlight Reel")

    notice = await notice_of(db, bob)

    assert (notice.actions, notice.target) == ([], "/notifications")


@pytest.mark.parametrize(
    ("url", "actions"),
    [
        (None, []),
        ("https://render.example.com/42", [Action("Open", "https://render.example.com/42")]),
    ],
)
async def test_a_custom_notice_has_a_page_of_its_own_with_what_its_sender_wrote(
    db: Database, alice: User, bob: User, squad: Team, url: str | None, actions: list[Action]
) -> None:
    facts: dict[str, Any] = {"title": "Done", "body": "All of it.", "url": url, "priority": "high"}
    await tell(db, CUSTOM, actor=alice, team=squad, **facts)

    notice = await notice_of(db, bob)

    assert notice.target == f"/notifications/{notice.id}"
    assert (notice.text, notice.body, notice.actions) == ("Done", "All of it.", actions)
    assert (notice.is_high, notice.context) == (True, facts)


async def test_a_custom_notice_may_have_no_text_below_its_title(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    await tell(db, CUSTOM, actor=alice, team=squad, title="Done", body=None)

    assert (await notice_of(db, bob)).body == ""


@pytest.mark.parametrize(
    ("url", "host"), [("https://render.example.com/42", "render.example.com"), ("/teams/5", "")]
)
def test_an_action_names_the_host_that_it_leads_to(url: str, host: str) -> None:
    assert Action("Open", url).host == host


@pytest.mark.parametrize(
    ("status", "lasts", "is_open"),
    [("pending", A_SECOND, True), ("pending", 0 * A_SECOND, False), ("accepted", A_SECOND, False)],
)
async def test_an_invitation_can_be_answered_while_it_is_open(
    db: Database,
    alice: User,
    bob: User,
    squad: Team,
    hands: Hands,
    status: str,
    lasts: timedelta,
    is_open: bool,
) -> None:
    hands.set("2026-11-23 10:00")
    invitation = Invitation(
        team_id=squad.id, inviter_id=alice.id, email=bob.email, email_key=bob.email_key,
        role="editor", status=status, expires_at=clock.now() + lasts,
    )  # fmt: skip
    async with db.write() as session:
        session.add(invitation)
    facts = {"role": "editor", "inviter": "alice"}
    await tell(
        db, INVITATION_RECEIVED, actor=alice, affected=bob, team=squad, invitation=invitation,
        **facts,
    )  # fmt: skip

    notice = await notice_of(db, bob)

    here = f"/notifications/{notice.id}"
    buttons = [
        Action("Accept", f"{here}/accept", "post", is_primary=True),
        Action("Decline", f"{here}/decline", "post"),
    ]
    view = Action("View Invitation", f"{here}/invitation")
    assert notice.actions == [*(buttons if is_open else []), view]
    assert (notice.target, notice.is_high) == (view.url, True)


@pytest.mark.parametrize(
    ("status", "is_offered"),
    [("queued", False), ("running", False), ("failed", True), ("cancelled", True)],
)
async def test_a_compilation_can_be_retried_while_none_is_under_way(
    db: Database, bob: User, reel: Project, status: str, is_offered: bool
) -> None:
    other = Project(name="Another", owner_id=bob.id)
    async with db.write() as session:
        session.add(other)
        await session.flush()
        session.add(Compilation(project_id=reel.id, status=status))
        session.add(Compilation(project_id=other.id, status="running"))
    await tell(db, COMPILATION_FAILED, project=reel, error="No clips.")

    notice = await notice_of(db, bob)

    retry = Action("Retry", f"/notifications/{notice.id}/retry", "post", is_primary=True)
    view = Action("View Project", f"/projects/{reel.id}")
    assert notice.actions == [*([retry] if is_offered else []), view]
    assert (notice.target, notice.context) == (view.url, {"error": "No clips."})


async def test_nothing_can_be_retried_in_a_project_that_is_gone(
    db: Database, bob: User, reel: Project
) -> None:
    await tell(db, COMPILATION_FAILED, project=reel, error="No clips.")
    async with db.write() as session:
        await session.execute(delete(Project))

    assert (await notice_of(db, bob)).actions == []


async def test_one_event_is_as_many_notices_as_it_has_recipients(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    await tell(db, MEMBER_ADDED, actor=alice, affected=carol, team=squad, role="viewer")

    async with db.read() as session:
        notices = (await session.execute(all_notices().order_by(Notification.id))).all()
        [event] = (await session.execute(all_events())).all()

    assert sorted(row.user_id for row in notices) == [bob.id, carol.id]
    assert {row.event_id for row in notices} == {event.event_id}
    assert (event.type, event.affected_id, event.actor) == ("member_added", carol.id, "alice")
