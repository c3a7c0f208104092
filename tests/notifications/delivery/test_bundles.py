"""Which waiting notices become one mail: those of a short wait, and those of a digest."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app import clock
from app.database import Database
from app.models import Delivery, Project, Team, User
from app.notifications.channels.base import DeliveryFailure, Failed
from app.notifications.delivery import bundles, claims, outbox
from app.notifications.delivery.bundles import bundle_due
from app.notifications.events.catalogue import COMPILATION_FAILED
from app.notifications.events.event_type import EMAIL
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.notifications.preferences import digest, switches
from app.settings import Settings
from tests.bell import newest_notices
from tests.benchmarks._world import add_members, add_people
from tests.factories import make_team
from tests.mailing import (
    change_deliveries,
    deliver_mail,
    deliveries,
    kept,
    make_due,
    repeat,
    share,
    write,
)
from tests.notifications._scripted import Scripted
from tests.notifications.conftest import Hands

WAIT = timedelta(seconds=120)
HOUR = timedelta(hours=1)


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


@pytest.fixture
async def reel(db: Database, bob: User) -> Project:
    project = Project(name="Bob's Reel", owner_id=bob.id)
    async with db.write() as session:
        session.add(project)
    return project


async def choose(db: Database, user: User, **wanted: Any) -> None:
    """Change the person's digest, as on the page of preferences; `timezone` too."""
    timezone = {"timezone": wanted.pop("timezone")} if "timezone" in wanted else {}
    digest = {"enabled": True, "frequency": "daily", "hour": 8} | wanted
    async with db.act() as session:
        await switches.change(session, user, {"digest": digest} | timezone)


async def read_all(db: Database, user: User) -> None:
    async with db.act() as session:
        await acts.read_all(session, user.id)


async def fail(db: Database) -> None:
    """The server asks for all of it later."""
    later = Failed(DeliveryFailure("unavailable", status_code=451))
    await outbox.deliver(db, Scripted(lambda _: later))


def subjects(settings: Settings) -> list[str]:
    return [mail["Subject"] for mail in kept(settings)]


def shared(*projects: str) -> list[str]:
    return [f"Project '{project}' was shared with team 'Video Squad'" for project in projects]


def told_in(settings: Settings, number: int, *projects: str) -> list[bool]:
    """Whether the mail of this number tells of each project."""
    body = kept(settings)[number].get_body(("plain",))
    assert body is not None
    return [f"Project '{project}'" in body.get_content() for project in projects]


async def wait_for(
    db: Database, user: User, bundling: str, minutes: float = 0, **values: Any
) -> int:
    """The id of a delivery to the user that is due in so many minutes."""
    await write(db, user.email, user_id=user.id)
    id = max(row.id for row in await deliveries(db))
    due_at = clock.now() + timedelta(minutes=minutes)
    await change_deliveries(db, Delivery.id == id, bundling=bundling, due_at=due_at, **values)
    return id


async def bundle(db: Database) -> int:
    async with db.write() as session:
        return await bundle_due(session, EMAIL)


async def bundles_of(db: Database) -> list[int | None]:
    return [row.bundle_id for row in await deliveries(db)]


async def test_a_bundle_is_named_for_its_first_due_delivery_and_includes_later_ones(
    db: Database, bob: User, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await wait_for(db, bob, "bundle", minutes=2)
    first = await wait_for(db, bob, "bundle")
    await wait_for(db, bob, "bundle", minutes=-1)

    assert await bundle(db) == 3

    assert await bundles_of(db) == [first, first, first]
    assert {row.due_at for row in await deliveries(db)} == {clock.now()}


async def test_of_workers_that_claim_at_once_one_gets_a_bundle_whole(
    db: Database, bob: User
) -> None:
    channel = Scripted()
    parts = 2 * channel.batch_size
    await write(db, *[f"{number}@example.com" for number in range(parts)], user_id=bob.id)
    await change_deliveries(db, Delivery.user_id == bob.id, bundling="bundle")
    await bundle(db)

    claimed = await asyncio.gather(
        *(claims.claim(db, channel, f"worker{number}") for number in range(4))
    )

    assert [len(one.deliveries) for one in claimed if one] == [parts]


async def test_nothing_is_bundled_before_something_is_due(
    db: Database, bob: User, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    for _ in range(2):
        await wait_for(db, bob, "bundle", minutes=1e-6)

    assert await bundle(db) == 0

    assert await bundles_of(db) == [None, None]


async def test_due_deliveries_elsewhere_start_no_bundle(
    db: Database, bob: User, carol: User
) -> None:
    """Not on another channel, not for another user, not what goes alone."""
    await wait_for(db, bob, "bundle", minutes=1)
    await wait_for(db, bob, "bundle", channel="push")
    await wait_for(db, bob, "alone")
    theirs = await wait_for(db, carol, "bundle")

    assert await bundle(db) == 1

    assert await bundles_of(db) == [None, None, None, theirs]


async def test_a_bundle_does_not_wait_for_a_digest(db: Database, bob: User, hands: Hands) -> None:
    hands.set("2026-11-23 08:00")
    async with db.write() as session:
        await session.execute(update(User).values(digest_due_at=clock.now()))
    await wait_for(db, bob, "digest")
    loose = await wait_for(db, bob, "bundle")

    assert await bundle(db) == 1

    assert await bundles_of(db) == [None, loose]


async def test_a_bundle_is_of_one_user_on_one_channel_and_never_changes(
    db: Database, bob: User, carol: User
) -> None:
    ours = await wait_for(db, bob, "bundle")
    theirs = await wait_for(db, carol, "bundle")
    await wait_for(db, bob, "bundle", channel="push")
    await wait_for(db, bob, "bundle", bundle_id=99)
    await wait_for(db, bob, "bundle", state="sent")
    await wait_for(db, bob, "alone")

    assert await bundle(db) == 2
    assert await bundle(db) == 0

    assert await bundles_of(db) == [ours, theirs, None, 99, None, None]


async def test_a_digest_is_a_separate_mail_with_the_deliveries_due_at_its_hour(
    db: Database, bob: User, hands: Hands
) -> None:
    hands.set("2026-11-23 08:00")
    digest = await wait_for(db, bob, "digest")
    loose = await wait_for(db, bob, "bundle")
    await wait_for(db, bob, "digest")
    await wait_for(db, bob, "digest", minutes=1e-6)

    assert await bundle(db) == 3

    assert await bundles_of(db) == [digest, loose, digest, None]


@pytest.mark.parametrize(("next_one", "count"), [(None, 1), (1e-6, 1), (0, 0), (-1, 0)])
async def test_a_digest_is_made_when_the_next_one_is_in_the_future_or_off(
    db: Database, bob: User, hands: Hands, next_one: float | None, count: int
) -> None:
    hands.set("2026-11-23 08:00")
    due_at = None if next_one is None else clock.now() + timedelta(minutes=next_one)
    async with db.write() as session:
        await session.execute(update(User).values(digest_due_at=due_at))
    await wait_for(db, bob, "digest")

    assert await bundle(db) == count


async def test_when_many_are_due_the_longest_due_are_bundled_first(
    db: Database, alice: User, bob: User, carol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "BATCH", 2)
    late = await wait_for(db, alice, "bundle", minutes=-1)
    latest = await wait_for(db, bob, "bundle")
    early = await wait_for(db, carol, "bundle", minutes=-2)

    assert await bundle(db) == 2
    assert await bundles_of(db) == [late, None, early]

    assert await bundle(db) == 1
    assert await bundles_of(db) == [late, latest, early]


async def test_a_mail_waits_for_being_read_in_the_app_first(
    db: Database, settings: Settings, alice: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await share(db, alice, squad)

    hands.move(WAIT - timedelta(seconds=1))
    assert await deliver_mail(db, settings) == 0
    hands.move(timedelta(seconds=1))
    assert await deliver_mail(db, settings) == 1


async def test_notices_of_one_wait_become_one_mail(
    db: Database, settings: Settings, alice: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await share(db, alice, squad, "First")
    hands.move(WAIT / 2)
    await share(db, alice, squad, "Second")
    hands.move(WAIT / 2)
    await deliver_mail(db, settings)
    await share(db, alice, squad, "Third")
    hands.move(WAIT)
    await deliver_mail(db, settings)

    assert [told_in(settings, number, "First", "Second", "Third") for number in (0, 1)] == [
        [True, True, False],
        [False, False, True],
    ]


async def test_each_person_gets_their_own_mail(
    db: Database, settings: Settings, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(db, alice, editors=[bob, carol])
    await share(db, alice, team, "First")
    await share(db, alice, team, "Second")
    await make_due(db)

    await deliver_mail(db, settings)

    assert sorted(mail["To"] for mail in kept(settings)) == [bob.email, carol.email]


async def test_urgent_deliveries_are_sent_alone_and_at_once(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, reel: Project
) -> None:
    await share(db, alice, squad)
    async with db.act() as session:
        await notify(session, COMPILATION_FAILED, project=reel, error="No clips.")

    await deliver_mail(db, settings)

    assert subjects(settings) == ["Compilation of 'Bob's Reel' failed"]
    assert [row.state for row in await deliveries(db)] == ["pending", "sent"]


async def test_a_repeated_attempt_is_the_same_mail_despite_newer_notices(
    db: Database, settings: Settings, alice: User, squad: Team
) -> None:
    await share(db, alice, squad, "First")
    await share(db, alice, squad, "Second")
    await make_due(db)
    await fail(db)
    await share(db, alice, squad, "Third")
    await make_due(db)

    await deliver_mail(db, settings)

    mails = {mail["Message-ID"].partition(".")[0] for mail in kept(settings)}
    assert mails == {"<notice-1", "<notice-3"}
    assert sorted(told_in(settings, n, "First", "Second", "Third") for n in (0, 1)) == [
        [False, False, True],
        [True, True, False],
    ]


async def test_a_repeated_attempt_leaves_out_notices_read_since(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team
) -> None:
    await share(db, alice, squad, "First")
    await share(db, alice, squad, "Second")
    await make_due(db)
    await fail(db)
    async with db.act() as session:
        [_second, first] = await newest_notices(session, bob.id)
        await acts.mark(session, bob.id, Selection([first.id]), read=True)
    await make_due(db)

    await deliver_mail(db, settings)

    assert subjects(settings) == shared("Second")
    assert [row.state for row in await deliveries(db)] == ["skipped", "sent"]
    assert kept(settings)[0]["Message-ID"].startswith("<notice-1.")


async def test_a_digest_waits_until_its_users_hour(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await choose(db, bob, hour=8, timezone="Asia/Kathmandu")
    await share(db, alice, squad, "First")
    hands.set("2026-11-23 22:00")
    await share(db, alice, squad, "Second")
    hands.set("2026-11-24 02:14:59")
    await deliver_mail(db, settings)
    assert kept(settings) == []

    hands.set("2026-11-24 02:15:00")
    await deliver_mail(db, settings)

    assert subjects(settings) == ["Your digest: 2 notifications"]
    assert told_in(settings, 0, "First", "Second") == [True, True]


async def test_there_is_no_digest_when_all_was_read(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await choose(db, bob)
    await share(db, alice, squad)
    await read_all(db, bob)

    hands.set("2026-11-24 08:00")
    await deliver_mail(db, settings)

    assert kept(settings) == []
    assert [(row.state, row.reason) for row in await deliveries(db)] == [("skipped", "read")]


async def test_a_digest_lists_only_unread_notices_and_each_once(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await choose(db, bob)
    await share(db, alice, squad, "First")
    await read_all(db, bob)
    await share(db, alice, squad, "Second")
    hands.set("2026-11-24 08:00")
    await deliver_mail(db, settings)
    await share(db, alice, squad, "Third")
    for day in (24, 25, 26):
        hands.set(f"2026-11-{day} 08:00:01")
        await deliver_mail(db, settings)

    assert [told_in(settings, number, "First", "Second", "Third") for number in (0, 1)] == [
        [False, True, False],
        [False, False, True],
    ]
    assert len(kept(settings)) == 2


async def test_urgent_deliveries_do_not_wait_for_the_digest(
    db: Database, settings: Settings, bob: User, reel: Project
) -> None:
    await choose(db, bob)
    async with db.act() as session:
        await notify(session, COMPILATION_FAILED, project=reel, error="No clips.")

    await deliver_mail(db, settings)

    assert subjects(settings) == ["Compilation of 'Bob's Reel' failed"]


async def test_after_days_without_a_worker_there_is_one_digest(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-20 10:00")
    await choose(db, bob)
    for day, project in ((20, "First"), (21, "Second"), (22, "Third")):
        hands.set(f"2026-11-{day} 12:00")
        await share(db, alice, squad, project)

    hands.set("2026-11-23 15:00")
    await deliver_mail(db, settings)
    await deliver_mail(db, settings)

    assert [told_in(settings, 0, "First", "Second", "Third")] == [[True, True, True]]
    assert len(kept(settings)) == 1
    async with db.read() as session:
        due = await session.scalar(select(User.digest_due_at).where(User.id == bob.id))
    assert due is not None
    assert due.isoformat() == "2026-11-24T08:00:00+00:00"


async def test_nothing_joins_a_digest_whose_hour_has_passed(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    """What comes before the worker has looked is in it; what comes after is in the next."""
    hands.set("2026-11-23 10:00")
    await choose(db, bob)
    await share(db, alice, squad, "First")
    hands.set("2026-11-24 08:00:30")
    await share(db, alice, squad, "Second")
    await fail(db)
    await share(db, alice, squad, "Third")
    hands.move(HOUR)

    await deliver_mail(db, settings)

    assert subjects(settings) == ["Your digest: 2 notifications"]
    assert told_in(settings, 0, "First", "Second", "Third") == [True, True, False]


async def test_a_digest_waits_until_the_next_one_is_written_down(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    """What comes in between would join it otherwise, though it was told for this hour, too."""
    hands.set("2026-11-23 10:00")
    await choose(db, bob)
    await share(db, alice, squad, "First")
    hands.set("2026-11-24 08:00")
    async with db.write() as session:
        assert await bundle_due(session, EMAIL) == 0

    await digest.schedule_next(db)
    await share(db, alice, squad, "Second")
    await deliver_mail(db, settings)

    assert told_in(settings, 0, "First", "Second") == [True, False]


@pytest.mark.parametrize(
    ("night", "first", "second"),
    [
        ("into summer time", "2027-03-28 00:30", "2027-03-28 01:00"),
        ("out of summer time", "2026-10-24 23:30", "2026-10-25 00:00"),
    ],
)
async def test_on_the_nights_the_clocks_change_there_is_one_digest(
    db: Database,
    settings: Settings,
    alice: User,
    bob: User,
    squad: Team,
    hands: Hands,
    night: str,
    first: str,
    second: str,
) -> None:
    """At 2 in Berlin, an hour that is left out in spring and comes twice in autumn."""
    hands.set(first)
    await choose(db, bob, hour=2, timezone="Europe/Berlin")
    await share(db, alice, squad)
    assert await deliver_mail(db, settings) == 0

    hands.set(second)
    await deliver_mail(db, settings)
    assert len(kept(settings)) == 1
    for _ in range(12):
        hands.move(HOUR / 4)
        await deliver_mail(db, settings)
    assert len(kept(settings)) == 1


async def test_a_weekly_digest_comes_on_monday(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-24 10:00")
    await choose(db, bob, frequency="weekly")
    await share(db, alice, squad)
    hands.set("2026-11-29 23:59")
    assert await deliver_mail(db, settings) == 0

    hands.set("2026-11-30 08:00")

    assert await deliver_mail(db, settings) == 1


@pytest.mark.parametrize(
    ("change", "moment", "subject"),
    [
        ({"enabled": False}, "2026-11-23 12:00", "notifications"),
        ({"hour": 13}, "2026-11-23 13:00", "Your digest"),
        ({"frequency": "weekly"}, "2026-11-30 08:00", "Your digest"),
        ({"timezone": "America/New_York"}, "2026-11-23 13:00", "Your digest"),
    ],
)
async def test_a_changed_preference_neither_loses_waiting_mail_nor_sends_it_twice(
    db: Database,
    settings: Settings,
    alice: User,
    bob: User,
    squad: Team,
    hands: Hands,
    change: dict[str, Any],
    moment: str,
    subject: str,
) -> None:
    hands.set("2026-11-23 10:00")
    await choose(db, bob)
    await share(db, alice, squad, "First")
    await share(db, alice, squad, "Second")
    hands.set("2026-11-23 12:00")
    await choose(db, bob, **change)

    hands.set(moment)
    await deliver_mail(db, settings)
    assert [told_in(settings, 0, "First", "Second")] == [[True, True]]
    for _ in range(8):
        hands.move(timedelta(days=1))
        await deliver_mail(db, settings)

    assert len(kept(settings)) == 1
    assert {row.state for row in await deliveries(db)} == {"sent"}


async def test_waiting_mail_joins_the_digest_when_it_is_switched_on(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await share(db, alice, squad, "First")
    await choose(db, bob)
    hands.move(HOUR)
    assert await deliver_mail(db, settings) == 0

    hands.set("2026-11-24 08:00")
    await deliver_mail(db, settings)

    assert subjects(settings) == ["Your digest: 1 notification"]


async def test_many_bundles_are_made_at_once(db: Database, settings: Settings, alice: User) -> None:
    team = await make_team(db, alice)
    await add_members(db, team.id, await add_people(db, 120))
    await share(db, alice, team, "First")
    await share(db, alice, team, "Second")
    await make_due(db)

    assert await deliver_mail(db, settings) == 240

    told = {mail["To"] for mail in kept(settings)}
    assert len(told) == len(kept(settings)) == 120


async def test_a_digest_of_thousands_is_one_mail(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team
) -> None:
    """More than a statement can name one by one."""
    await share(db, alice, squad)
    await repeat(db, bob, 2500)
    await make_due(db)

    assert await deliver_mail(db, settings) == 2501

    [mail] = kept(settings)
    assert mail["Subject"].endswith("and 2500 more")
