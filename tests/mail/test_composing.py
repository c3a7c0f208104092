"""Letters: written from rows, delivered once, tried again or given up."""

import asyncio
import dataclasses
import stat
from datetime import timedelta

from app import clock
from app.accounts import passwords
from app.database import Database
from app.models import User
from app.settings import Settings
from tests.mailing import change_deliveries, deliver_mail, deliveries, kept, make_due, write


async def test_without_a_server_a_letter_is_a_file(db: Database, settings: Settings) -> None:
    await write(db)

    assert await deliver_mail(db, settings) == 1

    [mail] = kept(settings)
    assert (mail["To"], mail["Subject"]) == ("alice@example.com", "Your address was changed")
    assert [row.state for row in await deliveries(db)] == ["sent"]


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
    db: Database, settings: Settings, alice: User
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
    await write(db, name="no_such_mail")
    await write(db, "eve@example.com\r\nBcc: all@example.com")
    await write(db)

    await deliver_mail(db, settings)

    assert [row.state for row in await deliveries(db)] == ["failed", "failed", "sent"]
    assert len(kept(settings)) == 1


async def test_a_server_that_stays_away_is_given_up_after_eight_attempts(
    db: Database, settings: Settings
) -> None:
    away = dataclasses.replace(settings, smtp_host="127.0.0.1", smtp_port=1, smtp_tls="none")
    await write(db)

    for _ in range(8):
        await make_due(db)
        await deliver_mail(db, away)

    [row] = await deliveries(db)
    assert (row.state, row.attempts) == ("dead", 8)


async def test_a_letter_not_yet_due_waits(db: Database, settings: Settings) -> None:
    await write(db)
    await change_deliveries(db, due_at=clock.now() + timedelta(minutes=1))

    assert await deliver_mail(db, settings) == 0
