"""The specification's "Notification Flow Examples", in front of three people at once."""

import pytest
from playwright.async_api import expect

from app.models import User
from app.projects.projects import create_project
from app.settings import Settings
from tests import clips
from tests.factories import make_team
from tests.journeys.browsing import (
    click_and_see,
    inbox,
    notice,
    open_panel,
    panel,
    sees,
    shows,
    without_reload,
)
from tests.journeys.conftest import Arrive
from tests.journeys.running import Site
from tests.journeys.steps import inbox_of, register, seen_at_the_end, start_project, upload

INVITED = "alice invited you to join team 'Video Squad' as editor"
ADDED = "You were added to team 'Video Squad' as editor"
JOINED = "carol joined the team as editor"
SHARED = "Project 'Best Clips 2025' was shared with team 'Editors'"
COMPLETE = "Compilation of 'Highlight Reel' is complete"
FAILED = "Compilation of 'Highlight Reel' failed"

pytestmark = pytest.mark.parametrize(
    "site", [{}, {"WEB_CONCURRENCY": "2"}], ids=["one server", "two servers"], indirect=True
)


async def test_a_member_joins_by_an_invitation_and_everyone_sees_it_live(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    inviter, member, invitee = await arrive(alice), await arrive(bob), await arrive()
    await register(invitee, "carol")
    inviting, watching = await inviter.open(f"/teams/{team.id}"), await inbox_of(member)
    invited = await inbox_of(invitee)

    async with without_reload(invited):
        await inviting.get_by_label("Email address").fill("carol@example.com")
        await inviting.get_by_label("Role", exact=True).first.select_option("editor")
        await click_and_see(
            inviting.get_by_role("button", name="Send invitation"),
            shows(invited, INVITED, unread=1, where=("panel", "inbox", "toasts")),
        )

    await open_panel(inviting)
    async with without_reload(inviting, watching):
        await click_and_see(
            panel(invited).get_by_role("button", name="Accept"),
            shows(watching, JOINED, unread=1),
            shows(inviting, JOINED, unread=1, where=["panel"]),
        )
    await invitee.open("/notifications")
    await expect(notice(inbox(invited), ADDED)).to_be_visible()

    other_tab = await member.tab("/")
    await click_and_see(notice(panel(watching), JOINED), shows(other_tab, unread=0))
    await expect(watching).to_have_url(f"{site.url}/teams/{team.id}")
    await sees(watching, 0)


async def test_a_project_is_shared_and_each_member_but_the_sharer_sees_it_live(
    site: Site, arrive: Arrive, alice: User, bob: User, carol: User
) -> None:
    await make_team(site.db, alice, "Editors", editors=[bob], viewers=[carol])
    async with site.db.act() as session:
        project = await create_project(session, alice, "Best Clips 2025")
    sharer, editor, viewer = await arrive(alice), await arrive(bob), await arrive(carol)
    sharing = await sharer.open(f"/projects/{project.id}")
    edits, views = await inbox_of(editor), await inbox_of(viewer)

    async with without_reload(edits, views):
        await sharing.get_by_label("Team").select_option(label="Editors")
        await click_and_see(
            sharing.get_by_role("button", name="Share", exact=True),
            shows(edits, SHARED, unread=1),
            shows(views, SHARED, unread=1),
        )

    await sees(sharing, 0)
    await panel(views).get_by_role("link", name="See Details").click()
    await expect(views.get_by_role("heading", name="Best Clips 2025")).to_be_visible()


async def test_a_compilation_ends_and_its_owner_and_the_team_see_it_live(
    site: Site, arrive: Arrive, alice: User, bob: User, carol: User
) -> None:
    await make_team(site.db, alice, "Video Squad", editors=[bob], viewers=[carol])
    maker, editor, viewer = await arrive(alice), await arrive(bob), await arrive(carol)
    making = await start_project(maker, "Highlight Reel")
    await upload(making, "long", "portrait")
    await making.get_by_label("Team").select_option(label="Video Squad")
    await making.get_by_role("button", name="Share", exact=True).click()
    edits, views = await inbox_of(editor), await inbox_of(viewer)

    async with without_reload(making, edits, views):
        await making.get_by_role("button", name="Compile").click()
        await open_panel(making)
        await seen_at_the_end(
            site.db,
            shows(making, COMPLETE, unread=1, where=["panel"]),
            shows(edits, COMPLETE, unread=2),
            shows(views, COMPLETE, unread=2),
        )
        await expect(making.locator("video")).to_be_visible()

    await making.keyboard.press("Escape")
    assert await making.locator("video").evaluate(PLAYS), "the video does not play"


async def test_a_compilation_that_fails_tells_its_owner_alone_in_words_to_act_on(
    site: Site, arrive: Arrive, alice: User, bob: User
) -> None:
    await make_team(site.db, alice, "Video Squad", editors=[bob])
    maker, editor = await arrive(alice), await arrive(bob)
    making = await start_project(maker, "Highlight Reel")
    await upload(making, "silent")
    spoil_clips(site.settings)
    await making.get_by_label("Team").select_option(label="Video Squad")
    await making.get_by_role("button", name="Share", exact=True).click()
    edits = await inbox_of(editor)

    async with without_reload(making, edits):
        await making.get_by_role("button", name="Compile").click()
        await seen_at_the_end(site.db, shows(making, FAILED, unread=1, where=["toasts"]))
        await expect(making.get_by_text("silent.mp4").first).to_be_visible()
        await sees(edits, 1)
        await expect(notice(inbox(edits), FAILED)).to_have_count(0)


# A second of the video, heard and seen by the browser's own decoder.
PLAYS = """
async video => {
  video.muted = true;
  await video.play();
  await new Promise(resolve => (video.ontimeupdate = () => video.currentTime > 0.2 && resolve()));
  return video.videoWidth > 0;
}
"""


def spoil_clips(settings: Settings) -> None:
    """What was fit to be uploaded is no longer fit to be read: a disk does that."""
    for clip in settings.clips_dir.iterdir():
        clip.write_bytes(clips.make("scrambled").read_bytes())
