"""Which notices form a group: those of one type about one subject, as the catalogue names it, except
those of the types that the reader wants to see one by one.
"""

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    String,
    and_,
    case,
    cast,
    exists,
    literal_column,
    or_,
    select,
)

from app.models import Notification, UngroupedType
from app.notifications.events.event_type import PROJECT, TEAM, EventType

# In characters, of a key that the sender of a custom event chooses.
KEY_LENGTH = 100
ALONE = "notice"
# Part of the key of a notice whose type its reader does not want grouped.
APART = "apart"
_UNGROUPED_KEY = re.compile(rf"\w+:{APART}:([0-9]{{1,18}})")


def group_key_of(event_id: int, facts: Any, event_type: EventType) -> str:
    """Such as "member_added:team:5" or "custom:team:5:nightly". A notice without a subject has a key
    that no other notice has, "announcement:notice:4711".

    `facts` are an event, or a row with its `team_id`, `project_id` and `context`.
    """
    subject = subject_of(facts, event_type)
    if not subject:
        return f"{event_type.name}:{ALONE}:{event_id}"
    key = f"{event_type.name}:{subject}"
    return f"{key}:{facts.context.get('group_key', '')}" if event_type.is_custom else key


def subject_of(facts: Any, event_type: EventType) -> str:
    """Such as "team:5"; "" if it has none. A custom event that reaches several teams is about the
    project that they share.
    """
    ids = {TEAM: facts.team_id, PROJECT: facts.project_id}
    is_either = event_type.is_custom and event_type.subject
    wanted = ids if is_either else {event_type.subject: ids.get(event_type.subject)}
    return next((f"{kind}:{id}" for kind, id in wanted.items() if id is not None), "")


def key_for_reader(user_id: int | None = None) -> ColumnElement[str]:
    """The key of the group in which the recipient sees a notification: the stored key or, if they
    do not want its type grouped, a key with its own id, such as "member_added:apart:4711".

    If all notifications are those of one user, `user_id` saves SQLite a lookup for each row.
    """
    own = Notification.type + literal_column(f"':{APART}:'") + cast(Notification.id, String)
    is_alone = is_ungrouped(Notification.user_id, Notification.type)
    if user_id is not None:
        ungrouped = select(UngroupedType.type).where(UngroupedType.user_id == user_id)
        is_alone = and_(exists(ungrouped), Notification.type.in_(ungrouped))
    return case((is_alone, own), else_=Notification.group_key)


def is_ungrouped(
    user_id: SQLColumnExpression[int], type_name: SQLColumnExpression[str]
) -> ColumnElement[bool]:
    """True if this user wants to see notifications of this type one by one."""
    of_type = UngroupedType.user_id == user_id, UngroupedType.type == type_name
    return exists(select(UngroupedType.type).where(*of_type).correlate_except(UngroupedType))


def in_groups(keys: Collection[str]) -> ColumnElement[bool]:
    """True of the notifications that their recipients see in the groups with these keys.

    The same as a condition on `key_for_reader`, but able to use indexes.
    """
    ungrouped, stored = split_keys(keys)
    is_alone = is_ungrouped(Notification.user_id, Notification.type)
    grouped = and_(Notification.group_key.in_(stored), ~is_alone)
    if not ungrouped:
        return grouped
    by_id = and_(Notification.id.in_(ungrouped.values()), key_for_reader().in_(ungrouped))
    return or_(grouped, by_id) if stored else by_id


def split_keys(keys: Collection[str]) -> tuple[dict[str, int], list[str]]:
    """The keys of ungrouped notices, with their ids, and those of groups. To find both in one
    statement, SQLite would look at all rows.
    """
    ungrouped = {key: int(found[1]) for key in keys if (found := _UNGROUPED_KEY.fullmatch(key))}
    return ungrouped, [key for key in keys if key not in ungrouped]
