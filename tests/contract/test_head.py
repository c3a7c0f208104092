"""What answers GET answers HEAD: for link checkers and monitors, of which no one is a reader."""

import pytest
from litestar import Litestar

from tests.contract.doors import every_door
from tests.contract.test_security import ENDLESS, SHARED
from tests.contract.test_strangers import everything
from tests.contract.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


def paths(app: Litestar) -> list[str]:
    found = [door.path for door in every_door(app) if door.method == "GET"]
    return [path for path in found if path not in (*ENDLESS, *SHARED)]


@pytest.mark.parametrize("headers", [{}, {"HX-Request-Type": "partial"}], ids=["a page", "a part"])
async def test_head_has_the_status_of_get_and_reads_nothing(
    world: World, headers: dict[str, str]
) -> None:
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        alice.headers.update(headers)
        before = await everything(world)
        heads = {path: await alice.head(world.url(path)) for path in paths(world.app)}
        assert await everything(world) == before
        gets = {path: await alice.get(world.url(path)) for path in paths(world.app)}

    assert len(heads) > 60
    statuses = {path: answer.status_code for path, answer in heads.items()}
    assert statuses == {path: answer.status_code for path, answer in gets.items()}
    assert {"/", "/login", "/healthz", "/readyz", "/api/openapi.json"} <= statuses.keys()


@pytest.mark.parametrize("path", ENDLESS)
async def test_head_opens_no_stream(world: World, path: str) -> None:
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)

        answer = await alice.head(path)

    assert answer.status_code == 405
    assert "HEAD" not in answer.headers["Allow"]
