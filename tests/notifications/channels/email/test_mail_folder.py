"""Mail without a mail server, while its folder's disk is full."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.database import Database
from app.installation import Installation
from app.models import Team, User
from app.notifications.channels.base import OUTAGE
from app.notifications.delivery import claims
from app.settings import Settings
from tests.factories import make_team
from tests.mailing import deliver_mail, deliveries, make_due, share
from tests.outages import fill, small_file_system


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


@pytest.fixture
def small_disk(settings: Settings) -> Iterator[Path]:
    with small_file_system(settings.mail_dir, megabytes=2) as folder:
        yield folder


async def test_a_mail_waits_for_room_and_then_arrives(
    installation: Installation, settings: Settings, alice: User, squad: Team, small_disk: Path
) -> None:
    db, channel = installation.db, installation.channels["email"]
    await share(db, alice, squad)
    ballast = fill(small_disk)
    await make_due(db)
    await deliver_mail(db, settings, channel)
    was_reachable = await channel.is_reachable()
    [waiting] = await deliveries(db)
    left_behind = os.listdir(small_disk)

    ballast.unlink()
    assert await channel.is_reachable()
    await claims.end_outage(db, channel)
    await deliver_mail(db, settings, channel)
    [arrived] = await deliveries(db)

    assert not was_reachable
    assert (waiting.state, waiting.reason, left_behind) == ("pending", OUTAGE, ["ballast"])
    assert arrived.state == "sent"
    assert len(os.listdir(small_disk)) == 1
