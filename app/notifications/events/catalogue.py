"""Every event type, in one place: sentence, audience, icon, actions, channels, priority.

Add a type here and nowhere else. A sentence is rendered from the event's context wherever it is
shown, in the reader's language; `message_to_affected` is the variant for the user it happened to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from string import Formatter
from typing import Any

from app.language import N_, _, ngettext
from app.notifications.events import audience
from app.notifications.events.audience import Audience
from app.values.names import clean, isolate, to_plain

IN_APP, EMAIL, PUSH = "in_app", "email", "push"
HIGH, NORMAL, LOW = PRIORITIES = ("high", "normal", "low")
# The headings under which the preferences page lists the types.
ABOUT_YOU, ACCOUNT, TEAMS = N_("About you"), N_("Your account"), N_("Teams")
PROJECTS, COMPILATIONS = N_("Projects"), N_("Compilations")
GROUPS = (ABOUT_YOU, ACCOUNT, TEAMS, PROJECTS, COMPILATIONS)
# What an event is about: notices of one type about one subject form a group.
TEAM, PROJECT = "team", "project"


@dataclass(frozen=True)
class Link:
    """An action that opens a page. Its URL is filled in from the event's ids and facts, and the
    link is only offered where all of them are there.

    `leads_to` is where `url` redirects to, if it does: a page on another site, or one whose real
    address contains a secret.
    """

    label: str
    url: str
    for_affected: bool = True
    leads_to: str = ""

    @property
    def page(self) -> str:
        """The template of the page that it opens in the end."""
        return self.leads_to or self.url


@dataclass(frozen=True)
class Button:
    """An action that works in place, offered while `open_while` is true of the event's subject."""

    label: str
    url: str
    open_while: str
    is_primary: bool = False


@dataclass(frozen=True)
class Outcome:
    """What has become of the event's subject since, as the notice shows it; `action` then takes the
    place of the type's own.
    """

    label: str
    action: Link | None = None


@dataclass(frozen=True)
class MailedLink:
    """An action that only the mail offers, because its link proves who got the mail. The token in
    its URL signs the user's id and the event's `fact` for `purpose`; without that fact there is no
    link.
    """

    label: str
    url: str
    purpose: str
    fact: str


# What the number in a summary counts.
NOTICES, OTHER_NOTICES, OTHER_ACTORS, OTHER_AFFECTED = range(4)


@dataclass(frozen=True)
class Summary:
    """The sentence of a group of notices: its two plural forms, filled in with the facts of the
    newest notice and with `{n}`, which is what `counts` says.

    Of the actors, or the affected users, all are counted but the one whom the newest notice names.
    If there is no other, the forms in `repeated` stand instead; their `{n}` counts notices.
    """

    one: str
    many: str
    counts: int = NOTICES
    repeated: tuple[str, str] = ("", "")


AND_MORE = Summary(N_("{sentence} and {n} more"), N_("{sentence} and {n} more"), OTHER_NOTICES)


@dataclass(frozen=True)
class EventType:
    """`channels` are those that are on by default, besides the app, which is on unless `in_app` is
    False. Nobody can switch off the channels in `mandatory`. `is_immediate`: it is sent at once and
    alone, whatever the delay and the digest, and even to those who have read it.

    `is_custom`: the sender chooses the words and the priority, both in the context; the notice has
    a page of its own.

    `subject` is what forms a group: TEAM or PROJECT, "" for notices that stand alone. `summary` is the
    sentence of such a group.
    """

    name: str
    label: str
    icon: str
    audience: Audience
    message: str
    message_to_affected: str = ""
    action: Link | None = None
    buttons: tuple[Button, ...] = ()
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    mailed_link: MailedLink | None = None
    channels: frozenset[str] = frozenset()
    in_app: bool = True
    mandatory: frozenset[str] = frozenset()
    is_immediate: bool = False
    priority: str = NORMAL
    group: str = TEAMS
    subject: str = ""
    summary: Summary = AND_MORE
    is_custom: bool = False
    ignores_mute: bool = False
    # How long a push may wait for a device that is offline.
    push_ttl: timedelta = timedelta(days=1)
    context: tuple[str, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_high(self) -> bool:
        return self.priority == HIGH

    @property
    def goes_at_once(self) -> bool:
        """Whether it is sent without waiting for the delay or the digest."""
        return self.is_high or self.is_immediate

    @property
    def can_be_muted(self) -> bool:
        """Muting a team or project does not stop events meant for one user, nor urgent ones, unless
        it is only their sender who calls them urgent.
        """
        is_urgent = self.is_high and not self.is_custom
        return not (is_urgent or self.ignores_mute or self.audience in audience.PERSONAL)

    @property
    def has_audience(self) -> bool:
        """False for a type that only lends its label and icon to filters."""
        return self.audience is not audience.nobody

    def is_on(self, channel: str) -> bool:
        """Whether `channel` is on by default."""
        return self.in_app if channel == IN_APP else channel in self.channels

    def link(self, *, to_affected: bool) -> Link | None:
        """The action of a notice to the affected user, or to others."""
        is_offered = self.action and (self.action.for_affected or not to_affected)
        return self.action if is_offered else None

    def target(self, facts: Mapping[str, Any], *, to_affected: bool) -> str | None:
        """The page that opens a notice with these ids and facts: visiting it marks the notice as
        read. None for a notice that has a page of its own.
        """
        link = self.link(to_affected=to_affected)
        return filled(link.page, facts) if link and not self.is_custom else None

    def template(self, *, to_affected: bool) -> str:
        """The sentence for the affected user, or for others, before it is translated."""
        return (self.message_to_affected if to_affected else "") or self.message


def filled(url: str, facts: Mapping[str, Any]) -> str | None:
    """The URL with its placeholders filled in; None if a fact is missing."""
    is_complete = all(facts.get(name) is not None for name in placeholders(url))
    return url.format_map(facts) if is_complete else None


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


def sentence(name: str, context: Mapping[str, Any], *, to_affected: bool) -> str:
    """The sentence of a notice of this type, in the current language."""
    return to_plain(isolated_sentence(name, context, to_affected=to_affected))


def isolated_sentence(name: str, context: Mapping[str, Any], *, to_affected: bool) -> str:
    """The same with its names isolated, for app.values.names to show it as HTML or text."""
    return _(TYPES[name].template(to_affected=to_affected)).format_map(_Facts(context))


def isolated_summary(
    name: str, context: Mapping[str, Any], counts: Sequence[int], *, to_affected: bool
) -> str:
    """The sentence of a group whose newest notice has this context, isolated likewise.

    `counts` are the numbers of notices, other notices, other actors and other affected users.
    """
    sentence = isolated_sentence(name, context, to_affected=to_affected)
    if counts[NOTICES] == 1:
        return sentence
    summary = TYPES[name].summary
    forms, n = (summary.one, summary.many), counts[summary.counts]
    if not n:
        forms, n = summary.repeated, counts[NOTICES]
    facts = _Facts({**context, "sentence": sentence, "n": n})
    return ngettext(*forms, n).format_map(facts)


def isolated_place(name: str, context: Mapping[str, Any], *, to_affected: bool) -> str:
    """Where it happened, as the sentence is isolated: the team, unless the sentence names it."""
    named = placeholders(TYPES[name].template(to_affected=to_affected))
    if not context.get("team_name") or named & NAMES_OF_TEAMS:
        return ""
    return _(IN_TEAM).format_map(_Facts(context))


def names_user(name: str, context: Mapping[str, Any], username: str, *, to_affected: bool) -> bool:
    """Whether the sentence names this user."""
    named = placeholders(TYPES[name].template(to_affected=to_affected))
    return any(context.get(fact) == username for fact in NAMES_OF_USERS if fact in named)


def detail(context: Mapping[str, Any]) -> str:
    """The text below the sentence: what went wrong, or what the sender wrote."""
    return str(context.get("error") or context.get("body") or "")


@cache
def placeholders(template: str) -> frozenset[str]:
    return frozenset(name for _text, name, *_format in Formatter().parse(template) if name)


class _Facts(dict[str, Any]):
    """The context with its names isolated and its words translated: roles, and the stand-in for the
    name of a deleted account. A fact that an old event lacks is shown as a dash.
    """

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            return "–"
        value = super().__getitem__(name)
        is_stand_in = name in NAMES_OF_USERS and value == SOMEONE
        shown = _(value) if is_stand_in or name in ("role", "old_role", "new_role") else value
        if name in NAMES:
            return isolate(str(shown))
        return clean(str(shown)) if name == "title" else shown

    def __missing__(self, name: str) -> str:
        return "–"


GO_TO_TEAM = Link(N_("Go to Team"), "/teams/{team_id}")
# Opens one notification and redirects to where its link leads. For a page that is not the target of
# its type: a visit to that page does not open it.
OPEN = "/notifications/{notification_id}/open"
OPEN_TEAM = replace(GO_TO_TEAM, url=OPEN, leads_to=GO_TO_TEAM.url)
VIEW_PROJECT = Link(N_("View Project"), "/projects/{project_id}")
SOMEONE = N_("Someone")
IN_TEAM = N_("in team '{team_name}'")
NAMES_OF_USERS = ("username", "inviter")
NAMES_OF_TEAMS = {"team_name", "old_name", "new_name"}
NAMES = (*NAMES_OF_USERS, "team_name", "project_name", "old_name", "new_name", "name")
ROLES = (N_("owner"), N_("admin"), N_("editor"), N_("viewer"))

INVITATION_RECEIVED = event(
    "invitation_received",
    label=N_("You are invited to a team"),
    group=ABOUT_YOU,
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
    outcomes={
        "accepted": Outcome(N_("Accepted"), OPEN_TEAM),
        "declined": Outcome(N_("Declined")),
        "revoked": Outcome(N_("Revoked")),
        "expired": Outcome(N_("Expired")),
    },
    channels={EMAIL, PUSH},
    priority=HIGH,
    context=("role", "inviter"),
    example={"inviter": "Alice", "team_name": "Video Squad", "role": "editor"},
)
INVITATION_DECLINED = event(
    "invitation_declined",
    label=N_("Someone declines your invitation"),
    group=ABOUT_YOU,
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
REVIEW_ACCOUNT = Link(N_("Review Account"), "/account")
ACCOUNT_PASSWORD_CHANGED = event(
    "account_password_changed",
    label=N_("Your password is changed"),
    group=ACCOUNT,
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
    group=ACCOUNT,
    icon="bi-envelope-at",
    audience=audience.affected_only,
    message=N_("A change of your address to {address} was requested"),
    action=REVIEW_ACCOUNT,
    mailed_link=MailedLink(
        N_("Cancel this change"),
        "/account/address/cancel/{token}",
        purpose="cancel_address_change",
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
    group=ACCOUNT,
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
    group=ACCOUNT,
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
    group=PROJECTS,
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
    group=PROJECTS,
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
    group=COMPILATIONS,
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
    group=COMPILATIONS,
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
    group=ABOUT_YOU,
    icon="bi-megaphone",
    audience=audience.everybody,
    message="{title}",
    action=OPEN_LINK,
    is_custom=True,
    context=("title", "body", "url", "priority"),
    example={"title": "The server rests on Sunday from 8 to 9"},
)
