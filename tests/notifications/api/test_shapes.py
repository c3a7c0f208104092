"""The JSON of a notification, letter by letter."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import delete, update

from app.database import Database
from app.models import Event, Notification, Project, Team, User
from app.notifications.events.catalogue import COMPILATION_COMPLETED, MEMBER_ADDED, PROJECT_SHARED
from app.notifications.inbox.json_shapes import as_json
from app.notifications.notify import notify
from tests.bell import newest_notices
from tests.factories import make_team

NIGHT = datetime(2025, 11, 19, 22, 30, 0, 123456, tzinfo=UTC)


async def shown_to(db: Database, user: User) -> dict[str, Any]:
    async with db.read() as session:
        [notice] = await newest_notices(session, user.id)
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(as_json(notice)))
    return shown


async def test_it_is_the_object_of_the_specification(db: Database, alice: User, bob: User) -> None:
    team = await make_team(db, alice, "My Team", editors=[bob])
    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="editor")
        await session.execute(update(Event).values(created_at=NIGHT))

    shown = await shown_to(db, bob)

    assert shown == {
        "id": shown["id"],
        "type": "member_added",
        "message": "You were added to team 'My Team' as editor",
        "is_read": False,
        "created_at": "2025-11-19T22:30:00Z",
        "read_at": None,
        "position": shown["position"],
        "priority": "normal",
        "is_done": False,
        "is_saved": False,
        "snoozed_until": None,
        "group_key": shown["group_key"],
        "updated_at": None,
        "thumbnail_url": None,
        "actor": {"id": alice.id, "username": "alice"},
        "team": {"id": team.id, "name": "My Team"},
        "project": None,
        "context": {"username": "bob", "role": "editor"},
    }


async def test_the_picture_of_a_video_is_where_the_api_serves_it(db: Database, alice: User) -> None:
    async with db.act() as session:
        project = Project(name="Highlight Reel", owner_id=alice.id)
        session.add(project)
        await session.flush()
        facts: dict[str, Any] = {"thumbnail": "/projects/1/compilations/3/thumbnail"}
        await notify(session, COMPILATION_COMPLETED, project=project, **facts)

    shown = await shown_to(db, alice)

    assert shown["thumbnail_url"] == "/api/projects/1/compilations/3/thumbnail"


async def test_a_project_has_its_present_name_and_the_sentence_the_name_of_its_time(
    db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        project = Project(name="Best Clips 2025", owner_id=alice.id)
        session.add(project)
        await notify(session, PROJECT_SHARED, actor=alice, team=team, project=project)
        project.name = "Best Clips"

    shown = await shown_to(db, bob)

    assert shown["project"] == {"id": project.id, "name": "Best Clips"}
    assert shown["message"] == "Project 'Best Clips 2025' was shared with team 'Video Squad'"
    assert shown["context"] == {"project_name": "Best Clips 2025", "team_name": "Video Squad"}


async def test_deleted_subjects_are_null_and_read_notifications_have_a_time(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(db, carol, editors=[bob])
    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="editor")
        await session.execute(update(Notification).values(read_at=NIGHT))
        await session.execute(delete(Team))
        await session.execute(delete(User).where(User.id == alice.id))

    shown = await shown_to(db, bob)

    assert (shown["actor"], shown["team"]) == (None, None)
    assert (shown["is_read"], shown["read_at"]) == (True, "2025-11-19T22:30:00Z")
