"""Carol cannot reach alice's data, and nobody reaches any without signing in."""

from operator import itemgetter

import pytest

from app.accounts import authentication
from app.models import User
from tests.contract.doors import Door, doors
from tests.contract.keeping import Rows, read_rows
from tests.contract.world import World, take_token
from tests.factories import PASSWORD_HASH

pytestmark = pytest.mark.asyncio(loop_scope="session")
# Where nobody has to be signed in: to come in, by a signed link, or to see whether all is well.
PUBLIC = {
    "/",
    "/login",
    "/register",
    "/forgot",
    "/reset/{token:str}",
    "/confirm/{token:str}",
    "/account/address/cancel/{token:str}",
    "/unsubscribe/{token:str}",
    "/unsubscribe/{token:str}/undo",
    "/stop-invitations/{token:str}",
    "/stop-invitations/{token:str}/undo",
    "/healthz",
    "/readyz",
    "/metrics",
    "/sw.js",
    "/offline.js",
    "/push/words",
    "/manifest.webmanifest",
    "/offline",
    "/dev/mail",
    "/dev/mail/{name:str}",
    "/dev/mail/{name:str}/html",
    "/dev/patterns",
}
PUBLIC_TO_LOOK_AT = {"/invitations/{token:str}"}
# Asked by scripts, which are told 401 and not sent to another page.
FETCHED = {"/notifications/stream", "/notifications/bell"}
# The names in these addresses are not those of alice's things.
OF_ANYBODY = {
    "/account/notifications/{field:str}",
    "/dev/mail/{name:str}",
    "/dev/mail/{name:str}/html",
}
ENDLESS = "/notifications/stream"


async def test_alices_rows_are_not_found_by_carol_and_stay_unchanged(
    world: World,
) -> None:
    before = await everything(world)
    async with world.visitor() as carol:
        await world.sign_in(carol, world.carol)
        carol.headers["HX-Request-Type"] = "partial"
        for door in doors(world.app, "GET", "POST"):
            if is_of_somebody(door):
                url, fields = world.url(door.path), world.right(door.path)
                answer = await carol.request(door.method, url, data=fields)

                assert answer.status_code == 404, (door.name, answer)
    assert await everything(world) == before


async def test_forms_of_carol_do_not_change_alices_rows(
    world: World,
) -> None:
    before = await everything(world)
    async with world.visitor() as carol:
        await world.sign_in(carol, world.carol)
        for path in ("/notifications/bulk", "/notifications/read-all", "/notifications/undo"):
            fields = world.right(path)
            answer = await carol.post(path, data=fields)

            assert answer.status_code in (303, 404), (path, answer)
        for do in ("delete", "unread", "read"):
            said = {"do": do, "seen": "9" * 18, "confirmed": "1"}
            for which in ({"all_matching": "1"}, {"ids": world.ids["notification_id"]}):
                answer = await carol.post("/notifications/bulk", data=said | which)

                assert answer.status_code == 303, (do, which, answer)
    assert await everything(world) == before


async def test_a_link_for_alice_opens_nothing_for_carol(world: World) -> None:
    before = await everything(world)
    async with world.visitor() as carol:
        await world.sign_in(carol, world.carol)
        for verb in ("accept", "decline"):
            answer = await carol.post(world.url(f"/invitations/{{token:str}}/{verb}"))

            assert answer.status_code == 403, (verb, answer)
    assert await everything(world) == before


async def test_the_signed_out_are_sent_to_the_login_and_change_nothing(
    world: World,
) -> None:
    before = await everything(world)
    async with world.visitor() as stranger:
        await take_token(stranger)
        for door in doors(world.app, "GET", "POST"):
            if door.path not in PUBLIC and not is_to_look_at(door):
                url, fields = world.url(door.path), world.right(door.path)
                answer = await stranger.request(door.method, url, data=fields)

                if door.path in FETCHED:
                    assert answer.status_code == 401, (door.name, answer)
                else:
                    assert answer.status_code == 303, (door.name, answer)
                    assert answer.headers["Location"].startswith("/login"), door.name
    assert await everything(world) == before


async def test_get_requests_change_nothing_but_the_read_state(world: World) -> None:
    before = but_for_reading(await everything(world))
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        for door in doors(world.app, "GET"):
            if door.path != ENDLESS:
                await alice.get(world.url(door.path), params={"undo": world.ids["undo"]})
    assert but_for_reading(await everything(world)) == before


async def test_requests_of_a_deleted_user_change_nothing_and_never_crash(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await everything(world)
    monkeypatch.setattr(authentication, "find_session", ghost)
    async with world.visitor() as gone:
        await take_token(gone)
        gone.cookies.set("session", "anything", "testserver.local")
        for door in doors(world.app, "GET", "POST"):
            if door.path not in PUBLIC | {ENDLESS}:
                url, fields = world.url(door.path), world.right(door.path)
                answer = await gone.request(door.method, url, data=fields)

                assert answer.status_code < 500, (door.name, answer)
    assert await everything(world) == before


def but_for_reading(everything: Rows) -> Rows:
    """Opening is reading: a visit to a page marks notices read, and records that."""
    rows = {table.name: those for table, those in everything.items()}
    rows["notification"].sort(key=itemgetter("id"))
    for row in rows["notification"]:
        for name in [one for one in row if one.startswith("earlier_")]:
            del row[name]
        del row["read_at"], row["changed_in"]
    read = [row for row in rows["change"] if row["kind"] == "read"]
    for row in read:
        rows["change"].remove(row)
    return everything


async def ghost(_db: object, _token: str) -> tuple[User, int]:
    """A user who existed when the request arrived and has since been deleted."""
    account = User(id=999_999, username="ghost", username_key="ghost", email="ghost@example.com")
    account.email_key, account.password_hash = account.email, PASSWORD_HASH
    account.timezone = account.language = account.theme = ""
    return account, 999_999


def is_of_somebody(door: Door) -> bool:
    """Whether the address names a thing of alice's, or is for administrators."""
    names_a_thing = "{" in door.path and "{token:str}" not in door.path
    return (names_a_thing and door.path not in OF_ANYBODY) or door.path.startswith("/admin")


def is_to_look_at(door: Door) -> bool:
    return door.method == "GET" and door.path in PUBLIC_TO_LOOK_AT


async def everything(world: World) -> Rows:
    """Every row of every table, but for when somebody was last seen where, and how often sessions
    were ended, of nobody too.
    """
    rows = await read_rows(world.app.state.db)
    for row in rows[User.__table__]:  # type: ignore[index]
        del row["last_seen_at"]
    left_out = ("web_session", "ending_count")
    return {table: those for table, those in rows.items() if table.name not in left_out}
