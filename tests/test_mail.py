"""Letters: written from rows, delivered once, tried again or given up."""

import asyncio
import dataclasses
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy import select, update

from app import clock
from app.accounts import passwords, registration
from app.database import Database
from app.mail import LETTERS, add_letter
from app.models import Account, Delivery
from app.settings import Settings
from tests.mailing import deliver_mail

assert {passwords.RESET, registration.CONFIRM} <= set(LETTERS)


async def write(db: Database, letter: str = "address_changed", **facts: Any) -> None:
    address = facts.pop("address", "alice@example.com")
    facts = {"username": "alice", "email": "new@example.com"} | facts
    async with db.write() as session:
        await add_letter(session, letter, address=address, **facts)


async def rows(db: Database) -> list[Delivery]:
    async with db.read() as session:
        return list(await session.scalars(select(Delivery).order_by(Delivery.id)))


def kept(settings: Settings) -> list[EmailMessage]:
    files = sorted(settings.mail_dir.glob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=default) for file in files]


class Postman:
    """An SMTP server's say: `answer` to each recipient, and what it took."""

    def __init__(self) -> None:
        self.answer = "250 OK"
        self.taken: list[bytes] = []

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.taken.append(envelope.content)
        return "250 OK"


@pytest.fixture
async def postman() -> Postman:
    return Postman()


@pytest.fixture
async def mailing(settings: Settings, postman: Postman) -> AsyncIterator[Settings]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postman), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield dataclasses.replace(settings, smtp_host="127.0.0.1", smtp_port=port, smtp_tls="none")
    server.close()


async def test_without_a_server_a_letter_is_a_file(db: Database, settings: Settings) -> None:
    await write(db)

    assert await deliver_mail(db, settings) == 1

    [mail] = kept(settings)
    assert (mail["To"], mail["Subject"]) == ("alice@example.com", "Your address was changed")
    assert [row.state for row in await rows(db)] == ["sent"]


async def test_a_kept_letter_is_for_the_owner_of_the_machine_alone(
    db: Database, settings: Settings
) -> None:
    await write(db)
    await deliver_mail(db, settings)

    [file] = settings.mail_dir.glob("*.eml")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_text_comes_first_and_unescaped_html_second_and_escaped(
    db: Database, settings: Settings
) -> None:
    await write(db, username="O'Neil & <b>Sons</b>")
    await deliver_mail(db, settings)

    [mail] = kept(settings)
    text, html = mail.iter_parts()
    assert [text.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    assert "Hello O'Neil & <b>Sons</b>," in text.get_content()
    assert "<b>Sons" not in html.get_content()


async def test_links_are_signed_when_the_letter_leaves(
    db: Database, settings: Settings, alice: Account
) -> None:
    async with db.write() as session:
        await passwords.send_reset(session, alice.email)
    await deliver_mail(db, settings)

    [mail] = kept(settings)
    text = mail.get_body(("plain",))
    assert text is not None
    assert f"{settings.base_url}/reset/" in text.get_content()


async def test_workers_at_once_deliver_each_letter_once(db: Database, settings: Settings) -> None:
    for _ in range(6):
        await write(db)

    counts = await asyncio.gather(*(deliver_mail(db, settings) for _ in range(3)))

    assert sum(counts) == len(kept(settings)) == 6


async def test_a_letter_that_cannot_be_written_does_not_hold_up_the_next(
    db: Database, settings: Settings
) -> None:
    await write(db, letter="no_such_letter")
    await write(db, address="eve@example.com\r\nBcc: all@example.com")
    await write(db)

    await deliver_mail(db, settings)

    assert [row.state for row in await rows(db)] == ["failed", "failed", "sent"]
    assert len(kept(settings)) == 1


async def test_with_a_server_a_letter_goes_there(
    db: Database, mailing: Settings, postman: Postman
) -> None:
    await write(db)

    await deliver_mail(db, mailing)

    assert b"Subject: Your address was changed" in postman.taken[0]
    assert not mailing.mail_dir.exists()


@pytest.mark.parametrize(
    ("answer", "state"), [("451 Try again", "pending"), ("550 No such person", "failed")]
)
async def test_only_what_may_still_succeed_is_tried_again(
    db: Database, mailing: Settings, postman: Postman, answer: str, state: str
) -> None:
    postman.answer = answer
    await write(db)

    await deliver_mail(db, mailing)

    [row] = await rows(db)
    assert (row.state, row.attempts) == (state, 1)
    assert answer[4:] in str(row.error)
    assert (row.settled_at is None) is (state == "pending")
    assert row.due_at > clock.now()


async def test_a_second_attempt_has_the_same_id(
    db: Database, mailing: Settings, postman: Postman
) -> None:
    await write(db)
    await deliver_mail(db, mailing)
    async with db.write() as session:
        await session.execute(update(Delivery).values(state="pending", due_at=clock.now()))
    await deliver_mail(db, mailing)

    first, second = (message_from_bytes(content) for content in postman.taken)
    assert first["Message-ID"] == second["Message-ID"]


async def test_a_server_that_stays_away_is_given_up_after_eight_attempts(
    db: Database, settings: Settings
) -> None:
    away = dataclasses.replace(settings, smtp_host="127.0.0.1", smtp_port=1, smtp_tls="none")
    await write(db)

    for _ in range(8):
        async with db.write() as session:
            await session.execute(update(Delivery).values(due_at=clock.now()))
        await deliver_mail(db, away)

    [row] = await rows(db)
    assert (row.state, row.attempts) == ("dead", 8)


async def test_a_letter_not_yet_due_waits(db: Database, settings: Settings) -> None:
    await write(db)
    async with db.write() as session:
        later = clock.now().replace(year=clock.now().year + 1)
        await session.execute(update(Delivery).values(due_at=later))

    assert await deliver_mail(db, settings) == 0


def test_a_worker_knows_every_letter_with_a_link() -> None:
    look = "import app.worker; from app.mail import LETTERS; print(sorted(LETTERS))"

    known = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert known.stdout.strip() == str(sorted(LETTERS))
