"""The address of a push delivery, in Python and in SQL."""

import pytest
from sqlalchemy import select

from app.database import Database
from app.models import Delivery, PushSubscription, User
from app.notifications.channels.push.device_addresses import (
    address_column,
    address_of,
    is_for_name,
    name_in,
)
from tests.notifications._devices import enable


@pytest.mark.parametrize("name", ["Firefox on Linux", "Firefox on Linux #2", "50 % of _ #"])
async def test_python_and_sql_agree_on_the_address_of_a_device_and_its_name(
    db: Database, alice: User, name: str
) -> None:
    await enable(db, alice, "phone")
    async with db.write() as session:
        device = (await session.scalars(select(PushSubscription))).one()
        device.name = name
    address = address_of(device)

    async with db.read() as session:
        assert await session.scalar(select(address_column())) == address
    assert name_in(address) == name


async def test_deliveries_are_found_by_the_name_of_their_device(db: Database, alice: User) -> None:
    names = ["50 %", "50 % off", "50 per cent", "50 %"]
    async with db.write() as session:
        for id, name in enumerate(names):
            address = address_of(PushSubscription(id=id, name=name))
            row = {"channel": "push", "address": address, "user_id": alice.id}
            session.add(Delivery(**row, due_at=alice.created_at))

    async with db.read() as session:
        found = select(Delivery.address).where(is_for_name("50 %")).order_by(Delivery.id)
        assert list(await session.scalars(found)) == ["50 % #0", "50 % #3"]
