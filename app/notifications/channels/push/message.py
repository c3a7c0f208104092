"""The payload and headers of a push (RFC 8030), within the size limit of RFC 8291.

Our service worker reads the payload. It is also a declarative push message (Push API), which a
browser can show without running a script.
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
from app.notifications.events.catalogue import type_of
from app.notifications.events.event_type import HIGH, LOW, NORMAL, EventType
from app.notifications.events.notices import thumbnail_url
from app.notifications.events.sentences import detail, isolated_sentence
from app.settings import Settings
from app.values.names import clean, shorten, to_text
from app.web.static_files import asset

# Every push service accepts 4,096 bytes; encryption uses up the difference (RFC 8291, section 4).
MOST_BYTES = 3993
TITLE_LENGTH = 80
BODY_LENGTH = 240
URGENCY = {HIGH: "high", NORMAL: "normal", LOW: "low"}
NAME = "ClippyFront"
PREFERENCES = "/account/notifications"
TEST = "push_test"
TEST_TTL = timedelta(minutes=10)


def time_to_live(event_type: EventType | None) -> timedelta:
    """How long a push stays relevant for an event of this type, or for a test (None)."""
    return event_type.push_ttl if event_type else TEST_TTL


@dataclass(frozen=True)
class Message:
    """The `payload` and `headers` to send; `small` is a shorter payload for when it is too large."""

    payload: bytes
    headers: dict[str, str]
    _facts: Mapping[str, Any]
    _wording: "Wording"

    @property
    def small(self) -> bytes:
        return _payload({**self._facts, "title": NAME, "body": self._wording.brief})


@dataclass(frozen=True)
class Wording:
    """The text of an event in one language; `brief` is a body that always fits the size limit.
    `image` is the path of a picture. The browser fetches it as its user, so the push service never
    sees it.

    Two messages to the same user with the same `subject` are repeats: the newer replaces the older.
    """

    title: str
    body: str
    brief: str
    urgency: str
    subject: tuple[object, ...]
    actions: list[dict[str, str]]
    image: str | None = None


class PushWriter:
    """Writes the messages of one batch. Recipients with the same wording share it."""

    def __init__(self, settings: Settings) -> None:
        self._base = settings.base_url
        self._key = hashlib.sha256(settings.secret_key.encode()).digest()
        self._icon = asset("icons/192.png")
        self._wordings: dict[object, Wording] = {}

    def write(self, row: Row[Any], seconds: int, unread: int) -> Message:
        """The message for the notification of a row, or for a test. It expires in `seconds` and says
        how many notifications are unread.
        """
        wording, notification_id = self._wording_for(row), row.notification_id
        facts = {
            "title": wording.title,
            "body": wording.body,
            "url": self._base
            + (f"/notifications/{notification_id}" if notification_id else PREFERENCES),
            "tag": self._topic(row.user_id, *wording.subject),
            "icon": self._icon,
            "unread_count": unread,
            "notification_id": notification_id,
            "timestamp": int(row.created_at.timestamp() * 1000),
        }
        if wording.image:
            facts["image"] = self._base + wording.image
        headers = {"TTL": str(seconds), "Urgency": wording.urgency, "Topic": facts["tag"]}
        payload = _payload({**facts, "actions": wording.actions})
        message = Message(payload, headers, facts, wording)
        return message if len(payload) <= MOST_BYTES else replace(message, payload=message.small)

    def _wording_for(self, row: Row[Any]) -> Wording:
        reader = row.event_id, row.language, row.affected_id == row.user_id
        if (known := self._wordings.get(reader)) is None:
            with in_language(row.language):
                known = self._wordings[reader] = _of_test() if row.transactional else _of_event(row)
        return known

    def _topic(self, *parts: object) -> str:
        """A keyed hash of 32 characters, the same for repeats and meaningless to a push service.

        For a device out of reach, a push service keeps only the newest message of a topic
        (RFC 8030, section 5.4); a screen shows only the newest one of a tag.
        """
        return encode(hashlib.blake2b(repr(parts).encode(), key=self._key, digest_size=24).digest())


def _of_test() -> Wording:
    works = _("Push works on this device.")
    return Wording(NAME, works, works, URGENCY[HIGH], (TEST,), [_open()])


def _of_event(row: Row[Any]) -> Wording:
    """`subject` includes the title, which is all that distinguishes two custom events."""
    context = row.context
    return Wording(
        title=_title(context),
        body=_body(row),
        brief=_("You have a new notification."),
        urgency=URGENCY[type_of(row.type, context).priority],
        subject=(row.type, *_about(row), row.affected_id, context.get("title")),
        actions=[_open(), {"action": "read", "title": _("Mark as read")}],
        image=thumbnail_url(row),
    )


def _about(row: Row[Any]) -> tuple[object, object]:
    """The team and project: by name if deleted, so that different deleted ones stay distinct."""
    team = row.team_id or row.context.get("team_name")
    return team, row.project_id or row.context.get("project_name")


def _title(context: Mapping[str, Any]) -> str:
    """The project or team, because many sentences do not name it."""
    name = context.get("project_name") or context.get("team_name") or NAME
    return shorten(clean(str(name)), TITLE_LENGTH)


def _body(row: Row[Any]) -> str:
    text = isolated_sentence(row.type, row.context, to_affected=row.affected_id == row.user_id)
    return to_text(shorten(f"{text}\n{detail(row.context)}".strip(), BODY_LENGTH))


def _open() -> dict[str, str]:
    return {"action": "open", "title": _("Open")}


def _payload(facts: Mapping[str, Any]) -> bytes:
    badge = facts["unread_count"]
    declared = {
        "title": facts["title"],
        "body": facts["body"],
        "navigate": facts["url"],
        "tag": facts["tag"],
        "silent": False,
        "app_badge": str(badge),  # read by early implementations; the standard places it below
    }
    return msgspec.json.encode(
        {"web_push": 8030, "notification": declared, "app_badge": badge, **facts}
    )
