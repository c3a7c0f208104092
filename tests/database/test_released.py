"""A database written by an earlier version shows the same data after migration to this one.

`released/` holds that database and what the earlier version showed; its README says how both were
made. A migration that renames, rewrites or drops something declares it in NAMES or COUNTS.
"""

import asyncio
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from shutil import copyfile
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select

from app.database import Database
from app.database.migrations import migrate, revisions
from app.models import Compilation, Project, User
from app.projects.compilations import rotate_videos
from app.settings import Settings, load
from tests.conftest import post
from tests.contract.markup import words
from tests.database.meanings import meaning
from tests.factories import SECRET_KEY, SIGNER
from tests.mailing import deliver_mail, kept
from tests.projects.conftest import finished

pytestmark = pytest.mark.sqlite

RELEASED = Path(__file__).parent / "released"
SHOWN = json.loads((RELEASED / "0003.json").read_text())
PEOPLE = SHOWN["people"]

# Old name of a table or column -> its present name. A column is written `table.column`, or `column`
# for every table. "" stands for a column that was rewritten or dropped: its values are not compared
# here, so another test has to show that they survive.
NAMES = {
    "account": "user",
    "account_id": "user_id",
    "delivery.gathering": "bundling",
    "delivery.letter": "transactional",
    "delivery.error": "",
    "delivery.reason": "",
    "delivery.context": "",
    "push_subscription.error": "",
    "clean_up.removed": "",
    "notification.deleted_in": "changed_in",
}
# Old name of a table -> how many rows it has now. For tables whose rows were merged or split: only
# their number is compared.
COUNTS = {"preference": 56, "mute": 6}

CHANNELS = {"email": "Email", "push": "Push"}
STATES = {
    "sent": "Sent",
    "pending": "Waiting",
    "skipped": "Not sent",
    "failed": "Refused",
    "dead": "Given up",
    "none": "Not sent",
}
# What the delivery log shows in place of an address or a device's name: old wording -> present one.
ADDRESS_LABELS = {"a device since removed": "a removed device"}
# Name of a device -> facts that the old version had but did not show: it looked for the status at the
# beginning of the sentence, where a test that had expired had other words.
SHOWN_SINCE = {"Safari on iPad": {"status": "429"}}

MAIN = re.compile(r"<main\b.*?</main>", re.DOTALL)
ROW = re.compile(r"<li\b.*?</li>", re.DOTALL)
MOMENT = re.compile(r"<time\b.*?</time>", re.DOTALL)
DEVICE = re.compile(r'<li class="row device">.*?</li>', re.DOTALL)
HEALTH = re.compile(r'<p class="device-health is-(\w*)"[^>]*>(.*?)</p>', re.DOTALL)


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old database after migration, made once and copied for each test."""
    settings = load({"DATA_DIR": str(tmp_path_factory.mktemp("opened")), "SECRET_KEY": SECRET_KEY})
    with closing(sqlite3.connect(settings.sqlite_path)) as database:
        database.executescript((RELEASED / "0003.sql").read_text())

    async def upgrade() -> None:
        db = Database(settings.database_url)
        await migrate(db, settings)
        await db.close()

    asyncio.run(upgrade())
    return settings.sqlite_path


@pytest.fixture
def settings(settings: Settings, opened: Path) -> Settings:
    """An installation with the old database and the VAPID key its devices subscribed with."""
    copyfile(opened, settings.sqlite_path)
    (settings.data_dir / "vapid_private_key").write_text(SHOWN["vapid_private_key"])
    return settings


@pytest.fixture(params=PEOPLE)
def person(request: pytest.FixtureRequest, client: httpx.AsyncClient) -> dict[str, Any]:
    """What one member of the cast saw before, signed in with a session cookie from that time."""
    shown: dict[str, Any] = PEOPLE[request.param]
    client.cookies.set("session", shown["session"])
    return shown


def test_every_row_keeps_its_values(settings: Settings) -> None:
    with closing(sqlite3.connect(":memory:")) as before:
        before.executescript((RELEASED / "0003.sql").read_text())
        with closing(sqlite3.connect(settings.sqlite_path)) as now:
            for table in tables(before):
                if table in COUNTS:
                    assert count(now, table) == COUNTS[table], table
                else:
                    assert changed_rows(before, now, table) == [], table


def test_every_foreign_key_points_to_a_row(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.sqlite_path)) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_second_migration_changes_nothing(db: Database, settings: Settings) -> None:
    before = dump(settings)

    assert await migrate(db, settings) is False

    current, newest = await revisions(db)
    assert current == newest
    assert dump(settings) == before


async def test_inbox_preferences_teams_and_projects_stay_the_same(
    client: httpx.AsyncClient, person: dict[str, Any]
) -> None:
    for url, before in person["json"].items():
        answer = await client.get(url)

        assert answer.status_code == 200, url
        assert list(differences(before, answer.json())) == [], url


async def test_the_delivery_log_stays_the_same(
    client: httpx.AsyncClient, person: dict[str, Any]
) -> None:
    for notice, lines in person["delivery_log"].items():
        answer = await client.get(f"/notifications/{notice}/deliveries")
        assert answer.status_code == 200, notice
        rows = [row for row in rows_on(answer.text) if row.startswith((*CHANNELS.values(),))]
        for row, line in zip(rows, lines, strict=True):
            require_same_line(row, *line)


async def test_deleted_and_withdrawn_notifications_stay_hidden(
    client: httpx.AsyncClient, person: dict[str, Any]
) -> None:
    for notice in person["deleted"]:
        assert (await client.get(f"/api/notifications/{notice}")).status_code == 404, notice
        assert (await client.get(f"/notifications/{notice}/deliveries")).status_code == 404, notice


async def test_devices_keep_their_names_and_health(
    client: httpx.AsyncClient, person: dict[str, Any]
) -> None:
    rows = DEVICE.findall((await client.get("/account/notifications")).text)

    for row, (name, health, told) in zip(rows, person["devices"], strict=True):
        assert words(row).startswith(name)
        kind, sentence = (HEALTH.findall(row) or [("", "")])[0]
        before = meaning(told) | SHOWN_SINCE.get(name, {})
        assert (kind, meaning(words(sentence))) == (health, before), name


async def test_each_push_subscription_keeps_its_state(
    client: httpx.AsyncClient, person: dict[str, Any]
) -> None:
    for endpoint, state in person["subscriptions"].items():
        answer = await post(client, "/push/subscription", endpoint=endpoint)
        assert answer.json() == {"state": state}, endpoint


async def test_access_tokens_keep_working(client: httpx.AsyncClient) -> None:
    for name, person in PEOPLE.items():
        key = {"Authorization": f"Bearer {person['token']}"}
        answer = await client.get("/api/notifications/unread-count", headers=key)
        assert answer.json() == person["json"]["/api/notifications/unread-count"], name


async def test_failed_deliveries_stay_listed_for_administrators(client: httpx.AsyncClient) -> None:
    client.cookies.set("session", PEOPLE["alice"]["session"])
    page = (await client.get("/admin/deliveries")).text

    rows = {row_id(row): words(MOMENT.sub("", row)) for row in ROW.findall(page) if row_id(row)}
    assert rows.keys() == {one["id"] for one in SHOWN["failed_deliveries"]}
    for one in SHOWN["failed_deliveries"]:
        require_same_failure(rows[one["id"]], one)


async def test_pending_mail_is_sent_once_with_the_same_message_ids(
    app: Litestar, settings: Settings
) -> None:
    await deliver_mail(app.state.db, settings)
    await deliver_mail(app.state.db, settings)

    mails = sorted([mail["To"], mail["Message-ID"]] for mail in kept(settings))
    assert mails == SHOWN["mails"]


async def test_links_in_pending_mail_work(
    app: Litestar, client: httpx.AsyncClient, settings: Settings
) -> None:
    await deliver_mail(app.state.db, settings)

    links = [link for mail in kept(settings) for link in links_in(mail)]
    kinds = Counter(link.split("/")[1] for link in links)
    assert kinds.keys() == {"confirm", "invitations", "unsubscribe"}
    for link in links:
        assert (await client.get(link)).status_code == 200, link


async def test_unsubscribe_links_mailed_before_keep_working(
    app: Litestar, client: httpx.AsyncClient
) -> None:
    async with app.state.db.read() as session:
        ids = (await session.scalars(select(User.id))).all()

    for id in ids:
        link = f"/unsubscribe/{SIGNER.sign('unsubscribe', [id, 'everything'])}"
        answer = await client.post(link, data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, answer.text) == (200, "Unsubscribed."), id


def links_in(mail: EmailMessage) -> list[str]:
    """The paths of the links in a mail that carry a token."""
    body = mail.get_body(("plain",))
    assert body is not None
    text = f"{body.get_content()} {mail['List-Unsubscribe'] or ''}"
    return re.findall(r"http://testserver(/(?:confirm|invitations|unsubscribe)/[\w.-]+)", text)


def tables(database: sqlite3.Connection) -> list[str]:
    rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in rows if name not in ("alembic_version", "sqlite_sequence")]


def count(database: sqlite3.Connection, table: str) -> int:
    rows = database.execute(f'SELECT count(*) FROM "{NAMES.get(table, table)}"')
    return int(rows.fetchone()[0])


def changed_rows(before: sqlite3.Connection, now: sqlite3.Connection, table: str) -> list[Any]:
    """Rows of the old table without an equal in the present one, and the other way round."""
    columns = [name for (_number, name, *_rest) in before.execute(f'PRAGMA table_info("{table}")')]
    names = {one: NAMES.get(f"{table}.{one}", NAMES.get(one, one)) for one in columns}
    old = rows_of(before, table, [column for column, name in names.items() if name])
    new = rows_of(now, NAMES.get(table, table), [name for name in names.values() if name])
    return [*(old - new), *(new - old)]


def rows_of(database: sqlite3.Connection, table: str, columns: list[str]) -> Counter[Any]:
    chosen = ", ".join(f'"{table}"."{column}"' for column in columns)
    return Counter(database.execute(f'SELECT {chosen} FROM "{table}"'))


def dump(settings: Settings) -> list[str]:
    with closing(sqlite3.connect(settings.sqlite_path)) as database:
        return list(database.iterdump())


def differences(before: Any, now: Any, path: str = "") -> Iterator[str]:
    """Each value of the old answer that is missing or different in the present one.

    Keys that were added since do not matter.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        for key, value in before.items():
            yield from differences(value, now.get(key, "nothing"), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, (old, new) in enumerate(zip(before, now, strict=True)):
            yield from differences(old, new, f"{path}/{number}")
    elif before != now:
        yield f"{path}: {before!r} became {now!r}"


def rows_on(page: str) -> list[str]:
    """The words of each list item in the page's <main>, without its times."""
    main = MAIN.search(page)
    assert main
    return [words(MOMENT.sub("", row)) for row in ROW.findall(main[0])]


def require_same_line(row: str, state: str, channel: str, where: str, told: str) -> None:
    label = f"{CHANNELS[channel]} {ADDRESS_LABELS.get(where, where)}".strip()
    assert row.startswith(label), (row, label)
    assert row.endswith(STATES[state]), (row, state)
    sentence = row.removeprefix(label).removesuffix(STATES[state]).strip()
    assert meaning(sentence.removeprefix("due").strip()) == meaning(told), (row, told)


def row_id(row: str) -> int:
    """The id in the row's checkbox; 0 for a list item without one."""
    found = re.search(r'name="ids" value="(\d+)"', row)
    return int(found[1]) if found else 0


def require_same_failure(row: str, failure: dict[str, Any]) -> None:
    attempts = f"{failure['attempts']} attempt"
    for shown in (failure["address"], failure["username"] or "", attempts):
        assert shown in row, (row, shown)
    assert row.endswith(STATES[failure["state"]]), (row, failure)
    sentence = row.removesuffix(STATES[failure["state"]]).rpartition(" · ")[2]
    assert meaning(sentence) == meaning(failure["error"]), (row, failure)


async def test_a_video_from_before_the_rule_is_kept_whatever_comes_after(db: Database) -> None:
    async with db.act() as session:
        old = (await session.scalars(select(Compilation))).first()
        assert old
        newer = [finished(await session.get_one(Project, old.project_id)) for _ in range(5)]
        session.add_all(newer)
        await session.flush()

        assert await rotate_videos(session, old.project_id) == [newer[1].id, newer[0].id]
        assert not old.is_rotated
