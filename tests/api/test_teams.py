"""Teams in JSON: programs do what pages do, and the same users are notified."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app import clock
from app.database import Database
from app.models import Invitation, Team, User
from tests.api.conftest import Program
from tests.factories import make_account, make_team


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


async def told(program: Program) -> list[str]:
    answer = await program.get("/api/notifications")
    return [notice["message"] for notice in answer.json()["notifications"]]


async def test_a_team_is_created_listed_renamed_and_deleted(
    for_alice: Program, alice: User
) -> None:
    made = await for_alice.post("/api/teams", json={"name": "My Team"})
    team = made.json()
    url = made.headers["Location"]
    renamed = await for_alice.put(url, json={"name": "Our Team"})
    listed = await for_alice.get("/api/teams")
    deleted = await for_alice.delete(url)

    assert made.status_code == 201
    assert team["owner"] == {"id": alice.id, "username": "alice"}
    assert [(one["user_id"], one["role"]) for one in team["members"]] == [(alice.id, "owner")]
    assert renamed.json()["name"] == "Our Team"
    assert listed.json() == {
        "teams": [
            {
                "id": team["id"],
                "name": "Our Team",
                "role": "owner",
                "owner": {"id": alice.id, "username": "alice"},
                "member_count": 1,
            }
        ]
    }
    assert deleted.status_code == 200
    assert (await for_alice.get(url)).status_code == 404


async def test_a_team_in_the_list_of_a_member_names_its_owner(
    for_bob: Program, squad: Team, alice: User
) -> None:
    [team] = (await for_bob.get("/api/teams")).json()["teams"]

    assert team["owner"] == {"id": alice.id, "username": "alice"}
    assert (team["role"], team["member_count"]) == ("editor", 2)


async def test_members_come_in_pages_and_can_be_searched(
    for_alice: Program, db: Database, alice: User
) -> None:
    people = [await make_account(db, f"editor{number:02}") for number in range(60)]
    team = await make_team(db, alice, editors=people)
    url = f"/api/teams/{team.id}"

    first = await for_alice.get(url)
    pages = [(await for_alice.get(url, params={"page": page})).json() for page in (1, 2, 3)]
    found = (await for_alice.get(url, params={"q": "Editor5"})).json()

    assert f'<{url}?page=2>; rel="next"' in first.headers["Link"]
    assert [len(page["members"]) for page in pages] == [50, 11, 0]
    assert {page["member_count"] for page in pages} == {61}
    assert {page["pages"] for page in pages} == {2}
    assert [one["username"] for one in found["members"]] == [f"editor5{n}" for n in range(10)]
    assert found["member_count"] == 61


async def test_a_member_is_added_given_a_role_and_removed(
    for_alice: Program, for_carol: Program, squad: Team, carol: User
) -> None:
    url = f"/api/teams/{squad.id}/members"

    added = await for_alice.post(url, json={"username": "CAROL", "role": "editor"})
    again = await for_alice.post(url, json={"username": "carol@example.com", "role": "editor"})
    changed = await for_alice.put(f"{url}/{carol.id}", json={"role": "viewer"})
    removed = await for_alice.delete(f"{url}/{carol.id}")

    assert (added.status_code, added.json()["user_id"]) == (201, carol.id)
    assert added.json()["role"] == "editor"
    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "username")
    assert changed.json()["role"] == "viewer"
    assert removed.status_code == 200
    assert await told(for_carol) == ["You were removed from team 'Video Squad'"]


async def test_only_the_owner_hands_the_team_over(
    for_alice: Program, for_bob: Program, squad: Team, alice: User, bob: User
) -> None:
    url = f"/api/teams/{squad.id}/members"

    by_bob = await for_bob.put(f"{url}/{alice.id}", json={"role": "owner"})
    by_alice = await for_alice.put(f"{url}/{bob.id}", json={"role": "owner"})

    assert by_bob.status_code == 403
    assert by_alice.json()["role"] == "owner"
    assert (await for_bob.delete(f"/api/teams/{squad.id}")).status_code == 200


async def test_errors_name_fields_as_the_body_does(for_alice: Program, squad: Team) -> None:
    url = f"/api/teams/{squad.id}"

    unknown = await for_alice.post(f"{url}/members", json={"username": "nemo", "role": "editor"})
    wrong = await for_alice.post(f"{url}/members", json={"login": "bob", "role": "owner"})
    nameless = await for_alice.put(url, json={"name": " \u200b\n"})

    assert [error["field"] for error in unknown.json()["errors"]] == ["username"]
    assert {error["field"] for error in wrong.json()["errors"]} == {"username", "login", "role"}
    assert [error["field"] for error in nameless.json()["errors"]] == ["name"]


async def test_a_member_leaves_but_the_owner_does_not(
    for_alice: Program, for_bob: Program, squad: Team
) -> None:
    url = f"/api/teams/{squad.id}/leave"

    by_owner, by_member = await for_alice.post(url), await for_bob.post(url)

    assert (by_owner.status_code, by_member.status_code) == (403, 200)
    assert await told(for_alice) == ["bob left the team"]


async def test_a_team_is_muted_for_one_user_only(for_bob: Program, squad: Team) -> None:
    url = f"/api/teams/{squad.id}"

    states = []
    for muted in (True, True, False):
        await for_bob.put(f"{url}/mute", json={"muted": muted})
        states.append((await for_bob.get(url)).json()["muted"])

    assert states == [True, True, False]


async def test_an_invitation_is_answered_by_its_token(
    for_alice: Program, for_carol: Program, nobody: Program, squad: Team
) -> None:
    url = f"/api/teams/{squad.id}/invitations"

    made = await for_alice.post(url, json={"email": "carol@example.com", "role": "viewer"})
    token = made.json()["token"]
    listed = await for_alice.get(url)
    seen = await nobody.get(f"/api/invitations/{token}")
    by_nobody = await nobody.post(f"/api/invitations/{token}/accept")
    by_alice = await for_alice.post(f"/api/invitations/{token}/accept")
    by_carol = await for_carol.post(f"/api/invitations/{token}/accept")
    again = await for_carol.post(f"/api/invitations/{token}/decline")

    assert made.status_code == 201
    assert "token" not in listed.json()["invitations"][0]
    assert seen.json()["team"] == {"id": squad.id, "name": "Video Squad"}
    assert (seen.json()["inviter"], seen.json()["status"]) == ("alice", "pending")
    assert [one.status_code for one in (by_nobody, by_alice, by_carol, again)] == [
        401,
        403,
        200,
        409,
    ]
    assert (await for_carol.get(f"/api/teams/{squad.id}")).json()["role"] == "viewer"


async def test_declining_an_invitation_notifies_the_inviter(
    for_alice: Program, for_carol: Program, squad: Team
) -> None:
    sent = {"email": "carol@example.com", "role": "viewer"}
    made = await for_alice.post(f"/api/teams/{squad.id}/invitations", json=sent)

    await for_carol.post(f"/api/invitations/{made.json()['token']}/decline")

    assert await told(for_alice) == ["carol declined the invitation to team 'Video Squad'"]


async def test_an_expired_invitation_is_sent_again_and_revoked(
    for_alice: Program, nobody: Program, db: Database, squad: Team
) -> None:
    url = f"/api/teams/{squad.id}/invitations"
    sent = {"email": "carol@example.com", "role": "viewer"}
    made = (await for_alice.post(url, json=sent)).json()
    async with db.write() as session:
        long_ago = clock.now() - timedelta(days=8)
        await session.execute(update(Invitation).values(expires_at=long_ago))

    expired = await nobody.get(f"/api/invitations/{made['token']}")
    again = await for_alice.post(f"{url}/{made['id']}/again")
    twice = await for_alice.post(url, json=sent)
    revoked = await for_alice.delete(f"{url}/{made['id']}")
    after = await for_alice.post(f"{url}/{made['id']}/again")

    assert expired.json()["status"] == "expired"
    assert (again.status_code, again.json()["status"]) == (201, "pending")
    assert again.json()["token"]
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (409, "email")
    assert (revoked.status_code, after.status_code) == (200, 409)


async def test_an_invitation_is_shown_as_in_the_list_and_after_its_end(
    for_alice: Program, for_carol: Program, squad: Team
) -> None:
    url = f"/api/teams/{squad.id}/invitations"
    sent = {"email": "carol@example.com", "role": "viewer"}
    made = (await for_alice.post(url, json=sent)).json()
    [listed] = (await for_alice.get(url)).json()["invitations"]

    shown = await for_alice.get(f"{url}/{made['id']}")
    await for_carol.post(f"/api/invitations/{made['token']}/decline")
    declined = await for_alice.get(f"{url}/{made['id']}")

    assert (shown.status_code, shown.json()) == (200, listed)
    assert declined.json() == listed | {"status": "declined"}
    assert (await for_alice.get(f"{url}/{made['id'] + 1}")).status_code == 404


async def test_an_invitation_of_another_team_is_404(
    for_alice: Program, for_carol: Program, squad: Team
) -> None:
    sent = {"email": "dora@example.com", "role": "viewer"}
    made = await for_alice.post(f"/api/teams/{squad.id}/invitations", json=sent)
    own = (await for_carol.post("/api/teams", json={"name": "Another"})).json()["id"]

    answer = await for_carol.get(f"/api/teams/{own}/invitations/{made.json()['id']}")

    assert answer.status_code == 404


async def test_a_viewer_is_not_allowed_to_change_the_team(
    for_bob: Program, squad: Team, alice: User
) -> None:
    url = f"/api/teams/{squad.id}"

    tries = [
        await for_bob.put(url, json={"name": "Mine"}),
        await for_bob.delete(url),
        await for_bob.post(f"{url}/members", json={"username": "carol", "role": "viewer"}),
        await for_bob.delete(f"{url}/members/{alice.id}"),
        await for_bob.get(f"{url}/invitations"),
        await for_bob.get(f"{url}/invitations/1"),
        await for_bob.post(f"{url}/invitations", json={"email": "x@example.com", "role": "viewer"}),
    ]

    assert {answer.status_code for answer in tries} == {403}


async def test_an_invented_invitation_token_is_404(nobody: Program) -> None:
    assert (await nobody.get("/api/invitations/made-up")).status_code == 404
