"""The list of a user's devices, and what it says of the tests that were sent there."""

import pytest
from sqlalchemy import update

from app import clock
from app.broker.relay import CHANGES
from app.database import Database
from app.models import Delivery, PushSubscription, User
from app.notifications.channels.push import device_tests, devices
from app.notifications.channels.push.device_list import Device, read_list
from app.notifications.channels.push.vapid_keys import read_keys
from app.settings import Settings
from tests.notifications._devices import change, enable

UNSUBSCRIBED = {"state": "failed", "failure": "unsubscribed", "status_code": 410}
REFUSED = {"state": "failed", "failure": "refused", "status_code": 403}
FIND_OUT = (
    "Disable push there and enable it again. If that does not help, ask the administrator of this "
    "server to look into it."
)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            {"state": "sent"},
            "The test was accepted by its push service and should appear on its screen.",
        ),
        ({"state": "pending"}, "A test is on its way."),
        (
            {"state": "pending", "failure": "unavailable", "status_code": 503},
            "Its push service could not accept the test yet (503). We try for ten minutes.",
        ),
        (
            {"state": "pending", "failure": "timeout", "detail": "10"},
            "Its push service could not accept the test yet. We try for ten minutes.",
        ),
        (
            {"state": "dead", "reason": "expired", "failure": "unavailable", "status_code": 429},
            "Its push service did not accept the test (429). Please try again later.",
        ),
        (REFUSED, f"Its push service refused the test (403). {FIND_OUT}"),
        (
            {"state": "failed", "failure": "unwritable", "detail": "ValueError()"},
            "The test could not be sent. Disable push there, enable it again, and repeat the test.",
        ),
    ],
)
async def test_the_outcome_of_a_test_is_explained(
    db: Database, alice: User, outcome: dict[str, object], words: str
) -> None:
    await add_test(db, await enable(db, alice, "phone"), **outcome)

    [device] = await listed(db, alice)

    assert device.words == words


async def test_a_test_pokes_the_worker_so_that_it_leaves_at_once(
    db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await enable(db, alice, "phone")
    topics: list[str] = []
    monkeypatch.setattr(db, "_poke", topics.append)

    await add_test(db, device)

    assert topics == [CHANGES]


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
    await change(db, device, failing_since=clock.now(), refused_status=403)

    [listed_device] = await listed(db, alice)

    assert listed_device.words == f"Its push service refuses our pushes (403). {FIND_OUT}"


async def test_a_device_that_a_test_found_lost_is_named_until_it_is_back(
    settings: Settings, db: Database, alice: User, bob: User
) -> None:
    await lose_in_test(db, await enable(db, alice, "phone"))

    [lost] = await listed(db, alice)
    assert (lost.id, lost.name, lost.health) == (None, "phone", "problem")
    assert lost.words == (
        "The test found that this browser has unsubscribed from push (410). "
        "Open ClippyFront there once to subscribe it again."
    )
    assert await listed(db, bob) == []

    await enable(db, alice, "phone anew", called="phone", vapid_key=read_keys(settings).public)
    [back] = await listed(db, alice)
    assert (back.name, back.words) == ("phone", "")


async def lose_in_test(db: Database, device: PushSubscription) -> None:
    await add_test(db, device, **UNSUBSCRIBED)
    async with db.write() as session:
        await devices.note_replies(session, well=[], gone=[device.endpoint_hash], refusing={})


@pytest.mark.parametrize("verb", ["remove", "unsubscribe"])
@pytest.mark.parametrize("found", ["refused", "lost", "lost meanwhile"])
async def test_a_device_removed_by_its_user_is_not_listed_as_lost(
    db: Database, alice: User, found: str, verb: str
) -> None:
    device = await enable(db, alice, "phone")
    test = await add_test(db, device)
    if found == "refused":
        await settle(db, test, **REFUSED)
    elif found == "lost":  # and back before it was removed
        await lose_in_test(db, device)
        device = await enable(db, alice, "phone anew", called="phone")

    async with db.write() as session:
        which = device.endpoint if verb == "unsubscribe" else device.id
        await getattr(devices, verb)(session, alice, which)
    if found == "lost meanwhile":
        await settle(db, test, **UNSUBSCRIBED)

    assert await listed(db, alice) == []


async def test_only_a_test_that_ended_a_device_calls_it_lost(db: Database, alice: User) -> None:
    device = await enable(db, alice, "phone")
    await add_test(db, device, **REFUSED)
    async with db.write() as session:
        await devices.remove_all(session, alice)

    assert await listed(db, alice) == []


@pytest.mark.parametrize("name", ["Chrome on Android", "Chrome on Android 2", "Safari on iPhone"])
async def test_a_phone_is_a_phone_whatever_its_number(db: Database, alice: User, name: str) -> None:
    await enable(db, alice, name)

    [device] = await listed(db, alice)

    assert device.is_mobile
