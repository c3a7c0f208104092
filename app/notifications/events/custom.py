"""The event types whose sender writes the words: integrations and administrators."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult

from app.errors import require_valid
from app.http import own_path, split_url
from app.language import _
from app.notifications.events.event_type import NORMAL
from app.notifications.events.grouping import KEY_LENGTH
from app.values.names import NAME_PATTERN, name_error, tidy

TITLE_LENGTH, BODY_LENGTH, URL_LENGTH = 200, 2000, 2000


@dataclass(frozen=True)
class CustomMessage:
    """`url` is "", a path on this server or https; `priority` is high, normal or low. Messages of a
    team with the same `group_key` form a group.
    """

    title: str
    body: str = ""
    url: str = ""
    priority: str = NORMAL
    group_key: str = ""

    def require_valid(self) -> None:
        """Raises Invalid for `title`, `body`, `url`, `group_key`."""
        require_valid(
            title=name_error(self.title, most=TITLE_LENGTH, if_empty=_("Enter a title.")),
            body=_length_error(self.body, BODY_LENGTH),
            url=_length_error(self.url, URL_LENGTH) or _url_error(self.url),
            group_key=key_error(self.group_key),
        )

    def facts(self) -> dict[str, Any]:
        """The event's context."""
        optional = {"body": self.body.strip(), "url": self.url, "group_key": self.group_key}
        given = {name: fact for name, fact in optional.items() if fact}
        return {"title": tidy(self.title), "priority": self.priority} | given


def key_error(key: str) -> str:
    """Why `key`, which a program chose, is invalid, or ""."""
    if not re.match(NAME_PATTERN, key):
        return _("Use a single line without invisible characters.")
    return _length_error(key, KEY_LENGTH)


def _length_error(text: str, most: int) -> str:
    return _("Use at most {n} characters.").format(n=most) if len(text) > most else ""


def _url_error(url: str) -> str:
    if not url or own_path(url, "") == url or _is_https(url):
        return ""
    return _("A link must be a path on this server or begin with https://.")


def _is_https(url: str) -> bool:
    """An https URL with a host and without a user name, which could disguise the host."""
    parts = split_url(url)
    if parts is None or parts.scheme != "https":
        return False
    return _has_plain_host(parts) and url.isprintable()


def _has_plain_host(parts: SplitResult) -> bool:
    """ASCII only: names with other letters are sent as Punycode, where no two look alike."""
    host = parts.hostname or ""
    return bool(host) and host.isascii() and "@" not in parts.netloc and not set(host) & set(" \\")
