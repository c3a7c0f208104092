"""Sends thousands of requests, generated from the OpenAPI document, to the running application.

`python -m tests.api.fuzzing [EXAMPLES]` runs all checks of schemathesis against the API, by token,
by session cookie and signed out. Each operation gets EXAMPLES (default 10) random cases besides
those that cover its schemas. Prints what does not match the document, and then exits with 1.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from app.accounts.sessions import start_session
from app.accounts.tokens import create_token
from app.models import Compilation, Project, Share, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.notify import notify
from app.projects.clips import add_clip
from app.projects.compilation_runs import run_compilation
from app.security import Signer
from app.teams.invitation_links import link_token
from app.teams.invitations import invite
from tests.bell import newest_notices
from tests.factories import make_account, make_team
from tests.journeys.running import Site, serving
from tests.projects.conftest import uploaded

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
# A stream never ends; tests/notifications/api covers it.
ENDLESS = r"/stream$"
COPIES = 6
ALL_PHASES = "examples,coverage,fuzzing,stateful"

Ids = Mapping[str, list[int | str]]


@dataclass(frozen=True)
class World:
    """A running site. Alice owns several of everything, since the requests delete some."""

    site: Site
    ids: Ids
    key: str
    cookies: str
    csrf: str


@dataclass(frozen=True)
class Outcome:
    cases: int
    code: int
    text: str


@asynccontextmanager
async def world(folder: Path, *, copies: int = COPIES) -> AsyncIterator[World]:
    async with serving(folder, worker=False) as site:
        alice, bob = await make_account(site.db, "alice"), await make_account(site.db, "bob")
        ids = await _fill(site, alice, bob, copies)
        async with site.db.write() as session:
            _token, key = await create_token(session, alice, name="fuzzing", scope="write")
            opened = await start_session(session, alice, "fuzzing")
        async with httpx.AsyncClient(cookies={"session": opened}) as client:
            await client.get(f"{site.url}/account")
            csrf = client.cookies["csrftoken"]
        yield World(site, ids, key, f"session={opened}; csrftoken={csrf}", csrf)


async def _fill(site: Site, alice: User, bob: User, copies: int) -> Ids:
    ids: dict[str, list[int | str]] = {"user_id": [alice.id, bob.id]}
    for number in range(copies):
        for name, value in (await _things(site, alice, bob, number)).items():
            ids.setdefault(name, []).append(value)
    return ids


async def _things(site: Site, alice: User, bob: User, number: int) -> dict[str, int | str]:
    team = await make_team(site.db, alice, f"Team {number}", editors=[bob])
    project = Project(name=f"Reel {number}", owner_id=alice.id)
    async with site.db.write() as session:
        session.add(project)
        await session.flush()
        session.add(Share(project_id=project.id, team_id=team.id))
    clip = await add_clip(
        site.db, site.settings, alice, project.id, uploaded(site.settings, "silent")
    )
    async with site.db.act() as session:
        compilation = Compilation(project_id=project.id)
        session.add(compilation)
        invitation = await invite(session, alice, team.id, f"dave{number}@example.com", "viewer")
        await notify(session, TEAM_UPDATED, actor=bob, team=team, old_name="A", new_name=team.name)
        (notice,) = await newest_notices(session, alice.id, 1)
        token, _key = await create_token(session, alice, name=f"Token {number}", scope="read")
    if number % 2:
        await run_compilation(site.db, site.settings)
    return {
        "team_id": team.id,
        "project_id": project.id,
        "clip_id": clip.id,
        "compilation_id": compilation.id,
        "invitation_id": invitation.id,
        "notification_id": notice.id,
        "token": link_token(Signer(site.settings.secret_key), invitation),
        "token_id": token.id,
    }


def by_token(world: World) -> list[str]:
    """Excludes revoking tokens, which could revoke the one in use; `by_cookie` covers it."""
    bearer = ["--header", f"Authorization: Bearer {world.key}"]
    return [*bearer, "--exclude-operation-id", "accounts.api.revoke"]


def by_cookie(world: World) -> list[str]:
    """Excludes the check that credentials are required: schemathesis removes only one of several.
    `by_token` covers it.
    """
    keys = ["--header", f"Cookie: {world.cookies}", "--header", f"X-CSRF-Token: {world.csrf}"]
    return [*keys, "--exclude-checks", "ignored_auth"]


def signed_out(_world: World) -> list[str]:
    return []


async def try_out(world: World, who: list[str], *, examples: int, phases: str) -> Outcome:
    """Run all checks on all operations. `code` is 0 if everything matches the document."""
    with TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", _configuration(folder, world.ids)),
            *("run", f"{world.site.url}/api/openapi.json", "--checks", "all", "--phases", phases),
            *("--max-examples", str(examples), "--exclude-path-regex", ENDLESS),
            *("--continue-on-failure", "--no-color", "--generation-database", "none", *who),
        ]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        text = (await process.communicate())[0].decode()
    generated = re.search(r"(\d+) generated", text)
    return Outcome(int(generated[1]) if generated else 0, process.returncode or 0, text)


def _configuration(folder: str, ids: Ids) -> str:
    """Two thirds of the generated paths use existing ids."""
    lines = [CONFIGURATION.read_text()]
    for name, values in ids.items():
        lines += [f"[dictionaries.{name}]", f"values = {values!r}"]
    for name in ids:
        lines += [f'[parameters."path.{name}"]', f'dictionary = "{name}"', "probability = 0.67"]
    path = Path(folder, "schemathesis.toml")
    path.write_text("\n".join(lines))
    return str(path)


async def main(examples: int) -> int:
    failed = 0
    for who in (by_token, by_cookie, signed_out):
        with TemporaryDirectory() as folder:
            async with world(Path(folder)) as one:
                outcome = await try_out(one, who(one), examples=examples, phases=ALL_PHASES)
                has_crashed = "Traceback" in one.site.log
                print(f"{who.__name__}: {outcome.cases} cases, exit code {outcome.code}")
                if outcome.code or has_crashed:
                    print(outcome.text, one.site.log)
                    failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)))
