"""Mails a second from the outbox, beside a bare aiosmtplib loop to the same server in the same run.

    python -m tests.benchmarks.mail [--mails 1000] [--rounds 5]

The server (aiosmtpd, which takes everything) is a process of its own. The bare loop keeps one
connection and composes each mail afresh; the outbox besides reads, decides, renders, signs and
records each mail before the next one leaves.
"""

import dataclasses
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import aiosmtplib

from app import clock
from app.database import Database
from app.models import Team, User
from app.settings import Settings, load
from tests.benchmarks._table import Line, alone, at_least_times
from tests.benchmarks._world import add_members, add_people, fresh_database
from tests.factories import make_team
from tests.mailing import deliver_mail, kept, make_due, share
from tests.smtp_sink import running_sink


async def measure(mails: int = 1000, rounds: int = 5) -> list[Line]:
    with TemporaryDirectory() as folder:
        async with running_sink(Path(folder) / "notes") as port, fresh_database() as db:
            settings = _settings(folder, port)
            owner, team = await _people(db, mails)
            sample = await _sample(db, settings, owner, team)
            bare, shipped = [], []
            for _round in range(rounds):
                bare.append(await _bare(settings, sample, mails))
                shipped.append(await _shipped(db, settings, owner, team, mails))
    return [
        Line(
            "mails from the outbox",
            median(shipped),
            "a second",
            "a bare aiosmtplib loop",
            median(bare),
            at_least_times(0.5),
        )
    ]


def _settings(folder: str, port: int) -> Settings:
    settings = load({"DATA_DIR": folder, "SECRET_KEY": "a secret of the benchmark"})
    return dataclasses.replace(settings, smtp_host="127.0.0.1", smtp_port=port, smtp_tls="none")


async def _people(db: Database, mails: int) -> tuple[User, Team]:
    owner, *people = await add_people(db, mails + 1)
    async with db.read() as session:
        actor = await session.get_one(User, owner)
    team = await make_team(db, actor)
    await add_members(db, team.id, people)
    return actor, team


async def _sample(db: Database, settings: Settings, owner: User, team: Team) -> EmailMessage:
    """One of the mails that the outbox sends, for the bare loop to send its like."""
    await share(db, owner, team)
    await make_due(db)
    await deliver_mail(db, dataclasses.replace(settings, smtp_host=""))
    return kept(settings)[0]


async def _bare(settings: Settings, sample: EmailMessage, mails: int) -> float:
    """Mails a second."""
    text, html = (part.get_content() for part in sample.iter_parts())
    server = {"hostname": settings.smtp_host, "port": settings.smtp_port, "start_tls": False}
    began = perf_counter()
    async with aiosmtplib.SMTP(**server) as client:  # type: ignore[arg-type]
        for number in range(mails):
            message = EmailMessage(policy=SMTP)
            message["From"] = f"ClippyFront <{settings.smtp_from_email}>"
            message["To"] = f"person{number}@example.com"
            message["Subject"] = sample["Subject"]
            message["Date"] = format_datetime(clock.now())
            message["Message-ID"] = make_msgid(domain="example.com")
            message.set_content(text)
            message.add_alternative(html, subtype="html")
            await client.send_message(message)
    return mails / (perf_counter() - began)


async def _shipped(db: Database, settings: Settings, owner: User, team: Team, mails: int) -> float:
    await share(db, owner, team)
    await make_due(db)
    began = perf_counter()
    count = await deliver_mail(db, settings)
    seconds = perf_counter() - began
    assert count == mails
    return mails / seconds


if __name__ == "__main__":
    alone(measure)
