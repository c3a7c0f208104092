"""The parts of an event type: its links and buttons, its summary, its defaults on each channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from string import Formatter
from typing import Any

from app.language import N_
from app.notifications.events import audience
from app.notifications.events.audience import Audience

IN_APP, EMAIL, PUSH = "in_app", "email", "push"
HIGH, NORMAL, LOW = PRIORITIES = ("high", "normal", "low")
# The headings under which the preferences page lists the types.
ABOUT_YOU, ACCOUNT, TEAMS = N_("About you"), N_("Your account"), N_("Teams")
PROJECTS, COMPILATIONS = N_("Projects"), N_("Compilations")
HEADINGS = (ABOUT_YOU, ACCOUNT, TEAMS, PROJECTS, COMPILATIONS)
# The subjects of events: notices of one type about one subject form a group.
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
class SubjectState:
    """The present state of the event's subject, as the notice shows it. Its `action`, if any,
    replaces the type's own.
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

    OTHER_ACTORS and OTHER_AFFECTED leave out the user whom the newest notice names. If there are no
    others, the forms in `repeated` are used instead; their `{n}` counts notices.
    """

    one: str
    many: str
    counts: int = NOTICES
    repeated: tuple[str, str] = ("", "")


AND_MORE = Summary(N_("{sentence} and {n} more"), N_("{sentence} and {n} more"), OTHER_NOTICES)


@dataclass(frozen=True, eq=False)
class EventType:
    """An entry of the catalogue. It is compared by identity, because statements are cached for it.

    `channels` are those that are on by default, besides the app, which is on unless `in_app` is
    False. Nobody can switch off the channels in `mandatory`. `is_immediate`: it is sent at once in
    its own message, regardless of delay and digest, even if the recipient has read it.

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
    subject_states: Mapping[str, SubjectState] = field(default_factory=dict)
    mailed_link: MailedLink | None = None
    channels: frozenset[str] = frozenset()
    in_app: bool = True
    mandatory: frozenset[str] = frozenset()
    is_immediate: bool = False
    priority: str = NORMAL
    heading: str = TEAMS
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
        """Muting a team or project stops neither events that concern one user personally nor urgent
        ones, except custom events, whose urgency is only their sender's choice.
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


@cache
def placeholders(template: str) -> frozenset[str]:
    return frozenset(name for _text, name, *_format in Formatter().parse(template) if name)
