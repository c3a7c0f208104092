"""Pushes a second from the outbox, beside the bare cryptography of as many messages in the same run.

    python -m tests.benchmarks.push [--pushes 2000] [--rounds 5]

The push service (which takes everything) is a process of its own. The bare loop makes a key pair,
agrees on a secret (ECDH) and encrypts (AES-GCM) with `cryptography` alone. Between it and the outbox
stand the parts that the outbox is made of: the encryption by pywebpush, which is its limit, and
the same with a POST of each message. The outbox besides claims, reads, decides, writes, signs and
records. All are counted in the time of one processor, so that other work on the machine does not
count; and the outbox sends only what a device can read, which tests show.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pywebpush import WebPusher
from sqlalchemy import insert, select

from app.database import Database
from app.database.migrations import migrate
from app.installation import Installation, install
from app.models import Delivery, Project, PushSubscription, Share, User
from app.notifications.channels.push.allowed_services import PushServices
from app.notifications.channels.push.base64url import encode
from app.notifications.delivery import outbox
from app.notifications.events.catalogue import COMPILATION_COMPLETED
from app.notifications.events.event_type import PUSH
from app.notifications.notify import notify
from app.outgoing import Outgoing
from app.process.gc_tuning import freeze_loaded_objects
from app.settings import Settings, load
from tests.benchmarks._table import Line, alone, at_least_times
from tests.benchmarks._world import add_members, add_people
from tests.factories import make_team
from tests.push_sink import running_sink

PAYLOAD = bytes(700)
AT_ONCE = 16
BARE, ENCRYPTED = "the bare cryptography", "pushes encrypted by pywebpush alone"
POSTED, SHIPPED = "pushes encrypted by it and posted", "pushes from the outbox to the answer"
AIMS = {SHIPPED: at_least_times(0.25)}


async def measure(pushes: int = 2000, rounds: int = 5) -> list[Line]:
    with TemporaryDirectory() as folder:
        async with running_sink() as port:
            parts = install(_settings(folder, port))
            await migrate(parts.db, parts.settings)
            project = await _world(parts, pushes, port)
            freeze_loaded_objects()  # as the worker does
            figures: dict[str, list[float]] = {}
            for _round in range(rounds):
                for name, act in {
                    BARE: lambda: _repeat(_ecdh_and_aes, pushes),
                    ENCRYPTED: lambda: _repeat(_encrypted, pushes),
                    POSTED: lambda: _post(port, pushes),
                    SHIPPED: lambda: _deliver(parts, pushes),
                }.items():
                    if name == SHIPPED:
                        await _tell(parts.db, project)
                    figures.setdefault(name, []).append(await _each(act, pushes))
            await parts.channels[PUSH].close()
    speed = {name: 1e6 / median(each) for name, each in figures.items()}
    return [
        Line(name, speed[name], "a second", BARE, speed[BARE], AIMS.get(name))
        for name in (ENCRYPTED, POSTED, SHIPPED)
    ]


def _settings(folder: str, port: int) -> Settings:
    settings = load({"DATA_DIR": folder, "SECRET_KEY": "a secret of the benchmark"})
    return replace(settings, push_allowed_hosts=(f"127.0.0.1:{port}",), push_delay_seconds=0)


async def _world(parts: Installation, pushes: int, port: int) -> Project:
    """A project that its owner shares with a team of people who have a device each."""
    db, key = parts.db, parts.vapid_keys.public
    owner, *people = await add_people(db, pushes + 1)
    async with parts.db.read() as session:
        actor = await session.get_one(User, owner)
    team = await make_team(db, actor)
    await add_members(db, team.id, people)
    project = Project(name="Highlight Reel", owner_id=owner)
    async with db.write() as session:
        session.add(project)
        await session.flush()
        session.add(Share(project_id=project.id, team_id=team.id))
        await session.execute(insert(PushSubscription), [_device(one, port, key) for one in people])
    return project


def _device(user: int, port: int, key: str) -> dict[str, object]:
    return {
        "user_id": user,
        "endpoint": f"http://127.0.0.1:{port}/push/{user}-{encode(os.urandom(100))}",
        "endpoint_hash": f"{user:064}",
        "p256dh": encode(_point(ec.generate_private_key(ec.SECP256R1()).public_key())),
        "auth": encode(os.urandom(16)),
        "vapid_key": key,
        "name": "Firefox on Linux",
    }


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


THEIRS = ec.generate_private_key(ec.SECP256R1()).public_key()
KEYS = {"p256dh": encode(_point(THEIRS)), "auth": encode(os.urandom(16))}


async def _each(act: Callable[[], Awaitable[None]], pushes: int) -> float:
    """Microseconds of processor time."""
    began = process_time()
    await act()
    return (process_time() - began) / pushes * 1e6


async def _repeat(act: Callable[[], object], times: int) -> None:
    for _time in range(times):
        act()


def _ecdh_and_aes() -> bytes:
    secret = ec.generate_private_key(ec.SECP256R1()).exchange(ec.ECDH(), THEIRS)
    return AESGCM(secret[:16]).encrypt(secret[16:28], PAYLOAD, None)


def _encrypted() -> bytes:
    return bytes(
        WebPusher({"endpoint": "https://example.com", "keys": KEYS}).encode(PAYLOAD)["body"]
    )


async def _post(port: int, pushes: int) -> None:
    """As many connections at once as the outbox has."""
    services = PushServices([f"127.0.0.1:{port}"])
    url = f"http://127.0.0.1:{port}/push/{encode(os.urandom(100))}"
    client, headers = Outgoing(services.may_reach), {"TTL": "60", "Urgency": "normal"}

    async def work() -> None:
        for _push in range(pushes // AT_ONCE):
            reply = await client.post(url, headers, _encrypted())
            assert reply.status == 201

    await asyncio.gather(*(work() for _worker in range(AT_ONCE)))
    await client.close()


async def _tell(db: Database, project: Project) -> None:
    async with db.act() as session:
        await notify(session, COMPILATION_COMPLETED, project=project, duration=12.5, size=1)


async def _deliver(parts: Installation, pushes: int) -> None:
    count = await outbox.deliver(parts.db, parts.channels[PUSH])
    assert count == pushes, f"{count} of {pushes}"
    states = select(Delivery.state).where(Delivery.channel == PUSH).distinct()
    async with parts.db.read() as session:
        assert list(await session.scalars(states)) == ["sent"]


if __name__ == "__main__":
    alone(measure)
