"""Groups are what grouping every row says, whatever happens to the rows and in which process."""

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from app.database import Database
from app.installation import install
from app.models import Notification, Project, Team, User
from app.notifications.events.catalogue import (
    ACCOUNT_PASSWORD_CHANGED,
    COMPILATION_COMPLETED,
    CUSTOM,
    MEMBER_ADDED,
)
from app.notifications.events.notices import Group, Notice
from app.notifications.inbox import acts, feed, tallies
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.groups import GroupPage, read_group_page
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.tallies import reading_groups
from app.notifications.inbox.totals import count_totals
from app.notifications.notify import notify
from app.settings import Settings
from app.values.faces import Face
from app.values.names import to_plain
from tests.factories import make_account
from tests.notifications.conftest import Hands
from tests.notifications.inbox.conftest import Tell
from tests.notifications.inbox.test_totals import Bob


async def page_of(
    db: Database, user: User, wanted: Filter | None = None, *, first: int = 0, most: int = 20
) -> GroupPage:
    wanted = wanted or Filter()
    async with reading_groups(db, wanted) as session:
        totals = await count_totals(session, user.id, Filter())
        return await read_group_page(session, user.id, wanted, first, most, totals)


async def groups_of(db: Database, user: User, wanted: Filter | None = None) -> list[Group]:
    page = await page_of(db, user, wanted)
    assert page.count == len(page.notices)
    return [notice.group for notice in page.notices if notice.group]


async def add(db: Database, actor: User, team: Team, *users: User) -> None:
    async with db.act() as session:
        for user in users:
            await notify(
                session, MEMBER_ADDED, actor=actor, affected=user, team=team, role="editor"
            )


@pytest.fixture
async def dave(db: Database) -> User:
    return await make_account(db, "dave")


async def test_notices_of_one_type_about_one_team_are_a_group(
    db: Database, alice: User, bob: User, carol: User, dave: User, squad: Team, tell_bob: Tell
) -> None:
    await add(db, alice, squad, carol)
    await tell_bob(2)
    await add(db, carol, squad, dave)

    page = await page_of(db, bob)

    added, renamed = [notice.group for notice in page.notices]
    assert added == Group(
        key=f"member_added:team:{squad.id}",
        count=2,
        unread_count=2,
        actors=[Face(carol.id, "carol"), Face(alice.id, "alice")],
        actor_count=2,
        summary=added.summary if added else "",
    )
    assert added
    assert added.text == "dave and 1 other joined team 'Video Squad'"
    assert renamed
    assert renamed.text == "Team '1' was renamed 2 times"
    assert [notice.text for notice in page.notices] == [
        "dave joined the team as editor",
        "Team 'A' is now called '1'",
    ]


async def test_a_group_names_its_team_beside_a_sentence_that_does_not(
    db: Database, alice: User, bob: User, carol: User, dave: User, squad: Team
) -> None:
    async def team_phrases() -> list[str]:
        return [to_plain(notice.team_phrase) for notice in (await page_of(db, bob)).notices]

    await add(db, alice, squad, carol)
    assert await team_phrases() == ["in team 'Video Squad'"]
    await add(db, alice, squad, dave)
    assert await team_phrases() == [""]
    async with db.act() as session:
        for title in ("One", "Two"):
            await notify(session, CUSTOM, actor=alice, team=squad, title=title)
    assert await team_phrases() == ["in team 'Video Squad'", ""]


async def test_who_came_after_a_watermark_is_no_actor_of_a_group_before_it(
    db: Database, alice: User, bob: User, carol: User, dave: User, squad: Team
) -> None:
    await add(db, alice, squad, carol, dave)
    async with db.read() as session:
        end = (await count_totals(session, bob.id, Filter())).position
    await add(db, dave, squad, carol)

    [group] = await groups_of(db, bob, Filter(up_to_position=end))

    assert (group.count, group.actor_count) == (2, 1)
    assert group.actors == [Face(alice.id, "alice")]


async def test_a_group_of_one_has_the_sentence_of_its_notice(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    await tell_bob(1)

    [group] = await groups_of(db, bob)

    assert (group.count, group.text) == (1, "Team 'A' is now called '0'")


async def test_one_user_who_joins_again_and_again_is_no_other(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    await add(db, alice, squad, carol, carol, carol)

    [group] = await groups_of(db, bob)

    assert group.text == "carol joined team 'Video Squad' 3 times"
    assert (group.actors, group.actor_count) == ([Face(alice.id, "alice")], 1)


async def test_notices_about_different_projects_or_without_a_subject_stand_alone(
    db: Database, alice: User
) -> None:
    async with db.act() as session:
        one, other = (Project(name=name, owner_id=alice.id) for name in ("One", "Other"))
        session.add_all([one, other])
        await session.flush()
        for project in (one, other, one):
            await notify(session, COMPILATION_COMPLETED, project=project)
        for _ in range(2):
            await notify(session, ACCOUNT_PASSWORD_CHANGED, affected=alice)

    groups = await groups_of(db, alice)

    assert [group.count for group in groups] == [1, 1, 2, 1]
    assert groups[2].text == "2 compilations of 'One' are complete"
    assert len({group.key for group in groups}) == 4


async def test_a_sender_names_the_groups_of_custom_events(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    async with db.act() as session:
        for title, key in (("A", "x"), ("B", "y"), ("C", "x"), ("D", "")):
            keys: dict[str, Any] = {"group_key": key} if key else {}
            await notify(session, CUSTOM, actor=alice, team=squad, title=title, **keys)

    groups = await groups_of(db, bob)

    assert [group.text for group in groups] == ["D", "C and 1 more", "B"]
    assert groups[1].key == f"custom:team:{squad.id}:x"


async def test_groups_are_formed_within_the_view_and_the_filter(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    ids = await tell_bob(5)
    async with db.act() as session:
        await acts.carry_out(session, bob.id, acts.doing(), Selection(ids[:2]))
        await acts.mark(session, bob.id, Selection(ids[2:3]), read=True)

    counts = {
        name: [(group.count, group.unread_count) for group in await groups_of(db, bob, wanted)]
        for name, wanted in {
            "inbox": Filter(),
            "unread": Filter({"status": ("unread",)}),
            "done": Filter({"view": ("done",)}),
            "all": Filter({"view": ("all",)}),
            "other": Filter({"type": ("custom",)}),
        }.items()
    }

    assert counts == {
        "inbox": [(3, 2)],
        "unread": [(2, 2)],
        "done": [(2, 0)],
        "all": [(5, 2)],
        "other": [],
    }


async def test_its_parts_are_listed_by_its_key(db: Database, bob: User, tell_bob: Tell) -> None:
    ids = await tell_bob(3)
    [group] = await groups_of(db, bob)

    wanted = Filter({"group_key": (group.key,)})
    async with db.read() as session:
        parts = await feed.read_slice(session, bob.id, wanted, 0, 20, 3)

    assert [part.id for part in parts] == ids[::-1]


async def test_pages_count_groups(db: Database, alice: User, bob: User, squad: Team) -> None:
    async with db.act() as session:
        for number in range(60):
            keys: dict[str, Any] = {"group_key": str(number % 25)}
            await notify(session, CUSTOM, actor=alice, team=squad, title=str(number), **keys)

    for wanted in (Filter(), Filter({"type": ("custom",)})):
        pages = [await page_of(db, bob, wanted, first=first) for first in (0, 20, 40)]

        assert [page.count for page in pages] == [25, 25, 25]
        shown = [[notice.text for notice in page.notices] for page in pages]
        assert shown == [
            [str(number) for number in range(59, 39, -1)],
            [str(number) for number in range(39, 34, -1)],
            [],
        ]


async def test_what_arrives_meanwhile_moves_nothing_from_one_page_to_the_next(
    db: Database, bob: User, carol: User, alice: User, squad: Team, tell_bob: Tell
) -> None:
    await tell_bob(2)
    await add(db, alice, squad, carol)
    async with db.read() as session:
        end = (await count_totals(session, bob.id, Filter())).position
    before = await page_of(db, bob)
    await tell_bob(1)

    after = await page_of(db, bob, Filter(up_to_position=end))

    assert after == before
    assert (await page_of(db, bob)) != before


@pytest.fixture
async def other_process(settings: Settings, db: Database) -> AsyncIterator[Database]:
    """The same database, in a process that has seen nothing of the acts."""
    other = install(settings).db
    yield other
    await other.close()


@pytest.mark.parametrize("seed", range(8))
async def test_they_are_what_grouping_each_row_says_after_any_acts_in_any_process(
    db: Database,
    other_process: Database,
    alice: User,
    bob: User,
    squad: Team,
    hands: Hands,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    chance = Random(seed)
    monkeypatch.setattr(tallies, "MOST_DIFFERENT", seed % 4)

    async def tell(times: int) -> list[int]:
        async with db.act() as session:
            for number in range(times):
                key = chance.choice("abc")
                await notify(
                    session, CUSTOM, actor=alice, team=squad, title=str(number), group_key=key
                )
        return []

    life = Bob(db, bob, squad, tell, hands, chance)

    for _ in range(12):
        for _ in range(chance.choice([1, 1, 3])):
            await chance.choice(life.acts())()

        async with db.read() as session:
            end = (await count_totals(session, bob.id, Filter())).position
        for end_of_page in (None, chance.randint(0, end)):
            wanted = Filter(up_to_position=end_of_page)
            expected = await grouped(db, bob, wanted)
            for process in (db, other_process):
                page = await page_of(process, bob, wanted, most=100)
                assert [summed(notice) for notice in page.notices] == expected
                assert page.count == len(expected)


async def grouped(db: Database, user: User, wanted: Filter) -> list[tuple[Any, ...]]:
    """(newest id, key, count, unread) of each group, by looking at every row."""
    rows = select(Notification).where(Notification.user_id == user.id, *wanted.clauses())
    async with db.read() as session:
        notices = (await session.scalars(rows.order_by(*feed.NEWEST_FIRST))).all()
    groups: dict[str, list[Notification]] = {}
    for notice in notices:
        groups.setdefault(notice.group_key, []).append(notice)
    return [
        (some[0].id, key, len(some), sum(one.read_at is None for one in some))
        for key, some in groups.items()
    ]


def summed(notice: Notice) -> tuple[Any, ...]:
    assert notice.group
    return notice.id, notice.group.key, notice.group.count, notice.group.unread_count
