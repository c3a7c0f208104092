"""Which notices form a group: those of one type about one subject, as the catalogue names it."""

from typing import Any

from app.notifications.events.event_type import PROJECT, TEAM, EventType

# In characters, of a key that the sender of a custom event chooses.
KEY_LENGTH = 100
ALONE = "notice"


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
