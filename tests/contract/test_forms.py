"""Every form, sent with valid and invalid values."""

import html
import re
from collections.abc import Mapping

import httpx
import pytest
from litestar import Litestar

from app.notifications.events.catalogue import TYPES
from app.notifications.events.event_type import EMAIL, IN_APP, PUSH
from tests.contract.doors import doors
from tests.contract.forms import FORMS, JUNK, MARKUP, Field, Form
from tests.contract.markup import forms_on, words
from tests.contract.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")
# One switch stands for all of them.
SWITCH = "preferences.member_added.email"
CHANNELS = (IN_APP, EMAIL, PUSH)
ALIKE = {f"preferences.{type}.{channel}": SWITCH for type in TYPES for channel in CHANNELS}
ALIKE |= dict.fromkeys((f"ungrouped_types.{type}" for type in TYPES), "ungrouped_types.custom")
# Fields that are sent: a password manager's username has no name.
HIDDEN = re.compile(r'<input type="hidden"[^>]* name="[^>]*>')
NAMED = re.compile(r'name="([^"]*)"')
SHOWN = {"overlong", "markup"}
REFERENCES = ("id", "user_id", "user_id", "owner_id", "actor_id", "inviter_id", "uploader_id")
RANKS = {"role": "owner", "is_admin": "1", "email_confirmed_at": "2026-01-01", "status": "accepted"}
LIVE = ("<script>alert", "<img src=x")


async def test_every_form_is_in_the_table(house: Litestar) -> None:
    assert {door.path for door in doors(house, "POST")} == FORMS.keys()


async def test_no_page_has_a_form_or_a_field_that_is_not_in_the_table(
    world: World,
) -> None:
    missing = set()
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        for door in doors(world.app, "GET"):
            if door.path != "/notifications/stream":
                page = await alice.get(world.url(door.path), follow_redirects=True)
                for action, names in forms_on(page.text).items():
                    known = FORMS[path_of(action)].fields
                    missing |= {
                        (action, name) for name in names if ALIKE.get(name, name) not in known
                    }

    assert missing == set()


async def test_no_page_has_a_hidden_field_that_a_browser_restores_after_a_reload(
    world: World,
) -> None:
    """A script or a swap may have changed it since: the newest notification would be spared."""
    restored, seen = set(), set()
    async with world.visitor() as alice, world.visitor() as stranger:
        await world.sign_in(alice, world.alice)
        for door in doors(world.app, "GET"):
            if door.path != "/notifications/stream":
                for visitor in (alice, stranger):
                    page = await visitor.get(world.url(door.path), follow_redirects=True)
                    for tag in HIDDEN.findall(page.text):
                        seen.add(NAMED.findall(tag)[0])
                        restored |= set() if 'autocomplete="off"' in tag else {(door.path, tag)}

    assert {"seen", "timezone", "next", "_csrf_token", "_user"} <= seen
    assert restored == set()


def path_of(action: str) -> str:
    """The path in the table that an address belongs to, the most exact one first."""
    exact = sorted(FORMS, key=lambda path: path.count(":str}"))
    return next(path for path in exact if re.fullmatch(pattern_of(path), action))


def pattern_of(path: str) -> str:
    return re.sub(r"\{\w+:str\}", "[^/]+", re.sub(r"\{\w+:int\}", r"\\d+", path))


@pytest.mark.parametrize("path", FORMS)
async def test_valid_fields_are_accepted_and_invalid_ones_show_an_error_beside_the_field(
    world: World, path: str
) -> None:
    form, fields = FORMS[path], world.right(path)
    junk = [(name, kind) for name in fields for kind in JUNK]
    refused = [(name, kind) for name, kind in junk if kind in form.fields[name].refuses]

    of_carol = await world.held_by(world.carol)

    for name, kind in refused:
        answer = await send(world, path, fields, {name: JUNK[kind]})
        assert_harmless(answer, name, kind)
        assert is_refused(answer, form.fields[name], name), (name, kind, answer)
        if form.fields[name].is_kept and kind in SHOWN:
            assert str(JUNK[kind]) in html.unescape(answer.text), (name, kind)

    answer = await send(world, path, unasked(world, form) | fields)
    assert answer.status_code == form.code, words(answer.text)[-300:]
    assert await world.held_by(world.carol) == of_carol

    for kind in JUNK if fields else ():
        taken = [name for name in fields if (name, kind) not in refused]
        answer = await send(world, path, fields, dict.fromkeys(taken, JUNK[kind]))
        assert_harmless(answer, *taken, kind)
        wrong = [name for name in taken if is_refused(answer, form.fields[name], name)]
        assert wrong == [], kind

    twice = {name: [value, MARKUP] for name, value in fields.items()}
    assert_harmless(await send(world, path, twice), "twice")
    assert_harmless(await send(world, path, {f"{name}[]": MARKUP for name in fields}), "arrays")


def unasked(world: World, form: Form) -> dict[str, object]:
    """Fields that the form does not have."""
    mine = dict.fromkeys(REFERENCES, world.carol.id)
    return {name: value for name, value in (mine | RANKS).items() if name not in form.fields}


def assert_harmless(answer: httpx.Response, *about: str) -> None:
    assert answer.status_code < 500, about
    assert not any(live in answer.text for live in LIVE), about


def is_refused(answer: httpx.Response, field: Field, name: str) -> bool:
    wrong = re.compile(rf'name="{re.escape(field.at or name)}"[^>]* aria-invalid="true"')
    is_at_field = field.status != 422 or wrong.search(answer.text) is not None
    return answer.status_code == field.status and is_at_field


async def send(
    world: World, path: str, fields: Mapping[str, object], junk: Mapping[str, object] | None = None
) -> httpx.Response:
    """As alice, with a session of its own: the form before may have ended the last."""
    async with world.visitor() as client:
        await world.sign_in(client, world.alice)
        typed = {**fields, **(junk or {})}
        return await client.post(
            world.url(path),
            data={name: value for name, value in typed.items() if value is not None},
        )
