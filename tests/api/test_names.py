"""Names: refused if they would reorder or break a line, otherwise shown as written."""

import httpx
import pytest
from sqlalchemy import func, select

from app.database import Database
from app.models import Event, Project, Team, Token, User
from app.notifications.channels.push.message import PushWriter
from app.settings import Settings
from tests.api.conftest import Program
from tests.conftest import post, sign_in, text_of
from tests.factories import PASSWORD, make_team

BAD = ["abc\u202edef", "abc\u2066def", "x\r\nBcc: y@example.org", "a\u2028b"]
ARABIC = "فريق 12 (v2)"
FSI, PDI = "\u2068", "\u2069"


@pytest.mark.parametrize("name", BAD)
async def test_the_api_refuses_it_and_names_the_field(
    for_alice: Program, nobody: Program, db: Database, video_squad: Team, name: str
) -> None:
    project = (await for_alice.post("/api/projects", json={"name": "Reel"})).json()["id"]
    token = {"login": "alice", "password": PASSWORD, "name": name}
    event = {"type": "custom", "team_id": video_squad.id, "title": name}

    answers = {
        "teams": await for_alice.post("/api/teams", json={"name": name}),
        "rename": await for_alice.put(f"/api/teams/{video_squad.id}", json={"name": name}),
        "projects": await for_alice.post("/api/projects", json={"name": name}),
        "project": await for_alice.put(f"/api/projects/{project}", json={"name": name}),
        "tokens": await nobody.post("/api/tokens", json=token),
        "events": await for_alice.post("/api/events", json=event),
    }

    for door, answer in answers.items():
        assert answer.status_code == 400, door
        [error] = answer.json()["errors"]
        assert error["field"] == ("title" if door == "events" else "name")
        assert "A single line, without characters that change the direction" in error["detail"]
    async with db.read() as session:
        names = {
            *await session.scalars(select(Team.name)),
            *await session.scalars(select(Project.name)),
        }
        assert name not in names


@pytest.mark.parametrize("name", BAD)
async def test_the_pages_refuse_it_where_it_was_typed(
    client: httpx.AsyncClient, db: Database, alice: User, video_squad: Team, name: str
) -> None:
    await sign_in(client, alice)
    project = Project(name="Reel", owner_id=alice.id)
    async with db.write() as session:
        session.add(project)
        (await session.get_one(User, alice.id)).is_admin = True
        before = await session.scalar(select(func.count()).select_from(Event))
    doors = {
        "/teams": {"name": name},
        f"/teams/{video_squad.id}/rename": {"name": name},
        "/projects": {"name": name},
        f"/projects/{project.id}/rename": {"name": name},
        "/account/tokens": {"name": name, "scope": "read", "password": PASSWORD},
        "/admin/announcements": {"title": name},
    }

    for path, fields in doors.items():
        answer = await post(client, path, **fields)
        assert answer.status_code == 422, path
        said = text_of(answer)
        assert "Use a single line." in said or "change the direction of the text" in said, path
        assert 'aria-invalid="true"' in answer.text, path

    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(Token)) == 0
        assert await session.scalar(select(func.count()).select_from(Event)) == before


@pytest.fixture
async def arabic(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, ARABIC, editors=[bob])


async def test_json_has_no_marks_around_a_name(
    for_alice: Program, for_bob: Program, arabic: Team
) -> None:
    await for_alice.put(f"/api/teams/{arabic.id}", json={"name": f"{ARABIC} 2"})
    refused = await for_bob.delete(f"/api/teams/{arabic.id}")

    answer = await for_bob.get("/api/notifications")

    [notice] = answer.json()["notifications"]
    assert notice["message"] == f"Team '{ARABIC}' is now called '{ARABIC} 2'"
    assert refused.json()["detail"].startswith(f"Your role in '{ARABIC} 2' (editor)")
    for answered in (answer, refused):
        assert not {FSI, PDI} & set(answered.json().__repr__())
        assert "\\u2068" not in answered.text


async def test_pages_isolate_it_and_titles_mark_it(
    client: httpx.AsyncClient, for_alice: Program, arabic: Team, bob: User
) -> None:
    await for_alice.put(f"/api/teams/{arabic.id}", json={"name": f"{ARABIC} 2"})
    await sign_in(client, bob)

    team = (await client.get(f"/teams/{arabic.id}")).text
    leaving = (await client.get(f"/teams/{arabic.id}/leave")).text
    inbox = (await client.get("/notifications")).text
    left = await post(client, f"/teams/{arabic.id}/leave")
    flash = (await client.get(left.headers["location"])).text

    name = f"{ARABIC} 2"
    assert f"<title>{FSI}{name}{PDI} · ClippyFront</title>" in team
    assert f"<title>Leave team &#39;{FSI}{name}{PDI}&#39;? · ClippyFront</title>" in leaving
    assert f">Leave team &#39;<bdi>{name}</bdi>&#39;?</h1>" in leaving
    assert f"Team &#39;<bdi>{ARABIC}</bdi>&#39; is now called &#39;<bdi>{name}</bdi>&#39;" in inbox
    assert f"You left &#39;<bdi>{name}</bdi>&#39;." in flash


async def test_a_push_marks_it_in_its_sentence_alone(settings: Settings) -> None:
    row = type(
        "Row",
        (),
        {
            "type": "team_deleted",
            "context": {"team_name": ARABIC},
            "team_id": None,
            "project_id": None,
            "affected_id": None,
            "user_id": 1,
            "event_id": 1,
            "language": "en",
            "transactional": None,
        },
    )()

    wording = PushWriter(settings)._wording_for(row)

    assert wording.title == ARABIC
    assert wording.body == f"Team '{FSI}{ARABIC}{PDI}' was deleted"
