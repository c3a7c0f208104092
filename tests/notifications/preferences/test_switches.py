"""What a person wants to hear of, and where: the table it is decided by, and the verbs that change it."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.errors import Invalid
from app.models import (
    Delivery,
    Event,
    Invitation,
    Mute,
    Notification,
    Preference,
    Project,
    Share,
    Team,
    User,
)
from app.notifications.channels.base import channels_of
from app.notifications.delivery.decision import Skip, decide_all
from app.notifications.events.audience import team_members
from app.notifications.events.catalogue import INVITATION_DECLINED, MEMBER_ADDED, TYPES
from app.notifications.events.event_type import EMAIL, HIGH, IN_APP, NORMAL, PUSH, EventType
from app.notifications.notify import notify
from app.notifications.preferences import muting, switches
from app.notifications.preferences.switches import wants, wants_each
from tests.factories import make_account, make_team
from tests.switching import set_switch

ON, OFF, UNSET = True, False, None
ONESELF, ANOTHER = True, False

# (the catalogue's default, the person's exception) → whether the channel is wanted
WANTED = {
    (ON, UNSET): True,
    (ON, ON): True,
    (ON, OFF): False,
    (OFF, UNSET): False,
    (OFF, ON): True,
    (OFF, OFF): False,
}
# (what the person has muted, whether it is about themselves, its priority) → whether they are told
TOLD = {
    ("nothing", ANOTHER, NORMAL): True,
    ("nothing", ONESELF, NORMAL): True,
    ("nothing", ANOTHER, HIGH): True,
    ("nothing", ONESELF, HIGH): True,
    ("others", ANOTHER, NORMAL): True,
    ("others", ONESELF, NORMAL): True,
    ("others", ANOTHER, HIGH): True,
    ("others", ONESELF, HIGH): True,
    ("team", ANOTHER, NORMAL): False,
    ("team", ONESELF, NORMAL): True,
    ("team", ANOTHER, HIGH): True,
    ("team", ONESELF, HIGH): True,
    ("project", ANOTHER, NORMAL): False,
    ("project", ONESELF, NORMAL): True,
    ("project", ANOTHER, HIGH): True,
    ("project", ONESELF, HIGH): True,
}
# (told, wanted in the app, wanted by mail) → (what becomes of the notice, whether a mail waits)
OUTCOME = {
    (True, True, True): ("shown", True),
    (True, True, False): ("shown", False),
    (True, False, True): ("hidden", True),
    (True, False, False): (None, False),
    (False, True, True): (None, False),
    (False, True, False): (None, False),
    (False, False, True): (None, False),
    (False, False, False): (None, False),
}


@dataclass(frozen=True)
class Habits:
    """How one person has set things."""

    in_app: bool | None
    email: bool | None
    muted: str

    @property
    def name(self) -> str:
        return f"app-{self.in_app}.mail-{self.email}.{self.muted}"


EVERYBODY = [
    Habits(in_app, email, muted)
    for in_app, email, muted in product(
        (UNSET, ON, OFF), (UNSET, ON, OFF), ("nothing", "others", "team", "project")
    )
]


@dataclass
class World:
    """A team with a project in which everybody has other habits, and a type of event of our own."""

    db: Database
    event_type: EventType
    team: Team
    project: Project
    people: dict[Habits, User]

    async def happen(self, **about: Any) -> Event:
        """In the team, and about the project unless `about` says otherwise."""
        about = {"team": self.team, "project": self.project} | about
        async with self.db.act() as session:
            return await notify(session, self.event_type, **about)

    async def outcomes(self, event: Event) -> dict[int, tuple[str | None, bool]]:
        """What became of it, for each person's id."""
        notices = select(Notification).where(Notification.event_id == event.id)
        async with self.db.read() as session:
            rows = {row.user_id: row for row in await session.scalars(notices)}
            mailed = set(await session.scalars(select(Delivery.notification_id)))
        return {
            user.id: (
                "hidden" if rows[user.id].hidden else "shown",
                rows[user.id].id in mailed,
            )
            if user.id in rows
            else (None, False)
            for user in self.people.values()
        }

    def expected(self, is_oneself: bool) -> dict[int, tuple[str | None, bool]]:
        return {
            user.id: OUTCOME[
                TOLD[habits.muted, is_oneself, self.event_type.priority],
                WANTED[ON, habits.in_app],
                WANTED[EMAIL in self.event_type.channels, habits.email],
            ]
            for habits, user in self.people.items()
        }


@pytest.fixture(params=list(product((ON, OFF), (NORMAL, HIGH))), ids=str)
async def world(
    request: pytest.FixtureRequest, db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> World:
    by_default, priority = request.param
    event_type = EventType(
        "sample",
        label="Something happens",
        icon="bi-bell",
        audience=team_members,
        message="Something happened in {team_name}",
        channels=frozenset({EMAIL} if by_default else ()),
        priority=priority,
    )
    monkeypatch.setitem(TYPES, event_type.name, event_type)
    people = {habits: await make_account(db, habits.name) for habits in EVERYBODY}
    team = await make_team(db, alice, viewers=list(people.values()))
    project = Project(name="Highlight Reel", owner_id=alice.id)
    elsewhere, unrelated = (
        await make_team(db, alice, "Editors"),
        Project(owner_id=alice.id, name="B"),
    )
    async with db.write() as session:
        session.add_all([project, unrelated])
        await session.flush()
        session.add(Share(project_id=project.id, team_id=team.id))
        mutes: dict[str, list[dict[str, int]]] = {
            "nothing": [],
            "others": [{"team_id": elsewhere.id}, {"project_id": unrelated.id}],
            "team": [{"team_id": team.id}],
            "project": [{"project_id": project.id}],
        }
        for habits, user in people.items():
            session.add_all(
                Preference(user_id=user.id, type=event_type.name, channel=channel, wanted=wanted)
                for channel, wanted in ((IN_APP, habits.in_app), (EMAIL, habits.email))
                if wanted is not UNSET
            )
            session.add_all(Mute(user_id=user.id, **of) for of in mutes[habits.muted])
    return World(db, event_type, team, project, people)


async def test_the_fan_out_follows_the_table(world: World) -> None:
    event = await world.happen()

    assert await world.outcomes(event) == world.expected(ANOTHER)


async def test_a_muted_project_silences_only_its_own_notifications(world: World) -> None:
    event = await world.happen(project=None)

    expected = world.expected(ANOTHER)
    for habits, user in world.people.items():
        if habits.muted == "project":
            unmuted = Habits(habits.in_app, habits.email, "nothing")
            expected[user.id] = expected[world.people[unmuted].id]
    assert await world.outcomes(event) == expected


async def test_the_fan_out_follows_the_table_for_affected_users(world: World) -> None:
    expected = world.expected(ONESELF)

    for user in world.people.values():
        event = await world.happen(affected=user)
        assert (await world.outcomes(event))[user.id] == expected[user.id]


async def test_the_decision_at_sending_agrees_with_the_fan_out(world: World) -> None:
    await world.happen()
    await world.happen(affected=next(iter(world.people.values())))

    async with world.db.read() as session:
        waiting = list(await session.scalars(select(Delivery.id)))
        reasons = await skip_reasons(session, waiting)

    assert len(reasons) == len(waiting) > 0
    assert set(reasons.values()) == {None}


async def skip_reasons(session: AsyncSession, delivery_ids: Iterable[int]) -> dict[int, str | None]:
    """Why each of these mails would be skipped now, by the delivery's id; None: it would be sent."""
    email, these = channels_of(session)[EMAIL], Delivery.id.in_(delivery_ids)
    decided = await decide_all(session, email, these)
    return {
        row.delivery_id: decision.reason if isinstance(decision, Skip) else None
        for row, decision in decided
    }


async def test_the_decision_at_sending_follows_changed_preferences(world: World) -> None:
    event = await world.happen()
    unmuted = {habits: one for habits, one in world.people.items() if habits.muted == "nothing"}
    async with world.db.act() as session:
        for habits, user in unmuted.items():
            if habits.email is ON:
                await set_switch(session, user, "sample", EMAIL, wanted=False)
            elif habits.email is UNSET:
                await muting.mute(session, user, team_id=world.team.id)

    reason = dict[bool | None, Any](
        {ON: "unwanted", UNSET: "muted" if world.event_type.priority == NORMAL else None}
    )
    async with world.db.read() as session:
        mine = select(Delivery).join(Notification).where(Notification.event_id == event.id)
        waiting = {one.id: one.user_id for one in await session.scalars(mine)}
        reasons = await skip_reasons(session, waiting)
    found = {waiting[id]: reason for id, reason in reasons.items()}
    told = {one.id: habits for habits, one in unmuted.items() if one.id in found}
    assert told
    assert {id: found[id] for id in told} == {id: reason[told[id].email] for id in told}


@pytest.mark.parametrize(
    ("channel", "by_default", "exception"),
    [
        (channel, *case)
        for channel in (IN_APP, EMAIL, PUSH)
        for case in WANTED
        if channel != IN_APP or case[0]
    ],
)
async def test_the_expressions_themselves_follow_the_table(
    bob: User, channel: str, by_default: bool, exception: bool | None, session: AsyncSession
) -> None:
    event_type = next(one for one in TYPES.values() if one.is_on(channel) == by_default)
    name = event_type.name
    if exception is not UNSET:
        row = Preference(user_id=bob.id, type=name, channel=channel, wanted=exception)
        session.add(row)
        await session.flush()

    of_one = wants(User.id, event_type, channel)
    of_each = wants_each(User.id, literal(name), channel)
    found = await session.execute(select(of_one, of_each).where(User.id == bob.id))

    assert list(map(bool, found.one())) == [WANTED[by_default, exception]] * 2


async def test_the_inviter_gets_the_response_although_the_team_is_muted(
    db: Database, bob: User, carol: User, video_squad: Team
) -> None:
    """They are concerned as themselves, and their mail is not held back as muted either."""
    invitation = await invite(db, bob, video_squad)
    async with db.act() as session:
        await muting.mute(session, bob, team_id=video_squad.id)
        await set_switch(session, bob, INVITATION_DECLINED.name, EMAIL, wanted=True)
        await notify(
            session, INVITATION_DECLINED, actor=carol, affected=carol,
            team=video_squad, invitation=invitation,
        )  # fmt: skip

    async with db.read() as session:
        waiting = list(await session.scalars(select(Delivery.id)))
        assert list((await skip_reasons(session, waiting)).values()) == [None]


async def invite(db: Database, inviter: User, team: Team) -> Invitation:
    invitation = Invitation(
        team_id=team.id, inviter_id=inviter.id, email="c@example.com", email_key="c@example.com",
        role="viewer", expires_at=clock.now(),
    )  # fmt: skip
    async with db.write() as session:
        session.add(invitation)
    return invitation


async def test_everything_is_read_as_it_is_in_effect(bob: User, session: AsyncSession) -> None:
    await set_switch(session, bob, MEMBER_ADDED.name, EMAIL, wanted=False)

    held = await switches.read(session, bob)

    assert list(held.preferences) == list(TYPES)
    assert held.preferences["member_added"] == {"in_app": True, "email": False, "push": False}
    assert held.preferences["compilation_failed"] == {"in_app": True, "email": True, "push": True}
    assert held.digest == switches.Digest(enabled=False, frequency="daily", hour=8)
    assert held.timezone == "UTC"


async def test_only_exceptions_are_stored(bob: User, session: AsyncSession) -> None:
    await switches.change(
        session,
        bob,
        {
            "preferences": {
                "member_added": {"in_app": True, "email": False, "push": False},
                "member_left": {"in_app": True, "email": False},
            }
        },
    )

    stored = await switches.exceptions_of(session, bob)
    assert stored == {"member_added": {"email": False}}


async def test_a_row_without_exceptions_is_deleted(bob: User, session: AsyncSession) -> None:
    await set_switch(session, bob, "member_added", "push", wanted=True)
    await set_switch(session, bob, "member_added", "email", wanted=False)
    await set_switch(session, bob, "member_added", "push", wanted=False)
    assert list(await switches.exceptions_of(session, bob)) == ["member_added"]

    await set_switch(session, bob, "member_added", "email", wanted=True)

    assert await switches.exceptions_of(session, bob) == {}


async def test_the_other_name_of_a_type_is_understood(bob: User, session: AsyncSession) -> None:
    await switches.change(
        session,
        bob,
        {
            "preferences": {
                "compilation_complete": {"push": False},
                "compilation_completed": {"email": False},
            }
        },
    )

    held = await switches.read(session, bob)
    expected = {"in_app": True, "email": False, "push": False}
    assert held.preferences["compilation_completed"] == expected
    assert "compilation_complete" not in held.preferences


async def test_every_wrong_field_is_named_by_its_path_and_nothing_is_changed(
    bob: User, session: AsyncSession
) -> None:
    wanted = {
        "preferences": {
            "member_added": {"sms": True, "email": False, "push": "yes"},
            "member_left": [],
            "nonsense": {"email": True},
        },
        "digest": {"enabled": 1, "frequency": "hourly", "hour": 24, "minute": 0},
        "timezone": "Mars/Base",
        "is_admin": True,
    }

    with pytest.raises(Invalid) as caught:
        await switches.change(session, bob, wanted)

    assert set(caught.value.fields) == {
        "preferences.member_added.sms",
        "preferences.member_added.push",
        "preferences.member_left",
        "preferences.nonsense",
        "digest.enabled",
        "digest.frequency",
        "digest.hour",
        "digest.minute",
        "timezone",
        "is_admin",
    }
    assert await switches.exceptions_of(session, bob) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("preferences", None),
        ("preferences", []),
        ("digest", "daily"),
        ("digest.hour", True),
        ("digest.hour", 8.0),
        ("digest.hour", "8"),
        ("digest.hour", -1),
        ("digest.hour", None),
        ("digest.frequency", []),
        ("digest.frequency", "Daily"),
        ("timezone", ""),
        ("timezone", None),
        ("timezone", {}),
        ("timezone", "Factory"),
        ("timezone", "europe/berlin "),
        ("timezone", "../UTC"),
    ],
)
async def test_any_other_value_of_a_field_is_refused(
    bob: User, field: str, value: Any, session: AsyncSession
) -> None:
    outer, _dot, inner = field.partition(".")

    with pytest.raises(Invalid) as caught:
        await switches.change(session, bob, {outer: {inner: value} if inner else value})

    assert list(caught.value.fields) == [field]


async def test_the_digest_is_changed_in_part(bob: User, session: AsyncSession) -> None:
    await switches.change(session, bob, {"digest": {"hour": 0}})
    await switches.change(session, bob, {"digest": {"frequency": "weekly"}})

    held = await switches.read(session, bob)
    assert held.digest == switches.Digest(enabled=False, frequency="weekly", hour=0)


async def test_an_unknown_zone_reads_as_utc(bob: User, session: AsyncSession) -> None:
    (await session.get_one(User, bob.id)).timezone = ""

    assert (await switches.read(session, bob)).timezone == "UTC"


async def test_a_reset_deletes_only_the_users_own_switches(
    alice: User, bob: User, session: AsyncSession
) -> None:
    for user in (alice, bob):
        await set_switch(session, user, "member_added", "email", wanted=False)
    await switches.change(session, bob, {"digest": {"hour": 5}})

    await switches.reset(session, bob)

    assert await switches.exceptions_of(session, bob) == {}
    assert list(await switches.exceptions_of(session, alice)) == ["member_added"]
    assert (await switches.read(session, bob)).digest.hour == 5
