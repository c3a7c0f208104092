"""Names in any script go out with real mails, and one that cannot be written harms no other."""

import logging
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select, update

from app.database import Database
from app.models import Delivery, Event, Project, Team, User
from app.notifications.channels.email import notification_mail
from app.notifications.events.catalogue import PROJECT_SHARED
from app.notifications.events.notices import as_notice
from app.notifications.notify import notify
from app.settings import Settings
from app.teams.invitations import invite
from tests.factories import make_team
from tests.mailing import deliver_mail, deliveries, make_due
from tests.postoffice import PostOffice

FAMILY = "👩‍👩‍👧‍👦 Team"
ARABIC = "فريق 12 (v2)"
NAMES = [
    FAMILY,
    "می‌خواهم",
    "Vi\u200bdeo",
    "Vi\u00addeo",
    ARABIC,
    "x" * 80,
    "=?utf-8?Q?x?=",
    'Zoë "the" <cutter>, & co',
]


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def isolated(name: str) -> str:
    """As text has it: marked where it has right-to-left letters."""
    return f"\u2068{name}\u2069" if name in (ARABIC, "می‌خواهم") else name


async def share(db: Database, actor: User, team: Team, name: str) -> None:
    project = Project(name=name, owner_id=actor.id)
    async with db.act() as session:
        session.add(project)
        await session.flush()
        await notify(session, PROJECT_SHARED, actor=actor, team=team, project=project)


async def send(db: Database, mailing: Settings) -> None:
    await make_due(db)
    await deliver_mail(db, mailing)


@pytest.mark.parametrize("name", NAMES)
async def test_a_notice_is_mailed_with_the_name_as_it_was_written(
    db: Database, mailing: Settings, office: PostOffice, alice: User, bob: User, name: str
) -> None:
    squad = await make_team(db, alice, "Squad", editors=[bob])
    await share(db, alice, squad, name)

    await send(db, mailing)

    [mail] = office.mails
    sentence = f"Project '{isolated(name)}' was shared with team 'Squad'"
    assert sentence in part(mail, "plain")
    assert f"<bdi>{name.replace('&', '&amp;')[:3]}" in part(mail, "html")
    assert mail["Subject"] == sentence or mail["Subject"].endswith("…")
    assert f"'{isolated(name)}'"[:45] in mail["Subject"]
    list_id = mail["List-Id"]
    assert name in list_id or name.replace('"', '\\"') in list_id
    assert all(len(line) <= 998 and line.isascii() for line in office.taken[0].splitlines())


@pytest.mark.parametrize("name", NAMES)
async def test_a_stranger_is_invited_with_the_name_as_it_was_written(
    db: Database, mailing: Settings, office: PostOffice, alice: User, name: str
) -> None:
    team = await make_team(db, alice, name)
    async with db.act() as session:
        await invite(session, alice, team.id, "new@example.com", "viewer")

    await send(db, mailing)

    [mail] = office.mails
    shown = isolated(name if len(name) <= 40 else name[:39] + "…")
    assert mail["Subject"] == f"You are invited to join team '{shown}'"
    assert f"alice invited you to join team '{isolated(name)}' as viewer." in part(mail, "plain")
    assert "<bdi>alice</bdi> invited you to join team &#39;<bdi>" in part(mail, "html")


@pytest.mark.parametrize("name", ["abc\u202edef", "abc\r\nBcc: x@example.org", "abc\x00def\u2067"])
async def test_a_bad_name_of_old_is_mailed_cleaned(
    db: Database, mailing: Settings, office: PostOffice, alice: User, bob: User, name: str
) -> None:
    squad = await make_team(db, alice, "Squad", editors=[bob])
    await share(db, alice, squad, "Reel")
    async with db.write() as session:
        [event] = (await session.scalars(select(Event))).all()
        event.context = {**event.context, "project_name": name}

    await send(db, mailing)

    [mail] = office.mails
    clean = {"abc\u202edef": "abcdef", "abc\x00def\u2067": "abcdef"}.get(
        name, "abc Bcc: x@example.org"
    )
    assert mail["Subject"].startswith(f"Project '{clean}' was shared with team ")
    assert mail["List-Id"].startswith(clean) or f'"{clean}"' in mail["List-Id"]
    assert mail["Bcc"] is None
    assert office.envelopes == ["bob@example.com"]


def break_notice(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    """From now on the notice about the project `bad` cannot be rendered."""

    def breaking(row: Any) -> Any:
        if row.context["project_name"] == bad:
            raise KeyError(bad)
        return as_notice(row)

    monkeypatch.setattr(f"{notification_mail.__name__}.as_notice", breaking)


@pytest.mark.parametrize("bundling", ["bundle", "digest"])
async def test_an_unrenderable_notice_is_left_out_and_the_rest_is_sent(
    db: Database,
    mailing: Settings,
    office: PostOffice,
    alice: User,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    bundling: str,
) -> None:
    squad = await make_team(db, alice, "Squad", editors=[bob])
    for name in ("First", "Broken", "Last"):
        await share(db, alice, squad, name)
    async with db.write() as session:
        await session.execute(update(Delivery).values(bundling=bundling))
    break_notice(monkeypatch, "Broken")

    with caplog.at_level(logging.ERROR):
        await send(db, mailing)

    [mail] = office.mails
    assert "'First'" in part(mail, "plain")
    assert "'Last'" in part(mail, "plain")
    assert "Broken" not in part(mail, "plain")
    first, broken, last = await deliveries(db)
    assert (first.state, broken.state, last.state) == ("sent", "failed", "sent")
    assert (broken.failure, first.failure) == ("unwritable", None)
    assert f"Delivery {broken.id} could not be written." in caplog.text


async def test_an_unrenderable_notice_alone_does_not_hold_up_other_mail(
    db: Database,
    mailing: Settings,
    office: PostOffice,
    alice: User,
    bob: User,
    carol: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await share(db, alice, await make_team(db, alice, "Squad", editors=[bob]), "Broken")
    await share(db, alice, await make_team(db, alice, "Others", editors=[carol]), "Reel")
    break_notice(monkeypatch, "Broken")

    await send(db, mailing)

    assert office.envelopes == ["carol@example.com"]
    assert [one.state for one in await deliveries(db)] == ["failed", "sent"]
