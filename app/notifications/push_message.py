"""What a push says, and how it is to travel: RFC 8030; small enough for RFC 8291.

The payload is read by our service worker. It is a declarative web push (Push API, "declarative push
message") at the same time, which a browser can show without asking any script.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row

from app.base64url import encode
from app.language import _, speaking
from app.notifications.catalogue import HIGH, LOW, NORMAL, kind_of, sentence
from app.rendering import asset
from app.settings import Settings

# What is left of the 4,096 bytes that every push service takes, when it is encrypted (RFC 8291, 4).
MOST_BYTES = 3993
TITLE_LENGTH = 80
BODY_LENGTH = 240
URGENCY = {HIGH: "high", NORMAL: "normal", LOW: "low"}
TEST = "push_test"
TEST_TTL = timedelta(minutes=10)


@dataclass(frozen=True)
class Message:
    """`payload` and `headers` to send; `small` says less, for where the payload is too large."""

    payload: bytes
    small: bytes
    headers: Mapping[str, str]


def write_message(settings: Settings, row: Row[Any], seconds: int) -> Message:
    """About the notice of one row, in its reader's language; news for `seconds` from now."""
    urgency = URGENCY[kind_of(row.type, row.context).priority]
    with speaking(row.language):
        facts = {
            "title": _title(row.context),
            "body": _body(row),
            "url": f"{settings.base_url}/notifications/{row.notification_id}",
            "tag": topic(settings, row.user_id, row.type, *_subject(row)),
            "unread_count": row.unread,
            "notification_id": row.notification_id,
            "timestamp": _milliseconds(row.created_at),
        }
        return _message(facts, seconds, urgency)


def write_test(settings: Settings, row: Row[Any], seconds: int) -> Message:
    """That push works, for the device of one row."""
    with speaking(row.language):
        facts = {
            "title": "ClippyFront",
            "body": _("Push works on this device."),
            "url": f"{settings.base_url}/account/notifications",
            "tag": topic(settings, row.user_id, TEST),
            "unread_count": row.unread,
            "notification_id": None,
            "timestamp": _milliseconds(row.created_at),
        }
        return _message(facts, seconds, URGENCY[HIGH])


def topic(settings: Settings, *of: object) -> str:
    """What makes a message a repeat of another, as 32 characters that tell nobody anything.

    A push service keeps only the newest of a topic for a device that is out of reach
    (RFC 8030, 5.4), a screen shows only the newest of a tag.
    """
    key = hashlib.sha256(settings.secret_key.encode()).digest()
    digest = hashlib.blake2b(repr(of).encode(), key=key, digest_size=24).digest()
    return encode(digest)


def _subject(row: Row[Any]) -> tuple[object, ...]:
    """What it is about; of a custom event only its title says that."""
    return row.team_id, row.project_id, row.affected_id, row.context.get("title")


def _title(context: Mapping[str, Any]) -> str:
    """What it is about: many sentences do not name their team."""
    name = context.get("project_name") or context.get("team_name") or "ClippyFront"
    return _cut(str(name), TITLE_LENGTH)


def _body(row: Row[Any]) -> str:
    text = sentence(row.type, row.context, to_affected=row.affected_id == row.user_id)
    detail = row.context.get("error") or row.context.get("body") or ""
    return _cut(f"{text}\n{detail}".strip(), BODY_LENGTH)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _message(facts: Mapping[str, Any], seconds: int, urgency: str) -> Message:
    facts = {**facts, "icon": asset("icons/192.png")}
    small = _payload(facts | {"title": "ClippyFront", "body": _("You have a new notification.")})
    payload = _payload(facts | {"actions": _actions(facts)})
    headers = {"TTL": str(seconds), "Urgency": urgency, "Topic": facts["tag"]}
    return Message(payload if len(payload) <= MOST_BYTES else small, small, headers)


def _payload(facts: Mapping[str, Any]) -> bytes:
    one = facts["notification_id"]
    declared = {
        "title": facts["title"],
        "body": facts["body"],
        # No service worker sees a click on what the browser shows by itself: the page marks it read.
        "navigate": facts["url"] + (f"#read-{one}" if one else ""),
        "tag": facts["tag"],
        "silent": False,
    }
    badge = facts["unread_count"]
    return msgspec.json.encode(
        {"web_push": 8030, "notification": declared, "app_badge": badge, **facts}
    )


def _actions(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """At most two: more are shown nowhere."""
    read = [{"action": "read", "title": _("Mark as read")}] if facts["notification_id"] else []
    return [{"action": "open", "title": _("Open")}, *read]
