"""/account/notifications: each control saved by itself, all of them with Save, and what is muted."""

import html
import re

import httpx
import pytest
from sqlalchemy import select

from app import clock
from app.database import Database
from app.models import Mute, Preference, Project, Team, User
from app.notifications.events.catalogue import TEAM_CREATED, TYPES
from app.notifications.events.event_type import HEADINGS
from app.notifications.pages.preferences import DIGEST
from app.notifications.preferences.muting import mute
from app.notifications.preferences.switches import ungrouped_types
from app.zones import zone_names
from tests.conftest import post, sign_in, text_of
from tests.factories import make_account, make_team

PAGE = "/account/notifications"
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
MANDATORY = {
    f"preferences.{name}.{channel}"
    for name, event_type in TYPES.items()
    for channel in event_type.mandatory
}
DEFAULTS = {"digest.frequency": "daily", "digest.hour": "8", "timezone": "UTC"}


@pytest.fixture
async def bob(db: Database) -> User:
    """With groups, as everyone is who registers."""
    return await make_account(db, "bob", grouping=True)


@pytest.fixture
async def as_bob(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


async def save_one(client: httpx.AsyncClient, field: str, **fields: object) -> httpx.Response:
    """Change one control in a page with scripts; the form around it comes along."""
    token = {"X-CSRF-Token": client.cookies["csrftoken"]}
    data = {"digest.frequency": "weekly", "digest.hour": "23", "timezone": "Asia/Tokyo"}
    return await client.post(f"{PAGE}/{field}", data=data | fields, headers=PARTIAL | token)


def ticked(page: str) -> set[str]:
    boxes = re.findall(r'<input id="([^"]+)" type="checkbox"[^>]*?( checked)?(?= form=)', page)
    return {name for name, is_ticked in boxes if is_ticked}


def chosen(page: str, name: str) -> str:
    select = re.search(rf'<select id="{re.escape(name)}".*?</select>', page, re.S)
    assert select, name
    return str(re.findall(r'<option value="([^"]*)" selected>', select[0])[0])


async def exceptions(db: Database) -> list[tuple[str, str, bool]]:
    async with db.read() as session:
        rows = await session.scalars(select(Preference))
        return sorted((row.type, row.channel, row.wanted) for row in rows)


async def test_every_event_has_a_labelled_switch_for_each_channel(
    as_bob: httpx.AsyncClient,
) -> None:
    page = html.unescape((await as_bob.get(PAGE)).text)

    for event_type in TYPES.values():
        for channel, label in (("in_app", "In app"), ("email", "Email"), ("push", "Push")):
            box = f'<input id="preferences.{event_type.name}.{channel}" type="checkbox"'
            assert (box in page) == event_type.has_audience
            assert (f"{event_type.label}: {label}<" in page) == event_type.has_audience
    assert TEAM_CREATED.label not in page
    headings = re.findall(r'scope="rowgroup">([^<]+)<', page)
    assert headings == list(HEADINGS)


async def test_the_ticked_switches_are_those_in_effect(as_bob: httpx.AsyncClient) -> None:
    page = (await as_bob.get(PAGE)).text

    defaults = {
        f"preferences.{event_type.name}.{channel}"
        for event_type in TYPES.values()
        for channel in ("in_app", "email", "push")
        if event_type.has_audience and event_type.is_on(channel)
    }
    assert ticked(page) == defaults | {"grouping", "shortcuts"}
    assert [chosen(page, name) for name in DIGEST[1:]] == ["daily", "8", "UTC"]


async def test_a_switch_that_cannot_be_turned_off_is_disabled_and_says_why(
    as_bob: httpx.AsyncClient, db: Database
) -> None:
    page = (await as_bob.get(PAGE)).text

    disabled = re.findall(r'<input id="([^"]+)"[^>]* disabled aria-describedby="mandatory"', page)
    assert set(disabled) == MANDATORY
    assert re.search(r'id="mandatory">[^<]*cannot be turned off[^<]*security', page)
    for field in MANDATORY:
        assert (await save_one(as_bob, field)).status_code == 404
    assert await exceptions(db) == []


async def test_the_hours_and_all_zones_can_be_chosen(as_bob: httpx.AsyncClient) -> None:
    page = (await as_bob.get(PAGE)).text

    assert re.findall(r">(\d\d:00)</option>", page) == [f"{hour:02}:00" for hour in range(24)]
    assert zone_names() <= set(re.findall(r'<option value="([^"]+)"', page))
    assert '<optgroup label="Europe">' in page


async def test_one_switch_is_saved_by_itself(as_bob: httpx.AsyncClient, db: Database) -> None:
    answer = await save_one(as_bob, "preferences.member_added.email")

    assert answer.status_code == 200
    assert re.search(r'hx-target="#saved".*Saved', answer.text, re.S)
    assert await exceptions(db) == [("member_added", "email", False)]
    async with db.read() as session:
        bob = (await session.scalars(select(User))).one()
    assert (bob.digest_frequency, bob.digest_hour, bob.timezone) == ("daily", 8, "UTC")


async def test_back_to_the_default_nothing_is_stored(
    as_bob: httpx.AsyncClient, db: Database
) -> None:
    field = "preferences.member_added.email"
    await save_one(as_bob, field)

    answer = await save_one(as_bob, field, **{field: "1"})

    assert await exceptions(db) == []
    assert re.search(r'id="reset"[^>]* hidden', answer.text)


async def test_a_changed_hour_comes_back_with_the_next_digest(
    as_bob: httpx.AsyncClient,
) -> None:
    await save_one(as_bob, "digest.enabled", **{"digest.enabled": "1"})

    answer = await save_one(as_bob, "digest.hour", **{"digest.hour": "5"})

    assert 'hx-target="#digest"' in answer.text
    assert chosen(answer.text, "digest.hour") == "5"
    assert re.search(r'The next digest is due <time datetime="[\d-]+T05:00:00Z">', answer.text)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("digest.hour", "24"),
        ("digest.hour", "eight"),
        ("digest.frequency", "hourly"),
        ("timezone", "Mars/Base"),
        ("timezone", "<b>"),
    ],
)
async def test_a_wrong_value_is_refused_beside_its_field(
    as_bob: httpx.AsyncClient, db: Database, field: str, typed: str
) -> None:
    answer = await save_one(as_bob, field, **{field: typed})

    assert answer.status_code == 422
    assert "Not saved." in answer.text
    assert f'id="{field}-error"' in answer.text
    assert "<b>" not in answer.text
    async with db.read() as session:
        bob = (await session.scalars(select(User))).one()
    assert (bob.digest_frequency, bob.digest_hour, bob.timezone) == ("daily", 8, "UTC")


async def test_a_control_that_was_not_saved_without_scripts_is_a_problem(
    as_bob: httpx.AsyncClient,
) -> None:
    await post(as_bob, f"{PAGE}/digest.hour", **{"digest.hour": "24"})

    page = (await as_bob.get(PAGE)).text

    problem = page.partition('class="notice-box is-problem" role="alert"')[2]
    assert "Your change was not saved." in problem


async def test_there_is_no_other_field(as_bob: httpx.AsyncClient) -> None:
    for field in ("preferences.member_added.sms", "preferences.team_created.push", "is_admin"):
        assert (await save_one(as_bob, field)).status_code == 404


async def test_save_stores_the_whole_form_without_scripts(
    as_bob: httpx.AsyncClient, db: Database
) -> None:
    on = {f"preferences.{name}.in_app": "1" for name in TYPES}
    rest = {"digest.frequency": "weekly", "digest.hour": "0", "timezone": "Asia/Kathmandu"}

    answer = await post(as_bob, PAGE, **on, **rest, **{"digest.enabled": "1", "pushes_always": "1"})

    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    page = (await as_bob.get(PAGE)).text
    assert "<p>Saved.</p>" in page
    shown = {
        f"preferences.{name}.in_app"
        for name, event_type in TYPES.items()
        if event_type.has_audience
    }
    others = {"digest.enabled", "pushes_always", "grouping", "shortcuts"}
    assert ticked(page) == shown | MANDATORY | others
    assert [chosen(page, name) for name in DIGEST[1:]] == ["weekly", "0", "Asia/Kathmandu"]
    assert [row for row in await exceptions(db) if row[0] == TEAM_CREATED.name] == []


async def test_the_inbox_looks_and_acts_as_chosen_and_an_older_page_leaves_that(
    as_bob: httpx.AsyncClient, db: Database, bob: User
) -> None:
    saved = await post(as_bob, PAGE, **DEFAULTS, density="compact", sound="1", urgent_first="1")
    older = await post(as_bob, PAGE, **DEFAULTS)
    alone = await save_one(as_bob, "shortcuts", shortcuts="1")
    refused = await save_one(as_bob, "density", density="loose")

    statuses = [one.status_code for one in (saved, older, alone, refused)]
    assert statuses == [303, 303, 200, 422]
    page = (await as_bob.get(PAGE)).text
    switches = {"grouping", "shortcuts", "sound", "urgent_first"}
    assert switches & ticked(page) == {"shortcuts", "sound", "urgent_first"}
    assert chosen(page, "density") == "compact"
    async with db.read() as session:
        stored = await session.get_one(User, bob.id)
    assert (stored.density, stored.grouping, stored.sound) == ("compact", False, True)
    assert stored.urgent_first


async def test_the_types_that_form_no_groups_are_ticked_one_by_one_or_all_at_once(
    as_bob: httpx.AsyncClient, db: Database, bob: User
) -> None:
    first, second = "ungrouped_types.custom", "ungrouped_types.member_added"

    for field in (first, second):
        assert (await save_one(as_bob, field, **{field: "1"})).status_code == 200
    assert {first, second} <= ticked((await as_bob.get(PAGE)).text)
    await save_one(as_bob, first)
    await post(as_bob, PAGE, **DEFAULTS)  # an older page has none of them
    async with db.read() as session:
        assert await ungrouped_types(session, bob) == ["member_added"]
    await post(as_bob, PAGE, **DEFAULTS, density="compact", **{first: "1"})

    async with db.read() as session:
        assert await ungrouped_types(session, bob) == ["custom"]
    assert (await save_one(as_bob, "ungrouped_types.announcement")).status_code == 404


async def test_a_form_with_a_wrong_field_comes_back_as_it_was_typed(
    as_bob: httpx.AsyncClient, db: Database
) -> None:
    wrong = DEFAULTS | {"digest.hour": "25", "timezone": "Mars/Base"}

    answer = await post(as_bob, PAGE, **wrong, **{"preferences.member_left.push": "1"})

    assert answer.status_code == 422
    assert ticked(answer.text) == MANDATORY | {"preferences.member_left.push"}
    assert chosen(answer.text, "timezone") == "Mars/Base"
    for field in ("digest.hour", "timezone"):
        assert f'<a href="#{field}">' in answer.text
        assert f'id="{field}-error"' in answer.text
    assert await exceptions(db) == []


async def test_an_unset_zone_may_stay_unset(
    as_bob: httpx.AsyncClient, db: Database, bob: User
) -> None:
    async with db.write() as session:
        (await session.get_one(User, bob.id)).timezone = ""

    answer = await post(as_bob, PAGE, **(DEFAULTS | {"timezone": ""}))

    assert answer.status_code == 303
    page = (await as_bob.get(PAGE)).text
    assert chosen(page, "timezone") == ""
    assert "Not chosen (UTC)" in page
    assert "zone.js" in page


async def test_reset_asks_first_and_leaves_digest_and_zone(
    as_bob: httpx.AsyncClient, db: Database
) -> None:
    await save_one(as_bob, "preferences.member_added.email")
    await save_one(as_bob, "digest.hour", **{"digest.hour": "5"})
    assert re.search(
        r'id="reset"[^>]*href="/account/notifications/reset">', (await as_bob.get(PAGE)).text
    )

    asked = await as_bob.get(f"{PAGE}/reset")
    assert await exceptions(db) != []
    answer = await post(as_bob, f"{PAGE}/reset")

    assert "Reset to the defaults?" in asked.text
    assert answer.headers["location"] == PAGE
    assert await exceptions(db) == []
    assert chosen((await as_bob.get(PAGE)).text, "digest.hour") == "5"


async def test_mutes_are_listed_and_can_be_ended(
    as_bob: httpx.AsyncClient, db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, "Video <Squad>", viewers=[bob])
    project = Project(name="Highlight Reel", owner_id=bob.id)
    async with db.act() as session:
        session.add(project)
        await session.flush()
        await mute(session, bob, team_id=team.id)
        await mute(session, bob, project_id=project.id)

    page = await as_bob.get(PAGE)
    forms = re.findall(r'action="(/account/notifications/muted/\d+/lift)"', page.text)
    for url in forms:
        assert (await post(as_bob, url)).headers["location"] == PAGE

    assert len(forms) == 2
    assert f'<a href="/teams/{team.id}"><bdi>Video &lt;Squad&gt;</bdi></a>' in page.text
    assert f'<a href="/projects/{project.id}"><bdi>Highlight Reel</bdi></a>' in page.text
    assert "Nothing is muted." in text_of(await as_bob.get(PAGE))


async def test_mutes_of_other_users_are_not_listed(
    as_bob: httpx.AsyncClient, db: Database, alice: User, video_squad: Team
) -> None:
    async with db.act() as session:
        await mute(session, alice, team_id=video_squad.id)
        mute_id = await session.scalar(select(Mute.id))

    answer = await post(as_bob, f"{PAGE}/muted/{mute_id}/lift")

    assert answer.status_code == 404
    async with db.read() as session:
        assert await session.scalar(select(Mute.id)) == mute_id


async def test_the_page_says_where_mail_goes(as_bob: httpx.AsyncClient) -> None:
    words = text_of(await as_bob.get(PAGE))

    assert "Email goes to bob@example.com Confirmed" in words
    assert "refused" not in words


async def test_an_address_that_refused_mail_can_be_tried_again(
    as_bob: httpx.AsyncClient, db: Database, bob: User
) -> None:
    async with db.write() as session:
        (await session.get_one(User, bob.id)).email_gone_at = clock.now()
    refused, account = await as_bob.get(PAGE), await as_bob.get("/account")

    answer = await post(as_bob, "/account/address/retry")

    assert 'action="/account/address/retry"' in refused.text
    assert 'action="/account/address/retry"' in account.text
    assert "Email to bob@example.com was refused" in text_of(refused)
    assert answer.headers["location"] == PAGE
    words = text_of(await as_bob.get(PAGE))
    assert "We send email to bob@example.com again." in words
    assert "was refused" not in words


async def test_an_unconfirmed_address_is_mentioned(
    as_bob: httpx.AsyncClient, db: Database, bob: User
) -> None:
    async with db.write() as session:
        (await session.get_one(User, bob.id)).email_confirmed_at = None

    page = await as_bob.get(PAGE)

    assert "bob@example.com is not confirmed yet." in text_of(page)
    assert 'action="/account/address/confirmation"' in page.text


async def test_account_and_inbox_lead_here(as_bob: httpx.AsyncClient) -> None:
    for url in ("/account", "/notifications"):
        assert re.search(rf'class="button[^"]*" href="{PAGE}"', (await as_bob.get(url)).text)


async def test_a_zone_chosen_in_the_profile_moves_the_digest_too(
    as_bob: httpx.AsyncClient, db: Database
) -> None:
    await save_one(as_bob, "digest.enabled", **{"digest.enabled": "1"})

    await post(as_bob, "/account/profile", timezone="Asia/Kathmandu", language="en", theme="")

    async with db.read() as session:
        bob = (await session.scalars(select(User))).one()
    assert bob.digest_due_at is not None
    assert f"{bob.digest_due_at:%H:%M}" == "02:15"


async def test_the_zone_of_the_browser_is_taken_at_login_where_none_is_known(
    client: httpx.AsyncClient, db: Database, bob: User
) -> None:
    async with db.write() as session:
        account = await session.get_one(User, bob.id)
        account.timezone, account.digest_is_on, account.digest_due_at = "", True, clock.now()

    await post(client, "/login", login="bob", password="correct horse", timezone="Asia/Kathmandu")

    async with db.read() as session:
        account = await session.get_one(User, bob.id)
    assert account.timezone == "Asia/Kathmandu"
    assert f"{account.digest_due_at:%H:%M}" == "02:15"
