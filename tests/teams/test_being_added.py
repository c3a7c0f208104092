"""Who may add a user to a team directly is that user's own choice."""

import httpx
import pytest

from app.database import Database
from app.errors import Taken
from app.models import Team, User
from app.notifications.preferences import switches
from app.teams.access import is_member
from app.teams.membership import add_member
from app.values.names import to_plain
from tests.conftest import post, sign_in, text_of
from tests.factories import make_team

PAGE = "/account/notifications"


async def choose(db: Database, user: User, wanted: str) -> None:
    async with db.act() as session:
        await switches.change(session, user, {"added_directly_by": wanted})


async def add(db: Database, user: User, team: Team, login: str) -> None:
    async with db.act() as session:
        await add_member(session, user, team.id, login, "viewer")


async def is_in(db: Database, team: Team, user: User) -> bool:
    async with db.read() as session:
        return await is_member(session, team.id, user.id)


async def test_at_first_anyone_adds_anyone(
    db: Database, alice: User, carol: User, video_squad: Team
) -> None:
    await add(db, alice, video_squad, "carol")

    assert await is_in(db, video_squad, carol)


@pytest.mark.parametrize("wanted", ["nobody", "teammates"])
@pytest.mark.parametrize("login", ["carol", "CAROL", "carol@example.com", "Carol@Example.com"])
async def test_a_stranger_is_refused_by_name_and_by_address(
    db: Database, alice: User, carol: User, video_squad: Team, wanted: str, login: str
) -> None:
    await choose(db, carol, wanted)

    with pytest.raises(Taken) as refused:
        await add(db, alice, video_squad, login)

    sentence = to_plain(refused.value.fields["login"])
    assert sentence == "carol does not want to be added directly. Send an invitation instead."
    assert not await is_in(db, video_squad, carol)


@pytest.mark.parametrize(("wanted", "is_added"), [("nobody", False), ("teammates", True)])
async def test_a_teammate_is_let_in_where_that_is_wanted(
    db: Database,
    alice: User,
    bob: User,
    carol: User,
    video_squad: Team,
    wanted: str,
    is_added: bool,
) -> None:
    await make_team(db, bob, "Choir", editors=[alice, carol])
    await choose(db, carol, wanted)

    if is_added:
        await add(db, alice, video_squad, "carol")
    else:
        with pytest.raises(Taken):
            await add(db, alice, video_squad, "carol")

    assert await is_in(db, video_squad, carol) is is_added


async def test_a_team_of_two_others_makes_no_teammates(
    db: Database, alice: User, bob: User, carol: User, video_squad: Team
) -> None:
    await make_team(db, bob, "With carol", editors=[carol])
    await make_team(db, bob, "With alice", editors=[alice])
    await choose(db, carol, "teammates")

    with pytest.raises(Taken):
        await add(db, alice, video_squad, "carol")


async def test_the_page_offers_an_invitation_instead(
    client: httpx.AsyncClient, db: Database, alice: User, carol: User, video_squad: Team
) -> None:
    await choose(db, carol, "nobody")
    await sign_in(client, alice)

    url = f"/teams/{video_squad.id}"
    answer = await post(client, f"{url}/members/add", login="carol", role="viewer")

    assert answer.status_code == 422
    assert "carol does not want to be added directly." in text_of(answer)
    assert f'href="{url}#invite"' in answer.text
    assert 'id="invite"' in (await client.get(url)).text


async def test_the_choice_is_made_on_the_page_without_scripts(
    client: httpx.AsyncClient, db: Database, carol: User
) -> None:
    await sign_in(client, carol)
    asked = await client.get(PAGE)

    saved = await post(client, f"{PAGE}/added_directly_by", added_directly_by="teammates")
    refused = await post(client, f"{PAGE}/added_directly_by", added_directly_by="everyone")

    assert "Who may add me to a team directly" in text_of(asked)
    assert (saved.status_code, refused.status_code) == (303, 303)
    assert '<option value="teammates" selected>' in (await client.get(PAGE)).text
    async with db.read() as session:
        assert (await session.get_one(User, carol.id)).added_directly_by == "teammates"


async def test_saving_everything_saves_it_and_an_older_page_keeps_it(
    client: httpx.AsyncClient, db: Database, carol: User
) -> None:
    await sign_in(client, carol)
    form = {"digest.frequency": "daily", "digest.hour": "8", "timezone": "UTC"}

    saved = await post(client, PAGE, **form, added_directly_by="nobody")
    older = await post(client, PAGE, **form)

    assert (saved.status_code, older.status_code) == (303, 303)
    async with db.read() as session:
        assert (await session.get_one(User, carol.id)).added_directly_by == "nobody"
