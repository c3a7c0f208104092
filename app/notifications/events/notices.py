"""A notification as users see it: one sentence and its actions, from its row and its event."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from gettext import NullTranslations
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field
from sqlalchemy import ColumnElement, Row, Select, and_, case, or_, select
from sqlalchemy.orm import aliased

from app.database.constants import constants
from app.language import _, current_translations
from app.models import (
    Compilation,
    Event,
    Invitation,
    Notification,
    Project,
    Team,
    User,
)
from app.models.notification import DONE
from app.models.project import UNFINISHED
from app.models.team import has_expired, is_open
from app.notifications.events.catalogue import TYPES, type_of
from app.notifications.events.event_type import NORMAL, EventType, SubjectState, filled
from app.notifications.events.grouping import key_for_reader
from app.notifications.events.sentences import detail, isolated_sentence, names_user, team_phrase
from app.values.faces import Face
from app.values.names import to_plain

# Some 3 KB each.
NOTICES_KEPT = 2_000


@dataclass(frozen=True)
class Action:
    """A link, or with method "post" a button, that a notice offers.

    `leads_to` is where the URL of a link redirects to, if it does.
    """

    label: str
    url: str
    method: str = "get"
    is_primary: bool = False
    leads_to: str = ""

    @property
    def host(self) -> str:
        """The host that the link leads to, "" for this application."""
        return urlsplit(self.leads_to).netloc


@dataclass(frozen=True)
class Group:
    """What a list shows of a group besides its newest notice: how many notices it has, and at most
    three of their actors, newest first. `summary` is its sentence, with the names isolated. `parts`
    are the rows shown below a group that is open.
    """

    key: str
    count: int
    unread_count: int
    actors: Sequence[Face]
    actor_count: int
    summary: str
    parts: Sequence[Any] = ()

    @property
    def text(self) -> str:
        return to_plain(self.summary)


class Notice(Struct, frozen=True):
    """One notification as its recipient sees it, rendered in the current language.

    `sentence` has its names isolated (app.values.names); `text` is the same without the marks.
    `body` is the text below it; `target` is the page that a click on the sentence opens. `face` is
    that of the actor, None without one. `byline` is the actor and `team_phrase` (isolated) says in
    which team; each is "" where the sentence says it. `subject_state` is the present state of its
    subject, "" while that is still open. `position` sorts it; `updated_at` is when its content last
    changed, None if it never has. `team` and `project` are (id, current name), or None once
    deleted. `thumbnail_url` is the thumbnail of the video that it is about (that of
    `compilation_id`), or None. `group` is set only in lists of groups, where this is the newest
    notice of a group.
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
    face: Face | None = None
    team: tuple[int, str] | None = None
    project: tuple[int, str] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    body: str = ""
    byline: str = ""
    team_phrase: str = ""
    subject_state: str = ""
    priority: str = NORMAL
    is_done: bool = False
    is_saved: bool = False
    snoozed_until: datetime | None = None
    group_key: str = ""
    group: Group | None = None
    updated_at: datetime | None = None
    thumbnail_url: str | None = None
    compilation_id: int | None = None

    @property
    def duration(self) -> float | None:
        """The length in seconds of the video that it is about."""
        return self.context.get("duration")

    @property
    def text(self) -> str:
        return to_plain(self.sentence)

    @property
    def is_all_read(self) -> bool:
        """Whether it is read; as the row of a group, whether all of the group is."""
        return self.group.unread_count == 0 if self.group else self.is_read

    @property
    def link(self) -> Action | None:
        return next((one for one in self.actions if one.method == "get"), None)

    @property
    def has_own_page(self) -> bool:
        return self.target == own_page(self.id)


def own_page(notification_id: int) -> str:
    """The page of one notice: it shows the notice, or redirects to its target."""
    return f"/notifications/{notification_id}"


# The columns of the recipient's row.
OWN = (
    Notification.id,
    Notification.event_id,
    Notification.position,
    Notification.read_at,
    Notification.folder.label("folder"),
    Notification.is_saved,
    Notification.snoozed_until,
    key_for_reader().label("group_key"),
    Notification.updated_at,
)
_actor = aliased(User)


def notices_of(user_id: int) -> Select[Any]:
    """This user's rows with all columns that `as_notice` needs; add a filter and an order."""
    return all_notices().where(Notification.user_id == user_id)


@cache
def all_notices() -> Select[Any]:
    """The rows of all users, for sending and publishing; add a filter."""
    rows = (
        select(Notification.user_id, *OWN)
        .join(Event, Event.id == Notification.event_id)
        .where(has_known_type())
    )
    return with_notice_facts(rows)


@cache
def all_events() -> Select[Any]:
    """The facts that the notices of one event share; add a filter."""
    return with_notice_facts(select(Event.id.label("event_id")).where(has_known_type()))


def has_known_type() -> ColumnElement[bool]:
    """A newer version of the application may have written types that this one does not know."""
    return Event.type.in_(constants(TYPES))


def with_notice_facts(rows: Select[*tuple[Any, ...]]) -> Select[Any]:
    """Add the facts of a `Notice` to a select that has joined its Event."""
    newer = select(Compilation.id).where(
        Compilation.project_id == Event.project_id,
        or_(
            Compilation.id > Event.compilation_id,
            Compilation.status.in_(constants(UNFINISHED)),
        ),
    )
    subject_state = case(
        (Invitation.status != "pending", Invitation.status),
        (has_expired(), "expired"),
    )
    return (
        rows.add_columns(
            Event.type,
            Event.actor_id,
            Event.affected_id,
            Event.team_id,
            Event.project_id,
            Event.compilation_id,
            Event.invitation_id,
            Event.context,
            Event.created_at,
            _actor.username.label("actor"),
            _actor.avatar.label("actor_avatar"),
            Team.name.label("team"),
            Project.name.label("project"),
            is_open().label("invitation"),
            subject_state.label("subject_state"),
            and_(Event.project_id.is_not(None), ~newer.exists()).label("compilation"),
        )
        .join(_actor, _actor.id == Event.actor_id, isouter=True)
        .join(Team, Team.id == Event.team_id, isouter=True)
        .join(Project, Project.id == Event.project_id, isouter=True)
        .join(Invitation, Invitation.id == Event.invitation_id, isouter=True)
    )


def as_notice(row: Row[Any]) -> Notice:
    # Looking up each name in a Row would take longer than everything else here.
    return notice_of(SimpleNamespace(**dict(zip(row._fields, row, strict=True))))


def as_notices(rows: Sequence[Row[Any]], *, skipped: int = 0) -> list[Notice]:
    """The notices of rows, whose first `skipped` columns are ignored. Cached, because some rows,
    such as the newest ones in a bell, are read again and again.
    """
    columns, language = rows[0]._fields[skipped:] if rows else (), current_translations()
    each = [tuple(row)[skipped:] for row in rows]
    return [_cached(_NoticeKey(columns, msgspec.json.encode(one), language, one)) for one in each]


@dataclass(frozen=True, slots=True)
class _NoticeKey:
    """A cache key with all that a notice depends on, so that no entry is ever out of date."""

    columns: tuple[str, ...]
    content: bytes
    language: NullTranslations
    values: tuple[Any, ...] = dataclasses.field(compare=False)


@lru_cache(NOTICES_KEPT)
def _cached(key: _NoticeKey) -> Notice:
    return notice_of(SimpleNamespace(**dict(zip(key.columns, key.values, strict=True))))


def notice_of(row: SimpleNamespace) -> Notice:
    """The notice of an object with the columns of such a row."""
    event_type = type_of(row.type, row.context)
    to_affected = row.affected_id == row.user_id
    state = event_type.subject_states.get(row.subject_state)
    link = _link(row, event_type, state, to_affected)
    context = {name: row.context[name] for name in event_type.context if name in row.context}
    return Notice(
        id=row.id,
        position=row.position,
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
        face=Face(row.actor_id, row.actor, row.actor_avatar) if row.actor else None,
        team=(row.team_id, row.team) if row.team_id else None,
        project=(row.project_id, row.project) if row.project_id else None,
        context=context,
        body=detail(row.context),
        byline=_byline(row, to_affected),
        team_phrase=team_phrase(row.type, row.context, to_affected=to_affected),
        subject_state=_(state.label) if state else "",
        priority=event_type.priority,
        is_done=row.folder == DONE,
        is_saved=row.is_saved,
        snoozed_until=row.snoozed_until,
        group_key=row.group_key,
        updated_at=row.updated_at,
        thumbnail_url=thumbnail_url(row),
        compilation_id=row.compilation_id,
    )


def thumbnail_url(row: Any) -> str | None:
    """The thumbnail in the context of an event, or None. `row` has its type, context and project."""
    has_one = row.project_id and "thumbnail" in type_of(row.type, row.context).context
    return row.context.get("thumbnail") if has_one else None


def _byline(row: SimpleNamespace, to_affected: bool) -> str:
    """The actor, unless the sentence names them or they are the reader."""
    if row.actor is None or row.actor_id == row.user_id:
        return ""
    is_named = names_user(row.type, row.context, row.actor, to_affected=to_affected)
    return "" if is_named else str(row.actor)


def _target(row: SimpleNamespace, link: Action | None) -> str:
    return own_page(row.id) if link is None or TYPES[row.type].is_custom else link.url


def _link(
    row: SimpleNamespace, event_type: EventType, state: SubjectState | None, to_affected: bool
) -> Action | None:
    """The link of its subject's state or of its type, if the ids and facts that make up its URL are
    all there.
    """
    link = (state and state.action) or event_type.link(to_affected=to_affected)
    if link is None:
        return None
    facts = facts_of(row, notification_id=row.id)
    url, leads_to = filled(link.url, facts), filled(link.leads_to, facts)
    if url is None or leads_to is None:
        return None
    return Action(_(link.label), url, leads_to=leads_to)


def facts_of(event: Any, **own: int) -> dict[str, Any]:
    """The values for the placeholders of URLs in the catalogue, from an event or a row with its
    facts.
    """
    ids = {name: getattr(event, name) for name in ("team_id", "project_id", "invitation_id")}
    return {**event.context, **ids, **own}


def _buttons(row: SimpleNamespace) -> list[Action]:
    return [
        Action(
            _(button.label), button.url.format(notification_id=row.id), "post", button.is_primary
        )
        for button in TYPES[row.type].buttons
        if getattr(row, button.open_while)
    ]
