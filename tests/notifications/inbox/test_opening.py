"""What a visit to a page marks as read, and what that costs."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import Change, Notification, Team, User
from app.notifications.events.catalogue import (
    ACCOUNT_ADDRESS_CHANGE_REQUESTED,
    ACCOUNT_PASSWORD_CHANGED,
    ACCOUNT_TOKEN_CREATED,
    MEMBER_REMOVED,
    TEAM_DELETED,
    TEAM_UPDATED,
)
from app.notifications.events.event_type import IN_APP, EventType
from app.notifications.inbox import acts, feed
from app.notifications.inbox.opening import open_page
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.settings import Settings
from tests.factories import make_team
from tests.statements import statements_heard
from tests.switching import set_switch

A_HUNDRED_THOUSAND = """
    WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100000)
    INSERT INTO notification (user_id, event_id, type, target, hidden, read_at)
    SELECT ?, n, 'team_updated', '/teams/' || (n % 50), 0, CASE n % 2 WHEN 0 THEN '2026-11-28' END
    FROM number
"""


@pytest.fixture
async def editors(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, "Editors", editors=[bob])


async def tell(db: Database, event_type: EventType, times: int = 1, **of: object) -> None:
    async with db.act() as session:
        for _time in range(times):
            await notify(session, event_type, **of)  # type: ignore[arg-type]


async def unread_of(db: Database, user: User) -> list[str]:
    """The types of what the user has not read, hidden ones included."""
    rows = select(Notification.type).where(
        Notification.user_id == user.id, Notification.read_at.is_(None), feed.kept
    )
    async with db.read() as session:
        return sorted(await session.scalars(rows))


async def read_changes(db: Database, user: User) -> list[list[int] | None]:
    rows = select(Change.ids).where(Change.user_id == user.id, Change.kind == "read")
    async with db.read() as session:
        return list(await session.scalars(rows.order_by(Change.id)))


async def test_an_address_with_a_nul_is_no_error_and_opens_nothing(
    db: Database, bob: User, editors: Team
) -> None:
    """PostgreSQL has no such text, so it would refuse the statement."""
    await open_page(db, bob.id, f"/teams/{editors.id}\x00")

    assert await read_changes(db, bob) == []


async def test_a_page_opens_all_that_lead_there_and_no_others_in_one_change(
    db: Database, alice: User, bob: User, editors: Team
) -> None:
    other = await make_team(db, alice, "Others", editors=[bob])
    for team in (editors, other):
        await tell(db, TEAM_UPDATED, times=3, actor=alice, team=team, old_name="A", new_name="B")

    await open_page(db, bob.id, f"/teams/{editors.id}")

    assert await unread_of(db, bob) == ["team_updated"] * 3
    assert await read_changes(db, bob) == [[1, 2, 3]]


@pytest.mark.sqlite
async def test_more_than_a_thousand_are_recorded_in_changes_of_a_thousand(
    db: Database, settings: Settings, bob: User
) -> None:
    with closing(sqlite3.connect(settings.sqlite_path)) as connection, connection:
        connection.execute(
            A_HUNDRED_THOUSAND.replace("100000", "50").replace("n % 50", "1"), [bob.id]
        )

    await open_page(db, bob.id, "/teams/1")

    assert [len(ids or []) for ids in await read_changes(db, bob)] == [25]


async def test_hidden_notices_are_marked_read_without_an_event_on_the_streams(
    db: Database, bob: User
) -> None:
    async with db.act() as session:
        await set_switch(session, bob, ACCOUNT_TOKEN_CREATED.name, IN_APP, wanted=False)
    await tell(db, ACCOUNT_TOKEN_CREATED, affected=bob, name="Backup script")

    await open_page(db, bob.id, "/account")

    assert await unread_of(db, bob) == []
    assert await read_changes(db, bob) == []


async def test_deleted_notices_stay_unchanged(
    db: Database, alice: User, bob: User, editors: Team
) -> None:
    await tell(db, TEAM_UPDATED, actor=alice, team=editors, old_name="A", new_name="B")
    async with db.act() as session:
        _count, undo = await acts.delete(session, bob.id, Selection([1]))

    await open_page(db, bob.id, f"/teams/{editors.id}")
    async with db.act() as session:
        await acts.undo(session, bob.id, undo)

    assert await unread_of(db, bob) == ["team_updated"]


async def test_a_notice_without_a_link_is_opened_only_by_its_own_page(
    db: Database, alice: User, bob: User, carol: User, editors: Team
) -> None:
    """The removed may not see the team any more."""
    await tell(db, TEAM_DELETED, actor=alice, team=editors)
    await tell(db, MEMBER_REMOVED, actor=alice, affected=carol, team=editors)

    for page in (f"/teams/{editors.id}", "/notifications", "/notifications/1/deliveries"):
        await open_page(db, bob.id, page)
        await open_page(db, carol.id, page)

    assert await unread_of(db, bob) == ["team_deleted"]
    assert await unread_of(db, carol) == ["member_removed"]
    await open_page(db, bob.id, "/notifications/1")
    assert await unread_of(db, bob) == []


async def test_a_page_behind_a_mailed_link_opens_the_notice_of_the_mail(
    db: Database, bob: User
) -> None:
    await tell(db, ACCOUNT_PASSWORD_CHANGED, affected=bob)
    await tell(db, ACCOUNT_ADDRESS_CHANGE_REQUESTED, affected=bob, address="new@example.com")

    await open_page(db, bob.id, "/account/address/cancel/a-token")

    assert await unread_of(db, bob) == ["account_password_changed"]


async def test_notices_arriving_while_a_visit_waits_for_another_writer_stay_unread(
    db: Database, alice: User, bob: User, editors: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed: dict[str, Any] = {"actor": alice, "team": editors, "old_name": "A", "new_name": "B"}
    await tell(db, TEAM_UPDATED, **renamed)
    act = db.act

    @asynccontextmanager
    async def after_another() -> AsyncIterator[AsyncSession]:
        monkeypatch.setattr(db, "act", act)
        await tell(db, TEAM_UPDATED, **renamed)
        async with act() as session:
            yield session

    monkeypatch.setattr(db, "act", after_another)
    await open_page(db, bob.id, f"/teams/{editors.id}")

    assert await read_changes(db, bob) == [[1]]
    assert await unread_of(db, bob) == ["team_updated"]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("page", "index"),
    [
        ("/teams/5", "ix_notification_unopened (user_id=? AND target=?"),
        ("/teams/500", "ix_notification_unopened (user_id=? AND target=?"),
        ("/notifications/5", "INTEGER PRIMARY KEY (rowid=?)"),
        ("/account/address/cancel/a-token", "(user_id=? AND type=?"),
    ],
)
async def test_a_visit_reads_only_the_rows_it_opens_among_a_hundred_thousand(
    db: Database, settings: Settings, bob: User, page: str, index: str
) -> None:
    with closing(sqlite3.connect(settings.sqlite_path)) as connection:
        with connection:
            connection.execute(A_HUNDRED_THOUSAND, [bob.id])
        connection.execute("ANALYZE")
        with statements_heard() as statements:
            await open_page(db, bob.id, page)
        asked = [one for one in statements if "notification.read_at IS NULL" in one.text]
        plans = [
            [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {one.text}", one.values)]
            for one in asked
        ]

    assert plans
    for plan in plans:
        assert len(plan) == 1, plan
        assert plan[0].startswith("SEARCH notification USING"), plan
        assert plan[0].endswith(index) or index in plan[0], plan
