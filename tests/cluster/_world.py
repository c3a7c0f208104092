"""Teams of people who listen; some of them have mail and push on for what integrations send."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert

from app.models import Preference, Token, User, WebSession
from app.notifications.events.catalogue import CUSTOM
from app.notifications.events.event_type import EMAIL, PUSH
from tests.benchmarks._world import add_members, add_people
from tests.cluster._listening import Listener, Page
from tests.cluster._site import Site
from tests.factories import make_team
from tests.push_service import Browser
from tests.pushing import enable_push

KEY_PREFIX = "clippy_"


@dataclass(frozen=True)
class Person:
    """Whose stream, list, mail and device are looked at. `key` is of an access token."""

    id: int
    email: str
    key: str
    cookie: str
    browser: Browser | None = None


@dataclass(frozen=True)
class Squad:
    """A team whose owner acts and whose members are notified."""

    id: int
    owner: Person
    members: Sequence[Person]


async def make_world(site: Site, *, teams: int, members: int, watchers: int) -> list[Squad]:
    """Of each team, the first `watchers` members have mail and push."""
    people = await _people(site, teams * (members + 1), watchers)
    return [
        await _squad(site, people[start : start + members + 1], watchers)
        for start in range(0, len(people), members + 1)
    ]


async def _people(site: Site, count: int, watchers: int) -> list[Person]:
    """Each with a token and a session, as if they had signed in."""
    ids = await add_people(site.db, count)
    keys = {id: KEY_PREFIX + secrets.token_urlsafe(32) for id in ids}
    cookies = {id: secrets.token_urlsafe(32) for id in ids}
    tokens = [
        {"user_id": id, "name": "rig", "token_hash": _hash(key), "scope": "write"}
        for id, key in keys.items()
    ]
    sessions = [{"user_id": id, "token_hash": _hash(value)} for id, value in cookies.items()]
    async with site.db.write() as session:
        await session.execute(insert(Token), tokens)
        await session.execute(insert(WebSession), sessions)
    return [
        Person(id, f"person{number}@example.com", keys[id], f"session={cookies[id]}")
        for number, id in enumerate(ids)
    ]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


async def _squad(site: Site, people: list[Person], watchers: int) -> Squad:
    owner, *members = people
    async with site.db.read() as session:
        user = await session.get_one(User, owner.id)
    team = await make_team(site.db, user, f"Team of {owner.id}")
    await add_members(site.db, team.id, [one.id for one in members])
    watching = [await _with_device(site, one) for one in members[:watchers]]
    await _turn_on(site, [one.id for one in watching])
    return Squad(team.id, owner, [*watching, *members[watchers:]])


async def _with_device(site: Site, person: Person) -> Person:
    browser = site.push.browser()
    async with site.db.read() as session:
        user = await session.get_one(User, person.id)
    await enable_push(site.db, user, browser)
    return Person(person.id, person.email, person.key, person.cookie, browser)


async def _turn_on(site: Site, people: Sequence[int]) -> None:
    rows = [
        {"user_id": one, "type": CUSTOM.name, "channel": channel, "wanted": True}
        for one in people
        for channel in (EMAIL, PUSH)
    ]
    if rows:
        async with site.db.write() as session:
            await session.execute(insert(Preference), rows)


def streams_of(squads: Sequence[Squad], urls: Sequence[str], count: int) -> list[Listener | Page]:
    """So many streams over all members; every fourth is that of a page."""
    people = [(squad.id, one) for squad in squads for one in squad.members]
    streams: list[Listener | Page] = []
    for number in range(count):
        team, person = people[number % len(people)]
        # So that a person has streams of both kinds.
        if (number // len(people) + number) % 4 == 3:
            streams.append(Page(team, person.id, person.cookie, urls))
        else:
            streams.append(Listener(team, person.id, person.key, urls))
    return streams
