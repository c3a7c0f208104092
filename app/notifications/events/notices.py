"""A notice as people see it: the row, its event and what is still there, in one sentence with its actions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, Select, and_, bindparam, select
from sqlalchemy.orm import aliased

from app import clock
from app.language import _
from app.models import (
    Compilation,
    Event,
    Invitation,
    Notification,
    Project,
    Team,
    User,
)
from app.notifications.events.catalogue import TYPES, kind_of, sentence


@dataclass(frozen=True)
class Action:
    label: str
    url: str
    method: str = "get"
    is_primary: bool = False

    @property
    def host(self) -> str:
        """Whose page it opens, where that is not ours."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True)
class Notice:
    """One notification as people see it, in the language being spoken.

    `body` is what there is to say beyond `text`; `target` is where the notice leads.
    `team` and `project` are (id, present name), None where they are gone.
    """

    id: int
    position: int
    type: str
    icon: str
    text: str
    actor: str | None
    created_at: datetime
    is_read: bool
    is_high: bool
    actions: list[Action]
    target: str
    is_deleted: bool = False
    read_at: datetime | None = None
    actor_id: int | None = None
    team: tuple[int, str] | None = None
    project: tuple[int, str] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    body: str = ""


_actor = aliased(User)


def notices_of(user_id: int) -> Select[Any]:
    """The person's rows with all that a `Notice` needs; narrow and order it before use."""
    return all_notices().where(Notification.user_id == user_id)


@cache
def all_notices() -> Select[Any]:
    """Everybody's, for those who tell people; narrow it before use."""
    own = select(Notification.id, Notification.event_id, Notification.read_at, Notification.user_id)
    return with_notice_facts(own.join(Event, Event.id == Notification.event_id))


@cache
def all_events() -> Select[Any]:
    """What their notices have in common, whoever is told; narrow it before use."""
    return with_notice_facts(select(Event.id.label("event_id")))


def with_notice_facts(rows: Select[*tuple[Any, ...]]) -> Select[Any]:
    """Add the facts of a `Notice` to a select that has joined its Event."""
    running = select(Compilation.id).where(
        Compilation.project_id == Event.project_id, Compilation.status.in_(("queued", "running"))
    )
    now = bindparam(None, callable_=lambda: clock.now(), type_=Invitation.expires_at.type)
    is_open = and_(Invitation.status == "pending", Invitation.expires_at > now)
    return (
        rows.add_columns(
            Event.type,
            Event.actor_id,
            Event.affected_id,
            Event.team_id,
            Event.project_id,
            Event.context,
            Event.created_at,
            _actor.username.label("actor"),
            Team.name.label("team"),
            Project.name.label("project"),
            is_open.label("invitation"),
            and_(Event.project_id.is_not(None), ~running.exists()).label("compilation"),
        )
        .join(_actor, _actor.id == Event.actor_id, isouter=True)
        .join(Team, Team.id == Event.team_id, isouter=True)
        .join(Project, Project.id == Event.project_id, isouter=True)
        .join(Invitation, Invitation.id == Event.invitation_id, isouter=True)
    )


def as_notice(row: Row[Any]) -> Notice:
    kind = kind_of(row.type, row.context)
    to_affected = row.affected_id == row.user_id
    link = _link(row, to_affected)
    return Notice(
        id=row.id,
        position=row.event_id,
        type=row.type,
        icon=kind.icon,
        text=sentence(row.type, row.context, to_affected=to_affected),
        actor=row.actor,
        created_at=row.created_at,
        is_read=row.read_at is not None,
        is_high=kind.is_high,
        actions=[*_answers(row), *([link] if link else [])],
        target=_target(row, link),
        read_at=row.read_at,
        actor_id=row.actor_id,
        team=(row.team_id, row.team) if row.team_id else None,
        project=(row.project_id, row.project) if row.project_id else None,
        context={name: row.context[name] for name in kind.context if name in row.context},
        body=str(row.context.get("body") or ""),
    )


def _target(row: Row[Any], link: Action | None) -> str:
    if TYPES[row.type].is_custom:
        return f"/notifications/{row.id}"
    return link.url if link else "/notifications"


def _link(row: Row[Any], to_affected: bool) -> Action | None:
    """The type's action, where all it leads to is still there."""
    action = TYPES[row.type].action
    if action is None or (to_affected and not action.for_affected):
        return None
    facts = {"team_id": row.team_id, "project_id": row.project_id, "notification_id": row.id}
    facts["url"] = row.context.get("url")
    if any(value is None and f"{{{name}}}" in action.url for name, value in facts.items()):
        return None
    return Action(_(action.label), action.url.format(**facts))


def _answers(row: Row[Any]) -> list[Action]:
    return [
        Action(
            _(answer.label), answer.url.format(notification_id=row.id), "post", answer.is_primary
        )
        for answer in TYPES[row.type].answers
        if getattr(row, answer.open_while)
    ]
