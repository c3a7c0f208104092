"""The contents of a notification mail: one notice, a bundle of several, or a digest.

Subjects are the catalogue's sentences. Mails about one project or team belong to one thread
(RFC 5322, 3.6.4) and list (RFC 2919); each can be stopped with one click (RFC 2369, RFC 8058).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from sqlalchemy import Row

from app.language import _, current_language, in_language, ngettext
from app.mail.composing import (
    compose,
    domain_of,
    message_id,
    render_mail,
    unsubscribe_headers,
)
from app.mail.mime import Picture, named
from app.models import User
from app.notifications.channels.email.unsubscribe import EVERYTHING, unsubscribe_url
from app.notifications.events.catalogue import TYPES
from app.notifications.events.event_type import EMAIL
from app.notifications.events.notices import Action, Notice, as_notice
from app.security import Signer
from app.settings import Settings
from app.values.names import clean, shorten

MOST_SHOWN = 50
# Each takes up some 50 KB.
MOST_PICTURES = 3
# With "Subject: " and "and 99 more" it still fits on one line of the header.
SUBJECT_LENGTH = 56


@dataclass(frozen=True)
class Item:
    """A notice as a mail shows it; `links` are absolute. `picture` is the thumbnail of its video,
    which is attached to the mail.
    """

    notice: Notice
    section: str
    links: list[Action]
    picture: Picture | None = None


@dataclass(frozen=True)
class Section:
    name: str
    notices: list[Item]


def write_mail(
    settings: Settings, signer: Signer, rows: Sequence[Row[Any]], *, name: str, is_digest: bool
) -> bytes:
    """The mail with these notices of one user; its Message-ID depends on `name`.

    Raises TemplateError, or ValueError when the address cannot be written in a header.
    """
    user: User = rows[0].User
    with in_language(user.language):
        items = _with_pictures(settings, [_item(settings, signer, row) for row in rows])
        template = "digest" if is_digest else "notices" if len(items) > 1 else "notice"
        mail = render_mail(template, _context(settings, signer, user, items, rows[0].type))
    mail = replace(mail, pictures=[item.picture for item in items if item.picture])
    headers = _headers(settings, signer, rows, is_digest=is_digest)
    return compose(settings, mail, address=rows[0].address, name=name, headers=headers)


def _item(settings: Settings, signer: Signer, row: Row[Any]) -> Item:
    notice, facts = as_notice(row), row.context
    actions = [*notice.actions, *_mailed_links(signer, row)]
    links = [_absolute(settings, link) for link in actions if link.method == "get"]
    section = facts.get("project_name") or facts.get("team_name") or ""
    return Item(notice, section, links)


def _with_pictures(settings: Settings, items: list[Item]) -> list[Item]:
    """Adds thumbnails to the first MOST_PICTURES shown notices that have a video."""
    left = MOST_PICTURES
    for index, item in enumerate(items[:MOST_SHOWN]):
        if left and (picture := _picture(settings, item.notice)):
            items[index] = replace(item, picture=picture)
            left -= 1
    return items


def _picture(settings: Settings, notice: Notice) -> Picture | None:
    if not notice.thumbnail_url or not notice.compilation_id:
        return None
    try:
        jpeg = settings.thumbnail_of(notice.compilation_id).read_bytes()
    except OSError:  # the project was deleted meanwhile
        return None
    return Picture(f"video-{notice.compilation_id}.{notice.id}@{domain_of(settings)}", jpeg)


def _mailed_links(signer: Signer, row: Row[Any]) -> list[Action]:
    link = TYPES[row.type].mailed_link
    if link is None or link.fact not in row.context:
        return []
    token = signer.sign(link.purpose, [row.user_id, row.context[link.fact]])
    return [Action(_(link.label), link.url.format(token=token))]


def _absolute(settings: Settings, link: Action) -> Action:
    """The label of a link to another site names its host."""
    if link.host:
        return replace(link, label=f"{link.label} ({link.host})")
    return replace(link, url=settings.base_url + link.url)


def _context(
    settings: Settings, signer: Signer, user: User, items: list[Item], type: str
) -> dict[str, Any]:
    count = len(items)
    return {
        "base_url": settings.base_url,
        "user": user,
        "language": current_language(),
        "item": items[0],
        "sections": _sections(items[:MOST_SHOWN]),
        "count": count,
        "more": max(0, count - MOST_SHOWN),
        "subject": shorten(items[0].notice.sentence, SUBJECT_LENGTH),
        "headline": ngettext("{count} notification", "{count} notifications", count).format(
            count=count
        ),
        "type_label": _(TYPES[type].label),
        "stop_type_url": _stop_url(settings, signer, user, type),
        "stop_all_url": unsubscribe_url(settings, signer, user, EVERYTHING),
        "preferences_url": f"{settings.base_url}/account/notifications",
    }


def _stop_url(settings: Settings, signer: Signer, user: User, type: str) -> str:
    """The link that stops mails of this type; "" for a type that cannot be stopped."""
    is_mandatory = EMAIL in TYPES[type].mandatory
    return "" if is_mandatory else unsubscribe_url(settings, signer, user, type)


def _sections(items: list[Item]) -> list[Section]:
    """By project or team, in order of first appearance; notices with neither come last."""
    order: dict[str, int] = {}
    for item in items:
        order.setdefault(item.section, len(order) if item.section else len(items))
    arranged = sorted(items, key=lambda item: order[item.section])
    return [
        Section(name, list(some)) for name, some in groupby(arranged, lambda item: item.section)
    ]


def _headers(
    settings: Settings, signer: Signer, rows: Sequence[Row[Any]], *, is_digest: bool
) -> dict[str, str]:
    first, scope = rows[0], EVERYTHING if len(rows) > 1 or is_digest else rows[0].type
    if scope != EVERYTHING and EMAIL in TYPES[scope].mandatory:
        return {}
    headers = unsubscribe_headers(unsubscribe_url(settings, signer, first.User, scope))
    if is_digest:
        return headers | {"Precedence": "bulk"}
    subjects = {_subject(row) for row in rows}
    if len(subjects) == 1 and (subject := subjects.pop()):
        headers |= _thread(settings, subject, first.context)
    return headers


def _subject(row: Row[Any]) -> str:
    if row.project_id:
        return f"project-{row.project_id}"
    return f"team-{row.team_id}" if row.team_id else ""


def _thread(settings: Settings, subject: str, facts: dict[str, Any]) -> dict[str, str]:
    root = message_id(settings, subject)
    name = facts.get("project_name" if subject.startswith("project") else "team_name", "")
    list_id = named(clean(str(name)), f"{subject}.{domain_of(settings)}")
    return {"In-Reply-To": root, "References": root, "List-Id": list_id}
