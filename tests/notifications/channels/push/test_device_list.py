"""What a person reads of their devices, and of the tests that were sent there."""

import pytest
from sqlalchemy import update

from app import clock
from app.database import Database
from app.models import Delivery, PushSubscription, User
from app.notifications.channels.push import device_tests, devices
from app.notifications.channels.push.device_list import Device, read_list
from app.notifications.channels.push.vapid_keys import read_keys
from app.settings import Settings
from tests.notifications._devices import change, enable

UNSUBSCRIBED = "410 from push.example: the device has unsubscribed."
FIND_OUT = (
    "Disable and enable push there. If that does not help, whoever runs this server "
    "can look into it."
)


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        ("sent", None, "The test was taken by its push service and should be on its screen."),
        ("pending", None, "A test is on its way."),
        (
            "pending",
            "503 from push.example",
            "Its push service could not take the test yet (503). We try for ten minutes.",
        ),
        (
            "pending",
            "push.example: No answer within 10 seconds.",
            "Its push service could not take the test yet. We try for ten minutes.",
        ),
        (
            "dead",
            "429 from push.example",
            "Its push service has not taken the test (429). Please try again later.",
        ),
        (
            "failed",
            "403 from push.example",
            f"Its push service refused the test (403). {FIND_OUT}",
        ),
        (
            "failed",
            "ValueError()",
            "The test could not be sent. Disable and enable push there, and try again.",
        ),
    ],
)
async def test_what_became_of_a_test_is_said_in_words(
    db: Database, alice: User, state: str, error: str | None, words: str
) -> None:
    await add_test(db, await enable(db, alice, "phone"), state=state, error=error)

    [device] = await listed(db, alice)

    assert device.words == words


async def add_test(db: Database, device: PushSubscription, **outcome: object) -> Delivery:
    async with db.write() as session:
        test = await device_tests.add(session, device)
    if outcome:
        await settle(db, test, **outcome)
    return test


async def settle(db: Database, test: Delivery, **outcome: object) -> None:
    async with db.write() as session:
        await session.execute(update(Delivery).where(Delivery.id == test.id).values(**outcome))


async def listed(db: Database, user: User) -> list[Device]:
    async with db.read() as session:
        return await read_list(session, user)


async def test_a_device_that_fails_says_what_to_do(
    db: Database, settings: Settings, alice: User
) -> None:
    device = await enable(db, alice, "phone", vapid_key=read_keys(settings).public)
    await change(db, device, failing_since=clock.now(), error="403 from push.example")

    [listed_device] = await listed(db, alice)

    assert listed_device.words == f"Its push service refuses what we send (403). {FIND_OUT}"


async def test_a_device_that_a_test_found_lost_is_named_until_it_is_back(
    settings: Settings, db: Database, alice: User, bob: User
) -> None:
    await lose_in_test(db, await enable(db, alice, "phone"))

    [lost] = await listed(db, alice)
    assert (lost.id, lost.name, lost.health) == (None, "phone", "problem")
    assert lost.words == (
        "The test found that this browser has given push up (410). "
        "Open ClippyFront there once, and it is back."
    )
    assert await listed(db, bob) == []

    await enable(db, alice, "phone anew", called="phone", vapid_key=read_keys(settings).public)
    [back] = await listed(db, alice)
    assert (back.name, back.words) == ("phone", "")


async def lose_in_test(db: Database, device: PushSubscription) -> None:
    await add_test(db, device, state="failed", error=UNSUBSCRIBED)
    async with db.write() as session:
        await devices.note_answers(session, well=[], gone=[device.endpoint_hash], troubled={})


@pytest.mark.parametrize("verb", ["remove", "unsubscribe"])
@pytest.mark.parametrize("found", ["refused", "lost", "lost meanwhile"])
async def test_what_a_person_has_removed_is_not_called_lost(
    db: Database, alice: User, found: str, verb: str
) -> None:
    device = await enable(db, alice, "phone")
    test = await add_test(db, device)
    if found == "refused":
        await settle(db, test, state="failed", error="403 from push.example")
    elif found == "lost":  # and back before it was removed
        await lose_in_test(db, device)
        device = await enable(db, alice, "phone anew", called="phone")

    async with db.write() as session:
        which = device.endpoint if verb == "unsubscribe" else device.id
        await getattr(devices, verb)(session, alice, which)
    if found == "lost meanwhile":
        await settle(db, test, state="failed", error=UNSUBSCRIBED)

    assert await listed(db, alice) == []


async def test_only_a_test_that_ended_a_device_calls_it_lost(db: Database, alice: User) -> None:
    device = await enable(db, alice, "phone")
    await add_test(db, device, state="failed", error="403 from push.example")
    async with db.write() as session:
        await devices.remove_all(session, alice)

    assert await listed(db, alice) == []


@pytest.mark.parametrize("name", ["Chrome on Android", "Chrome on Android 2", "Safari on iPhone"])
async def test_a_phone_is_a_phone_whatever_its_number(db: Database, alice: User, name: str) -> None:
    await enable(db, alice, name)

    [device] = await listed(db, alice)

    assert device.is_mobile
