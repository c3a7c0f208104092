"""What the mails about notices say, and how mail programs understand them."""

import re
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import update

from app import clock
from app.database import Database
from app.models import Delivery, Project, Team, User
from app.notifications.events.catalogue import (
    ACCOUNT_ADDRESS_CHANGE_REQUESTED,
    ACCOUNT_PASSWORD_CHANGED,
    COMPILATION_FAILED,
    MEMBER_ADDED,
    PROJECT_SHARED,
    TYPES,
)
from app.notifications.events.event_type import EventType
from app.notifications.notify import notify
from app.settings import Settings
from tests.factories import SIGNER, make_team
from tests.mailing import deliver_mail


@pytest.fixture
async def reel(db: Database, alice: User) -> Project:
    project = Project(name="Highlight Reel & more", owner_id=alice.id)
    async with db.write() as session:
        session.add(project)
    return project


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, "Zoë's <Squad>", editors=[bob])


async def share(db: Database, actor: User, team: Team, project: Project) -> None:
    async with db.act() as session:
        await notify(session, PROJECT_SHARED, actor=actor, team=team, project=project)


async def mails_due(db: Database, settings: Settings) -> list[EmailMessage]:
    """Everything that waits is due now; the mails that become of it."""
    async with db.write() as session:
        waiting = update(Delivery).where(Delivery.state == "pending")
        await session.execute(waiting.values(due_at=clock.now()))
    await deliver_mail(db, settings)
    files = sorted(settings.mail_dir.glob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=default) for file in files]


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


async def test_a_mail_is_well_formed_text_first(
    db: Database, settings: Settings, alice: User, squad: Team, reel: Project
) -> None:
    await share(db, alice, squad, reel)

    [mail] = await mails_due(db, settings)

    parts = list(mail.walk())
    assert [one.get_content_type() for one in parts] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert [one.defects for one in parts] == [[], [], []]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].startswith("<notice-")


async def test_names_arrive_as_they_are_in_text_and_escaped_in_html(
    db: Database, settings: Settings, alice: User, squad: Team, reel: Project
) -> None:
    await share(db, alice, squad, reel)

    [mail] = await mails_due(db, settings)

    sentence = "Project 'Highlight Reel & more' was shared with team 'Zoë's <Squad>'"
    assert sentence in part(mail, "plain")
    assert "<Squad>" not in part(mail, "html")
    assert f"{settings.base_url}/projects/{reel.id}" in part(mail, "plain")


async def test_a_subject_stays_on_one_line(
    db: Database, settings: Settings, alice: User, squad: Team
) -> None:
    long = Project(name="A very long name " * 7, owner_id=alice.id)
    async with db.write() as session:
        session.add(long)
    await share(db, alice, squad, long)

    [mail] = await mails_due(db, settings)

    assert len(mail["Subject"]) <= 70
    assert mail["Subject"].endswith("…")


async def test_mails_about_one_project_are_one_thread(
    db: Database, settings: Settings, alice: User, squad: Team, reel: Project
) -> None:
    await share(db, alice, squad, reel)
    await mails_due(db, settings)
    await share(db, alice, squad, reel)

    first, second = await mails_due(db, settings)

    assert first["References"] == second["References"] == second["In-Reply-To"]
    assert first["Message-ID"] != second["Message-ID"]
    assert f"project-{reel.id}." in first["List-Id"]


async def test_several_notices_are_grouped_by_project_or_team(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, reel: Project
) -> None:
    await share(db, alice, squad, reel)
    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=squad, role="editor")
    await share(db, alice, squad, reel)

    [mail] = await mails_due(db, settings)

    text = part(mail, "plain")
    assert mail["Subject"].endswith("and 2 more")
    assert text.count("\nHighlight Reel & more\n") == 1
    assert text.index("Highlight Reel & more") < text.index("\nZoë's <Squad>\n")


async def test_a_failure_names_its_reason(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    async with db.act() as session:
        await notify(session, COMPILATION_FAILED, project=reel, error="The clip is broken.")

    [mail] = await mails_due(db, settings)

    assert "The clip is broken." in part(mail, "plain")
    assert "Retry" not in part(mail, "plain")


async def test_the_digest_lists_the_unread_notices(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, reel: Project
) -> None:
    async with db.write() as session:
        tomorrow = clock.now() + timedelta(days=1)
        daily = update(User).where(User.id == bob.id)
        await session.execute(daily.values(digest_is_on=True, digest_due_at=tomorrow))
    await share(db, alice, squad, reel)

    [mail] = await mails_due(db, settings)

    assert mail["Subject"] == "Your digest: 1 notification"
    assert mail["Precedence"] == "bulk"


@pytest.mark.parametrize("count", [1, 2])
async def test_one_click_stops_what_the_header_says(
    db: Database,
    settings: Settings,
    client: httpx.AsyncClient,
    alice: User,
    squad: Team,
    reel: Project,
    count: int,
) -> None:
    for _ in range(count):
        await share(db, alice, squad, reel)
    [mail] = await mails_due(db, settings)

    link = urlsplit(mail["List-Unsubscribe"].strip("<>"))
    answer = await client.post(link.path, data={"List-Unsubscribe": "One-Click"})
    await share(db, alice, squad, reel)

    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert answer.status_code == 200
    assert len(await mails_due(db, settings)) == 1


@pytest.mark.parametrize("event_type", [one for one in TYPES.values() if one.is_immediate])
async def test_only_optional_mail_has_unsubscribe_links(
    db: Database, settings: Settings, alice: User, event_type: EventType
) -> None:
    async with db.act() as session:
        await notify(session, event_type, affected=alice, **event_type.example)

    [mail] = await mails_due(db, settings)

    is_mandatory = event_type in (ACCOUNT_PASSWORD_CHANGED, ACCOUNT_ADDRESS_CHANGE_REQUESTED)
    assert (mail["List-Unsubscribe"] is None) == is_mandatory
    assert (mail["List-Unsubscribe-Post"] is None) == is_mandatory
    for kind in ("plain", "html"):
        assert ("/unsubscribe/" not in part(mail, kind)) == is_mandatory
        assert ("cannot be turned off" in part(mail, kind)) == is_mandatory
        assert "Review Account" in part(mail, kind)
        assert f"{settings.base_url}/account" in part(mail, kind)


async def test_a_link_that_only_the_mail_has_signs_its_fact(
    db: Database, settings: Settings, alice: User
) -> None:
    facts: dict[str, Any] = {"address": "new@example.com", "nonce": "a nonce"}
    async with db.act() as session:
        await notify(session, ACCOUNT_ADDRESS_CHANGE_REQUESTED, affected=alice, **facts)

    [mail] = await mails_due(db, settings)

    text = part(mail, "plain")
    [token] = re.findall(
        rf"Cancel this change: {settings.base_url}/account/address/cancel/(\S+)", text
    )
    assert SIGNER.unsign("cancel_address_change", token) == [alice.id, "a nonce"]
