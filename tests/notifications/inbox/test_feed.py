import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import NotFound
from app.models import User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.inbox import feed
from app.notifications.inbox.bell import read_bell
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.notifications.withdraw import withdraw_team
from tests.factories import make_team


@pytest.fixture
async def told(db: Database, alice: User, bob: User) -> list[int]:
    """Bob was told 45 times; the ids of his notices, oldest first."""
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        for number in range(45):
            await notify(
                session, TEAM_UPDATED, actor=alice, team=team, old_name="A", new_name=str(number)
            )
    async with db.read() as session:
        return sorted(notice.id for notice in await feed.newest(session, bob.id, 100))


async def page_of(session: AsyncSession, user: User, number: int) -> list[int]:
    totals = await feed.count_totals(session, user.id, Filter())
    notices = await feed.read_page(session, user.id, Filter(), number, totals.filtered_count)
    return [notice.id for notice in notices]


async def test_pages_show_every_notice_once_newest_first(
    db: Database, bob: User, told: list[int]
) -> None:
    async with db.read() as session:
        pages = [await page_of(session, bob, number) for number in (1, 2, 3, 4)]

    assert [len(page) for page in pages] == [20, 20, 5, 0]
    assert [one for page in pages for one in page] == sorted(told, reverse=True)


async def test_reading_counts_down_and_only_ones_own(
    db: Database, alice: User, bob: User, told: list[int]
) -> None:
    async with db.act() as session:
        assert await feed.mark(session, alice.id, Selection(told), read=True) == 0
        assert await feed.mark(session, bob.id, Selection(told[:3]), read=True) == 3

    async with db.read() as session:
        assert await feed.unread_count(session, bob.id) == 42


async def test_all_read_leaves_what_came_after_the_watermark(
    db: Database, bob: User, told: list[int]
) -> None:
    async with db.act() as session:
        await feed.read_all(session, bob.id, told[-3])

    async with db.read() as session:
        assert await feed.unread_count(session, bob.id) == 2


async def test_undo_brings_back_exactly_what_was_deleted_once(
    db: Database, alice: User, bob: User, told: list[int]
) -> None:
    async with db.act() as session:
        await feed.delete(session, bob.id, Selection(told[:1]))
        count, token = await feed.delete(session, bob.id, Selection(told[1:4]))
    assert count == 3

    async with db.act() as session:
        with pytest.raises(NotFound):
            await feed.undo(session, alice.id, token)
        assert await feed.undo(session, bob.id, token) == 3
    async with db.act() as session:
        with pytest.raises(NotFound):
            await feed.undo(session, bob.id, token)

    async with db.read() as session:
        assert (await feed.count_totals(session, bob.id, Filter())).total == 44


async def test_filters_narrow_and_totals_tell_both(
    db: Database, bob: User, told: list[int]
) -> None:
    async with db.act() as session:
        await feed.mark(session, bob.id, Selection(told[:5]), read=True)

    async with db.read() as session:
        totals = await feed.count_totals(
            session, bob.id, Filter({"status": ("read",), "date_range": ("today",)})
        )
        none = await feed.count_totals(session, bob.id, Filter({"type": ("member_left",)}))

    assert (totals.total, totals.filtered_count, totals.unread_count) == (45, 5, 40)
    assert none.filtered_count == 0


async def test_the_bell_knows_count_newest_and_position(
    db: Database, bob: User, told: list[int]
) -> None:
    async with db.read() as session:
        bell = await read_bell(session, bob.id)

    assert bell.unread == 45
    assert [notice.id for notice in bell.notices] == sorted(told, reverse=True)[:20]
    assert bell.position == bell.notices[0].position


async def test_the_bell_of_somebody_told_nothing_is_empty(db: Database, carol: User) -> None:
    async with db.read() as session:
        bell = await read_bell(session, carol.id)

    assert (bell.unread, bell.position, bell.notices) == (0, 0, [])


async def test_what_was_withdrawn_is_gone_and_no_undo_brings_it_back(
    db: Database, bob: User, told: list[int]
) -> None:
    async with db.act() as session:
        _count, token = await feed.delete(session, bob.id, Selection(told[:2]))
        team_id = (await feed.find(session, bob.id, told[5])).actions[0].url.rpartition("/")[2]
        await withdraw_team(session, int(team_id), select(User.id).where(User.id == bob.id))

    async with db.act() as session:
        with pytest.raises(NotFound):
            await feed.undo(session, bob.id, token)
        assert await feed.unread_count(session, bob.id) == 0
