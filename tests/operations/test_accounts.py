"""The administrator's list of accounts: what each uses; suspended, restored, deleted there."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from app import clock
from app.accounts.sessions import end_all_sessions, find_session, start_session
from app.accounts.tokens import create_token, find_token
from app.database import Database
from app.models import Clip, Compilation, Delivery, Project, Team, User
from app.operations.accounts import PER_PAGE, Usage, read_accounts
from app.settings import Settings
from app.teams.invitations import invite
from tests.conftest import post, sign_in, text_of
from tests.factories import make_account, make_team
from tests.mailing import change_deliveries, deliver_mail, make_due, share

URL = "/admin/accounts"


@pytest.fixture
async def admin(db: Database, alice: User) -> User:
    async with db.write() as session:
        (await session.get_one(User, alice.id)).is_admin = True
    return alice


async def usage_of(db: Database, settings: Settings, user: User) -> Usage:
    async with db.read() as session:
        [found] = (await read_accounts(session, settings, user.username)).accounts
    return found.usage


async def test_only_administrators_find_it(
    client: httpx.AsyncClient, db: Database, admin: User, bob: User, carol: User
) -> None:
    await sign_in(client, bob)

    answers = [
        await client.get(URL),
        await client.get(f"{URL}/{carol.id}/delete"),
        *[
            await post(client, f"{URL}/{carol.id}/{verb}")
            for verb in ("suspend", "restore", "delete")
        ],
    ]

    assert {answer.status_code for answer in answers} == {404}
    async with db.read() as session:
        assert (await session.get_one(User, carol.id)).suspended_at is None


async def test_accounts_are_found_by_name_and_address(
    client: httpx.AsyncClient, admin: User, bob: User, carol: User
) -> None:
    await sign_in(client, admin)

    everyone = text_of(await client.get(URL))
    by_name = text_of(await client.get(URL, params={"q": "BO"}))
    by_address = text_of(await client.get(URL, params={"q": "carol@example"}))
    nobody = text_of(await client.get(URL, params={"q": "100%_"}))

    assert [name in everyone for name in ("alice", "bob", "carol")] == [True] * 3
    assert "bob@example.com" in by_name
    assert "carol" not in by_name
    assert "carol" in by_address
    assert "bob" not in by_address
    assert "No accounts found No name or address contains “100%_”." in nobody


async def test_the_list_has_pages_and_ends_after_the_last(
    client: httpx.AsyncClient, db: Database, admin: User, bob: User
) -> None:
    for number in range(PER_PAGE):
        await make_account(db, f"user-{number:03}")
    await sign_in(client, admin)

    first, second, third = [
        text_of(await client.get(URL, params={"page": page})) for page in (1, 2, 10**6)
    ]

    assert "Page 1 of 2" in first
    assert "user-049" in first
    assert "bob@example.com" not in first
    assert "bob@example.com" in second
    assert "user-0" not in second
    assert "No accounts found" in third


async def test_storage_is_the_size_of_clips_and_videos(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    async with db.write() as session:
        for owner, size in ((alice, 5), (alice, 7), (bob, 1_000)):
            project = Project(name="Reel", owner_id=owner.id)
            session.add(project)
            await session.flush()
            clip = Clip(project_id=project.id, position=0, filename="a", stored_as=f"{project.id}")
            clip.size = size
            session.add(clip)
            session.add(Compilation(project_id=project.id, status="completed", size=100))
            removed = {"size": 100, "video_removed_at": clock.now()}
            session.add(Compilation(project_id=project.id, status="completed", **removed))
            session.add(Compilation(project_id=project.id, status="failed"))

    assert (await usage_of(db, settings, alice)).storage == 5 + 7 + 2 * 100
    assert (await usage_of(db, settings, bob)).storage == 1_100


async def test_mails_are_counted_by_sender_and_by_recipient(
    db: Database, settings: Settings, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(db, alice, editors=[bob, carol])
    await share(db, alice, team, "One")
    await share(db, alice, team, "Two")
    async with db.act() as session:
        await invite(session, alice, team.id, "stranger@example.com", "viewer")
    await make_due(db)
    waiting = await usage_of(db, settings, alice)

    await deliver_mail(db, settings)

    # Two events for two members are one mail for each of them.
    assert waiting == Usage()
    assert await usage_of(db, settings, alice) == Usage(mails_sent=3)
    assert await usage_of(db, settings, bob) == Usage(mails_received=1)
    long_ago = clock.now() - timedelta(days=settings.retention_days + 1)
    await change_deliveries(db, Delivery.state == "sent", settled_at=long_ago)
    assert await usage_of(db, settings, alice) == Usage()
    for_good = replace(settings, retention_days=10**30)
    assert await usage_of(db, for_good, alice) == Usage(mails_sent=3)


async def seen(db: Database, user: User) -> object:
    async with db.read() as session:
        return (await session.get_one(User, user.id)).last_seen_at


async def test_when_a_user_was_last_seen_outlives_the_session(
    db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    assert await seen(db, alice) is None
    async with db.write() as session:
        token = await start_session(session, alice, "")
    signed_in = await seen(db, alice)

    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=5))
    await find_session(db, token)
    soon = await seen(db, alice)
    later = now + timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    await find_session(db, token)
    async with db.write() as session:
        await end_all_sessions(session, alice)

    assert signed_in == soon
    assert await seen(db, alice) == later


async def test_a_program_with_an_access_token_is_seen_too(db: Database, alice: User) -> None:
    async with db.write() as session:
        _token, key = await create_token(session, alice, name="script", scope="read")

    await find_token(db, key)

    assert await seen(db, alice) is not None


async def test_an_account_is_suspended_and_restored_by_its_buttons(
    client: httpx.AsyncClient, db: Database, admin: User, bob: User
) -> None:
    await sign_in(client, admin)

    answer = await post(client, f"{URL}/{bob.id}/suspend")
    suspended = await client.get(answer.headers["Location"])
    async with db.read() as session:
        moment = (await session.get_one(User, bob.id)).suspended_at
    answer = await post(client, f"{URL}/{bob.id}/restore")
    restored = await client.get(answer.headers["Location"])

    assert moment is not None
    assert "bob is suspended." in text_of(suspended)
    assert f'action="{URL}/{bob.id}/restore"' in suspended.text
    assert f'action="{URL}/{bob.id}/suspend"' not in suspended.text
    assert "bob can sign in again." in text_of(restored)
    async with db.read() as session:
        assert (await session.get_one(User, bob.id)).suspended_at is None


async def test_an_account_is_deleted_after_a_question(
    client: httpx.AsyncClient, db: Database, admin: User, bob: User, video_squad: Team
) -> None:
    await sign_in(client, admin)

    question = await client.get(f"{URL}/{bob.id}/delete")
    answer = await post(client, f"{URL}/{bob.id}/delete")

    assert "Delete the account of bob?" in text_of(question)
    assert f'action="{URL}/{bob.id}/delete"' in question.text
    assert "The account of bob was deleted." in text_of(await client.get(URL))
    assert answer.headers["Location"] == URL
    async with db.read() as session:
        assert set(await session.scalars(select(User.username))) == {"alice"}


async def test_administrators_have_no_buttons_and_are_refused(
    client: httpx.AsyncClient, db: Database, admin: User
) -> None:
    await sign_in(client, admin)

    page = await client.get(URL)
    answers = [
        await client.get(f"{URL}/{admin.id}/delete"),
        *[await post(client, f"{URL}/{admin.id}/{verb}") for verb in ("suspend", "delete")],
    ]

    assert f"{URL}/{admin.id}/" not in page.text
    assert {answer.status_code for answer in answers} == {409}
    assert "This is your own account." in text_of(answers[0])
    async with db.read() as session:
        assert (await session.get_one(User, admin.id)).suspended_at is None
