"""Which notices form a group, and the sentence of each group."""

import importlib.util
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from app.database import Database
from app.models import Event, Notification, Project, Team, User
from app.notifications.events.catalogue import MEMBER_ADDED, TYPES
from app.notifications.events.event_type import placeholders
from app.notifications.events.grouping import group_key_of
from app.notifications.events.sentences import isolated_summary
from app.settings import ROOT

ONE, OTHERS, NO_OTHERS = (1, 0, 0, 0), (3, 2, 2, 2), (3, 2, 0, 0)


def event_of(type: str, **facts: Any) -> Event:
    return Event(id=9, type=type, context=facts.pop("context", {}), **facts)


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (event_of("member_added", team_id=5), "member_added:team:5"),
        (event_of("project_shared", team_id=5, project_id=7), "project_shared:project:7"),
        (event_of("compilation_failed", project_id=7), "compilation_failed:project:7"),
        (event_of("announcement"), "announcement:notice:9"),
        (event_of("team_deleted"), "team_deleted:notice:9"),
        (event_of("custom", team_id=5, project_id=7), "custom:team:5:"),
        (event_of("custom", team_id=5, context={"group_key": "a:b"}), "custom:team:5:a:b"),
        (event_of("custom", project_id=7, context={"group_key": "a"}), "custom:project:7:a"),
    ],
)
def test_notices_of_one_type_about_one_subject_share_a_key(event: Event, key: str) -> None:
    assert group_key_of(event.id, event, TYPES[event.type]) == key


@pytest.mark.parametrize("name", TYPES)
def test_a_summary_has_all_its_facts_in_each_case(name: str) -> None:
    event_type = TYPES[name]
    forms = [event_type.summary.one, event_type.summary.many, *event_type.summary.repeated]
    known = {"n", "sentence", "team_name", "project_name", *event_type.context, *event_type.example}

    said = [
        isolated_summary(name, event_type.example, counts, to_affected=False)
        for counts in (ONE, OTHERS, NO_OTHERS)
    ]

    assert all(said)
    assert all(placeholders(form) <= known for form in forms)
    assert all("{n}" in form for form in forms if form)


def test_the_names_in_a_summary_are_isolated() -> None:
    facts = {"username": "Alice", "team_name": "Editors"}

    said = isolated_summary(MEMBER_ADDED.name, facts, OTHERS, to_affected=False)

    assert said == "\u2068Alice\u2069 and 2 others joined team '\u2068Editors\u2069'"


@pytest.fixture
def migration() -> ModuleType:
    [path] = (ROOT / "migrations" / "versions").glob("0*_group_notifications.py")
    spec = importlib.util.spec_from_file_location("migration", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_older_rows_and_those_of_an_older_process_get_the_same_keys(
    db: Database, alice: User, video_squad: Team, migration: ModuleType
) -> None:
    async with db.write() as session:
        project = Project(name="Reel", owner_id=alice.id)
        session.add(project)
        await session.flush()
        subjects = [
            {"team_id": team, "project_id": about}
            for team in (None, video_squad.id)
            for about in (None, project.id)
        ]
        about = [{"type": name, **subject} for name in TYPES for subject in subjects]
        events = [Event(id=id, context={}, **facts) for id, facts in enumerate(about, 1)]
        session.add_all(events)
        await session.flush()
        written = [
            {"user_id": alice.id, "event_id": one.id, "type": one.type, "hidden": False}
            for one in events
        ]
        await session.execute(insert(Notification.__table__), written)  # type: ignore[arg-type]

    async with db.read() as session:
        computed = await session.execute(text(f"SELECT id, {migration.KEY} FROM event"))
        stored = await session.execute(select(Notification.event_id, Notification.group_key))
        migrated, filled_in = (dict(rows.all()) for rows in (computed, stored))

    expected = {one.id: group_key_of(one.id, one, TYPES[one.type]) for one in events}
    assert migrated == filled_in == expected
