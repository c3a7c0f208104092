"""CONTRACT section 2 line by line: who reads which text in the list, the bell and an open page."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from app.models import Delivery, Event, Notification
from app.notifications.events.catalogue import TYPES
from tests.contract.cast import Person, Stage
from tests.contract.markup import Shown
from tests.contract.table import HIGH, TABLE, Row

ROWS = [pytest.param(row, id=row.name) for row in TABLE]


@dataclass
class Before:
    ids: set[int]
    toasts: int


def test_every_type_has_its_row_and_every_row_its_type() -> None:
    assert {row.type for row in TABLE} == TYPES.keys()


@pytest.mark.parametrize("row", ROWS)
def test_the_catalogue_has_the_defaults_of_the_contract(row: Row) -> None:
    event_type = TYPES[row.type]

    assert set(event_type.context) == row.context
    assert event_type.icon == row.icon
    assert event_type.priority == row.priority
    assert event_type.channels == {
        name for name, is_on in [("email", row.mail), ("push", row.push)] if is_on
    }
    assert event_type.is_on("in_app") == row.in_app
    assert event_type.mandatory == row.mandatory


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("row", ROWS)
async def test_everyone_concerned_reads_their_own_words_and_nobody_else_anything(
    stage: Stage, row: Row
) -> None:
    await row.prepare(stage)
    await stage.settle()
    before = {user.name: _look(user) for user in stage.people}

    await row.cause(stage)
    await stage.settle()

    for user in stage.people:
        expected = list(row.hears.get(user.name, ())) if row.in_app else []
        told = [one for one in await user.sees() if one.id not in before[user.name].ids]
        assert [notice.text for notice in told] == expected, user.name
        assert all(_is_as_said(notice, row, user) for notice in told), told
        toasts = user.page.toasts[before[user.name].toasts :]
        is_toast = row.priority == HIGH and not row.ends_page
        assert toasts == (expected[::-1] if is_toast else []), user.name
    await _assert_facts_and_mail(stage, row)


def _look(user: Person) -> Before:
    return Before(set(user.page.panel), len(user.page.toasts))


def _is_as_said(notice: Shown, row: Row, user: Person) -> bool:
    actions = row.actions_of.get(user.name, row.actions)
    as_said = (row.icon, row.priority == HIGH, actions, row.is_opened_by == user.name)
    return (notice.icon, notice.is_high, notice.actions, notice.is_read) == as_said


async def _assert_facts_and_mail(stage: Stage, row: Row) -> None:
    async with stage.db.read() as session:
        event = (
            await session.scalars(select(Event).where(Event.type == row.type).order_by(Event.id))
        ).all()[-1]
        mailed = await session.scalars(
            select(Delivery.user_id)
            .join(Notification, Notification.id == Delivery.notification_id)
            .where(Notification.event_id == event.id, Delivery.channel == "email")
        )
    assert row.context <= event.context.keys()
    ids = {user.name: user.id for user in stage.people}
    assert set(mailed.all()) == {ids[name] for name in row.hears if row.mail}
