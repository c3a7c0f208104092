"""A page names the user it was made for, and does nothing as anyone else (CONTRACT section 5)."""

import pytest
from litestar import Litestar

from tests.contract.doors import Door, doors
from tests.contract.forms import MARKUP
from tests.contract.markup import words
from tests.contract.test_security import SHARED
from tests.contract.test_strangers import everything
from tests.contract.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")
# A mail program has no page: the signed link says whose mail it is about.
EXEMPT = {
    "/unsubscribe/{token:str}",
    "/unsubscribe/{token:str}/undo",
    "/stop-invitations/{token:str}",
    "/stop-invitations/{token:str}/undo",
}
# The field of each upload.
UPLOADS = {"/projects/{project_id:int}/clips": "clips", "/account/picture": "picture"}


def unsafe_doors(app: Litestar) -> list[Door]:
    return [door for door in doors(app, "POST") if door.path not in EXEMPT]


@pytest.mark.parametrize("is_partial", [False, True], ids=["a form", "a script"])
async def test_every_form_of_another_users_page_is_refused(world: World, is_partial: bool) -> None:
    before = await everything(world)
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        if is_partial:
            alice.headers["HX-Request-Type"] = "partial"
        for door in unsafe_doors(world.app):
            fields = world.right(door.path) | {"_user": str(world.carol.id)}
            files = {UPLOADS[door.path]: ("one", b"x")} if door.path in UPLOADS else None
            answer = await alice.post(world.url(door.path), data=fields, files=files)

            assert answer.status_code == 409, (door.name, answer)
            assert "You are logged in as alice" in words(answer.text), door.name
            assert 'href="/login?switch=1&amp;next=' in answer.text, door.name
    assert await everything(world) == before


async def test_every_script_of_another_users_page_is_refused(world: World) -> None:
    """Also what it only reads: alice's notifications must not show in carol's page."""
    before = await everything(world)
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        alice.headers.update({"HX-Request-Type": "partial", "X-User": str(world.carol.id)})
        for door in [*unsafe_doors(world.app), *doors(world.app, "GET")]:
            if door.path not in (*EXEMPT, *SHARED):
                answer = await alice.request(door.method, world.url(door.path))

                assert answer.status_code == 409, (door.name, answer)
                assert "Video Squad" not in answer.text, door.name
    assert await everything(world) == before


async def test_without_a_valid_token_the_user_that_a_form_names_is_not_revealed(
    world: World,
) -> None:
    """Otherwise anyone could read the username of each id."""
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)

        answer = await alice.post("/teams", data={"name": MARKUP, "_user": str(world.carol.id)})

    assert "carol" not in answer.text
    assert "Log in with another account" in words(answer.text)
