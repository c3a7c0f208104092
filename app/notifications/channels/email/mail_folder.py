"""Sending without a mail server: `.eml` files in `DATA_DIR/mail`, which /dev/mail shows."""

import asyncio
import os
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Self

from app import clock
from app.notifications.channels.base import UNAVAILABLE, DeliveryFailure, Failed, Undelivered

# More than a mail takes up.
PROBE_BYTES = 1_000_000


class Folder:
    """Has the methods of `Smtp`. Every mail arrives, unless the disk is full."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Holds nothing."""

    def announce(self, address: str) -> None:
        """There is no server to tell."""

    async def retract(self) -> None:
        """There is no server to tell."""

    async def send(self, _address: str, content: bytes) -> None:
        """Raises Undelivered if the mail cannot be written now."""
        try:
            await asyncio.to_thread(_keep, self._path, content)
        except OSError as error:
            failure = DeliveryFailure(UNAVAILABLE, detail=error.strerror)
            raise Undelivered(Failed(failure, is_outage=True, is_unreachable=True)) from error

    async def has_room(self) -> bool:
        try:
            await asyncio.to_thread(_probe, self._path)
        except OSError:
            return False
        return True


def _keep(folder: Path, content: bytes) -> None:
    """The file gets its name once it is complete. Only its owner can read it: it may contain a
    reset link.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = BytesHeaderParser().parsebytes(content)["Message-ID"].strip("<>").partition("@")[0]
    path = folder / f"{clock.now():%Y%m%d-%H%M%S}-{stem}.eml"
    draft = path.with_suffix(".draft")
    try:
        _write(draft, content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _probe(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f"{os.getpid()}.draft"
    try:
        _write(draft, bytes(PROBE_BYTES))
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
