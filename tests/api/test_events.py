"""POST /api/events: who may notify whom, at most once for a key, and how it is shown."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from app import clock
from app.database import Database
from app.models import Delivery, Event, Preference, Project, Share, Superseded, Team, User
from app.settings import Settings
from tests.api.conftest import Program, key_of, newest
from tests.application import browser, serving
from tests.conftest import sign_in, text_of
from tests.factories import make_account, make_team

EVENT: dict[str, Any] = {"type": "custom", "title": "Render done"}


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


async def told(program: Program) -> list[str]:
    answer = await program.get("/api/notifications")
    return [notice["message"] for notice in answer.json()["notifications"]]


async def fields_wrong(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 400
    return [error["field"] for error in answer.json()["errors"]]


async def test_only_the_members_are_notified(
    for_alice: Program, for_bob: Program, for_carol: Program, squad: Team, alice: User
) -> None:
    sent = {"body": "42 clips", "url": "https://ci.example.com/42", "priority": "low"}

    answer = await for_alice.post("/api/events", json=EVENT | sent | {"team_id": squad.id})

    (notice,) = (await for_bob.get("/api/notifications")).json()["notifications"]
    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], "type": "custom", "recipients": 1}
    assert notice["message"] == "Render done"
    assert notice["context"] == {"title": "Render done", **sent}
    assert notice["actor"] == {"id": alice.id, "username": "alice"}
    assert notice["team"] == {"id": squad.id, "name": "Video Squad"}
    assert await told(for_alice) == await told(for_carol) == []


async def test_recipients_are_given_by_username_or_id(
    for_alice: Program, for_bob: Program, for_carol: Program, db: Database, alice: User,
    bob: User, carol: User,
) -> None:  # fmt: skip
    await make_team(db, alice, "Others", editors=[carol])
    await make_team(db, alice, editors=[bob, carol])

    for recipients in (["BOB"], [bob.id, "carol"]):
        answer = await for_alice.post("/api/events", json=EVENT | {"recipients": recipients})
        assert answer.json()["recipients"] == len(recipients)

    assert await told(for_bob) == ["Render done", "Render done"]
    assert await told(for_carol) == ["Render done"]


async def test_any_recipient_outside_the_team_is_refused(
    for_alice: Program, for_bob: Program, squad: Team, carol: User
) -> None:
    for stranger in ("carol", carol.id, "nemo", 999_999):
        for where in ({}, {"team_id": squad.id}):
            sent = EVENT | where | {"recipients": ["bob", stranger]}
            answer = await for_alice.post("/api/events", json=sent)

            assert await fields_wrong(answer) == ["recipients"]
            assert str(stranger) in answer.json()["detail"]
    assert await told(for_bob) == []


async def test_recipients_of_two_teams_cannot_be_notified_together(
    for_alice: Program, db: Database, alice: User, bob: User, carol: User
) -> None:
    await make_team(db, alice, editors=[bob])
    await make_team(db, alice, "Others", editors=[carol])

    answer = await for_alice.post("/api/events", json=EVENT | {"recipients": ["bob", "carol"]})

    assert await fields_wrong(answer) == ["recipients"]


async def test_a_project_reaches_the_teams_it_is_shared_with(
    for_alice: Program, for_bob: Program, for_carol: Program, db: Database, alice: User,
    bob: User, carol: User,
) -> None:  # fmt: skip
    squad = await make_team(db, alice, editors=[bob])
    strangers = await make_team(db, carol, "Strangers", editors=[alice])
    project = Project(name="Highlight Reel", owner_id=alice.id)
    async with db.write() as session:
        session.add(project)
        await session.flush()
        session.add_all(Share(project_id=project.id, team_id=t.id) for t in (squad, strangers))

    by_alice = await for_alice.post("/api/events", json=EVENT | {"project_id": project.id})
    by_bob = await for_bob.post("/api/events", json=EVENT | {"project_id": project.id})

    assert by_alice.json()["recipients"] == 1
    assert await told(for_bob) == ["Render done"]
    assert await told(for_carol) == []
    assert by_bob.status_code == 403


async def test_only_the_owner_and_admins_send_events(
    for_bob: Program, for_carol: Program, db: Database, squad: Team, alice: User
) -> None:
    async with db.write() as session:
        project = Project(name="Highlight Reel", owner_id=alice.id)
        session.add(project)
    team, some = {"team_id": squad.id}, {"recipients": ["alice"]}

    by_member = [await for_bob.post("/api/events", json=EVENT | whom) for whom in (team, some)]
    by_stranger = [
        await for_carol.post("/api/events", json=EVENT | whom)
        for whom in (team, {"project_id": project.id})
    ]

    assert {answer.status_code for answer in by_member} == {403}
    assert {answer.status_code for answer in by_stranger} == {404}


async def test_a_read_token_cannot_send_events(
    nobody: Program, db: Database, squad: Team, alice: User
) -> None:
    bearer = {"Authorization": f"Bearer {await key_of(db, alice, 'read')}"}

    answer = await nobody.post("/api/events", json=EVENT | {"team_id": squad.id}, headers=bearer)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({}, ["team_id"]),
        ({"team_id": 1, "title": " "}, ["title"]),
        ({"team_id": 1, "title": "a\nBcc: b"}, ["title"]),
        ({"team_id": 1, "type": "member_added"}, ["type"]),
        ({"team_id": 1, "priority": "urgent", "icon": "bi-bug"}, ["icon", "priority"]),
        ({"team_id": 1, "url": "javascript:alert(1)"}, ["url"]),
        ({"team_id": 1, "url": "//evil.example"}, ["url"]),
        ({"team_id": 1, "url": "/\\evil.example"}, ["url"]),
        ({"team_id": 1, "url": "http://example.com"}, ["url"]),
        ({"team_id": 1, "url": "https://"}, ["url"]),
        ({"team_id": 1, "url": "https://bank.example@evil.example"}, ["url"]),
        ({"team_id": 1, "url": "https://bänk.example"}, ["url"]),
        ({"team_id": 1, "url": "https://[::1"}, ["url"]),
        ({"team_id": 1, "url": "https://a.example:99999"}, ["url"]),
        ({"recipients": []}, ["recipients"]),
    ],
)
async def test_an_invalid_event_is_refused(
    for_alice: Program, sent: dict[str, Any], fields: list[str]
) -> None:
    answer = await for_alice.post("/api/events", json=EVENT | sent)

    assert sorted(await fields_wrong(answer)) == fields


async def test_repeating_a_key_within_a_day_notifies_once_and_returns_the_same(
    for_alice: Program,
    for_bob: Program,
    squad: Team,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = EVENT | {"team_id": squad.id, "idempotency_key": "render-42"}
    now = clock.now()

    first, second = [await for_alice.post("/api/events", json=sent) for _time in range(2)]
    await for_bob.delete(f"/api/notifications/{await newest(for_bob)}")
    third = await for_alice.post("/api/events", json=sent)
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=24, seconds=9))
    later = await for_alice.post("/api/events", json=sent)

    assert first.status_code == second.status_code == 201
    assert first.json() == second.json() == third.json()
    assert later.json()["id"] > first.json()["id"]
    assert await told(for_bob) == ["Render done"]


async def test_concurrent_requests_with_one_key_notify_once(
    for_alice: Program, for_bob: Program, squad: Team
) -> None:
    sent = EVENT | {"team_id": squad.id, "idempotency_key": "render-42"}

    answers = await asyncio.gather(
        *(for_alice.post("/api/events", json=sent) for _time in range(8))
    )

    assert len({answer.text for answer in answers}) == 1
    assert await told(for_bob) == ["Render done"]


async def test_a_key_belongs_to_one_user(
    for_alice: Program, for_bob: Program, db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, admins=[bob])
    sent = EVENT | {"team_id": team.id, "idempotency_key": "render-42"}

    by_alice, by_bob = [
        await program.post("/api/events", json=sent) for program in (for_alice, for_bob)
    ]

    assert by_alice.json()["id"] != by_bob.json()["id"]


async def test_no_priority_defeats_a_mute(
    for_alice: Program, for_bob: Program, squad: Team
) -> None:
    await for_bob.put(f"/api/teams/{squad.id}/mute", json={"muted": True})

    for priority in ("normal", "high"):
        sent = {"team_id": squad.id, "priority": priority, "title": priority}
        await for_alice.post("/api/events", json=EVENT | sent)

    assert await told(for_bob) == []


async def test_mail_is_off_by_default_and_urgent_mail_goes_at_once(
    for_alice: Program, db: Database, squad: Team, bob: User
) -> None:
    async def deliveries() -> list[tuple[str, bool]]:
        async with db.read() as session:
            rows = select(Delivery.bundling, Delivery.due_at <= clock.now()).order_by(Delivery.id)
            return [(bundling, is_due) for bundling, is_due in await session.execute(rows)]

    async def tell(priority: str) -> None:
        sent = {"team_id": squad.id, "priority": priority}
        await for_alice.post("/api/events", json=EVENT | sent)

    await tell("high")
    before = await deliveries()
    async with db.write() as session:
        session.add(Preference(user_id=bob.id, type="custom", channel="email", wanted=True))
    await tell("normal")
    await tell("high")

    assert before == []
    assert await deliveries() == [("bundle", False), ("alone", True)]


async def test_leaving_the_team_withdraws_its_custom_events(
    for_alice: Program, for_bob: Program, squad: Team
) -> None:
    await for_alice.post("/api/events", json=EVENT | {"team_id": squad.id})

    await for_bob.post(f"/api/teams/{squad.id}/leave")

    assert await told(for_bob) == []


async def test_it_is_shown_escaped_with_its_host_and_opens_on_its_own_page(
    client: httpx.AsyncClient, for_alice: Program, for_bob: Program, squad: Team, bob: User
) -> None:
    evil = "<img src=x onerror=alert(1)>"
    sent = {"title": evil, "body": f"{evil}\nbye", "url": "https://ci.example.com/42?a=1&b=2"}
    await for_alice.post("/api/events", json=EVENT | sent | {"team_id": squad.id})
    one = await newest(for_bob)
    await sign_in(client, bob)

    inbox = await client.get("/notifications")
    page = await client.get(f"/notifications/{one}")
    followed = await client.get(f"/notifications/{one}/open")

    assert f'href="/notifications/{one}" class="notice-text"' in inbox.text
    assert followed.headers["Location"] == sent["url"]
    for shown in (inbox, page):
        assert "<img src=x" not in shown.text
        assert evil.replace("<", "&lt;").replace(">", "&gt;") in shown.text
        assert f'href="/notifications/{one}/open"' in shown.text
        assert re.search(r"Open\s+ci\.example\.com", text_of(shown))
    assert (await client.get(f"/notifications/{one + 1}")).status_code == 404


async def test_it_is_limited_to_sixty_a_minute(settings: Settings, db: Database) -> None:
    async with serving(replace(settings, rate_limits=True)) as application:
        alice = await make_account(db, "alice")
        async with browser(application) as program:
            program.headers["Authorization"] = f"Bearer {await key_of(db, alice)}"
            answers = [await program.post("/api/events", json=EVENT) for _time in range(61)]

    assert {answer.status_code for answer in answers[:60]} == {400}
    assert answers[60].status_code == 429
    assert 0 < int(answers[60].headers["Retry-After"]) <= 60
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(Event)) == 0


async def test_of_one_collapse_key_each_recipient_has_one_notification(
    for_alice: Program, for_bob: Program, squad: Team
) -> None:
    sent = EVENT | {"team_id": squad.id, "collapse_key": "render"}
    await for_alice.post("/api/events", json=sent | {"title": "10 %"})
    (before,) = (await for_bob.get("/api/notifications")).json()["notifications"]
    await for_bob.post(f"/api/notifications/{before['id']}/read")

    quiet = await for_alice.post("/api/events", json=sent | {"title": "50 %", "quiet": True})
    (during,) = (await for_bob.get("/api/notifications")).json()["notifications"]
    await for_alice.post("/api/events", json=sent | {"title": "100 %"})

    (notice,) = (await for_bob.get("/api/notifications")).json()["notifications"]
    history = await for_bob.get(f"/api/notifications/{notice['id']}/history")
    assert quiet.json()["recipients"] == 1
    assert (during["message"], during["is_read"]) == ("50 %", True)
    assert (notice["id"], notice["message"], notice["is_read"]) == (before["id"], "100 %", False)
    assert notice["updated_at"]
    assert notice["position"] > during["position"] > before["position"]
    assert [one["message"] for one in history.json()["history"]] == ["50 %", "10 %"]
    missing = await for_bob.get("/api/notifications/99999/history")
    assert missing.status_code == 404


async def test_a_history_leaves_out_an_event_of_a_newer_version(
    for_alice: Program, for_bob: Program, db: Database, squad: Team
) -> None:
    sent = EVENT | {"team_id": squad.id, "collapse_key": "render"}
    for title in ("10 %", "50 %", "100 %"):
        await for_alice.post("/api/events", json=sent | {"title": title})
    async with db.write() as session:
        newer = select(func.max(Superseded.event_id)).scalar_subquery()
        await session.execute(
            update(Event).where(Event.id == newer).values(type="from_a_newer_version")
        )

    (notice,) = (await for_bob.get("/api/notifications")).json()["notifications"]
    history = await for_bob.get(f"/api/notifications/{notice['id']}/history")

    assert [one["message"] for one in history.json()["history"]] == ["10 %"]


async def test_a_collapse_key_must_be_a_short_line(for_alice: Program, squad: Team) -> None:
    sent = EVENT | {"team_id": squad.id, "collapse_key": "x" * 101}

    answer = await for_alice.post("/api/events", json=sent)

    assert await fields_wrong(answer) == ["collapse_key"]
