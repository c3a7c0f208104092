"""The pages of teams and invitations, as a browser without scripts uses them."""

import re
from urllib.parse import unquote

import httpx
import pytest
from sqlalchemy import insert, select

from app.database import Database
from app.models import Invitation, Membership, Notification, Team, User
from app.notifications.inbox import feed
from app.teams.invitation_links import link_token
from app.teams.invitations import invite
from tests.conftest import csrf_header, post, sign_in, text_of
from tests.factories import PASSWORD, PASSWORD_HASH, SIGNER, make_team
from tests.teams.conftest import Bell, share


@pytest.fixture
async def invitation(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User, video_squad: Team
) -> Invitation:
    """Alice invites bob to Video Squad as editor."""
    async with db.act() as session:
        return await invite(session, alice, video_squad.id, bob.email, "editor")


async def role_of(db: Database, team: Team, user: User) -> str | None:
    async with db.read() as session:
        membership = await session.get(Membership, (team.id, user.id))
        return membership.role if membership else None


async def test_a_team_is_created_and_found_in_the_list(
    client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)
    assert "No teams yet" in text_of(await client.get("/teams"))

    answer = await post(client, "/teams", name="<b>Film</b> & Co")

    page = await client.get(answer.headers["location"])
    assert page.status_code == 200
    assert "<h1><bdi>&lt;b&gt;Film&lt;/b&gt; &amp; Co</bdi></h1>" in page.text
    assert "1 member" in text_of(await client.get("/teams"))


async def test_an_invalid_name_comes_back_with_the_form(
    client: httpx.AsyncClient, alice: User, video_squad: Team
) -> None:
    await sign_in(client, alice)

    for url in ("/teams", f"/teams/{video_squad.id}/rename"):
        for fields in ({}, {"name": " "}, {"name": "x" * 10_000}):
            answer = await post(client, url, **fields)
            assert answer.status_code == 422
            assert 'aria-invalid="true"' in answer.text


async def test_the_name_of_a_team_too_many_comes_back_with_the_form(
    client: httpx.AsyncClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.teams.teams.MAX_TEAMS", 0)
    await sign_in(client, alice)

    page = await post(client, "/teams", name="Film Squad")
    answer = await client.post("/api/teams", json={"name": "Film"}, headers=csrf_header(client))

    assert page.status_code == 422
    assert 'value="Film Squad"' in page.text
    assert "You can own at most 0 teams." in text_of(page)
    assert answer.status_code == 409
    assert [error["field"] for error in answer.json()["errors"]] == ["name"]


async def test_outsiders_get_404_and_the_signed_out_are_led_to_the_login(
    client: httpx.AsyncClient, carol: User, video_squad: Team
) -> None:
    signed_out = await client.get(f"/teams/{video_squad.id}")
    await sign_in(client, carol)

    assert signed_out.status_code == 303
    assert signed_out.headers["location"].startswith("/login?next=")
    for path in ("", "/delete", "/leave", "/members/add", f"/members/{carol.id}"):
        assert (await client.get(f"/teams/{video_squad.id}{path}")).status_code == 404
    for number in ("0", "9" * 30, "-1"):
        assert (await client.get(f"/teams/{number}")).status_code == 404


async def test_a_viewer_is_neither_offered_nor_allowed_more(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, viewers=[bob])
    await sign_in(client, bob)

    page = text_of(await client.get(f"/teams/{team.id}"))

    for words in ("Send invitation", "Rename team", "Delete team", "Add directly", "Hand over"):
        assert words not in page
    assert "Leave team" in page
    for path in ("rename", "delete", "invitations", "members/add", f"members/{alice.id}/remove"):
        answer = await post(client, f"/teams/{team.id}/{path}", name="x", email="a@b.de")
        assert answer.status_code == 403, path


async def test_fields_and_buttons_of_a_team_have_their_labels(
    client: httpx.AsyncClient, alice: User, video_squad: Team
) -> None:
    await sign_in(client, alice)

    page = (await client.get(f"/teams/{video_squad.id}")).text

    for field, label in (("email", "Email address"), ("role", "Role"), ("name", "Team name")):
        assert re.search(rf'<label for="{field}">{label}</label>', page)
        assert page.count(f'name="{field}"') == 1
    assert re.search(r"<button[^>]*>.*Send invitation</button>", page)


async def test_ten_thousand_members_come_in_pages_that_can_be_searched(
    client: httpx.AsyncClient, db: Database, alice: User, video_squad: Team
) -> None:
    await _fill(db, video_squad, 10_000)
    await sign_in(client, alice)
    url = f"/teams/{video_squad.id}"

    first, found = await client.get(url), await client.get(url, params={"q": "P09_99"})
    beyond = await client.get(url, params={"page": "999"})

    assert "10001" in text_of(first)
    assert first.text.count('aria-label="Change ') == 49
    assert found.text.count('aria-label="Change ') == 10
    assert "Page 201 of 201" in text_of(beyond)


@pytest.mark.parametrize(
    "query", ["page=0", "page=-3", "page=x", "page=" + "9" * 40, "q=%25", "q=%00"]
)
async def test_an_invalid_query_string_still_shows_the_team(
    client: httpx.AsyncClient, alice: User, video_squad: Team, query: str
) -> None:
    await sign_in(client, alice)

    assert (await client.get(f"/teams/{video_squad.id}?{query}")).status_code == 200


async def test_a_search_without_result_says_so_and_escapes_it(
    client: httpx.AsyncClient, alice: User, video_squad: Team
) -> None:
    await sign_in(client, alice)

    page = await client.get(f"/teams/{video_squad.id}", params={"q": "<script>"})

    assert "No members found" in page.text
    assert "“<script>" not in page.text


async def test_a_member_is_added_changed_and_removed(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User, video_squad: Team
) -> None:
    await sign_in(client, alice)
    url = f"/teams/{video_squad.id}/members"

    wrong = await post(client, f"{url}/add", login="nobody")
    assert wrong.status_code == 422
    assert wrong.text.count('aria-invalid="true"') == 2
    await post(client, f"{url}/add", login="Bob", role="viewer")
    assert (await client.get(f"{url}/{bob.id}")).status_code == 200
    assert (await post(client, f"{url}/{bob.id}/role", role="owner")).status_code == 422
    await post(client, f"{url}/{bob.id}/role", role="admin")
    assert await role_of(db, video_squad, bob) == "admin"
    await post(client, f"{url}/{bob.id}/remove")

    assert await role_of(db, video_squad, bob) is None


async def test_the_team_is_handed_over_left_and_deleted(
    client: httpx.AsyncClient, db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])
    await sign_in(client, alice)

    await post(client, f"/teams/{team.id}/members/{bob.id}/hand-over")
    assert "Leave team" in text_of(await client.get(f"/teams/{team.id}/leave"))
    await post(client, f"/teams/{team.id}/leave")
    assert (await client.get(f"/teams/{team.id}")).status_code == 404
    client.cookies.clear()
    await sign_in(client, bob)
    assert "Delete team" in text_of(await client.get(f"/teams/{team.id}/delete"))
    answer = await post(client, f"/teams/{team.id}/delete")

    assert answer.headers["location"] == "/teams"
    async with db.read() as session:
        assert await session.get(Team, team.id) is None


async def test_the_mute_button_toggles(
    client: httpx.AsyncClient, alice: User, video_squad: Team
) -> None:
    await sign_in(client, alice)
    url = f"/teams/{video_squad.id}"

    await post(client, f"{url}/mute")
    assert f'action="{url}/unmute"' in (await client.get(url)).text
    await post(client, f"{url}/unmute")

    assert f'action="{url}/mute"' in (await client.get(url)).text


async def test_shared_projects_are_listed(
    client: httpx.AsyncClient, db: Database, alice: User, video_squad: Team
) -> None:
    project = await share(db, alice, "Best <Clips>", video_squad)
    await sign_in(client, alice)

    page = (await client.get(f"/teams/{video_squad.id}")).text

    assert f'<a href="/projects/{project.id}"><bdi>Best &lt;Clips&gt;</bdi></a>' in page


async def test_an_invitation_is_sent_shown_sent_again_and_revoked(
    client: httpx.AsyncClient, db: Database, alice: User, video_squad: Team
) -> None:
    await sign_in(client, alice)
    url = f"/teams/{video_squad.id}"

    await post(client, f"{url}/invitations", email="new@example.com", role="viewer")
    async with db.read() as session:
        invitation = (await session.scalars(select(Invitation))).one()
    page = await client.get(url)
    assert "Pending invitations" in page.text
    link = re.search(r'href="(/invitations/[^"]+)"', page.text)
    assert link
    assert (await client.get(link[1])).status_code == 200
    again = await post(client, f"{url}/invitations", email="new@example.com", role="viewer")
    assert again.status_code == 422
    assert 'value="new@example.com"' in again.text
    await post(client, f"{url}/invitations/{invitation.id}/again")
    await post(client, f"{url}/invitations/{invitation.id}/revoke")

    assert "Pending invitations" not in (await client.get(url)).text


async def test_the_link_leads_the_signed_out_through_the_login_and_back(
    client: httpx.AsyncClient, bob: User, invitation: Invitation
) -> None:
    url = f"/invitations/{link_token(SIGNER, invitation)}"

    page = await client.get(url)
    answer = await post(client, f"{url}/accept")

    sentence = (
        "<bdi>alice</bdi> invited you to join team &#39;<bdi>Video Squad</bdi>&#39; as editor."
    )
    assert sentence in page.text
    assert f'href="/login?next={url}"' in page.text
    assert f'href="/register?next={url}"' in page.text
    assert unquote(answer.headers["location"]) == f"/login?next={url}"


async def test_accepting_by_the_link_leads_to_the_team(
    client: httpx.AsyncClient, db: Database, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    await sign_in(client, bob)
    url = f"/invitations/{link_token(SIGNER, invitation)}"
    page = await client.get(url)

    answer = await post(client, f"{url}/accept")

    assert {"Accept", "Decline"} <= set(text_of(page).split())
    assert answer.headers["location"] == f"/teams/{video_squad.id}"
    assert await role_of(db, video_squad, bob) == "editor"
    assert (await post(client, f"{url}/accept")).status_code == 409
    page = await client.get(url)
    assert "You accepted this invitation." in text_of(page)
    assert f'href="/teams/{video_squad.id}">Go to Team</a>' in page.text


async def test_the_link_tells_another_user_that_it_is_not_theirs(
    client: httpx.AsyncClient, carol: User, invitation: Invitation
) -> None:
    await sign_in(client, carol)
    url = f"/invitations/{link_token(SIGNER, invitation)}"

    page = await client.get(url)

    assert "This invitation was sent to bob@example.com." in text_of(page)
    assert "You are logged in as carol, with carol@example.com." in text_of(page)
    assert "/accept" not in page.text
    assert (await post(client, f"{url}/accept")).status_code == 403


async def test_the_link_leads_another_user_through_a_change_of_account_and_back(
    client: httpx.AsyncClient, db: Database, bob: User, carol: User, invitation: Invitation
) -> None:
    await sign_in(client, carol)
    url = f"/invitations/{link_token(SIGNER, invitation)}"
    page = await client.get(url)

    login = await client.get(f"/login?switch=1&next={url}")
    typed = {"login": "bob", "password": PASSWORD, "next": url}
    answer = await client.post("/login", data=fields_in(login) | typed)

    assert f'href="/login?switch=1&amp;next={url}"' in page.text
    assert f'href="/register?switch=1&amp;next={url}"' in page.text
    assert "You are logged in as carol, who will be logged out" in text_of(login)
    assert answer.headers["location"] == url
    assert "You are logged in as carol" not in text_of(await client.get(url))


async def test_a_link_in_a_mail_to_another_account_offers_to_change_the_account(
    client: httpx.AsyncClient, db: Database, bob: User, carol: User, invitation: Invitation
) -> None:
    """And tells no more than one that leads nowhere."""
    await sign_in(client, carol)
    async with db.read() as session:
        notice = await session.scalar(select(Notification.id))

    page = await client.get(f"/notifications/{notice}/invitation")
    nowhere = await client.get("/notifications/999/invitation")

    assert (page.status_code, nowhere.status_code) == (404, 404)
    assert "You are logged in as carol." in text_of(page)
    way = f'href="/login?switch=1&amp;next=/notifications/{notice}/invitation"'
    assert way in page.text
    assert text_of(page) == text_of(nowhere)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/invitations/{token}", "?next=/invitations/{token}"),
        ("/forgot", ""),
        ("/", ""),
        ("/login?next=/teams", "?next=/teams"),
        ("/register?next=/teams%3Fq%3Da%26b", "?next=/teams%3Fq%3Da%26b"),
    ],
)
async def test_log_in_and_create_account_in_the_header_keep_the_way_back(
    client: httpx.AsyncClient, invitation: Invitation, path: str, kept: str
) -> None:
    token = link_token(SIGNER, invitation)

    page = await client.get(path.format(token=token))

    header = page.text.partition("<header")[2].partition("</header>")[0]
    assert f'href="/login{kept.format(token=token)}"' in header
    assert f'href="/register{kept.format(token=token)}"' in header


async def test_registration_from_an_invitation_is_filled_in_with_its_address(
    client: httpx.AsyncClient, invitation: Invitation
) -> None:
    page = await client.get(f"/register?next=/invitations/{link_token(SIGNER, invitation)}")

    assert 'name="email" type="email" value="bob@example.com"' in page.text


def fields_in(page: httpx.Response) -> dict[str, str]:
    form = page.text.partition('action="/login"')[2].partition("</form>")[0]
    return dict(re.findall(r'name="(_csrf_token|_user)" value="([^"]*)"', form))


async def test_an_invitation_is_declined_in_its_notification(
    client: httpx.AsyncClient,
    db: Database,
    alice: User,
    bob: User,
    video_squad: Team,
    invitation: Invitation,
    bell: Bell,
) -> None:
    await sign_in(client, bob)
    async with db.read() as session:
        notice = await session.scalar(select(Notification.id))
    url = f"/notifications/{notice}"

    followed = await client.get(f"{url}/invitation")
    answer = await post(client, f"{url}/decline")

    assert followed.headers["location"].startswith("/invitations/")
    assert answer.status_code == 303
    assert await bell(alice) == ["bob declined the invitation to team 'Video Squad'"]
    async with db.read() as session:
        assert await feed.unread_count(session, bob.id) == 0
    assert (await post(client, f"{url}/accept")).status_code == 409


async def test_an_invitation_is_accepted_in_its_notification(
    client: httpx.AsyncClient, db: Database, bob: User, video_squad: Team, invitation: Invitation
) -> None:
    await sign_in(client, bob)
    async with db.read() as session:
        notice = await session.scalar(select(Notification.id))

    await post(client, f"/notifications/{notice}/accept")

    assert await role_of(db, video_squad, bob) == "editor"


async def test_a_notification_of_someone_else_is_not_found(
    client: httpx.AsyncClient, db: Database, carol: User, invitation: Invitation
) -> None:
    await sign_in(client, carol)
    async with db.read() as session:
        notice = await session.scalar(select(Notification.id))

    for number in (notice, 999, 10**30):
        assert (await post(client, f"/notifications/{number}/accept")).status_code == 404
        assert (await client.get(f"/notifications/{number}/invitation")).status_code == 404


async def test_a_forged_or_foreign_link_is_not_found(
    client: httpx.AsyncClient, invitation: Invitation
) -> None:
    for token in (
        "x",
        link_token(SIGNER, invitation)[:-1] + "!",
        SIGNER.sign("undo", invitation.id),
        "é",
    ):
        assert (await client.get(f"/invitations/{token}")).status_code == 404
        assert (await post(client, f"/invitations/{token}/accept")).status_code == 404


async def test_open_invitations_are_shown_above_the_teams(
    client: httpx.AsyncClient, bob: User, invitation: Invitation
) -> None:
    await sign_in(client, bob)

    shown = text_of(await client.get("/teams"))
    assert "You are invited" in shown
    assert "alice invited you as editor" in shown


async def test_registering_with_an_invited_address_brings_the_invitation(
    client: httpx.AsyncClient, db: Database, alice: User, video_squad: Team, bell: Bell
) -> None:
    async with db.act() as session:
        await invite(session, alice, video_squad.id, "dora@example.com", "viewer")

    fields = {"username": "dora", "email": "Dora@example.com", "password": "correct horse"}
    await post(client, "/register", **fields)

    async with db.read() as session:
        dora = (await session.scalars(select(User).filter_by(username="dora"))).one()
    assert await bell(dora) == ["alice invited you to join team 'Video Squad' as viewer"]


async def _fill(db: Database, team: Team, count: int) -> None:
    """`count` viewers, named P00_000 to P09_999."""
    people = [
        {
            "username": f"P{n // 1000:02}_{n % 1000:03}",
            "username_key": f"p{n // 1000:02}_{n % 1000:03}",
            "email": f"p{n}@example.com",
            "email_key": f"p{n}@example.com",
            "password_hash": PASSWORD_HASH,
            "is_admin": False,
            "timezone": "UTC",
            "language": "en",
            "theme": "",
        }
        for n in range(count)
    ]
    async with db.write() as session:
        ids = await session.scalars(insert(User).returning(User.id), people)
        memberships = [{"team_id": team.id, "user_id": one, "role": "viewer"} for one in ids]
        await session.execute(insert(Membership), memberships)
