"""From the act to the push service's door: what arrives there, and what each answer leads to."""

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from app import clock
from app.database import Database
from app.installation import install
from app.models import Delivery, Project, PushSubscription, Team, User
from app.notifications.channels.push import device_tests, devices, sender
from app.notifications.channels.push.channel import Push
from app.notifications.channels.push.message import MOST_BYTES
from app.notifications.channels.push.vapid_keys import read_keys
from app.notifications.channels.push.visibility import note_visible
from app.notifications.delivery import outbox
from app.notifications.delivery.dead_letters import redeliver
from app.notifications.events.audience import personally
from app.notifications.events.catalogue import (
    COMPILATION_COMPLETED,
    COMPILATION_FAILED,
    INVITATION_RECEIVED,
    MEMBER_LEFT,
    TEAM_DELETED,
)
from app.notifications.events.event_type import IN_APP, PUSH, EventType
from app.notifications.inbox import acts
from app.notifications.inbox.bulk_actions import perform, snooze
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.snoozing import return_due
from app.notifications.notify import notify
from app.notifications.preferences import switches
from app.outgoing import Outgoing, Reply
from app.settings import Settings
from tests.bell import newest_notices
from tests.mailing import make_due, repeat
from tests.notifications.conftest import Hands
from tests.outages import sqlite_error
from tests.push_service import SILENCE, Answer, Browser, PushService
from tests.pushing import allowing, deliver_pushes, enable_push
from tests.switching import set_switch

Tell = Callable[[], Awaitable[None]]


@pytest.fixture
def settings(settings: Settings, push_service: PushService) -> Settings:
    return allowing(settings, push_service)


@pytest.fixture
async def bobs_browser(db: Database, push_service: PushService, bob: User) -> Browser:
    """It gets bob's pushes."""
    browser = push_service.browser()
    await enable_push(db, bob, browser)
    return browser


async def tell(
    db: Database, user: User, kind: EventType = INVITATION_RECEIVED, **facts: Any
) -> None:
    """Notifies the user of an event without an actor."""
    known = {"inviter": "alice", "team_name": "Video Squad", "role": "editor"}
    async with db.act() as session:
        await notify(session, kind, affected=user, **known | facts)


async def pushes(db: Database) -> Sequence[Delivery]:
    async with db.read() as session:
        made = select(Delivery).where(Delivery.channel == PUSH).order_by(Delivery.id)
        return (await session.scalars(made)).all()


async def the_push(db: Database) -> Delivery:
    [one] = await pushes(db)
    return one


async def devices_of(db: Database, user: User) -> Sequence[PushSubscription]:
    async with db.read() as session:
        return await devices.devices_of(session, user)


async def set_all(db: Database, model: type[Any], **columns: Any) -> None:
    async with db.write() as session:
        await session.execute(update(model).values(columns))


async def test_a_notification_arrives_on_the_device(
    db: Database, settings: Settings, bobs_browser: Browser, bob: User
) -> None:
    await tell(db, bob)

    await deliver_pushes(db, settings)

    [pushed] = bobs_browser.pushed
    told = pushed.payload
    notification_id = (await the_push(db)).notification_id
    assert told["title"] == "Video Squad"
    assert told["body"] == "alice invited you to join team 'Video Squad' as editor"
    assert told["url"] == f"http://testserver/notifications/{notification_id}"
    assert told["notification_id"] == notification_id
    assert told["unread_count"] == 1
    assert told["icon"].startswith("/static/")
    assert told["tag"] == pushed.headers["topic"]
    assert [one["action"] for one in told["actions"]] == ["open", "read"]
    assert pushed.headers["urgency"] == "high"
    assert 86_390 <= int(pushed.headers["ttl"]) <= 86_400
    assert (await the_push(db)).state == "sent"
    assert (await devices_of(db, bob))[0].last_used_at


@pytest.mark.parametrize("count", [99, 100, 150])
async def test_a_push_counts_every_unread_notification(
    db: Database, settings: Settings, bobs_browser: Browser, bob: User, count: int
) -> None:
    await tell(db, bob)
    await repeat(db, bob, count - 1)

    await deliver_pushes(db, settings)

    [pushed] = bobs_browser.pushed
    assert pushed.payload["unread_count"] == count
    assert pushed.payload["notification"]["app_badge"] == str(count)


async def test_a_push_is_sent_with_the_count_up_to_a_hundred_if_the_rest_cannot_be_counted(
    db: Database,
    settings: Settings,
    bobs_browser: Browser,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def failing(*_given: object) -> int:
        raise sqlite_error(sqlite3.SQLITE_IOERR)

    await tell(db, bob)
    await repeat(db, bob, 149)

    monkeypatch.setattr(sender, "unread_count", failing)
    await deliver_pushes(db, settings)

    [pushed] = bobs_browser.pushed
    assert pushed.payload["unread_count"] == 100
    assert (await the_push(db)).state == "sent"


async def test_a_finished_video_has_an_address_of_its_picture(
    db: Database, settings: Settings, bobs_browser: Browser, bob: User
) -> None:
    async with db.act() as session:
        session.add(reel := Project(name="Highlight Reel", owner_id=bob.id))
        await session.flush()
        facts: dict[str, Any] = {"thumbnail": "/projects/1/compilations/3/thumbnail"}
        await notify(session, COMPILATION_COMPLETED, project=reel, **facts)
    await tell(db, bob, thumbnail="/anything")
    await make_due(db)

    await deliver_pushes(db, settings)

    images = [pushed.payload.get("image") for pushed in bobs_browser.pushed]
    assert images == ["http://testserver/projects/1/compilations/3/thumbnail", None]


async def test_a_browser_may_show_it_without_asking_a_script(
    db: Database, settings: Settings, bobs_browser: Browser, bob: User
) -> None:
    await tell(db, bob)

    await deliver_pushes(db, settings)

    told = bobs_browser.pushed[0].payload
    one = told["notification_id"]
    assert told["web_push"] == 8030
    assert told["app_badge"] == 1
    assert told["notification"] == {
        "title": told["title"],
        "body": told["body"],
        "navigate": f"http://testserver/notifications/{one}",
        "tag": told["tag"],
        "silent": False,
        "app_badge": "1",
    }


async def test_every_device_of_a_person_gets_it_and_nobody_elses(
    db: Database, settings: Settings, push_service: PushService, bob: User, carol: User
) -> None:
    phone, laptop, hers = (push_service.browser() for _ in range(3))
    await enable_push(db, bob, phone)
    await enable_push(db, bob, laptop)
    await enable_push(db, carol, hers)
    await tell(db, bob)

    await deliver_pushes(db, settings)

    assert [len(one.pushed) for one in (phone, laptop, hers)] == [1, 1, 0]


async def test_a_type_whose_push_is_off_reaches_no_device(
    db: Database, settings: Settings, bobs_browser: Browser, alice: User, bob: User
) -> None:
    async with db.act() as session:
        await set_switch(session, bob, INVITATION_RECEIVED.name, PUSH, wanted=False)
    await tell(db, bob)

    await deliver_pushes(db, settings)

    assert await pushes(db) == []
    assert bobs_browser.pushed == []


@pytest.mark.parametrize(
    ("answer", "state", "failure", "status_code"),
    [
        (Answer(201), "sent", None, None),
        (Answer(200), "sent", None, None),
        (Answer(202), "sent", None, None),
        (Answer(404), "failed", "unsubscribed", 404),
        (Answer(410), "failed", "unsubscribed", 410),
        (Answer(400), "failed", "refused", 400),
        (Answer(401), "failed", "refused", 401),
        (Answer(403), "failed", "refused", 403),
        (Answer(302, {"Location": "/elsewhere"}), "failed", "refused", 302),
        (Answer(408), "pending", "unavailable", 408),
        (Answer(425), "pending", "unavailable", 425),
        (Answer(429, {"Retry-After": "120"}), "pending", "unavailable", 429),
        (Answer(500), "pending", "unavailable", 500),
        (Answer(503), "pending", "unavailable", 503),
        (SILENCE, "pending", "timeout", None),
        (Answer(raw=b"220 ready\r\n"), "pending", "not_http", None),
    ],
    ids=lambda given: str(given.status) if isinstance(given, Answer) else "",
)
async def test_each_answer_ends_as_it_should(
    db: Database,
    settings: Settings,
    push_service: PushService,
    bob: User,
    answer: Answer,
    state: str,
    failure: str | None,
    status_code: int | None,
) -> None:
    await enable_push(db, bob, push_service.browser(answer))
    await tell(db, bob)

    await deliver_pushes(db, settings, seconds=0.5 if answer is SILENCE else 10)

    push = await the_push(db)
    assert (push.state, push.failure, push.status_code) == (state, failure, status_code)
    assert push.host == ("127.0.0.1" if failure else None)
    assert push.detail == ("0.5" if failure == "timeout" else None)
    assert push.attempts == 1
    assert len(push_service.asked) == 1, "nothing is followed elsewhere"


@pytest.mark.parametrize("status", [404, 410])
async def test_an_expired_subscription_is_removed(
    db: Database, settings: Settings, push_service: PushService, bob: User, status: int
) -> None:
    await enable_push(db, bob, push_service.browser(Answer(status)))
    await tell(db, bob)
    await deliver_pushes(db, settings)

    await tell(db, bob)

    assert await devices_of(db, bob) == []
    assert len(await pushes(db)) == 1


async def test_deliveries_for_a_removed_device_are_skipped(
    db: Database, settings: Settings, push_service: PushService, bob: User
) -> None:
    device = await enable_push(db, bob, push_service.browser())
    await tell(db, bob)
    async with db.write() as session:
        await devices.remove(session, bob, device.id)

    await deliver_pushes(db, settings)

    assert ((await the_push(db)).state, (await the_push(db)).reason) == ("skipped", "removed")
    assert push_service.asked == []


@pytest.mark.parametrize("status", [400, 401, 403, 302])
async def test_a_device_that_is_refused_is_kept_and_left_alone_after_five_days(
    db: Database, settings: Settings, push_service: PushService, bob: User, status: int
) -> None:
    browser = push_service.browser(Answer(status))
    await enable_push(db, bob, browser)
    await tell(db, bob)
    await deliver_pushes(db, settings)
    [device] = await devices_of(db, bob)
    assert device.refused_status == status
    assert device.failing_since

    await set_all(db, PushSubscription, failing_since=clock.now() - timedelta(days=6))
    await tell(db, bob)
    assert len(await pushes(db)) == 1

    await enable_push(db, bob, browser)
    await tell(db, bob)
    await deliver_pushes(db, settings)
    assert len(browser.pushed) == 2
    assert (await devices_of(db, bob))[0].refused_status is None


async def test_one_refusal_long_ago_stops_nothing(
    db: Database, settings: Settings, push_service: PushService, bob: User, hands: Hands
) -> None:
    browser = push_service.browser(Answer(403))
    await enable_push(db, bob, browser)
    await tell(db, bob)
    await deliver_pushes(db, settings)

    hands.move(timedelta(days=6))
    await tell(db, bob)
    # The service that checks the signature's age has not slept that long.
    hands.set(datetime.now(UTC))
    await set_all(db, Delivery, due_at=clock.now(), created_at=clock.now())
    await deliver_pushes(db, settings)

    assert [one.state for one in await pushes(db)] == ["failed", "sent"]
    assert (await devices_of(db, bob))[0].failing_since is None


@pytest.mark.parametrize(
    ("retry_after", "pause"),
    [
        ("120", 120),
        ("in five minutes", 300),
        ("soon", 30),
        ("-5", 30),
        ("99999999999", 86_400),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 30),
    ],
    ids=["seconds", "date", "nonsense", "negative", "for ever", "past"],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_service_that_says_when_is_asked_again_then(
    db: Database,
    settings: Settings,
    push_service: PushService,
    bob: User,
    hands: Hands,
    shortest_pauses: None,
    status: int,
    retry_after: str,
    pause: int,
) -> None:
    hands.set(datetime.now(UTC).replace(microsecond=0))
    if retry_after == "in five minutes":
        retry_after = format_datetime(clock.now() + timedelta(minutes=5), usegmt=True)
    answer = Answer(status, {"Retry-After": retry_after})
    await enable_push(db, bob, push_service.browser(answer))
    await tell(db, bob)

    await deliver_pushes(db, settings)

    assert (await the_push(db)).due_at - clock.now() == timedelta(seconds=pause)


async def test_failed_pushes_are_retried_at_growing_intervals(
    db: Database, settings: Settings, push_service: PushService, bob: User
) -> None:
    browser = push_service.browser(*[Answer(500)] * 3)
    await enable_push(db, bob, browser)
    await tell(db, bob)
    waits = []
    for _attempt in range(3):
        await set_all(db, Delivery, due_at=clock.now())
        await deliver_pushes(db, settings)
        waits.append(((await the_push(db)).due_at - clock.now()).total_seconds())

    await set_all(db, Delivery, due_at=clock.now())
    await deliver_pushes(db, settings)

    assert [round(wait / 30) for wait in waits] in ([1, 2, 4], [1, 2, 5])
    assert (await the_push(db)).state == "sent"
    assert len(browser.pushed) == 4


async def test_expired_pushes_are_given_up(
    db: Database, settings: Settings, push_service: PushService, bob: User
) -> None:
    await enable_push(db, bob, push_service.browser(Answer(500)))
    await tell(db, bob)
    await deliver_pushes(db, settings)
    long_ago = clock.now() - timedelta(days=1, seconds=1)
    await set_all(db, Delivery, created_at=long_ago, due_at=clock.now())

    await deliver_pushes(db, settings)

    push = await the_push(db)
    assert (push.state, push.reason) == ("dead", "expired")
    assert (push.failure, push.status_code, push.attempts) == ("unavailable", 500, 2)
    assert len(push_service.asked) == 1


async def test_a_push_that_expired_is_sent_after_all_when_an_administrator_redelivers_it(
    db: Database, settings: Settings, push_service: PushService, bob: User, hands: Hands
) -> None:
    today = clock.now()
    browser = push_service.browser()
    await enable_push(db, bob, browser)
    hands.set(today - timedelta(days=2))
    await tell(db, bob)
    happened = clock.now()
    hands.set(today)
    await deliver_pushes(db, settings)
    assert (await the_push(db)).reason == "expired"

    async with db.write() as session:
        assert await redeliver(session) == 1
    await deliver_pushes(db, settings)

    [push] = browser.pushed
    assert int(push.headers["ttl"]) == INVITATION_RECEIVED.push_ttl.total_seconds()
    assert push.payload["timestamp"] == int(happened.timestamp() * 1000)


async def test_a_late_attempt_asks_the_service_to_keep_it_for_no_longer_than_it_is_news(
    db: Database, settings: Settings, bobs_browser: Browser, bob: User
) -> None:
    await tell(db, bob)
    await set_all(db, Delivery, created_at=clock.now() - timedelta(hours=23))

    await deliver_pushes(db, settings)

    assert 3500 < int(bobs_browser.pushed[0].headers["ttl"]) <= 3600


async def test_a_push_that_is_too_large_is_sent_once_more_shortened(
    db: Database, settings: Settings, push_service: PushService, bob: User
) -> None:
    browser = push_service.browser(Answer(413))
    await enable_push(db, bob, browser)
    await tell(db, bob)

    await deliver_pushes(db, settings)

    first, second = browser.pushed
    assert len(second.body) < len(first.body)
    assert second.payload["body"] == "You have a new notification."
    assert second.payload["url"] == first.payload["url"]
    assert (await the_push(db)).state == "sent"


async def test_a_push_that_is_too_large_even_shortened_is_given_up(
    db: Database, settings: Settings, push_service: PushService, bob: User
) -> None:
    await enable_push(db, bob, push_service.browser(Answer(413), Answer(413)))
    await tell(db, bob)

    await deliver_pushes(db, settings)

    assert (await the_push(db)).state == "failed"
    assert len(push_service.asked) == 2


@pytest.mark.parametrize("letter", ["x", "é", "🎬", '"', "\x01"])
async def test_however_long_the_names_every_service_takes_it(
    db: Database, settings: Settings, bobs_browser: Browser, bob: User, letter: str
) -> None:
    await tell(db, bob, team_name=letter * 5000, error=letter * 5000)

    await deliver_pushes(db, settings)

    assert len(bobs_browser.pushed[0].body) <= 4096
    assert bobs_browser.pushed[0].payload["notification_id"]
    assert MOST_BYTES == 4096 - 103


@pytest.mark.parametrize("state", ["read", "deleted"])
async def test_notifications_read_in_the_app_are_not_pushed(
    db: Database, settings: Settings, push_service: PushService, bob: User, state: str
) -> None:
    await enable_push(db, bob, push_service.browser())
    await tell(db, bob)
    async with db.act() as session:
        ids = [one.id for one in await newest_notices(session, bob.id)]
        if state == "read":
            await acts.mark(session, bob.id, Selection(ids), read=True)
        else:
            await acts.delete(session, bob.id, Selection(ids))

    await deliver_pushes(db, settings)

    assert ((await the_push(db)).state, (await the_push(db)).reason) == ("skipped", state)


async def look(db: Database, user: User, *, is_visible: bool = True) -> None:
    async with db.write() as session:
        await note_visible(session, user, is_visible=is_visible)


@pytest.fixture
async def told_alice(
    db: Database, patient: Settings, push_service: PushService, alice: User, video_squad: Team
) -> Tell:
    """Ordinary news for alice, who has a device; her pushes wait ten seconds."""
    patient_db = install(patient).db
    await enable_push(db, alice, push_service.browser())
    async with db.act() as session:
        await set_switch(session, alice, MEMBER_LEFT.name, PUSH, wanted=True)

    async def tell_alice() -> None:
        async with patient_db.act() as session:
            await notify(session, MEMBER_LEFT, team=video_squad)

    return tell_alice


@pytest.fixture
def patient(settings: Settings, push_service: PushService) -> Settings:
    return allowing(settings, push_service, delay=10)


async def test_a_user_with_a_visible_page_gets_no_push(
    db: Database, patient: Settings, alice: User, told_alice: Tell, hands: Hands
) -> None:
    await told_alice()
    hands.move(timedelta(seconds=11))
    await look(db, alice)

    await deliver_pushes(db, patient)

    assert ((await the_push(db)).state, (await the_push(db)).reason) == ("skipped", "visible")


async def test_a_notification_hidden_in_the_app_is_pushed_despite_a_visible_page(
    db: Database, patient: Settings, alice: User, told_alice: Tell, hands: Hands
) -> None:
    async with db.act() as session:
        await set_switch(session, alice, MEMBER_LEFT.name, IN_APP, wanted=False)
    await told_alice()
    hands.move(timedelta(seconds=11))
    await look(db, alice)

    await deliver_pushes(db, patient)

    assert (await the_push(db)).state == "sent"


async def test_a_user_who_left_the_page_gets_the_push(
    db: Database, patient: Settings, alice: User, told_alice: Tell, hands: Hands
) -> None:
    await look(db, alice)
    await told_alice()
    await look(db, alice, is_visible=False)
    hands.move(timedelta(seconds=11))

    await deliver_pushes(db, patient)

    assert (await the_push(db)).state == "sent"


async def test_a_user_who_may_have_left_the_page_gets_the_push_once_that_is_certain(
    db: Database,
    patient: Settings,
    push_service: PushService,
    alice: User,
    told_alice: Tell,
    hands: Hands,
) -> None:
    await look(db, alice)
    await told_alice()
    hands.move(timedelta(seconds=11))
    await deliver_pushes(db, patient)
    waiting = await the_push(db)
    assert (waiting.state, waiting.attempts) == ("pending", 0)
    assert waiting.reason == "perhaps_visible"
    assert push_service.asked == []

    hands.set(waiting.due_at)
    await deliver_pushes(db, patient)

    assert (await the_push(db)).state == "sent"


@pytest.mark.parametrize("waited", [0, 11])
@pytest.mark.parametrize(("days", "is_over"), [(7, True), (5, False)])
async def test_a_push_arrives_after_a_snooze_that_is_longer_than_it_is_news(
    db: Database,
    patient: Settings,
    push_service: PushService,
    alice: User,
    told_alice: Tell,
    hands: Hands,
    days: int,
    is_over: bool,
    waited: int,
) -> None:
    """Whether the snooze is over or ended by hand, and whether the push was due before it or not."""
    today = clock.now()
    browser = push_service.browser()
    await enable_push(db, alice, browser)
    hands.set(today - timedelta(days=days, seconds=waited))
    await told_alice()
    hands.move(timedelta(seconds=waited))
    async with db.act() as session:
        week = timedelta(days=7)
        await snooze(session, alice.id, Selection(filter=Filter()), clock.now() + week)
    await deliver_pushes(db, patient)
    assert push_service.asked == []

    hands.set(today)
    if is_over:
        await return_due(db)
    else:
        async with db.act() as session:
            there = Selection(filter=Filter({"view": ("snoozed",)}))
            await perform(session, alice.id, there, "unsnooze")
    await deliver_pushes(db, patient)

    [push] = browser.pushed
    assert int(push.headers["ttl"]) == MEMBER_LEFT.push_ttl.total_seconds()


async def test_users_who_always_want_pushes_get_them_despite_a_visible_page(
    db: Database, patient: Settings, alice: User, told_alice: Tell, hands: Hands
) -> None:
    async with db.act() as session:
        await switches.set_pushes_always(session, alice, wanted=True)
    await told_alice()
    hands.move(timedelta(seconds=11))
    await look(db, alice)

    await deliver_pushes(db, patient)

    assert (await the_push(db)).state == "sent"


async def test_an_urgent_push_is_sent_at_once_despite_a_visible_page(
    db: Database, patient: Settings, push_service: PushService, bob: User
) -> None:
    await enable_push(db, bob, push_service.browser())
    await look(db, bob)
    await tell(db, bob)
    await look(db, bob)

    await deliver_pushes(db, patient)

    assert (await the_push(db)).state == "sent"


async def test_without_a_delay_a_visible_page_skips_no_push(
    db: Database, settings: Settings, push_service: PushService, alice: User, told_alice: Tell
) -> None:
    at_once = allowing(settings, push_service, delay=0)
    await told_alice()
    await make_due(db)
    await look(db, alice)

    await deliver_pushes(db, at_once)

    assert (await the_push(db)).state == "sent"


async def test_an_ordinary_push_waits_for_being_read_and_an_urgent_one_does_not(
    patient: Settings,
    push_service: PushService,
    alice: User,
    bob: User,
    video_squad: Team,
    hands: Hands,
) -> None:
    hands.set("2026-11-23 10:00")
    db = install(patient).db
    await enable_push(db, alice, push_service.browser())
    await enable_push(db, bob, push_service.browser())
    async with db.act() as session:
        await set_switch(session, alice, MEMBER_LEFT.name, PUSH, wanted=True)
        await notify(session, MEMBER_LEFT, actor=bob, affected=bob, team=video_squad)
    await tell(db, bob)

    ordinary, urgent = await pushes(db)

    assert ordinary.due_at == clock.now() + timedelta(seconds=10)
    assert urgent.due_at == clock.now()


async def test_repeats_replace_each_other_and_different_news_do_not(
    db: Database, settings: Settings, bobs_browser: Browser, alice: User, bob: User
) -> None:
    await tell(db, bob)
    await tell(db, bob)
    await tell(db, bob, team_id=None, title="Something else")
    await deliver_pushes(db, settings)

    topics = Counter(one.headers["topic"] for one in bobs_browser.pushed)

    assert sorted(topics.values()) == [1, 2]


async def test_pushes_about_different_deleted_subjects_do_not_replace_each_other(
    db: Database, settings: Settings, bobs_browser: Browser, bob: User
) -> None:
    async with db.act() as session:
        await set_switch(session, bob, TEAM_DELETED.name, PUSH, wanted=True)
    him = personally(User.id)
    for team in ("Red", "Blue", "Blue"):
        async with db.act() as session:
            people = him.where(User.id == bob.id)
            await notify(session, TEAM_DELETED, recipients=people, team_name=team)
    await deliver_pushes(db, settings)

    told = {(one.payload["title"], one.headers["topic"]) for one in bobs_browser.pushed}

    assert len(bobs_browser.pushed) == 3
    assert len({topic for _title, topic in told}) == len(told) == 2


async def test_pending_pushes_of_one_user_are_not_shown_to_the_next_user_of_the_browser(
    db: Database, settings: Settings, push_service: PushService, alice: User, bob: User
) -> None:
    browser = push_service.browser()
    await enable_push(db, alice, browser)
    await tell(db, alice)
    await enable_push(db, bob, browser)

    await deliver_pushes(db, settings)

    assert browser.pushed == []
    assert (await the_push(db)).reason == "removed"


@pytest.mark.sqlite  # with PostgreSQL the keys are in the database
async def test_with_another_key_pair_browsers_must_subscribe_again(
    db: Database, settings: Settings, push_service: PushService, bob: User
) -> None:
    await enable_push(db, bob, push_service.browser())
    (settings.data_dir / "vapid_private_key").unlink()

    await tell(install(settings).db, bob)

    assert await pushes(db) == []


async def test_a_device_whose_service_is_silent_holds_up_no_other(
    db: Database, settings: Settings, push_service: PushService, alice: User, bob: User
) -> None:
    await enable_push(db, alice, push_service.browser(SILENCE))
    browser = push_service.browser()
    await enable_push(db, bob, browser)
    await tell(db, alice)
    await tell(db, bob)

    await deliver_pushes(db, settings, seconds=0.3)

    assert [one.state for one in await pushes(db)] == ["pending", "sent"]


@pytest.mark.parametrize(("told", "pause"), [({}, 30), ({"Retry-After": "7200"}, 7200)])
async def test_a_service_that_fails_for_one_device_after_another_is_left_alone_for_a_while(
    db: Database,
    settings: Settings,
    push_service: PushService,
    alice: User,
    bob: User,
    hands: Hands,
    shortest_pauses: None,
    told: dict[str, str],
    pause: int,
) -> None:
    hands.set(datetime.now(UTC))
    for user in [alice, bob]:
        for _ in range(20):
            await enable_push(db, user, push_service.browser(Answer(503, told)))
        await tell(db, user)
    await deliver_pushes(db, settings)

    made = await pushes(db)

    assert {one.state for one in made} == {"pending"}
    assert {one.due_at - clock.now() for one in made} == {timedelta(seconds=pause)}
    assert 5 <= len(push_service.asked) <= 20
    assert sum(one.attempts for one in made) == len(push_service.asked)


async def test_a_device_for_which_its_service_fails_does_not_stop_the_others(
    db: Database, settings: Settings, push_service: PushService, alice: User, bob: User
) -> None:
    await enable_push(db, alice, push_service.browser(*[Answer(429)] * 9))
    for _attempt in range(8):
        await tell(db, alice)
        await deliver_pushes(db, settings)
    browser = push_service.browser()
    await enable_push(db, bob, browser)
    await tell(db, bob)

    await deliver_pushes(db, settings)

    assert len(browser.pushed) == 1


async def test_a_rest_that_a_service_asks_for_holds_for_every_push_to_the_device(
    db: Database,
    settings: Settings,
    push_service: PushService,
    bob: User,
    hands: Hands,
    shortest_pauses: None,
) -> None:
    hands.set(datetime.now(UTC))
    browser = push_service.browser(Answer(429, {"Retry-After": "3600"}))
    await enable_push(db, bob, browser)
    channel = Push(settings, read_keys(settings))
    for _time in range(2):
        await tell(db, bob)
        await outbox.deliver(db, channel)
    await channel.close()

    made = await pushes(db)

    assert len(push_service.asked) == 1
    assert [(one.attempts, one.reason) for one in made] == [(1, None), (0, "resting")]
    assert {one.due_at - clock.now() for one in made} == {timedelta(hours=1)}


async def test_a_test_of_a_resting_device_explains_why_it_does_not_arrive(
    db: Database, settings: Settings, push_service: PushService, bob: User
) -> None:
    busy = Answer(429, {"Retry-After": "3600"})
    device = await enable_push(db, bob, push_service.browser(busy, busy))
    channel = Push(settings, read_keys(settings))
    await tell(db, bob)
    await outbox.deliver(db, channel)
    async with db.write() as session:
        await device_tests.add(session, device)

    await outbox.deliver(db, channel)
    await channel.close()

    _told, test = await pushes(db)
    assert (test.state, test.attempts, test.status_code) == ("pending", 1, 429)


async def test_a_new_device_has_no_part_in_the_rest_of_a_removed_one(
    db: Database, settings: Settings, push_service: PushService, bob: User
) -> None:
    old = push_service.browser(Answer(429, {"Retry-After": "86400"}))
    await enable_push(db, bob, old)
    channel = Push(settings, read_keys(settings))
    await tell(db, bob)
    await outbox.deliver(db, channel)
    async with db.write() as session:
        await devices.unsubscribe(session, bob, old.endpoint)
    new = push_service.browser()
    await enable_push(db, bob, new)
    await tell(db, bob)

    await outbox.deliver(db, channel)
    await channel.close()

    assert len(new.pushed) == 1


async def test_a_late_answer_is_taken_for_no_device_but_the_one_that_was_asked(
    db: Database, settings: Settings, push_service: PushService, alice: User, bob: User
) -> None:
    gone = push_service.browser(Answer(410, pause=0.5))
    await enable_push(db, bob, gone)
    await tell(db, bob)
    delivering = asyncio.create_task(deliver_pushes(db, settings))
    await push_service.next_push(gone)
    async with db.write() as session:
        await devices.unsubscribe(session, bob, gone.endpoint)
    await enable_push(db, alice, push_service.browser())

    await delivering

    assert len(await devices_of(db, alice)) == 1


async def test_an_unwritable_push_does_not_hold_up_the_others(
    db: Database,
    settings: Settings,
    push_service: PushService,
    alice: User,
    bob: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await enable_push(db, alice, push_service.browser())
    await enable_push(db, bob, push_service.browser())
    await tell(db, alice)
    await tell(db, bob)
    async with db.write() as session:
        broken = update(PushSubscription).where(PushSubscription.user_id == alice.id)
        await session.execute(broken.values(p256dh="AAAA"))

    await deliver_pushes(db, settings)

    assert [one.state for one in await pushes(db)] == ["failed", "sent"]


SLOWLY = Answer(pause=0.4)


async def test_a_stopping_worker_waits_for_its_requests_and_sends_nothing_twice(
    db: Database, settings: Settings, push_service: PushService, alice: User, bob: User
) -> None:
    people = [alice, bob]
    browsers = [push_service.browser(SLOWLY) for _ in range(40)]
    for number, browser in enumerate(browsers):
        await enable_push(db, people[number % 2], browser)
    for user in people:
        await tell(db, user)

    await deliver_pushes(db, settings, is_stopping=lambda: len(push_service.asked) >= 3)
    begun, states = len(push_service.asked), [one.state for one in await pushes(db)]
    await deliver_pushes(db, settings)

    assert 0 < begun < 40
    assert states.count("sent") == begun
    assert [len(one.pushed) for one in browsers] == [1] * 40
    assert [(one.state, one.attempts) for one in await pushes(db)] == [("sent", 1)] * 40


@asynccontextmanager
async def waiting_for_a_slow_service(
    db: Database, settings: Settings, push_service: PushService, user: User
) -> AsyncIterator[list[Browser]]:
    """Of a push to each of twenty browsers sixteen are under way, and the rest wait for those."""
    browsers = [push_service.browser(Answer(pause=1.2)) for _ in range(20)]
    for browser in browsers:
        await enable_push(db, user, browser)
    await tell(db, user)
    delivering = asyncio.create_task(deliver_pushes(db, settings))
    await push_service.next_push(browsers[0])
    yield browsers
    await delivering


async def test_notifications_read_while_waiting_for_a_slow_service_are_not_pushed(
    db: Database, settings: Settings, push_service: PushService, bob: User
) -> None:
    async with waiting_for_a_slow_service(db, settings, push_service, bob), db.act() as session:
        await acts.read_all(session, bob.id)

    states = [(one.state, one.reason) for one in await pushes(db)]
    assert states == [("sent", None)] * 16 + [("skipped", "read")] * 4


async def test_a_browser_that_changes_hands_meanwhile_shows_its_new_person_nothing(
    db: Database, settings: Settings, push_service: PushService, alice: User, bob: User
) -> None:
    async with waiting_for_a_slow_service(db, settings, push_service, bob) as browsers:
        for browser in browsers[16:]:
            await enable_push(db, alice, browser)

    assert [len(one.pushed) for one in browsers[16:]] == [0] * 4
    assert [one.reason for one in await pushes(db)][16:] == ["removed"] * 4


async def test_an_unexpected_error_is_retried(
    db: Database,
    settings: Settings,
    bobs_browser: Browser,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def break_down(*_given: Any) -> Reply:
        raise RuntimeError("Nobody foresaw this")

    await tell(db, bob)
    with monkeypatch.context() as during:
        during.setattr(Outgoing, "post", break_down)
        await deliver_pushes(db, settings)

    push = await the_push(db)
    assert (push.state, push.failure) == ("pending", "unexpected")
    assert push.detail == "RuntimeError('Nobody foresaw this')"
    await set_all(db, Delivery, due_at=clock.now())
    await deliver_pushes(db, settings)

    assert (await the_push(db)).state == "sent"
    assert len(bobs_browser.pushed) == 1


async def test_a_service_that_is_no_longer_allowed_is_sent_nothing(
    db: Database, settings: Settings, push_service: PushService, bob: User
) -> None:
    await enable_push(db, bob, push_service.browser())
    await tell(db, bob)

    await deliver_pushes(db, replace(settings, push_allowed_hosts=()))

    push = await the_push(db)
    assert (push.state, push.failure) == ("failed", "not_allowed")
    assert push_service.asked == []


async def test_no_log_tells_where_a_device_is(
    db: Database,
    settings: Settings,
    push_service: PushService,
    bob: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [Answer(403), Answer(500), SILENCE, Answer(410)]
    browsers = [push_service.browser(answer) for answer in answers]
    for browser in browsers:
        await enable_push(db, bob, browser)
    await tell(db, bob)
    caplog.clear()

    await deliver_pushes(db, settings, seconds=0.2)

    secrets = [browser.endpoint.rpartition("/")[2] for browser in browsers]
    assert all(secrets)
    kept = [f"{one.host} {one.detail} {one.address}" for one in await pushes(db)]
    assert not [one for one in secrets if one in caplog.text.replace("endpoint", "")]
    assert not [one for one in secrets for text in kept if one in text]


async def test_a_test_push_says_that_it_works(
    db: Database, settings: Settings, push_service: PushService, bob: User
) -> None:
    browser = push_service.browser()
    device = await enable_push(db, bob, browser)
    async with db.write() as session:
        await note_visible(session, bob, is_visible=True)
        await device_tests.add(session, device)

    await deliver_pushes(db, settings)

    told = browser.pushed[0].payload
    assert told["body"] == "Push works on this device."
    assert told["notification_id"] is None
    assert [one["action"] for one in told["actions"]] == ["open"]


async def test_a_failure_for_an_invitee_names_its_reason(
    db: Database, settings: Settings, bobs_browser: Browser, bob: User
) -> None:
    await tell(db, bob, error="The clips have no picture.")

    await deliver_pushes(db, settings)

    assert bobs_browser.pushed[0].payload["body"].endswith("\nThe clips have no picture.")
    assert COMPILATION_FAILED.push_ttl == timedelta(hours=4)
