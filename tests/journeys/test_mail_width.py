"""Mails fit their window, whatever people call themselves."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser

from app import clock
from app.mail.composing import render_mail
from app.notifications.channels.email.notification_mail import Item, Section
from app.notifications.events.notices import Action, Notice
from app.values.names import isolate

NAMES = {
    "no blank": "W" * 120,
    "emoji": "👩‍👩‍👧‍👦" * 20,
    "right to left": "ف" * 120,
    "mixed": "فريق 12 (v2) " + "x" * 100,
}


@pytest.mark.parametrize("width", [600, 390])
@pytest.mark.parametrize("name", NAMES)
async def test_no_name_makes_a_mail_wider_than_its_window(
    chromium: Browser, name: str, width: int
) -> None:
    page = await chromium.new_page(viewport={"width": width, "height": 900})

    widths = {}
    for template, context in mails_about(NAMES[name]):
        await page.set_content(render_mail(template, context).html)
        widths[template] = await page.evaluate("document.documentElement.scrollWidth")
    await page.close()

    assert widths == dict.fromkeys(widths, width)


def mails_about(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    common = {"base_url": f"http://{'h' * 60}.example.com:8000", "user": None, "language": "en"}
    item = Item(notice_about(name), name, [Action(f"Open ({'h' * 60}.example.com)", "http://x")])
    sections, urls = (
        [Section(name, [item, item])],
        ("stop_type_url", "stop_all_url", "preferences_url"),
    )
    facts = {
        "item": item,
        "sections": sections,
        "count": 2,
        "more": 3,
        "headline": "2 notifications",
    }
    links = dict.fromkeys(urls, "http://x") | {"type_label": name, "subject": name}
    for template in ("notice", "notices", "digest"):
        yield template, common | facts | links
    invited = {"inviter": name, "team": name, "role": "editor", "days": 7, "short_name": name}
    yield "invitation", common | invited | {"token": "t" * 80, "stop_token": "t" * 80}
    user = {"username": name, "email": f"{name}@example.com"}
    yield "address_changed", common | user


def notice_about(name: str) -> Notice:
    sentence = f"Team '{isolate(name)}' is now called '{isolate(name)}'"
    team_phrase = f"in team '{isolate(name)}'"
    notice = Notice(
        1, 1, "team_updated", "bi-pencil", sentence, name, clock.now(), False, False, [], "/"
    )
    return replace(notice, team_phrase=team_phrase, byline=name, body=name)
