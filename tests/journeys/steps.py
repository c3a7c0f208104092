"""Steps that several journeys share, taken with the forms of the pages."""

from playwright.async_api import Page, expect
from sqlalchemy import select

from app.database import Database
from app.models import Compilation
from tests import clips
from tests.journeys.browsing import (
    Sight,
    Visitor,
    open_panel,
    wait_for,
)


async def inbox_of(visitor: Visitor) -> Page:
    """Opens the inbox and the bell's panel in front of it."""
    page = await visitor.open("/notifications")
    await open_panel(page)
    return page


async def start_project(visitor: Visitor, name: str) -> Page:
    page = await visitor.open("/projects")
    await page.get_by_label("Project name").fill(name)
    async with page.expect_event("load"):  # from then on its scripts run
        await page.get_by_role("button", name="Create project").click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()
    return page


async def upload(page: Page, *names: str) -> None:
    files = [clips.make(name) for name in names]
    await page.get_by_label("Clips").set_input_files(files)
    await page.get_by_role("button", name="Upload").click()
    for file in files:
        await expect(page.locator("#clip-list").get_by_text(file.name).first).to_be_visible()


async def seen_at_the_end(db: Database, *sights: Sight) -> None:
    """Waits until the pages show the sights, and asserts that the compilation has ended."""
    await wait_for(*sights)
    await has_finished(db)


async def has_finished(db: Database) -> None:
    """Asserts that the only compilation has ended."""
    async with db.read() as session:
        compilation = (await session.scalars(select(Compilation))).one()
    assert compilation.finished_at
