"""Pushes a second from the outbox, beside the bare cryptography of as many messages in the same run.

python -m tests.benchmarks.push [--pushes 2000] [--rounds 5]

The push service (which takes everything) is a process of its own. The bare loop does for each
message what RFC 8291 asks for, with `cryptography` alone: a key pair, ECDH, HKDF, AES-GCM. The
outbox besides claims, reads, decides, writes, signs, posts and records each push. Both are counted
in the time of one processor, so that other work on the machine does not count.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

import uvloop
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import insert

from app.base64url import encode
from app.database import Database
from app.models import Account, Project, PushSubscription, Share
from app.notifications import channels, outbox
from app.notifications.catalogue import COMPILATION_COMPLETED
from app.notifications.channels import browser_push
from app.notifications.notify import notify
from app.settings import Settings, load
from tests.benchmarks._world import add_members, add_people, fresh_database
from tests.factories import make_team
from tests.push_sink import running_sink

PAYLOAD = bytes(700)
AES, WHOLE, SHIPPED = "ECDH and AES-GCM alone", "all that RFC 8291 asks for", "outbox"


async def measure(pushes: int, rounds: int) -> None:
    with TemporaryDirectory() as folder:
        async with running_sink() as port, fresh_database() as db:
            settings = _settings(folder, port)
            project = await _world(db, pushes, port)
            figures: dict[str, list[float]] = {name: [] for name in (AES, WHOLE, SHIPPED)}
            for _round in range(rounds):
                figures[AES].append(_each(_ecdh_and_aes, pushes))
                figures[WHOLE].append(_each(_whole_encryption, pushes))
                figures[SHIPPED].append(await _shipped(db, settings, project, pushes))
    _print(pushes, figures)


def _settings(folder: str, port: int) -> Settings:
    settings = load({"DATA_DIR": folder, "SECRET_KEY": "a secret of the benchmark"})
    settings = replace(settings, push_allowed_hosts=(f"127.0.0.1:{port}",), push_delay_seconds=0)
    channels.configure(settings)
    return settings


async def _world(db: Database, pushes: int, port: int) -> Project:
    """A project that its owner shares with a team of people who have a device each."""
    owner, *people = await add_people(db, pushes + 1)
    async with db.read() as session:
        actor = await session.get_one(Account, owner)
    team = await make_team(db, actor)
    await add_members(db, team.id, people)
    project = Project(name="Highlight Reel", owner_id=owner)
    async with db.write() as session:
        session.add(project)
        await session.flush()
        session.add(Share(project_id=project.id, team_id=team.id))
        await session.execute(insert(PushSubscription), [_device(one, port) for one in people])
    return project


def _device(person: int, port: int) -> dict[str, object]:
    return {
        "account_id": person,
        "endpoint": f"http://127.0.0.1:{port}/push/{person}-{encode(os.urandom(100))}",
        "endpoint_hash": f"{person:064}",
        "p256dh": encode(_point(ec.generate_private_key(ec.SECP256R1()))),
        "auth": encode(os.urandom(16)),
        "vapid_key": browser_push.public_key,
        "name": "Firefox on Linux",
    }


def _each(act: Callable[[], object], times: int) -> float:
    """Microseconds of processor time."""
    began = process_time()
    for _time in range(times):
        act()
    return (process_time() - began) / times * 1e6


def _ecdh_and_aes() -> bytes:
    secret = ec.generate_private_key(ec.SECP256R1()).exchange(ec.ECDH(), THEIRS)
    return AESGCM(secret[:16]).encrypt(secret[16:28], PAYLOAD, None)


def _whole_encryption() -> bytes:
    """RFC 8291, section 3.4, and RFC 8188 for one record."""
    own = ec.generate_private_key(ec.SECP256R1())
    point, salt = _point(own), os.urandom(16)
    info = b"WebPush: info\x00" + _point_of(THEIRS) + point
    keying = _derive(AUTH, info, own.exchange(ec.ECDH(), THEIRS), 32)
    key = _derive(salt, b"Content-Encoding: aes128gcm\x00", keying, 16)
    nonce = _derive(salt, b"Content-Encoding: nonce\x00", keying, 12)
    head = salt + (4096).to_bytes(4, "big") + bytes([len(point)]) + point
    return head + AESGCM(key).encrypt(nonce, PAYLOAD + b"\x02", None)


def _derive(salt: bytes, info: bytes, keying: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(keying)


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return _point_of(key.public_key())


def _point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


THEIRS = ec.generate_private_key(ec.SECP256R1()).public_key()
AUTH = os.urandom(16)


async def _shipped(db: Database, settings: Settings, project: Project, pushes: int) -> float:
    """Microseconds of processor time for each push that the outbox delivers."""
    async with db.act() as session:
        await notify(session, COMPILATION_COMPLETED, project=project, duration=12.5, size=1)
    began = process_time()
    count = await outbox.deliver(db, settings, browser_push)
    seconds = process_time() - began
    assert count == pushes, f"{count} of {pushes}"
    return seconds / pushes * 1e6


def _print(pushes: int, figures: dict[str, list[float]]) -> None:
    mine = median(figures[SHIPPED])
    print(
        f"\n{pushes} pushes; processor time for each, medians of {len(figures[SHIPPED])} rounds\n"
    )
    for name, each in figures.items():
        print(
            f"{name:36} {median(each):6.0f} µs {1e6 / median(each):8.0f} a second and core", end=""
        )
        print(f"   the outbox does {median(each) / mine:.2f}×" if name != SHIPPED else "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pushes", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    uvloop.run(measure(chosen.pushes, chosen.rounds))
