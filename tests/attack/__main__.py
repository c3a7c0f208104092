"""Attacks the application as shipped, under a limit of 300 open files, while Alice uses it.

Prints what she could do and what memory the processes have, before the attack and afterwards.
Exits with 1 if anything of hers failed, a process logged an error, or memory has grown by more than a fifth.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic

from tests.attack._attackers import Attack
from tests.attack._person import Person, signed_in
from tests.attack._site import Site, shipped

SECONDS_BETWEEN_NOTICES = 20
SECONDS_TO_SETTLE = 15
GROWTH_AT_MOST = 1.2
MB = 1_000_000


async def main(megabytes: int) -> bool:
    """Whether all went well."""
    async with shipped() as site:
        await warm_up(site)
        before, attack = site.memory(), Attack(site.port)
        async with attack.under_way():
            await asyncio.sleep(3)
            went_well = await use(site, megabytes * MB)
        await asyncio.sleep(SECONDS_TO_SETTLE)
        print(
            "ended by the server: " + ", ".join(f"{n} {kind}" for kind, n in attack.ended.items())
        )
        for line in site.complaints():
            print(line)
        return compare(before, site.memory()) and went_well and not site.complaints()


async def warm_up(site: Site) -> None:
    """All that happens under attack, and enough of it that no cache grows any more."""
    async with alice_and_bob(site) as (alice, bob):
        await alice.is_added_by(bob, "Warming up")
        await alice.uploads(MB)
        for _ in range(20):
            pages = ("/", "/teams", "/projects", "/notifications", "/account", "/api/docs")
            await asyncio.gather(*(alice.get(page) for page in pages))


async def use(site: Site, size: int) -> bool:
    async def sign_in() -> str:
        begun = monotonic()
        async with signed_in(site.url, "alice"):
            return f"took {monotonic() - begun:.2f} s"

    async def upload() -> str:
        begun = monotonic()
        async with signed_in(site.url, "alice") as alice:
            await alice.uploads(size)
        return f"{size // MB} MB took {monotonic() - begun:.0f} s"

    async def hear(uploading: asyncio.Task[bool]) -> str:
        seconds: list[float] = []
        async with alice_and_bob(site) as (alice, bob):
            while not seconds or not uploading.done():
                seconds.append(await alice.is_added_by(bob, f"Attacked {len(seconds)}"))
                await asyncio.wait([uploading], timeout=SECONDS_BETWEEN_NOTICES)
        return f"{len(seconds)} notices, the slowest after {max(seconds):.2f} s"

    signed = await tried("sign in", sign_in)
    uploading = asyncio.create_task(tried("upload", upload))
    heard = await tried("notice", lambda: hear(uploading))
    return all([signed, heard, await uploading])


@asynccontextmanager
async def alice_and_bob(site: Site) -> AsyncIterator[tuple[Person, Person]]:
    async with signed_in(site.url, "alice") as alice, signed_in(site.url, "bob") as bob:
        yield alice, bob


async def tried(what: str, attempt: Callable[[], Awaitable[str]]) -> bool:
    try:
        print(f"{what:10} ok      {await attempt()}", flush=True)
    except Exception as error:
        print(f"{what:10} FAILED  {type(error).__name__}: {error}", flush=True)
        return False
    return True


def compare(before: dict[str, float], after: dict[str, float]) -> bool:
    went_well = before.keys() == after.keys()
    for name, megabytes in before.items():
        growth = after.get(name, 0) / megabytes
        went_well &= growth <= GROWTH_AT_MOST
        print(
            f"{name:10} {megabytes:.0f} MB before, {after.get(name, 0):.0f} MB after: {growth:.2f}×"
        )
    return went_well


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--upload-mb", type=int, default=50, help="how much Alice uploads")
    sys.exit(not asyncio.run(main(parser.parse_args().upload_mb)))
