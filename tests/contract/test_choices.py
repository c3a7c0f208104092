"""What people chose not to hear of stays out of the list, the bell and the open page."""

import pytest
from sqlalchemy import select

from app.models import Delivery, Notification, Preference, Share
from app.notifications.events.catalogue import COMPILATION_COMPLETED, COMPILATION_FAILED
from app.notifications.notify import notify
from tests.contract import causes
from tests.contract.cast import Person, Stage
from tests.factories import make_team

pytestmark = pytest.mark.asyncio(loop_scope="session")

FAILED = "Compilation of 'Highlight Reel' failed"
COMPLETE = "Compilation of 'Highlight Reel' is complete"
SHARED = "Project 'Highlight Reel' was shared with team 'Video Squad'"


async def test_a_muted_team_notifies_only_affected_users(stage: Stage) -> None:
    for user in (stage.adam, stage.bob, stage.vera):
        await user.press("Mute", stage.team_url)

    await causes.adam_renames_the_team(stage)
    await causes.bob_shares(stage)
    await compile_well(stage)
    await causes.alice_makes_bob_a_viewer(stage)
    await stage.alice.press_twice("Remove from team", stage.member_url(stage.vera))
    await stage.settle()

    assert await stage.adam.reads() == []
    assert await stage.bob.reads() == [
        "Your role in team 'Film Squad' changed from editor to viewer",
        COMPLETE,
    ]
    assert await stage.vera.reads() == ["You were removed from team 'Film Squad'"]


async def test_a_muted_team_or_project_leaves_other_teams_alone(stage: Stage) -> None:
    editors = await make_team(stage.db, stage.bob.account, "Editors", viewers=[stage.vera.account])
    await stage.vera.press("Mute", f"/teams/{editors.id}")
    await stage.bob.press("Mute", stage.project_url)

    await causes.adam_renames_the_team(stage)
    await stage.settle()

    assert await stage.vera.reads() == ["Team 'Video Squad' is now called 'Film Squad'"]
    assert await stage.bob.reads() == ["Team 'Video Squad' is now called 'Film Squad'"]


async def test_a_muted_project_sends_only_urgent_notifications(stage: Stage) -> None:
    await causes.bob_shares(stage)
    for user in (stage.bob, stage.vera):
        await user.press("Mute", stage.project_url)

    await compile_well(stage)
    async with stage.db.act() as session:
        await notify(session, COMPILATION_FAILED, project=stage.project, error="No clip is there.")
    await stage.settle()

    assert await stage.bob.reads() == [FAILED]
    assert await stage.vera.reads() == [SHARED]
    assert await stage.adam.reads() == [COMPLETE, SHARED]


async def test_a_project_in_a_muted_team_still_notifies_through_another_team(stage: Stage) -> None:
    editors = await make_team(stage.db, stage.bob.account, "Editors", viewers=[stage.vera.account])
    async with stage.db.write() as session:
        for team in (stage.team, editors):
            session.add(Share(project_id=stage.project.id, team_id=team.id))
    for user in (stage.adam, stage.vera):
        await user.press("Mute", stage.team_url)

    await compile_well(stage)
    await stage.settle()

    assert await stage.adam.reads() == []
    assert await stage.vera.reads() == [COMPLETE]


async def test_a_recipient_in_several_roles_is_notified_once(stage: Stage) -> None:
    editors = await make_team(stage.db, stage.bob.account, "Editors", viewers=[stage.vera.account])
    async with stage.db.write() as session:
        for team in (stage.team, editors):
            session.add(Share(project_id=stage.project.id, team_id=team.id))

    await compile_well(stage)
    await stage.settle()

    assert await stage.bob.reads() == [COMPLETE]
    assert await stage.vera.reads() == [COMPLETE]


async def test_with_the_app_switched_off_a_notice_goes_by_mail_alone(stage: Stage) -> None:
    await prefer(stage, stage.vera, "project_shared", in_app=False)

    await causes.bob_shares(stage)
    await stage.settle()

    assert await stage.vera.reads() == []
    assert await stage.adam.reads() == [SHARED]
    assert await mailed(stage, "project_shared") == {"alice", "adam", "vera"}


async def test_with_every_channel_off_not_even_a_row_is_written(stage: Stage) -> None:
    await prefer(stage, stage.vera, "project_shared", in_app=False, email=False)
    await prefer(stage, stage.adam, "project_shared", email=False)

    await causes.bob_shares(stage)
    await stage.settle()

    assert await stage.adam.reads() == [SHARED]
    assert await mailed(stage, "project_shared") == {"alice"}
    async with stage.db.read() as session:
        rows = select(Notification.id).where(Notification.user_id == stage.vera.id)
        assert (await session.scalars(rows)).all() == []


async def compile_well(stage: Stage) -> None:
    """What the worker tells at the end of a compilation."""
    async with stage.db.act() as session:
        await notify(session, COMPILATION_COMPLETED, project=stage.project)


async def prefer(stage: Stage, user: Person, type: str, **chosen: bool) -> None:
    async with stage.db.write() as session:
        session.add_all(
            Preference(user_id=user.id, type=type, channel=channel, wanted=wanted)
            for channel, wanted in chosen.items()
        )


async def mailed(stage: Stage, type: str) -> set[str]:
    mails = (
        select(Delivery.user_id)
        .join(Notification, Notification.id == Delivery.notification_id)
        .where(Notification.type == type, Delivery.channel == "email")
    )
    names = {user.id: user.name for user in stage.people}
    async with stage.db.read() as session:
        return {names[user_id] for user_id in await session.scalars(mails) if user_id}
