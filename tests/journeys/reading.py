"""What a user does in the inbox, with the same methods with and without scripts."""

import re
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from app.models import User
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.totals import Totals, count_totals
from tests.journeys.browsing import Visitor, inbox
from tests.journeys.running import Site

TIMEOUT = 60_000  # milliseconds; changing 100,000 notifications takes long on a busy machine


@dataclass
class Reader:
    """A user of the inbox, in the visitor's first tab."""

    visitor: Visitor

    @property
    def page(self) -> Page:
        return self.visitor.page

    @property
    def has_scripts(self) -> bool:
        return self.visitor.has_stream

    @property
    def rows(self) -> Locator:
        return inbox(self.page).get_by_role("listitem")

    def row(self, notification_id: int) -> Locator:
        return self.page.locator(f"#notice-{notification_id}")

    async def open(self, query: str = "") -> None:
        await self.visitor.open("/notifications" + query)

    async def narrow(self, label: str, value: str) -> None:
        """Selects a value of a filter: Type, Status or Date."""
        await self.page.get_by_label(label, exact=True).select_option(value)
        if not self.has_scripts:
            await self.page.get_by_role("button", name="Apply").click()

    async def press(self, row: Locator, name: str) -> None:
        """Presses a button of the row. Without scripts, there is no Undo and Delete asks first."""
        await row.get_by_role("button", name=name, exact=True).click()
        if name == "Delete":
            await self._confirm()

    async def choose(self, *ids: int) -> None:
        for one in ids:
            await self.row(one).get_by_role("checkbox").check()

    async def choose_all(self) -> None:
        await self.page.get_by_label(re.compile(r"Select all \d+ matching")).check()

    async def do(self, name: str) -> None:
        """Presses a button above the list, for the selection."""
        await self.page.get_by_role("button", name=name, exact=True).click()
        if name == "Delete selected":
            await self._confirm()

    async def undo(self) -> None:
        await self.page.get_by_role("button", name="Undo").last.click()

    async def is_told(self, sentence: str) -> None:
        await expect(self.page.get_by_text(sentence, exact=True)).to_be_visible(timeout=TIMEOUT)

    async def sees_matching(self, count: int) -> None:
        label = self.page.get_by_label(f"Select all {count} matching", exact=True)
        await expect(label).to_be_visible(timeout=TIMEOUT)

    async def _confirm(self) -> None:
        if not self.has_scripts:
            await self.page.get_by_role("main").get_by_role("button", name="Delete").click()


async def totals(site: Site, user: User, **chosen: str) -> Totals:
    """The counts in the database."""
    async with site.db.read() as session:
        wanted = Filter({name: (value,) for name, value in chosen.items()})
        return await count_totals(session, user.id, wanted)
