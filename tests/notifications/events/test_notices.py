"""A notice: what its recipient reads, where it leads, and what can be done with it right now."""

from datetime import timedelta
from gettext import NullTranslations
from typing import Any

import pytest
from sqlalchemy import delete, update

from app import clock, language
from app.database import Database
from app.language import in_language
from app.models import Compilation, Event, Invitation, Notification, Project, Team, User
from app.notifications.events.catalogue import (
    COMPILATION_COMPLETED,
    COMPILATION_FAILED,
    CUSTOM,
    INVITATION_RECEIVED,
    MEMBER_ADDED,
    MEMBER_LEFT,
    MEMBER_REMOVED,
    MEMBER_ROLE_CHANGED,
    PROJECT_SHARED,
    PROJECT_UNSHARED,
    TEAM_DELETED,
    TEAM_UPDATED,
)
from app.notifications.events.event_type import EventType
from app.notifications.events.notices import (
    Action,
    Notice,
    all_events,
    all_notices,
    as_notice,
    as_notices,
    notices_of,
    own_page,
)
from app.notifications.notify import notify
from app.values.faces import Face
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


async def list_of(db: Database, user: User) -> list[Notice]:
    async with db.read() as session:
        return as_notices((await session.execute(notices_of(user.id))).all())


async def test_a_notice_holds_what_its_row_and_its_event_hold(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    names: dict[str, Any] = {"old_name": "Film Squad", "new_name": "Video Squad"}
    await change(db, User, avatar="5eed")
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
        face=Face(alice.id, "alice", "5eed"),
        team=(squad.id, "Video Squad"),
        context=names,
        byline="alice",
        priority="low",
        group_key=f"team_updated:team:{squad.id}",
    )
    assert (read.is_read, read.read_at) == (True, clock.now())


async def test_a_list_that_is_read_again_is_not_rendered_again(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    await tell(db, TEAM_UPDATED, actor=alice, team=squad, old_name="Film", new_name="Video")

    [first], [again] = await list_of(db, bob), await list_of(db, bob)

    assert first is again
    assert first == await notice_of(db, bob)


async def test_a_list_that_is_read_again_shows_what_has_changed(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    await tell(db, TEAM_UPDATED, actor=alice, team=squad, old_name="Film", new_name="Video")
    await list_of(db, bob)

    await change(db, Team, name="Film Squad")
    await change(db, Notification, read_at=clock.now())
    await change(db, Event, context={"old_name": "Video", "new_name": "Film"})
    [renamed] = await list_of(db, bob)

    assert renamed.team == (squad.id, "Film Squad")
    assert renamed.is_read
    assert renamed.text == "Team 'Video' is now called 'Film'"


async def test_a_list_that_is_read_again_is_in_the_language_of_its_reader(
    db: Database, alice: User, bob: User, squad: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(db, TEAM_UPDATED, actor=alice, team=squad, old_name="Film", new_name="Video")
    await list_of(db, bob)
    in_capitals = NullTranslations()
    monkeypatch.setattr(in_capitals, "gettext", str.upper)
    monkeypatch.setattr(language, "translations", lambda _language: in_capitals)

    with in_language("xx"):
        [notice] = await list_of(db, bob)

    assert [action.label for action in notice.actions] == ["GO TO TEAM"]


async def test_subjects_deleted_since_are_no_longer_named(
    db: Database, alice: User, bob: User, squad: Team, reel: Project
) -> None:
    facts = {"old_name": "A", "new_name": "B"}
    await tell(db, TEAM_UPDATED, actor=alice, team=squad, project=reel, **facts)
    assert (await notice_of(db, bob)).project == (reel.id, "Highlight Reel")

    async with db.write() as session:
        for model, one in ((Team, squad), (Project, reel), (User, alice)):
            await session.execute(delete(model).where(model.id == one.id))
    notice = await notice_of(db, bob)

    assert (notice.actor, notice.actor_id, notice.face) == (None, None, None)
    assert (notice.team, notice.project) == (None, None)
    assert (notice.actions, notice.target) == ([], own_page(notice.id))


async def test_a_finished_video_shows_its_picture_and_length_while_its_project_is_there(
    db: Database, bob: User, reel: Project
) -> None:
    facts: dict[str, Any] = {"duration": 25.0, "thumbnail": "/projects/1/compilations/3/thumbnail"}
    await tell(db, COMPILATION_COMPLETED, project=reel, **facts)

    there = await notice_of(db, bob)
    async with db.write() as session:
        await session.execute(delete(Project).where(Project.id == reel.id))
    gone = await notice_of(db, bob)

    assert (there.thumbnail_url, there.duration) == (facts["thumbnail"], 25.0)
    assert gone.thumbnail_url is None


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
    assert (theirs.actions, theirs.target) == ([], own_page(theirs.id))


async def test_a_notice_without_an_action_has_a_page_of_its_own(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    await tell(db, PROJECT_UNSHARED, actor=alice, team=squad, project_name="Highlight Reel")

    notice = await notice_of(db, bob)

    assert (notice.actions, notice.target) == ([], own_page(notice.id))


@pytest.mark.parametrize("url", [None, "https://render.example.com/42", "/teams/5"])
async def test_a_custom_notice_has_a_page_of_its_own_with_what_its_sender_wrote(
    db: Database, alice: User, bob: User, squad: Team, url: str | None
) -> None:
    facts: dict[str, Any] = {"title": "Done", "body": "All of it.", "url": url, "priority": "high"}
    await tell(db, CUSTOM, actor=alice, team=squad, **facts)

    notice = await notice_of(db, bob)

    here = own_page(notice.id)
    actions = [Action("Open", f"{here}/open", leads_to=url)] if url else []
    assert notice.target == here
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
    assert Action("Open", "/notifications/1/open", leads_to=url).host == host


@pytest.mark.parametrize(
    ("status", "lasts", "subject_state"),
    [
        ("pending", A_SECOND, ""),
        ("pending", 0 * A_SECOND, "Expired"),
        ("accepted", A_SECOND, "Accepted"),
        ("accepted", -A_SECOND, "Accepted"),
        ("declined", A_SECOND, "Declined"),
        ("revoked", A_SECOND, "Revoked"),
    ],
)
async def test_an_invitation_can_be_answered_while_it_is_open_and_then_shows_what_became_of_it(
    db: Database,
    alice: User,
    bob: User,
    squad: Team,
    hands: Hands,
    status: str,
    lasts: timedelta,
    subject_state: str,
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

    here = own_page(notice.id)
    buttons = [
        Action("Accept", f"{here}/accept", "post", is_primary=True),
        Action("Decline", f"{here}/decline", "post"),
    ]
    leads_to = f"/invitations/{invitation.id}"
    view = Action("View Invitation", f"{here}/invitation", leads_to=leads_to)
    go = Action("Go to Team", f"{here}/open", leads_to=f"/teams/{squad.id}")
    link = go if subject_state == "Accepted" else view
    assert notice.subject_state == subject_state
    assert notice.actions == [*([] if subject_state else buttons), link]
    assert (notice.target, notice.is_high) == (link.url, True)


async def test_an_old_failure_cannot_be_retried_once_there_is_a_newer_compilation(
    db: Database, bob: User, reel: Project
) -> None:
    failed = Compilation(project_id=reel.id, status="failed")
    other = Project(name="Another", owner_id=bob.id)
    async with db.write() as session:
        session.add_all([failed, other])
        await session.flush()
        session.add(Compilation(project_id=other.id, status="running"))
    await tell(db, COMPILATION_FAILED, project=reel, compilation=failed, error="No clips.")

    notice = await notice_of(db, bob)

    retry = Action("Retry", f"/notifications/{notice.id}/retry", "post", is_primary=True)
    view = Action("View Project", f"/projects/{reel.id}")
    assert notice.actions == [retry, view]
    assert (notice.target, notice.context) == (view.url, {"error": "No clips."})
    for status in ("queued", "running", "failed", "cancelled", "completed"):
        async with db.write() as session:
            await session.execute(delete(Compilation).where(Compilation.id > failed.id))
            session.add(Compilation(project_id=reel.id, status=status))
        assert (await notice_of(db, bob)).actions == [view], status


@pytest.mark.parametrize(
    ("status", "is_offered"), [("queued", False), ("running", False), ("completed", True)]
)
async def test_a_failure_whose_compilation_is_not_known_can_be_retried_while_none_is_under_way(
    db: Database, bob: User, reel: Project, status: str, is_offered: bool
) -> None:
    async with db.write() as session:
        session.add(Compilation(project_id=reel.id, status=status))
    await tell(db, COMPILATION_FAILED, project=reel, error="No clips.")

    labels = [action.label for action in (await notice_of(db, bob)).actions]

    assert labels == [*(["Retry"] if is_offered else []), "View Project"]


# The sentences that members other than the affected read do not name the team.
IN_TEAM = "in team '\u2068Video Squad\u2069'"


@pytest.mark.parametrize(
    ("event_type", "facts", "is_bob_affected", "byline", "team_phrase"),
    [
        (MEMBER_ADDED, {"role": "viewer"}, False, "alice", IN_TEAM),
        (MEMBER_ADDED, {"role": "viewer"}, True, "alice", ""),
        (MEMBER_REMOVED, {}, False, "alice", IN_TEAM),
        (MEMBER_REMOVED, {}, True, "alice", ""),
        (MEMBER_ROLE_CHANGED, {"old_role": "admin", "new_role": "editor"}, False, "alice", IN_TEAM),
        (MEMBER_ROLE_CHANGED, {"old_role": "admin", "new_role": "editor"}, True, "alice", ""),
        (TEAM_UPDATED, {"old_name": "A", "new_name": "B"}, False, "alice", ""),
        (TEAM_DELETED, {}, False, "alice", ""),
        (PROJECT_SHARED, {"project_name": "Reel"}, False, "alice", ""),
        (PROJECT_UNSHARED, {"project_name": "Reel"}, False, "alice", ""),
        (CUSTOM, {"title": "The render is done"}, False, "alice", IN_TEAM),
    ],
)
async def test_actor_and_team_stand_beside_the_sentence_where_it_names_neither(
    db: Database,
    alice: User,
    bob: User,
    carol: User,
    squad: Team,
    event_type: EventType,
    facts: dict[str, Any],
    is_bob_affected: bool,
    byline: str,
    team_phrase: str,
) -> None:
    affected = bob if is_bob_affected else carol
    await tell(db, event_type, actor=alice, affected=affected, team=squad, **facts)

    notice = await notice_of(db, bob)

    assert (notice.byline, notice.team_phrase) == (byline, team_phrase)


async def test_the_actor_is_not_named_twice(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    await tell(db, MEMBER_LEFT, actor=alice, affected=alice, team=squad)
    await tell(db, INVITATION_RECEIVED, actor=alice, affected=bob, inviter="alice", role="editor")
    await tell(db, MEMBER_ADDED, actor=bob, affected=bob, team=squad, role="editor")

    async with db.read() as session:
        rows = await session.execute(notices_of(bob.id).order_by(Notification.event_id))
        notices = [as_notice(row) for row in rows]

    assert [notice.text.split()[0] for notice in notices] == ["alice", "alice", "You"]
    assert [notice.byline for notice in notices] == ["", "", ""]


async def test_a_failure_says_why_below_its_sentence(
    db: Database, bob: User, reel: Project
) -> None:
    await tell(db, COMPILATION_FAILED, project=reel, error="The clip 'a.mp4' has no picture.")

    assert (await notice_of(db, bob)).body == "The clip 'a.mp4' has no picture."


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
