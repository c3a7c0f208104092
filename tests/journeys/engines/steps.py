"""Steps that several journeys in the three engines share, taken with the forms of the pages."""

from tests import clips
from tests.factories import PASSWORD
from tests.journeys.engines.page import BELL, Page, bell, button, heading, labelled


async def register(page: Page, name: str) -> None:
    await page.open("/register")
    await page.fill(labelled("Username"), name)
    await page.fill(labelled("Email"), f"{name}@example.com")
    await page.fill(labelled("Password"), PASSWORD)
    await page.click(button("Create account", within="main"))
    await page.sees(bell(0))


async def inbox_of(page: Page) -> None:
    """Opens the inbox and the bell's panel in front of it."""
    await page.open("/notifications")
    await page.click(BELL)
    await page.shows(("#panel", "Notifications"))


async def start_project(page: Page, name: str) -> None:
    await page.open("/projects")
    await page.fill(labelled("Project name"), name)
    await page.click(button("Create project"))
    await page.sees(heading(name))


async def upload(page: Page, *names: str) -> None:
    files = [clips.make(name) for name in names]
    await page.attach(labelled("Clips"), *files)
    await page.click(button("Upload"))
    await page.shows(*(("#clip-list", file.name) for file in files))


async def share(page: Page, team: str) -> None:
    """Returns when the page after that is live."""
    await page.choose(labelled("Team"), team)
    await page.click(button("Share"))
    await page.shows(("#flash", f"Shared with {team}."))
    await page.is_live()
