"""Clips that are uploaded by a script, each by itself."""

from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from app.models import User
from tests import clips
from tests.journeys.browsing import SERVER_IS_AWAY
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site
from tests.journeys.steps import start_project, upload

ACTS = (("Move", " up"), ("Move", " down"), ("Delete", ""))
TOP = "button => button.getBoundingClientRect().top"
IS_PAINTED = "button => button.checkVisibility({ opacityProperty: true })"


async def test_a_file_that_is_refused_says_why_and_spoils_no_other(
    site: Site, arrive: Arrive, alice: User, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.mp4"
    notes.write_text("not a video")
    maker = await arrive(alice)
    maker.watch.expect("status of 4")
    page = await start_project(maker, "Highlight Reel")

    await page.get_by_label("Clips").set_input_files([notes, clips.make("silent")])
    await page.get_by_role("button", name="Upload").click()

    await expect(page.locator("#clip-list")).to_contain_text("silent.mp4")
    await expect(page.locator("#clip-list")).not_to_contain_text("notes.mp4")
    problem = page.locator("#uploads").get_by_role("listitem")
    await expect(problem).to_have_count(1)
    await expect(problem.get_by_role("alert")).to_contain_text("'notes.mp4' is not a video")
    await expect(page.get_by_role("button", name="Upload")).to_be_enabled()


async def test_an_upload_without_a_connection_says_so(
    site: Site, arrive: Arrive, alice: User
) -> None:
    maker = await arrive(alice)
    maker.watch.expect(SERVER_IS_AWAY)
    page = await start_project(maker, "Highlight Reel")
    await maker.context.set_offline(True)

    await page.get_by_label("Clips").set_input_files([clips.make("silent")])
    await page.get_by_role("button", name="Upload").click()

    alert = page.locator("#uploads").get_by_role("alert")
    await expect(alert).to_have_text("The connection was lost. Please try again.")


NGINX = """<html>
<head><title>{0}</title></head>
<body>
<center><h1>{0}</h1></center>
<hr><center>nginx</center>
</body>
</html>
"""


@pytest.mark.parametrize(
    ("status", "title", "sentence"),
    [
        (413, "413 Request Entity Too Large", "This file is larger than a server on the way"),
        (502, "502 Bad Gateway", "ClippyFront cannot be reached at the moment."),
    ],
)
async def test_a_proxys_refusal_is_told_as_what_it_is(
    site: Site, arrive: Arrive, alice: User, status: int, title: str, sentence: str
) -> None:
    maker = await arrive(alice)
    maker.watch.expect(f"status of {status}|^{status} from ")
    page = await start_project(maker, "Highlight Reel")
    body = NGINX.format(title)

    async def refuse(route: Route) -> None:
        await route.fulfill(status=status, content_type="text/html", body=body)

    await page.route("**/clips", refuse)
    await page.get_by_label("Clips").set_input_files([clips.make("silent")])
    await page.get_by_role("button", name="Upload").click()

    alert = page.locator("#uploads").get_by_role("alert")
    await expect(alert).to_contain_text(sentence)


@pytest.mark.parametrize("width", [1280, 360])
async def test_the_three_buttons_of_a_clip_stand_in_one_line_and_can_be_seen(
    site: Site, arrive: Arrive, alice: User, width: int
) -> None:
    maker = await arrive(alice, viewport={"width": width, "height": 740}, has_touch=width < 600)
    page = await start_project(maker, "Highlight Reel")
    await upload(page, "silent")
    clip = page.locator("#clip-list li")
    names = [f"{act} silent.mp4{way}" for act, way in ACTS]
    buttons = [clip.get_by_role("button", name=name) for name in names]

    await expect(buttons[-1]).to_be_visible()
    assert [await one.evaluate(IS_PAINTED) for one in buttons] == [True] * 3
    assert len({await one.evaluate(TOP) for one in buttons}) == 1
    await buttons[-1].click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(clip).to_have_count(0)
