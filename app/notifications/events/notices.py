"""A notification as users see it: one sentence and its actions, from its row and its event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, select
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
from app.names import to_plain
from app.notifications.events.catalogue import TYPES, isolated_sentence, type_of


@dataclass(frozen=True)
class Action:
    """A link, or with method "post" a button, that a notice offers."""

    label: str
    url: str
    method: str = "get"
    is_primary: bool = False

    @property
    def host(self) -> str:
        """The host that the link leads to, "" for this application."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True)
class Notice:
    """One notification as its recipient sees it, rendered in the current language.

    `sentence` has its names isolated (app.names), `text` is the same without the marks of that.
    `body` is the text below it; `target` is the page that a click on the sentence opens.
    `team` and `project` are (id, current name), or None once deleted.
    """

    id: int
    position: int
    type: str
    icon: str
    sentence: str
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

    @property
    def text(self) -> str:
        return to_plain(self.sentence)


_actor = aliased(User)


def notices_of(user_id: int) -> Select[Any]:
    """This user's rows with all columns that `as_notice` needs; add a filter and an order."""
    return all_notices().where(Notification.user_id == user_id)


@cache
def all_notices() -> Select[Any]:
    """The rows of all users, for sending and publishing; add a filter."""
    own = select(Notification.id, Notification.event_id, Notification.read_at, Notification.user_id)
    rows = own.join(Event, Event.id == Notification.event_id).where(_is_known())
    return with_notice_facts(rows)


@cache
def all_events() -> Select[Any]:
    """The facts that the notices of one event share; add a filter."""
    return with_notice_facts(select(Event.id.label("event_id")).where(_is_known()))


def _is_known() -> ColumnElement[bool]:
    """A newer version of the application may have written types that this one does not know."""
    return Event.type.in_(bindparam(None, callable_=lambda: list(TYPES), expanding=True))


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
    event_type = type_of(row.type, row.context)
    to_affected = row.affected_id == row.user_id
    link = _link(row, to_affected)
    return Notice(
        id=row.id,
        position=row.event_id,
        type=row.type,
        icon=event_type.icon,
        sentence=isolated_sentence(row.type, row.context, to_affected=to_affected),
        actor=row.actor,
        created_at=row.created_at,
        is_read=row.read_at is not None,
        is_high=event_type.is_high,
        actions=[*_buttons(row), *([link] if link else [])],
        target=_target(row, link),
        read_at=row.read_at,
        actor_id=row.actor_id,
        team=(row.team_id, row.team) if row.team_id else None,
        project=(row.project_id, row.project) if row.project_id else None,
        context={name: row.context[name] for name in event_type.context if name in row.context},
        body=str(row.context.get("body") or ""),
    )


def _target(row: Row[Any], link: Action | None) -> str:
    if TYPES[row.type].is_custom:
        return f"/notifications/{row.id}"
    return link.url if link else "/notifications"


def _link(row: Row[Any], to_affected: bool) -> Action | None:
    """The link of its type, if the ids and facts that make up its URL are all there."""
    link = TYPES[row.type].action
    if link is None or (to_affected and not link.for_affected):
        return None
    ids = {"team_id": row.team_id, "project_id": row.project_id, "notification_id": row.id}
    facts = {**row.context, **ids}
    if any(facts.get(name) is None for name in _placeholders(link.url)):
        return None
    return Action(_(link.label), link.url.format_map(facts))


@cache
def _placeholders(url: str) -> list[str]:
    return [name for _text, name, *_format in Formatter().parse(url) if name]


def _buttons(row: Row[Any]) -> list[Action]:
    return [
        Action(
            _(button.label), button.url.format(notification_id=row.id), "post", button.is_primary
        )
        for button in TYPES[row.type].buttons
        if getattr(row, button.open_while)
    ]
