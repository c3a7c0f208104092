"""What a push says, and how it is to travel: RFC 8030; small enough for RFC 8291.

The payload is read by our service worker. It is a declarative web push (Push API, "declarative push
message") at the same time, which a browser can show without asking any script.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import Row

from app.language import _, in_language
from app.notifications.channels.push.base64url import encode
from app.notifications.events.catalogue import HIGH, LOW, NORMAL, sentence, type_of
from app.settings import Settings
from app.static_files import asset

# What is left of the 4,096 bytes that every push service takes, when it is encrypted (RFC 8291, 4).
MOST_BYTES = 3993
TITLE_LENGTH = 80
BODY_LENGTH = 240
URGENCY = {HIGH: "high", NORMAL: "normal", LOW: "low"}
NAME = "ClippyFront"
PREFERENCES = "/account/notifications"
TEST = "push_test"
TEST_TTL = timedelta(minutes=10)


@dataclass(frozen=True)
class Message:
    """`payload` and `headers` to send; `small` says less, for where the payload is too large."""

    payload: bytes
    headers: dict[str, str]
    _facts: Mapping[str, Any]
    _wording: "Wording"

    @property
    def small(self) -> bytes:
        return _payload({**self._facts, "title": NAME, "body": self._wording.brief})


@dataclass(frozen=True)
class Wording:
    """What all who read of an event in one language are told; `brief` is a body that fits always.

    `subject` is what makes one message a repeat of another to the same person.
    """

    title: str
    body: str
    brief: str
    urgency: str
    subject: tuple[object, ...]
    actions: list[dict[str, str]]


class Writer:
    """Writes the messages of one batch: what many are told is put into words once."""

    def __init__(self, settings: Settings) -> None:
        self._base = settings.base_url
        self._key = hashlib.sha256(settings.secret_key.encode()).digest()
        self._icon = asset("icons/192.png")
        self._wordings: dict[object, Wording] = {}

    def write(self, row: Row[Any], seconds: int) -> Message:
        """About the notice of a row, or that push works; news for `seconds` from now."""
        wording, one = self._wording_for(row), row.notification_id
        facts = {
            "title": wording.title,
            "body": wording.body,
            "url": f"{self._base}/notifications/{one}" if one else self._base + PREFERENCES,
            "tag": self._topic(row.user_id, *wording.subject),
            "icon": self._icon,
            "unread_count": row.unread,
            "notification_id": one,
            "timestamp": int(row.created_at.timestamp() * 1000),
        }
        headers = {"TTL": str(seconds), "Urgency": wording.urgency, "Topic": facts["tag"]}
        payload = _payload({**facts, "actions": wording.actions})
        message = Message(payload, headers, facts, wording)
        return message if len(payload) <= MOST_BYTES else replace(message, payload=message.small)

    def _wording_for(self, row: Row[Any]) -> Wording:
        reader = row.event_id, row.language, row.affected_id == row.user_id
        if (known := self._wordings.get(reader)) is None:
            with in_language(row.language):
                known = self._wordings[reader] = _of_test() if row.letter else _of_event(row)
        return known

    def _topic(self, *of: object) -> str:
        """What makes a message a repeat of another, as 32 characters that tell nobody anything.

        A push service keeps only the newest of a topic for a device that is out of reach
        (RFC 8030, 5.4), a screen shows only the newest of a tag.
        """
        return encode(hashlib.blake2b(repr(of).encode(), key=self._key, digest_size=24).digest())


def _of_test() -> Wording:
    works = _("Push works on this device.")
    return Wording(NAME, works, works, URGENCY[HIGH], (TEST,), [_open()])


def _of_event(row: Row[Any]) -> Wording:
    """Of a custom event only its title says what it is about."""
    context = row.context
    return Wording(
        title=_title(context),
        body=_body(row),
        brief=_("You have a new notification."),
        urgency=URGENCY[type_of(row.type, context).priority],
        subject=(row.type, *_about(row), row.affected_id, context.get("title")),
        actions=[_open(), {"action": "read", "title": _("Mark as read")}],
    )


def _about(row: Row[Any]) -> tuple[object, object]:
    """Which team and project: by name where it is no more, else all such would be one."""
    team = row.team_id or row.context.get("team_name")
    return team, row.project_id or row.context.get("project_name")


def _title(context: Mapping[str, Any]) -> str:
    """What it is about: many sentences do not name their team."""
    name = context.get("project_name") or context.get("team_name") or NAME
    return _cut(str(name), TITLE_LENGTH)


def _body(row: Row[Any]) -> str:
    text = sentence(row.type, row.context, to_affected=row.affected_id == row.user_id)
    detail = row.context.get("error") or row.context.get("body") or ""
    return _cut(f"{text}\n{detail}".strip(), BODY_LENGTH)


def _open() -> dict[str, str]:
    return {"action": "open", "title": _("Open")}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _payload(facts: Mapping[str, Any]) -> bytes:
    one, badge = facts["notification_id"], facts["unread_count"]
    declared = {
        "title": facts["title"],
        "body": facts["body"],
        # No service worker sees a click on what the browser shows by itself: the page marks it read.
        "navigate": facts["url"] + (f"#read-{one}" if one else ""),
        "tag": facts["tag"],
        "silent": False,
        "app_badge": str(badge),  # where the first browsers with it look; the standard has it below
    }
    return msgspec.json.encode(
        {"web_push": 8030, "notification": declared, "app_badge": badge, **facts}
    )
