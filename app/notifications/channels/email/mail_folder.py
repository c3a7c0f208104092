"""Sending without a mail server: `.eml` files in `DATA_DIR/mail`, which /dev/mail shows."""

import asyncio
import os
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Self

from app import clock


class Folder:
    """Has the methods of `Smtp`; every mail arrives."""

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
        await asyncio.to_thread(_keep, self._path, content)


def _keep(folder: Path, content: bytes) -> None:
    """The file gets its name once it is complete. Only its owner can read it: it may contain a
    reset link.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = BytesHeaderParser().parsebytes(content)["Message-ID"].strip("<>").partition("@")[0]
    path = folder / f"{clock.now():%Y%m%d-%H%M%S}-{stem}.eml"
    draft = path.with_suffix(".draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
