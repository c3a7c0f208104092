"""One notification in full: in the pane beside the list, or on a page of its own."""

import re

import httpx
import pytest
from litestar import Litestar

from app import clock
from app.database import Database
from app.models import Compilation, Notification, Project, Team, User
from app.notifications.events.catalogue import COMPILATION_COMPLETED, COMPILATION_FAILED, CUSTOM
from app.notifications.events.notices import Notice
from app.notifications.inbox import acts, feed
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.notifications.supersede import Collapsing
from app.reading_pane import MOST_PARTS
from tests.application import browser
from tests.bell import newest_notices
from tests.conftest import sign_in
from tests.factories import make_account, make_team

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
async def bob(db: Database) -> User:
    """With groups, as everyone is who registers."""
    return await make_account(db, "bob", grouping=True)


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


@pytest.fixture
async def page(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


@pytest.fixture
async def reel(db: Database, bob: User) -> Project:
    async with db.write() as session:
        project = Project(name="Reel", owner_id=bob.id)
        session.add(project)
    return project


async def send(db: Database, alice: User, squad: Team, *titles: str, key: str = "a") -> None:
    async with db.act() as session:
        for title in titles:
            body = f"{title}:\n<b>as it was written</b>"
            await notify(
                session, CUSTOM, actor=alice, team=squad, title=title, body=body, group_key=key
            )


async def compile_reel(db: Database, alice: User, reel: Project) -> Compilation:
    async with db.act() as session:
        made = Compilation(project_id=reel.id, status="completed")
        session.add(made)
        await session.flush()
        thumbnail = f"/projects/{reel.id}/compilations/{made.id}/thumbnail"
        await notify(
            session,
            COMPILATION_COMPLETED,
            actor=alice,
            project=reel,
            compilation=made,
            duration=61.0,
            size=1,
            thumbnail=thumbnail,
        )
    return made


async def newest(db: Database, user: User) -> Notice:
    async with db.read() as session:
        return (await newest_notices(session, user.id))[0]


async def unread(db: Database, user: User) -> int:
    async with db.read() as session:
        return await feed.unread_count(session, user.id)


async def pane(page: httpx.AsyncClient, notice: Notice, query: str = "") -> httpx.Response:
    return await page.get(f"/notifications/{notice.id}/pane{query}", headers=PARTIAL)


async def test_it_shows_the_text_as_it_was_written_and_reads_it(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "Freeze")
    notice = await newest(db, bob)

    shown = await pane(page, notice)

    assert "Freeze:\n&lt;b&gt;as it was written&lt;/b&gt;" in shown.text
    assert await unread(db, bob) == 0


async def test_an_open_pane_that_asks_again_reads_nothing(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "Freeze")

    await pane(page, await newest(db, bob), "?again=1")

    assert await unread(db, bob) == 1


async def test_without_htmx_it_is_the_page_of_the_notification_which_shows_the_same(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "Freeze")
    notice = await newest(db, bob)

    answer = await page.get(f"/notifications/{notice.id}/pane")
    own = await page.get(answer.headers["Location"])

    assert answer.headers["Location"] == f"/notifications/{notice.id}"
    assert "Freeze:\n&lt;b&gt;as it was written&lt;/b&gt;" in own.text


async def test_the_page_of_a_hidden_notification_offers_no_acts(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "Freeze")
    notice = await newest(db, bob)

    listed = await page.get(f"/notifications/{notice.id}")
    async with db.write() as session:
        (await session.get_one(Notification, notice.id)).hidden = True
    hidden = await page.get(f"/notifications/{notice.id}")

    assert f'formaction="/notifications/{notice.id}/done?own=1"' in listed.text
    assert "Freeze:" in hidden.text
    assert "?own=1" not in hidden.text


async def test_a_group_is_shown_with_its_thread_and_read_as_one(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")
    await send(db, alice, squad, "Other", key="b")
    async with db.read() as session:
        [other, two, one] = await newest_notices(session, bob.id)

    shown = await pane(page, two)

    assert shown.text.index(f'id="brief-text-{two.id}"') < shown.text.index(
        f'id="brief-text-{one.id}"'
    )
    assert f'id="brief-text-{other.id}"' not in shown.text
    assert await unread(db, bob) == 1


async def test_a_part_of_a_group_is_shown_and_read_alone(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "One", "Two")

    shown = await pane(page, await newest(db, bob), "?alone=1")

    assert "brief-text" not in shown.text
    assert await unread(db, bob) == 1


async def test_of_a_long_thread_it_shows_the_newest_and_the_way_to_the_rest(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, *map(str, range(MOST_PARTS + 1)))

    shown = await pane(page, await newest(db, bob))

    assert shown.text.count("brief-text-") == MOST_PARTS
    assert 'href="/notifications?group_key=' in shown.text
    assert await unread(db, bob) == 1


async def test_it_plays_a_compilation_while_there_is_a_video(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, reel: Project
) -> None:
    made = await compile_reel(db, alice, reel)
    notice = await newest(db, bob)
    video = f'src="/projects/{reel.id}/compilations/{made.id}/video"'

    there = await pane(page, notice)
    async with db.write() as session:
        (await session.get_one(Compilation, made.id)).video_removed_at = clock.now()
    removed = await pane(page, notice)

    assert video in there.text
    assert "<video" not in removed.text


async def test_it_plays_nothing_that_its_reader_may_no_longer_see(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, reel: Project
) -> None:
    await compile_reel(db, alice, reel)
    async with db.write() as session:
        (await session.get_one(Project, reel.id)).owner_id = alice.id

    assert "<video" not in (await pane(page, await newest(db, bob))).text


async def test_a_failure_says_why_and_offers_to_try_again(
    page: httpx.AsyncClient, db: Database, bob: User, reel: Project
) -> None:
    async with db.act() as session:
        failed = Compilation(project_id=reel.id, status="failed")
        session.add(failed)
        await session.flush()
        await notify(
            session, COMPILATION_FAILED, project=reel, compilation=failed, error="The disk is full."
        )
    notice = await newest(db, bob)

    shown = await pane(page, notice)

    assert '<p class="as-written">The disk is full.</p>' in shown.text
    assert f'formaction="/notifications/{notice.id}/retry"' in shown.text


async def test_it_says_that_a_notification_is_done(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "Freeze")
    notice = await newest(db, bob)
    async with db.act() as session:
        await acts.carry_out(session, bob.id, acts.doing(), Selection([notice.id]))

    shown = await pane(page, notice, "?again=1")

    assert "<span>Done</span>" in shown.text


async def test_an_open_pane_says_that_its_notification_was_removed(
    page: httpx.AsyncClient, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "Freeze")
    notice = await newest(db, bob)
    async with db.act() as session:
        await acts.delete(session, bob.id, Selection([notice.id]))

    again, anew = await pane(page, notice, "?again=1"), await pane(page, notice)

    assert "This notification was removed." in again.text
    assert anew.status_code == 404


async def test_the_notification_of_another_user_is_not_found(
    app: Litestar, db: Database, alice: User, bob: User, squad: Team
) -> None:
    await send(db, alice, squad, "Freeze")
    notice = await newest(db, bob)

    async with browser(app) as as_carol:
        await sign_in(as_carol, await make_account(db, "carol"))
        theirs = await pane(as_carol, notice)

    assert theirs.status_code == 404
    assert await unread(db, bob) == 1


@pytest.mark.parametrize("where", ["pane", "page"])
async def test_a_living_notice_shows_what_it_said_before(
    where: str, page: httpx.AsyncClient, db: Database, alice: User, squad: Team, bob: User
) -> None:
    async with db.act() as session:
        for title in ("Deploy began", "Deploy is half way", "Deploy is done"):
            collapsing = Collapsing("deploy")
            await notify(
                session, CUSTOM, actor=alice, team=squad, title=title, collapsing=collapsing
            )
    notice = await newest(db, bob)

    shown = await (
        pane(page, notice) if where == "pane" else page.get(f"/notifications/{notice.id}")
    )

    assert re.findall(
        r"Deploy (?:began|is half way|is done)", shown.text[shown.text.index("Earlier") :]
    ) == [
        "Deploy is half way",
        "Deploy began",
    ]
