"""Open pages show a notice again when what it offers has changed; JSON streams have nothing new."""

from collections.abc import Awaitable, Callable

import pytest
from litestar import Litestar
from sqlalchemy import select

from app.database import Database
from app.models import Change, Clip, Compilation, Notification, Project, Team, User
from app.notifications.events.catalogue import COMPILATION_FAILED
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from app.notifications.live.html import Bells
from app.notifications.notify import notify
from app.projects.compilations import request_compilation
from app.settings import Settings
from app.teams.invitations import invite
from app.teams.responses import accept, decline
from tests.notifications.api.listening import program_of

Answer = Callable[..., Awaitable[Team]]


async def shown_to(db: Database, user: User) -> str:
    """The bell and panel as the stream of an open page has them."""
    return (await Bells(db).read([user.id]))[user.id].decode()


async def refreshed(db: Database, user: User) -> list[list[int] | None]:
    async with db.read() as session:
        kinds = select(Change.ids).where(Change.user_id == user.id, Change.kind == "refreshed")
        return list(await session.scalars(kinds))


async def only_id_of(db: Database, user: User) -> int:
    async with db.read() as session:
        mine = select(Notification.id).where(Notification.user_id == user.id)
        return (await session.scalars(mine)).one()


@pytest.mark.parametrize(("answer", "word"), [(accept, "Accepted"), (decline, "Declined")])
async def test_an_invitation_that_was_read_before_it_is_answered_shows_its_outcome_live(
    db: Database, alice: User, bob: User, video_squad: Team, answer: Answer, word: str
) -> None:
    async with db.act() as session:
        invitation = await invite(session, alice, video_squad.id, bob.email, "editor")
    offer = await only_id_of(db, bob)
    async with db.act() as session:
        await acts.mark(session, bob.id, Selection([offer]), read=True)
    assert "Decline</button>" in await shown_to(db, bob)

    async with db.act() as session:
        await answer(session, bob, invitation.id)

    assert await refreshed(db, bob) == [[offer]]
    page = await shown_to(db, bob)
    assert f"<strong>{word}</strong>" in page
    assert "Decline</button>" not in page


async def test_an_old_failure_loses_its_retry_live_when_another_user_compiles_again(
    db: Database, settings: Settings, alice: User
) -> None:
    project = Project(name="Best Clips", owner_id=alice.id)
    async with db.act() as session:
        session.add(project)
        await session.flush()
        clip = Clip(project_id=project.id, position=0, filename="a.mp4", stored_as="a", size=1)
        failed = Compilation(project_id=project.id, status="failed")
        session.add_all([clip, failed])
        await session.flush()
        await notify(
            session,
            COMPILATION_FAILED,
            project=project,
            compilation=failed,
            error="The disk was full.",
        )
    failure = await only_id_of(db, alice)
    assert "Retry</button>" in await shown_to(db, alice)

    async with db.act() as session:
        await request_compilation(session, settings, project, alice)
        await request_compilation(session, settings, project, alice)

    assert await refreshed(db, alice) == [[failure]]
    page = await shown_to(db, alice)
    assert "Retry</button>" not in page
    assert "The disk was full." in page


async def test_a_json_stream_has_nothing_to_say_of_it_live_or_later(
    app: Litestar, db: Database, alice: User, bob: User, video_squad: Team
) -> None:
    live, later = await program_of(db, bob), await program_of(db, bob)
    for program in (live, later):
        program.connect(app)
        await program.until("hello")
    async with db.act() as session:
        invitation = await invite(session, alice, video_squad.id, bob.email, "editor")
    for program in (live, later):
        await program.until("notification")
    await later.hang_up()

    async with db.act() as session:
        await accept(session, bob, invitation.id)
    later.connect(app)

    for program, events in (
        (live, ["read", "notification"]),
        (later, ["hello", "read", "notification"]),
    ):
        assert [one.event for one in await program.until("read", "notification")] == events
