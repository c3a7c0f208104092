"""Whose a subscription is, and what becomes of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.sessions import end_all_sessions, end_session, sessions_of, start_session
from app.database import Database
from app.errors import Invalid, NotFound
from app.models import PushSubscription, RemovedDevice, User
from app.notifications.channels.push import devices
from app.notifications.channels.push.allowed_services import PushServices
from app.notifications.channels.push.devices import DeviceKeys
from app.notifications.delivery.retention import clean_up
from tests.notifications._devices import FCM, change, enable, subscribe
from tests.notifications.conftest import Hands
from tests.push_service import Browser


async def names_of(db: Database, user: User) -> Sequence[str]:
    async with db.read() as session:
        return [one.name for one in await devices.devices_of(session, user)]


async def log_in(db: Database, user: User) -> int:
    async with db.write() as session:
        await start_session(session, user, "Firefox")
    async with db.read() as session:
        return max(one.id for one in await sessions_of(session, user))


async def test_a_browser_that_subscribes_again_stays_one_device(db: Database, alice: User) -> None:
    first, second = await enable(db, alice, "phone"), await enable(db, alice, "phone")

    assert first.id == second.id
    assert await names_of(db, alice) == ["phone"]


@pytest.mark.parametrize(
    "endpoint", ["HTTPS://FCM.googleapis.com", "https://fcm.googleapis.com:443"]
)
async def test_however_its_address_is_written_it_is_one_device(
    db: Database, alice: User, endpoint: str
) -> None:
    first = await enable(db, alice, "phone")
    given = first.endpoint.replace("https://fcm.googleapis.com", endpoint)

    async with db.write() as session:
        await devices.unsubscribe(session, alice, given)

    assert await names_of(db, alice) == []


async def test_a_browser_moves_to_the_user_who_is_signed_in(
    db: Database, alice: User, bob: User
) -> None:
    await enable(db, alice, "phone")

    await enable(db, bob, "phone")

    assert await names_of(db, alice) == []
    assert await names_of(db, bob) == ["phone"]


async def test_beyond_twenty_the_longest_unused_gives_way(db: Database, alice: User) -> None:
    for number in range(20):
        await enable(db, alice, f"device {number}")
    async with db.write() as session:
        for name, days in {"device 3": 400, "device 7": 300}.items():
            old = update(PushSubscription).where(PushSubscription.name == name)
            moment = clock.now() - timedelta(days=days)
            await session.execute(old.values(created_at=moment, last_used_at=None))
        used = update(PushSubscription).where(PushSubscription.name == "device 3")
        await session.execute(used.values(last_used_at=clock.now()))

    await enable(db, alice, "one more")

    names = await names_of(db, alice)
    assert len(names) == 20
    assert "device 7" not in names
    assert {"device 3", "one more"} <= set(names)


async def test_subscribing_under_a_new_key_replaces_the_old_subscription(
    db: Database, alice: User
) -> None:
    here, elsewhere = await log_in(db, alice), await log_in(db, alice)
    await enable(db, alice, "old", session_id=here, vapid_key="before")
    await enable(db, alice, "other browser", session_id=elsewhere, vapid_key="before")

    await enable(db, alice, "new", session_id=here)

    assert await names_of(db, alice) == ["other browser", "new"]


async def test_two_tabs_that_subscribe_their_browser_at_once_both_succeed(
    db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_name = devices._free_name

    async def while_the_other_is_quicker(session: AsyncSession, *given: Any) -> str:
        name = await free_name(session, *given)
        monkeypatch.setattr(devices, "_free_name", free_name)
        await subscribe(session, alice, "phone")
        return name

    monkeypatch.setattr(devices, "_free_name", while_the_other_is_quicker)

    second = await enable(db, alice, "phone")

    assert await names_of(db, alice) == ["phone"]
    async with db.read() as session:
        assert (await devices.find(session, alice, second.id)).endpoint == FCM + "phone"


async def test_each_device_of_a_person_has_a_name_of_its_own_and_keeps_it(
    db: Database, alice: User, bob: User
) -> None:
    for browser in ("desk", "sofa", "bench"):
        await enable(db, alice, browser, called="Chrome on Linux")
    await enable(db, bob, "his", called="Chrome on Linux")
    numbered = ["Chrome on Linux", "Chrome on Linux 2", "Chrome on Linux 3"]
    assert await names_of(db, alice) == numbered
    assert await names_of(db, bob) == ["Chrome on Linux"]

    async with db.write() as session:
        await devices.unsubscribe(session, alice, FCM + "desk")
    await enable(db, alice, "sofa", called="Chrome on Linux")
    assert await names_of(db, alice) == numbered[1:]

    await enable(db, alice, "attic", called="Chrome on Linux")
    assert sorted(await names_of(db, alice)) == numbered


async def test_under_a_new_key_a_device_keeps_its_name(db: Database, alice: User) -> None:
    here = await log_in(db, alice)
    for browser, session_id in (("desk", None), ("sofa", here)):
        await enable(
            db,
            alice,
            browser,
            session_id=session_id,
            vapid_key="before",
            called="Chrome on Linux",
        )
    async with db.write() as session:
        await devices.unsubscribe(session, alice, FCM + "desk")

    await enable(db, alice, "sofa anew", session_id=here, called="Chrome on Linux")

    assert await names_of(db, alice) == ["Chrome on Linux 2"]


async def state_of(db: Database, user: User, name: str) -> str:
    async with db.read() as session:
        return await devices.state_of(session, user, FCM + name)


async def test_a_browser_learns_the_state_of_its_device(
    db: Database, alice: User, bob: User
) -> None:
    device = await enable(db, alice, "phone")
    assert await state_of(db, alice, "phone") == "enabled"
    assert await state_of(db, bob, "phone") == "unknown"

    await change(db, device, failing_since=clock.now(), refused_at=clock.now(), refused_status=403)
    assert await state_of(db, alice, "phone") == "failing"

    renewed = await enable(db, alice, "phone")
    assert await state_of(db, alice, "phone") == "enabled"
    assert (renewed.refused_status, renewed.failing_since, renewed.refused_at) == (None, None, None)

    async with db.write() as session:
        await devices.remove(session, alice, device.id)
    assert await state_of(db, alice, "phone") == "removed"
    assert await state_of(db, bob, "phone") == "unknown"


@pytest.mark.parametrize("lost", ["gone", "logged out", "new password", "unsubscribed", "21st"])
async def test_only_removal_from_the_list_leaves_a_device_removed(
    db: Database, alice: User, lost: str
) -> None:
    here = await log_in(db, alice)
    device = await enable(db, alice, "phone", session_id=here)

    if lost == "21st":
        for number in range(20):
            await enable(db, alice, f"device {number}")
    async with db.write() as session:
        if lost == "gone":
            await devices.note_replies(session, well=[], gone=[device.endpoint_hash], refusing={})
        elif lost == "logged out":
            await end_session(session, alice, here)
        elif lost == "new password":
            await end_all_sessions(session, alice)
        elif lost == "unsubscribed":
            await devices.unsubscribe(session, alice, device.endpoint)

    assert await state_of(db, alice, "phone") == "unknown"


async def test_no_more_than_a_hundred_removed_devices_are_remembered(
    db: Database, alice: User, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    names = [f"phone{number}" for number in range(101)]
    for name in names:
        async with db.write() as session:
            device = await subscribe(session, alice, name)
            await devices.remove(session, alice, device.id)
        hands.move(timedelta(seconds=1))

    states = [await state_of(db, alice, name) for name in names]

    assert states == ["unknown", *["removed"] * 100]


async def test_a_removed_device_can_be_enabled_again(db: Database, alice: User, bob: User) -> None:
    for user in (alice, bob, alice):
        device = await enable(db, user, "phone")
        assert await state_of(db, user, "phone") == "enabled"
        async with db.write() as session:
            await devices.remove(session, user, device.id)
        assert await state_of(db, user, "phone") == "removed"

    await enable(db, bob, "phone")
    assert await state_of(db, alice, "phone") == "unknown"


async def test_removed_devices_are_remembered_for_three_months(db: Database, alice: User) -> None:
    for name, days in {"phone": 89, "laptop": 91}.items():
        device = await enable(db, alice, name)
        async with db.write() as session:
            await devices.remove(session, alice, device.id)
            removed = select(RemovedDevice).order_by(RemovedDevice.id.desc()).limit(1)
            newest = (await session.scalars(removed)).one()
            newest.removed_at = clock.now() - timedelta(days=days)

    await clean_up(db, 30)

    assert await state_of(db, alice, "phone") == "removed"
    assert await state_of(db, alice, "laptop") == "unknown"


async def test_logging_out_ends_push_in_that_browser_alone(db: Database, alice: User) -> None:
    here, elsewhere = await log_in(db, alice), await log_in(db, alice)
    await enable(db, alice, "here", session_id=here)
    await enable(db, alice, "elsewhere", session_id=elsewhere)

    async with db.write() as session:
        await end_session(session, alice, here)

    assert await names_of(db, alice) == ["elsewhere"]


async def test_logging_out_everywhere_ends_push_everywhere_but_here(
    db: Database, alice: User, bob: User
) -> None:
    here, elsewhere = await log_in(db, alice), await log_in(db, alice)
    await enable(db, alice, "here", session_id=here)
    await enable(db, alice, "elsewhere", session_id=elsewhere)
    await enable(db, alice, "long ago")
    await enable(db, bob, "his")

    async with db.write() as session:
        await end_all_sessions(session, alice, except_id=here)
    assert await names_of(db, alice) == ["here"]

    async with db.write() as session:
        await end_all_sessions(session, alice)
    assert await names_of(db, alice) == []
    assert await names_of(db, bob) == ["his"]


async def test_nobody_ends_another_ones_push_by_naming_the_session(
    db: Database, alice: User, bob: User
) -> None:
    hers = await log_in(db, alice)
    await enable(db, alice, "hers", session_id=hers)

    async with db.write() as session:
        with pytest.raises(NotFound):
            await end_session(session, bob, hers)

    assert await names_of(db, alice) == ["hers"]


@pytest.mark.parametrize("verb", ["unsubscribe", "remove", "find"])
async def test_devices_of_other_users_are_not_found(
    db: Database, alice: User, bob: User, verb: str
) -> None:
    device = await enable(db, alice, "phone")

    which = device.endpoint if verb == "unsubscribe" else device.id

    async with db.write() as session:
        with pytest.raises(NotFound):
            await getattr(devices, verb)(session, bob, which)

    assert await names_of(db, alice) == ["phone"]


def test_the_subscription_of_a_real_browser_is_accepted() -> None:
    browser = Browser(FCM + "phone")

    keys = devices.read_keys(PushServices(), browser.endpoint, **browser.subscription["keys"])

    assert keys == DeviceKeys(**browser.subscription["keys"])


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        devices.read_keys(PushServices(), "https://127.0.0.1/", "AAAA", "AAAA")

    assert caught.value.fields.keys() == {"endpoint", "keys.p256dh", "keys.auth"}


GOOD = Browser(FCM).subscription["keys"]
OFF_THE_CURVE = "B" + "A" * 86


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("p256dh", ""),
        ("p256dh", "not base64!"),
        ("p256dh", OFF_THE_CURVE),
        ("p256dh", GOOD["p256dh"][:-4]),
        ("p256dh", GOOD["p256dh"] + "AAAA"),
        ("p256dh", "A" + GOOD["p256dh"][1:]),
        ("auth", ""),
        ("auth", "AA"),
        ("auth", GOOD["auth"] + "AAAA"),
        ("auth", "é" * 22),
    ],
    ids=[
        "no point",
        "not base64",
        "off the curve",
        "a point too short",
        "a point too long",
        "not a whole point",
        "no secret",
        "a secret too short",
        "a secret too long",
        "letters beyond base64",
    ],
)
def test_a_key_that_no_browser_could_have_is_refused(field: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        devices.read_keys(PushServices(), FCM, **GOOD | {field: value})

    assert caught.value.fields.keys() == {f"keys.{field}"}
