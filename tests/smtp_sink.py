"""A mail server in a process of its own that takes everything and notes who got what.

    python -m tests.smtp_sink NOTES [HOST]

prints its port; NOTES gets a line for each mail: the Message-ID, the recipient and the subject.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP


class Sink:
    def __init__(self, notes: Path) -> None:
        self._notes = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        head = BytesHeaderParser().parsebytes(envelope.content, headersonly=True)
        subject = " ".join(str(head["Subject"]).split())
        line = f"{head['Message-ID']} {envelope.rcpt_tos[0]} {subject}\n"
        os.write(self._notes, line.encode())
        return "250 OK"


async def serve(notes: Path, host: str = "127.0.0.1") -> None:
    sink = Sink(notes)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="sink"), host, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@asynccontextmanager
async def running_sink(notes: Path, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Its port, for as long as it runs."""
    command = [sys.executable, "-m", "tests.smtp_sink", str(notes), host]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), *sys.argv[2:]))
