"""Carol tries every operation on what belongs to alice, and learns and changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from advanced_alchemy.base import orm_registry
from sqlalchemy import Select, Table, select

from app.accounts.tokens import create_token
from app.database import Database
from app.models import Compilation, Project, SavedView, Share, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.projects.clips import add_clip
from app.settings import Settings
from app.teams.invitation_links import link_token
from app.teams.invitations import invite
from tests.api.conftest import Program
from tests.api.document import Document
from tests.bell import newest_notices
from tests.factories import SIGNER, make_team
from tests.projects.conftest import uploaded

# What no response to carol may contain.
SECRETS = ("Video Squad", "Highlight Reel", "dave@example.com", "alice", "silent.mp4")
# The token of an invitation lets anyone read it; accepting and declining are 403 for others.
BY_TOKEN = "/api/invitations/{token}"
STAMPED = {"token", "throttle"}


@dataclass
class Things:
    """What belongs to alice: a value for each path parameter, and an undo token."""

    ids: dict[str, int | str]
    undo: str


@pytest.fixture
async def things(db: Database, settings: Settings, alice: User, bob: User) -> Things:
    team = await make_team(db, bob, "Video Squad", admins=[alice])
    project = Project(name="Highlight Reel", owner_id=alice.id)
    async with db.act() as session:
        session.add(project)
        await session.flush()
        session.add(Share(project_id=project.id, team_id=team.id))
    clip = await add_clip(db, settings, alice, project.id, uploaded(settings, "silent"))
    async with db.act() as session:
        invitation = await invite(session, alice, team.id, "dave@example.com", "viewer")
        compilation = Compilation(project_id=project.id, status="running")
        view = SavedView(user_id=alice.id, name="Hers", query="status=unread", rank=1)
        session.add_all([compilation, view])
        for old in ("Squad", "Squad 2"):
            await notify(
                session, TEAM_UPDATED, actor=bob, team=team, old_name=old, new_name="Video Squad"
            )
        token, _key = await create_token(session, alice, name="hers", scope="write")
        one, other = await newest_notices(session, alice.id)
        _count, undo = await acts.delete(session, alice.id, Selection([other.id]))
    ids: dict[str, int | str] = {
        "team_id": team.id,
        "user_id": alice.id,
        "project_id": project.id,
        "clip_id": clip.id,
        "invitation_id": invitation.id,
        "compilation_id": compilation.id,
        "notification_id": one.id,
        "token_id": token.id,
        "view_id": view.id,
        "token": link_token(SIGNER, invitation),
    }
    return Things(ids, undo)


def requests_for(document: Document, things: Things) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation with a path parameter: (method, url, keyword arguments of the request)."""
    for path, item in document.document["paths"].items():
        if "{" not in path or path.startswith(BY_TOKEN):
            continue
        for method, operation in item.items():
            yield method.upper(), path.format(**things.ids), sending(operation)


def sending(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        return {"files": {"clips": ("a.mp4", b"x")}}
    return {"json": content["application/json"]["example"]} if content else {}


async def everything(db: Database) -> dict[str, list[str]]:
    """All rows of all tables, except what every request updates."""
    tables = orm_registry.metadata.sorted_tables
    async with db.read() as session:
        return {
            table.name: sorted(map(repr, await session.execute(_unstamped(table))))
            for table in tables
            if table.name not in STAMPED
        }


def _unstamped(table: Table) -> Select[Any]:
    return select(*(column for column in table.c if column.name != "last_seen_at"))


async def test_rows_of_other_users_are_404_and_stay_unchanged(
    for_carol: Program, db: Database, document: Document, things: Things
) -> None:
    before = await everything(db)

    answers = {
        f"{method} {url}": await for_carol.request(method, url, **sent)
        for method, url, sent in requests_for(document, things)
    }

    assert len(answers) > 30
    assert {asked for asked, answer in answers.items() if answer.status_code != 404} == set()
    for answer in answers.values():
        assert not [secret for secret in SECRETS if secret in answer.text]
    assert await everything(db) == before


async def test_signed_out_callers_learn_and_change_nothing(
    nobody: Program, db: Database, document: Document, things: Things
) -> None:
    before = await everything(db)

    answers: dict[str, httpx.Response] = {}
    for path, item in document.document["paths"].items():
        for method, operation in item.items():
            if operation["security"]:
                url = path.format(**things.ids)
                answers[f"{method} {path}"] = await nobody.request(
                    method, url, **sending(operation)
                )

    assert {asked for asked, answer in answers.items() if answer.status_code != 401} == set()
    assert await everything(db) == before


async def test_no_list_contains_rows_of_other_users(
    for_carol: Program, document: Document, things: Things
) -> None:
    lists = [
        path
        for path, item in document.document["paths"].items()
        if "get" in item and "{" not in path and not path.endswith("/stream")
    ]
    lists.remove("/api/admin/accounts")

    for path in lists:
        answer = await for_carol.get(path)
        assert answer.status_code == 200
        assert not [secret for secret in SECRETS if secret in answer.text], path


async def test_no_request_body_reaches_rows_of_other_users(
    for_carol: Program, for_alice: Program, db: Database, things: Things, carol: User
) -> None:
    own = (await for_carol.post("/api/projects", json={"name": "Mine"})).headers["Location"]
    team_id, project_id = things.ids["team_id"], things.ids["project_id"]
    chosen = {"notification_ids": [things.ids["notification_id"]]}
    before = await everything(db)

    bulk = [
        await for_carol.post(f"/api/notifications/{verb}", json=sent)
        for verb in ("bulk-mark-read", "bulk-mark-unread", "bulk-delete")
        for sent in (chosen, {"filter": {}, "up_to": 10**9})
    ]
    await for_carol.post("/api/notifications/read-all")
    refused = [
        await for_carol.post("/api/notifications/undo", json={"undo": things.undo}),
        await for_carol.post(f"{own}/share", json={"team_id": team_id}),
        await for_carol.post(f"{own}/unshare", json={"team_id": team_id}),
        *[
            await for_carol.post("/api/events", json={"type": "custom", "title": "x", **whom})
            for whom in ({"team_id": team_id}, {"project_id": project_id})
        ],
    ]

    assert {answer.json()["count"] for answer in bulk} == {0}
    assert {answer.status_code for answer in refused} == {404}
    assert await everything(db) == before


async def test_the_token_of_an_invitation_opens_it_for_its_invitee_alone(
    for_carol: Program, db: Database, things: Things
) -> None:
    before = await everything(db)
    url = BY_TOKEN.format(**things.ids)

    answers = [await for_carol.post(f"{url}/{verb}") for verb in ("accept", "decline")]

    assert {answer.status_code for answer in answers} == {403}
    assert await everything(db) == before
