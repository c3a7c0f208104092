"""Two people, or one in two tabs, at the same moment: one clear outcome, and everyone told once."""

import asyncio

import pytest
from sqlalchemy import func, select

from app.models import Compilation, Share, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.notify import notify
from tests.contract import causes
from tests.contract.cast import Person, Press, Stage
from tests.contract.markup import words
from tests.factories import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHARED = "Project 'Highlight Reel' was shared with team 'Video Squad'"


async def test_an_invitation_accepted_twice_makes_one_member(stage: Stage) -> None:
    await causes.adam_invites_ines(stage)
    twice = [await stage.ines.ready("Accept", "/notifications") for _tab in range(2)]

    assert await at_once(*twice) == [303, 409]

    assert (await stage.roles())["ines"] == "editor"
    assert await told(stage, stage.alice) == ["ines joined the team as editor"]


async def test_of_accepting_and_declining_one_counts(stage: Stage) -> None:
    await causes.adam_invites_ines(stage)
    accepting = await stage.ines.ready("Accept", "/notifications")
    declining = await stage.ines.ready("Decline", "/notifications")

    assert await at_once(declining, accepting) == [303, 409]

    is_in = "ines" in await stage.roles()
    answers = (
        ["ines joined the team as editor"],
        ["ines declined the invitation to team 'Video Squad'"],
    )
    assert await told(stage, stage.adam) == answers[not is_in]


async def test_of_accepting_and_revoking_one_counts(stage: Stage) -> None:
    await causes.adam_invites_ines(stage)
    accepting = await stage.ines.ready("Accept", "/notifications")
    revoking = await stage.alice.ready_twice("Revoke", stage.team_url)

    assert await at_once(revoking, accepting) == [303, 409]

    is_in = "ines" in await stage.roles()
    assert len(await told(stage, stage.bob)) == is_in


async def test_two_people_accept_and_both_are_in(stage: Stage) -> None:
    await causes.adam_invites_ines(stage)
    await stage.alice.press(
        "Send invitation", stage.team_url, email="carol@example.com", role="viewer"
    )
    both = [await one.ready("Accept", "/notifications") for one in (stage.ines, stage.carol)]

    assert await at_once(*both) == [303, 303]

    assert (await stage.roles()).items() >= {"ines": "editor", "carol": "viewer"}.items()
    assert sorted(await told(stage, stage.bob)) == [
        "carol joined the team as viewer",
        "ines joined the team as editor",
    ]


async def test_the_same_person_is_added_by_two(stage: Stage) -> None:
    page = f"{stage.team_url}/members/add"
    both = [await one.ready("Add member", page, login="carol") for one in (stage.alice, stage.adam)]

    assert await at_once(*both) == [303, 422]

    assert await told(stage, stage.vera) == ["carol joined the team as editor"]


async def test_the_same_person_is_removed_by_two(stage: Stage) -> None:
    page = stage.member_url(stage.bob)
    both = [await one.ready_twice("Remove from team", page) for one in (stage.alice, stage.adam)]

    assert await at_once(*both) == [303, 404]

    assert await told(stage, stage.bob) == ["You were removed from team 'Video Squad'"]
    assert await told(stage, stage.vera) == ["bob was removed from the team"]


async def test_a_member_removed_during_a_hand_over_is_owner_or_no_member(stage: Stage) -> None:
    page = stage.member_url(stage.bob)
    handing_over = await stage.alice.ready_twice("Hand over", page)
    removing = await stage.adam.ready_twice("Remove from team", page)

    codes = await at_once(handing_over, removing)

    now = await stage.roles()
    if now.get("bob") == "owner":
        assert (codes, now["alice"]) == ([303, 403], "admin")
    else:
        assert (codes, now["alice"], "bob" in now) == ([303, 404], "owner", False)


async def test_a_member_leaving_during_a_hand_over_is_owner_or_no_member(stage: Stage) -> None:
    handing_over = await stage.alice.ready_twice("Hand over", stage.member_url(stage.bob))
    leaving = await stage.bob.ready("Leave team", f"{stage.team_url}/leave")

    codes = await at_once(leaving, handing_over)

    now = await stage.roles()
    assert list(now.values()).count("owner") == 1
    assert codes == ([303, 403] if now.get("bob") == "owner" else [303, 404])


async def test_a_team_handed_to_two_has_one_owner(stage: Stage) -> None:
    both = [
        await stage.alice.ready_twice("Hand over", stage.member_url(one))
        for one in (stage.bob, stage.adam)
    ]

    assert await at_once(*both) == [303, 403]

    assert list((await stage.roles()).values()).count("owner") == 1


async def test_a_team_is_deleted_while_somebody_joins(stage: Stage) -> None:
    await causes.adam_invites_ines(stage)
    accepting = await stage.ines.ready("Accept", "/notifications")
    deleting = await stage.alice.ready("Delete team", f"{stage.team_url}/delete")

    codes = await at_once(deleting, accepting)

    assert codes in ([303, 303], [303, 404])
    deleted = ["Team 'Video Squad' was deleted"]
    assert await told(stage, stage.ines) == (deleted if codes == [303, 303] else [])


async def test_sharing_a_project_twice_notifies_once(stage: Stage) -> None:
    team_id = str(stage.team.id)
    twice = [
        await stage.bob.ready("Share", stage.project_url, team_id=team_id) for _tab in range(2)
    ]

    assert await at_once(*twice) == [303, 409]

    assert await told(stage, stage.vera) == [SHARED]


async def test_ending_a_share_twice_notifies_once(stage: Stage) -> None:
    await causes.bob_shares(stage)
    label = "End sharing (Video Squad)"
    both = [await one.ready_twice(label, stage.project_url) for one in (stage.bob, stage.adam)]

    assert await at_once(*both) == [303, 404]

    assert len(await told(stage, stage.vera)) == 1


async def test_a_project_is_shared_while_it_is_deleted(stage: Stage) -> None:
    sharing = await stage.bob.ready("Share", stage.project_url, team_id=str(stage.team.id))
    deleting = await stage.bob.ready("Delete project", f"{stage.project_url}/delete")

    codes = await at_once(deleting, sharing)

    assert codes in ([303, 303], [303, 404])
    assert SHARED not in await told(stage, stage.vera)
    assert await count(stage, Share) == 0


async def test_compile_pressed_by_two_starts_one_compilation(stage: Stage) -> None:
    await stage.film()
    await causes.bob_shares(stage)
    both = [await one.ready("Compile", stage.project_url) for one in (stage.bob, stage.adam)]

    assert await at_once(*both) == [303, 303]

    assert await count(stage, Compilation) == 1


async def test_muting_twice_is_muting_once(stage: Stage) -> None:
    twice = [await stage.vera.ready("Mute", stage.team_url) for _tab in range(2)]

    assert await at_once(*twice) == [303, 303]


async def test_an_account_is_deleted_once(stage: Stage) -> None:
    twice = [
        await stage.carol.ready("Delete account", "/account/delete", password=PASSWORD)
        for _tab in range(2)
    ]

    assert await at_once(*twice) == [303, 303]

    async with stage.db.read() as session:
        assert await session.get(User, stage.carol.id) is None


async def test_a_name_is_registered_once(stage: Stage) -> None:
    await stage.carol.press("Log out", "/account")
    fields = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}
    twice = [await stage.carol.ready("Create account", "/register", **fields) for _tab in range(2)]

    assert await at_once(*twice) == [303, 422]


async def test_one_undo_brings_back_and_the_other_finds_nothing(stage: Stage) -> None:
    await causes.adam_renames_the_team(stage)
    deleted = await stage.vera.press("Delete", await stage.vera.press("Delete", "/notifications"))
    twice = [await stage.vera.ready("Undo", deleted) for _tab in range(2)]

    assert await at_once(*twice) == [303, 404]

    assert len(await told(stage, stage.vera)) == 1


async def test_the_last_page_is_deleted_while_it_is_looked_at(stage: Stage) -> None:
    async with stage.db.act() as session:
        for n in range(21):
            old, new = f"Squad {n}", f"Squad {n + 1}"
            await notify(session, TEAM_UPDATED, team=stage.team, old_name=old, new_name=new)
    last = "/notifications?page=2"
    marking, asking = [await stage.vera.ready(label, last) for label in ("Mark as read", "Delete")]
    await stage.vera.press("Delete", await asking(follow_redirects=True))

    assert await at_once(marking) == [404]
    left = await stage.vera.open(last)
    assert "This page is empty" in words(left.text)
    assert "First page" in words(left.text)
    assert len((await stage.vera.open("/notifications")).text.split('<li id="notice-')) == 21


async def at_once(*presses: Press) -> list[int]:
    """The answers' codes, sorted: which of them comes first is not ours to say."""
    answers = await asyncio.gather(*(press() for press in presses))
    return sorted(answer.status_code for answer in answers)


async def told(stage: Stage, user: Person) -> list[str]:
    await stage.settle()
    return await user.reads()


async def count(stage: Stage, model: type[Compilation] | type[Share]) -> int:
    async with stage.db.read() as session:
        return int((await session.execute(select(func.count()).select_from(model))).scalar_one())
