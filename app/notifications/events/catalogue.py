"""Every event type, in one place: sentence, audience, icon, actions, channels, priority.

Add a type here and nowhere else. A sentence is rendered from the event's context wherever it is
shown, in the reader's language; `message_to_affected` is the variant for the user it happened to.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from app.language import N_
from app.notifications.events import audience
from app.notifications.events.event_type import (
    ABOUT_YOU,
    ACCOUNT,
    COMPILATIONS,
    EMAIL,
    HIGH,
    IN_APP,
    LOW,
    OTHER_ACTORS,
    OTHER_AFFECTED,
    PRIORITIES,
    PROJECT,
    PROJECTS,
    PUSH,
    TEAM,
    Button,
    EventType,
    Link,
    MailedLink,
    SubjectState,
    Summary,
)

TYPES: dict[str, EventType] = {}
SYNONYMS = {"compilation_complete": "compilation_completed"}


def event(name: str, **form: Any) -> EventType:
    for field_name in ("channels", "mandatory"):
        form[field_name] = frozenset(form.get(field_name, ()))
    TYPES[name] = EventType(name, **form)
    return TYPES[name]


def type_of(name: str, context: Mapping[str, Any]) -> EventType:
    """The type as this event has it: a custom one has the priority that its sender chose."""
    event_type, priority = TYPES[name], context.get("priority")
    is_chosen = event_type.is_custom and priority in PRIORITIES
    return _with_priority(name, priority) if is_chosen else event_type


@cache
def _with_priority(name: str, priority: str) -> EventType:
    return replace(TYPES[name], priority=priority)


def types_on_by_default(channel: str) -> list[str]:
    return [name for name, event_type in TYPES.items() if event_type.is_on(channel)]


def types_with_mandatory(channel: str) -> list[str]:
    """The types that nobody can switch off on `channel`."""
    return [name for name, event_type in TYPES.items() if channel in event_type.mandatory]


def types_with_mailed_link(path: str) -> list[str]:
    """The types whose mailed link has this path, whatever its token."""
    return [
        name
        for name, event_type in TYPES.items()
        if event_type.mailed_link
        and path.startswith(event_type.mailed_link.url.partition("{token}")[0])
    ]


def types_open_while(fact: str) -> list[str]:
    """The types with a button that is offered while `fact` is true."""
    return [
        name
        for name, event_type in TYPES.items()
        if any(button.open_while == fact for button in event_type.buttons)
    ]


GO_TO_TEAM = Link(N_("Go to Team"), "/teams/{team_id}")
# Opens one notification and redirects to where its link leads. For a page that is not the target of
# its type: a visit to that page does not open it.
OPEN = "/notifications/{notification_id}/open"
OPEN_TEAM = replace(GO_TO_TEAM, url=OPEN, leads_to=GO_TO_TEAM.url)
VIEW_PROJECT = Link(N_("View Project"), "/projects/{project_id}")
ROLES = (N_("owner"), N_("admin"), N_("editor"), N_("viewer"))

INVITATION_RECEIVED = event(
    "invitation_received",
    label=N_("You are invited to a team"),
    heading=ABOUT_YOU,
    icon="bi-envelope",
    audience=audience.affected_only,
    message=N_("{inviter} invited you to join team '{team_name}' as {role}"),
    subject=TEAM,
    summary=Summary(
        N_("{n} invitation to team '{team_name}'"),
        N_("{n} invitations to team '{team_name}'"),
    ),
    action=Link(
        N_("View Invitation"),
        "/notifications/{notification_id}/invitation",
        leads_to="/invitations/{invitation_id}",
    ),
    buttons=(
        Button(N_("Accept"), "/notifications/{notification_id}/accept", "invitation", True),
        Button(N_("Decline"), "/notifications/{notification_id}/decline", "invitation"),
    ),
    subject_states={
        "accepted": SubjectState(N_("Accepted"), OPEN_TEAM),
        "declined": SubjectState(N_("Declined")),
        "revoked": SubjectState(N_("Revoked")),
        "expired": SubjectState(N_("Expired")),
    },
    channels={EMAIL, PUSH},
    priority=HIGH,
    context=("role", "inviter"),
    example={"inviter": "Alice", "team_name": "Video Squad", "role": "editor"},
)
INVITATION_DECLINED = event(
    "invitation_declined",
    label=N_("Someone declines your invitation"),
    heading=ABOUT_YOU,
    icon="bi-envelope-x",
    audience=audience.inviter,
    message=N_("{username} declined the invitation to team '{team_name}'"),
    subject=TEAM,
    summary=Summary(
        N_("{username} and {n} other declined the invitation to team '{team_name}'"),
        N_("{username} and {n} others declined the invitation to team '{team_name}'"),
        counts=OTHER_ACTORS,
        repeated=(
            N_("{username} declined {n} invitation to team '{team_name}'"),
            N_("{username} declined {n} invitations to team '{team_name}'"),
        ),
    ),
    action=GO_TO_TEAM,
    priority=LOW,
    context=("username",),
    example={"username": "Bob", "team_name": "Video Squad", "team_id": 5},
)
CANCEL_ADDRESS_CHANGE = "cancel_address_change"
REVIEW_ACCOUNT = Link(N_("Review Account"), "/account")
ACCOUNT_PASSWORD_CHANGED = event(
    "account_password_changed",
    label=N_("Your password is changed"),
    heading=ACCOUNT,
    icon="bi-key",
    audience=audience.affected_only,
    message=N_("Your password was changed"),
    action=REVIEW_ACCOUNT,
    channels={EMAIL, PUSH},
    mandatory={IN_APP, EMAIL},
    is_immediate=True,
    priority=HIGH,
)
ACCOUNT_ADDRESS_CHANGE_REQUESTED = event(
    "account_address_change_requested",
    label=N_("A change of your email address is requested"),
    heading=ACCOUNT,
    icon="bi-envelope-at",
    audience=audience.affected_only,
    message=N_("A change of your address to {address} was requested"),
    action=REVIEW_ACCOUNT,
    mailed_link=MailedLink(
        N_("Cancel this change"),
        "/account/address/cancel/{token}",
        purpose=CANCEL_ADDRESS_CHANGE,
        fact="nonce",
    ),
    channels={EMAIL},
    mandatory={IN_APP, EMAIL},
    is_immediate=True,
    priority=HIGH,
    context=("address",),
    example={"address": "new@example.com"},
)
ACCOUNT_TOKEN_CREATED = event(
    "account_token_created",
    label=N_("An access token is created for your account"),
    heading=ACCOUNT,
    icon="bi-key",
    audience=audience.affected_only,
    message=N_("Access token '{name}' was created"),
    action=REVIEW_ACCOUNT,
    channels={EMAIL},
    in_app=False,
    is_immediate=True,
    context=("name",),
    example={"name": "Backup script"},
)
ACCOUNT_SIGNED_IN_ELSEWHERE = event(
    "account_signed_in_elsewhere",
    label=N_("A new browser or network signs in to your account"),
    heading=ACCOUNT,
    icon="bi-box-arrow-in-right",
    audience=audience.affected_only,
    message=N_("New sign-in: {device}"),
    action=REVIEW_ACCOUNT,
    channels={EMAIL},
    in_app=False,
    is_immediate=True,
    context=("device", "address"),
    example={"device": "Firefox on Linux", "address": "203.0.113.7"},
)
MEMBER_ADDED = event(
    "member_added",
    label=N_("Someone joins one of your teams"),
    icon="bi-person-plus",
    audience=audience.team_members,
    message=N_("{username} joined the team as {role}"),
    message_to_affected=N_("You were added to team '{team_name}' as {role}"),
    subject=TEAM,
    summary=Summary(
        N_("{username} and {n} other joined team '{team_name}'"),
        N_("{username} and {n} others joined team '{team_name}'"),
        counts=OTHER_AFFECTED,
        repeated=(
            N_("{username} joined team '{team_name}' {n} time"),
            N_("{username} joined team '{team_name}' {n} times"),
        ),
    ),
    action=GO_TO_TEAM,
    channels={EMAIL},
    context=("username", "role"),
    example={"username": "Alice", "team_name": "Video Squad", "role": "editor", "team_id": 5},
)
MEMBER_REMOVED = event(
    "member_removed",
    label=N_("Someone is removed from one of your teams"),
    icon="bi-person-dash",
    audience=audience.team_members_and_affected,
    message=N_("{username} was removed from the team"),
    message_to_affected=N_("You were removed from team '{team_name}'"),
    subject=TEAM,
    summary=Summary(
        N_("{username} and {n} other were removed from team '{team_name}'"),
        N_("{username} and {n} others were removed from team '{team_name}'"),
        counts=OTHER_AFFECTED,
        repeated=(
            N_("{username} was removed from team '{team_name}' {n} time"),
            N_("{username} was removed from team '{team_name}' {n} times"),
        ),
    ),
    action=Link(N_("Go to Team"), "/teams/{team_id}", for_affected=False),
    context=("username",),
    example={"username": "Bob", "team_name": "Video Squad", "team_id": 5},
)
MEMBER_LEFT = event(
    "member_left",
    label=N_("Someone leaves one of your teams"),
    icon="bi-box-arrow-right",
    audience=audience.team_members,
    message=N_("{username} left the team"),
    subject=TEAM,
    summary=Summary(
        N_("{username} and {n} other left team '{team_name}'"),
        N_("{username} and {n} others left team '{team_name}'"),
        counts=OTHER_AFFECTED,
        repeated=(
            N_("{username} left team '{team_name}' {n} time"),
            N_("{username} left team '{team_name}' {n} times"),
        ),
    ),
    action=GO_TO_TEAM,
    priority=LOW,
    context=("username",),
    example={"username": "Bob", "team_id": 5},
)
MEMBER_ROLE_CHANGED = event(
    "member_role_changed",
    label=N_("A role changes in one of your teams"),
    icon="bi-person-gear",
    audience=audience.team_members,
    message=N_("{username}'s role changed from {old_role} to {new_role}"),
    message_to_affected=N_("Your role in team '{team_name}' changed from {old_role} to {new_role}"),
    subject=TEAM,
    summary=Summary(
        N_("{n} role changed in team '{team_name}'"),
        N_("{n} roles changed in team '{team_name}'"),
    ),
    action=GO_TO_TEAM,
    context=("username", "old_role", "new_role"),
    example={
        "username": "Bob",
        "team_name": "Video Squad",
        "old_role": "viewer",
        "new_role": "editor",
        "team_id": 5,
    },
)
TEAM_CREATED = event(
    "team_created",
    label=N_("A team is created"),
    icon="bi-people",
    audience=audience.nobody,
    message=N_("Team '{team_name}' was created"),
    subject=TEAM,
    action=GO_TO_TEAM,
    priority=LOW,
    context=("team_name",),
    example={"team_name": "Video Squad", "team_id": 5},
)
TEAM_UPDATED = event(
    "team_updated",
    label=N_("One of your teams is renamed"),
    icon="bi-pencil",
    audience=audience.team_members,
    message=N_("Team '{old_name}' is now called '{new_name}'"),
    subject=TEAM,
    summary=Summary(
        N_("Team '{new_name}' was renamed {n} time"),
        N_("Team '{new_name}' was renamed {n} times"),
    ),
    action=GO_TO_TEAM,
    priority=LOW,
    context=("old_name", "new_name"),
    example={"old_name": "Video Squad", "new_name": "Film Squad", "team_id": 5},
)
TEAM_DELETED = event(
    "team_deleted",
    label=N_("One of your teams is deleted"),
    icon="bi-trash",
    audience=audience.team_members,
    message=N_("Team '{team_name}' was deleted"),
    subject=TEAM,
    ignores_mute=True,
    context=("team_name",),
    example={"team_name": "Video Squad"},
)
PROJECT_SHARED = event(
    "project_shared",
    label=N_("A project is shared with one of your teams"),
    heading=PROJECTS,
    icon="bi-folder-symlink",
    audience=audience.team_members,
    message=N_("Project '{project_name}' was shared with team '{team_name}'"),
    subject=PROJECT,
    summary=Summary(
        N_("Project '{project_name}' was shared {n} time"),
        N_("Project '{project_name}' was shared {n} times"),
    ),
    action=Link(N_("See Details"), "/projects/{project_id}"),
    channels={EMAIL},
    context=("project_name", "team_name"),
    example={"project_name": "Best Clips 2025", "team_name": "Editors", "project_id": 7},
)
PROJECT_UNSHARED = event(
    "project_unshared",
    label=N_("A project is no longer shared with one of your teams"),
    heading=PROJECTS,
    icon="bi-folder-x",
    audience=audience.team_members,
    message=N_("Project '{project_name}' is no longer shared with team '{team_name}'"),
    subject=PROJECT,
    summary=Summary(
        N_("Project '{project_name}' is no longer shared with {n} team"),
        N_("Project '{project_name}' is no longer shared with {n} teams"),
    ),
    priority=LOW,
    context=("project_name", "team_name"),
    example={"project_name": "Best Clips 2025", "team_name": "Editors"},
)
COMPILATION_COMPLETED = event(
    "compilation_completed",
    label=N_("A compilation is complete"),
    heading=COMPILATIONS,
    icon="bi-check-circle",
    audience=audience.project_members,
    message=N_("Compilation of '{project_name}' is complete"),
    subject=PROJECT,
    summary=Summary(
        N_("{n} compilation of '{project_name}' is complete"),
        N_("{n} compilations of '{project_name}' are complete"),
    ),
    action=VIEW_PROJECT,
    channels={EMAIL, PUSH},
    push_ttl=timedelta(hours=4),
    context=("duration", "size", "thumbnail"),
    example={"project_name": "Highlight Reel", "project_id": 7},
)
COMPILATION_FAILED = event(
    "compilation_failed",
    label=N_("A compilation fails"),
    heading=COMPILATIONS,
    icon="bi-exclamation-triangle",
    audience=audience.project_owner,
    message=N_("Compilation of '{project_name}' failed"),
    subject=PROJECT,
    summary=Summary(
        N_("{n} compilation of '{project_name}' failed"),
        N_("{n} compilations of '{project_name}' failed"),
    ),
    action=VIEW_PROJECT,
    buttons=(Button(N_("Retry"), "/notifications/{notification_id}/retry", "compilation", True),),
    channels={EMAIL, PUSH},
    priority=HIGH,
    push_ttl=timedelta(hours=4),
    context=("error",),
    example={"project_name": "Highlight Reel", "project_id": 7},
)
OPEN_LINK = Link(N_("Open"), OPEN, leads_to="{url}")
CUSTOM = event(
    "custom",
    label=N_("Messages from integrations"),
    icon="bi-megaphone",
    audience=audience.team_members,
    message="{title}",
    subject=TEAM,
    action=OPEN_LINK,
    is_custom=True,
    context=("title", "body", "url", "priority"),
    example={"title": "The nightly render is done", "url": "https://render.example.com/42"},
)
ANNOUNCEMENT = event(
    "announcement",
    label=N_("Server announcements"),
    heading=ABOUT_YOU,
    icon="bi-megaphone",
    audience=audience.everybody,
    message="{title}",
    action=OPEN_LINK,
    is_custom=True,
    context=("title", "body", "url", "priority"),
    example={"title": "The server rests on Sunday from 8 to 9"},
)
