"""The specification's "Notification Flow Examples", in front of three people at once."""

import asyncio

import pytest

from app.models import User
from app.projects.projects import create_project
from app.settings import Settings
from tests import clips
from tests.factories import make_team
from tests.journeys.conftest import Browse
from tests.journeys.engines import KNOWN
from tests.journeys.engines.page import (
    bell,
    button,
    heading,
    labelled,
    link,
    notice,
    without_reload,
)
from tests.journeys.engines.steps import inbox_of, register, share, start_project, upload
from tests.journeys.running import Site
from tests.journeys.steps import has_finished

INVITED = "alice invited you to join team 'Video Squad' as editor"
ADDED = "You were added to team 'Video Squad' as editor"
JOINED = "carol joined the team as editor"
SHARED = "Project 'Best Clips 2025' was shared with team 'Editors'"
COMPLETE = "Compilation of 'Highlight Reel' is complete"
FAILED = "Compilation of 'Highlight Reel' failed"

pytestmark = pytest.mark.parametrize(
    ("browse", "site"),
    [*((name, {}) for name in KNOWN), ("chromium", {"WEB_CONCURRENCY": "2"})],
    ids=[*KNOWN, "two servers"],
    indirect=True,
)


async def test_a_member_joins_by_an_invitation_and_everyone_sees_it_live(
    site: Site, browse: Browse, alice: User, bob: User
) -> None:
    team = await make_team(site.db, alice, "Video Squad", viewers=[bob])
    inviter, member, invitee = await browse(alice), await browse(bob), await browse()
    await register(invitee, "carol")
    await inviter.open(f"/teams/{team.id}")
    await inbox_of(member)
    await inbox_of(invitee)

    async with without_reload(invitee):
        await inviter.fill(labelled("Email address", within="#invite"), "carol@example.com")
        await inviter.choose(labelled("Role", within="#invite"), "Editor")
        await inviter.click(button("Send invitation"))
        await invitee.shows(("#panel", INVITED), ("#inbox", INVITED), ("#toasts", INVITED))
        await invitee.sees(bell(1))

    await inviter.shows(("#flash", "Invitation sent to carol@example.com."))
    await inviter.is_live()
    async with without_reload(inviter, member):
        await invitee.click(button("Accept", within="#panel"))
        await asyncio.gather(
            member.shows(("#panel", JOINED), ("#inbox", JOINED)), member.sees(bell(1))
        )
        await inviter.sees(bell(1))
        await inviter.click(bell(1))
        await inviter.shows(("#panel", JOINED))
    await invitee.open("/notifications")
    await invitee.sees(notice(ADDED, within="#inbox"))

    other = await member.open_another("/")
    await other.sees(bell(1))
    await member.click(notice(JOINED, within="#panel"))
    await member.is_at(f"/teams/{team.id}")
    await member.sees(bell(0))
    await other.sees(bell(0))


async def test_a_project_is_shared_and_each_member_but_the_sharer_sees_it_live(
    site: Site, browse: Browse, alice: User, bob: User, carol: User
) -> None:
    await make_team(site.db, alice, "Editors", editors=[bob], viewers=[carol])
    async with site.db.act() as session:
        project = await create_project(session, alice, "Best Clips 2025")
    sharer, editor, viewer = await browse(alice), await browse(bob), await browse(carol)
    await sharer.open(f"/projects/{project.id}")
    await inbox_of(editor)
    await inbox_of(viewer)

    async with without_reload(editor, viewer):
        await share(sharer, "Editors")
        for member in (editor, viewer):
            await member.shows(("#panel", SHARED), ("#inbox", SHARED))
            await member.sees(bell(1))

    await sharer.sees(bell(0))
    await viewer.click(link("See Details", within="#panel"))
    await viewer.sees(heading("Best Clips 2025"))


async def test_a_compilation_ends_and_its_owner_and_the_team_see_it_live(
    site: Site, browse: Browse, alice: User, bob: User, carol: User
) -> None:
    await make_team(site.db, alice, "Video Squad", editors=[bob], viewers=[carol])
    maker, editor, viewer = await browse(alice), await browse(bob), await browse(carol)
    await start_project(maker, "Highlight Reel")
    await upload(maker, "long", "portrait")
    await share(maker, "Video Squad")
    await inbox_of(editor)
    await inbox_of(viewer)

    async with without_reload(maker, editor, viewer):
        await maker.click(button("Compile"))
        for member in (editor, viewer):
            await member.shows(("#panel", COMPLETE), ("#inbox", COMPLETE))
            await member.sees(bell(2))
        await maker.click(bell(1))
        await maker.shows(("#panel", COMPLETE), ("video", ""))
        await has_finished(site.db)

    await maker.press("Escape")
    assert await maker.evaluate(PLAYS), "the video does not play"


async def test_a_compilation_that_fails_tells_its_owner_alone_in_words_to_act_on(
    site: Site, browse: Browse, alice: User, bob: User
) -> None:
    await make_team(site.db, alice, "Video Squad", editors=[bob])
    maker, editor = await browse(alice), await browse(bob)
    await start_project(maker, "Highlight Reel")
    await upload(maker, "silent")
    spoil_clips(site.settings)
    await share(maker, "Video Squad")
    await inbox_of(editor)

    async with without_reload(maker, editor):
        await maker.click(button("Compile"))
        await maker.shows(("#toasts", FAILED), ("#toasts", "silent.mp4"))
        await maker.sees(bell(1))
        await has_finished(site.db)
        await editor.sees(bell(1))
        await editor.misses(notice(FAILED, within="#inbox"))


# A second of the video, heard and seen by the browser's own decoder.
PLAYS = """
async () => {
  const video = document.querySelector("video");
  video.muted = true;
  await video.play();
  await new Promise(resolve => (video.ontimeupdate = () => video.currentTime > 0.2 && resolve()));
  return video.videoWidth > 0;
}
"""


def spoil_clips(settings: Settings) -> None:
    """Damages an uploaded clip, as a failing disk would."""
    for clip in settings.clips_dir.iterdir():
        clip.write_bytes(clips.make("scrambled").read_bytes())
