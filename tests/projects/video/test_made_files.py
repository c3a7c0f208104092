"""Every row of `made_files` uploaded and compiled: verdict, length, size, colours, loudness, notes."""

import re
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from app.database import Database
from app.models import Project, User
from app.projects.compilation_runs import run_compilation
from app.projects.compilations import request_compilation
from app.projects.media_storage import thumbnail_path, video_path
from app.projects.video.probe import probe
from app.settings import Settings
from tests.application import browser, serving
from tests.conftest import sign_in
from tests.projects.video.made_files import ROWS, Colour, MadeFile, make

# How far the middle of each quarter is from left and top.
MIDDLES = ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))
LU_WITHIN = 1.0
# Each with rows of every part of the table, so that something is left to compile.
BATCHES = [ROWS[number::13] for number in range(13)]


@dataclass(frozen=True)
class Film:
    """A decoded video. `frames` are `height` rows of `width` pixels of RGB."""

    path: Path
    frames: list[bytes]
    width: int
    height: int
    rate: float

    @classmethod
    async def of(cls, path: Path) -> "Film":
        facts = await probe(path, "video")
        pixels = _output(
            "-i", str(path), "-fps_mode", "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"
        ).stdout
        size = facts.width * facts.height * 3
        frames = [pixels[start : start + size] for start in range(0, len(pixels), size)]
        return cls(path, frames, facts.width, facts.height, facts.rate)

    def quarters(self, time: float, size: tuple[int, int]) -> list[Colour]:
        """The mean colours in the middle of the quarters of a picture of `size`, which is fitted
        into the middle of the frame.
        """
        scale = min(self.width / size[0], self.height / size[1])
        width, height = size[0] * scale, size[1] * scale
        left, top = (self.width - width) / 2, (self.height - height) / 2
        return [self.mean(time, left + x * width, top + y * height) for x, y in MIDDLES]

    def bars(self, time: float, size: tuple[int, int]) -> list[Colour]:
        """The colours beside the fitted picture, if it leaves room."""
        scale = min(self.width / size[0], self.height / size[1])
        beside, above = self.width - size[0] * scale, self.height - size[1] * scale
        if beside > 16:
            return [self.mean(time, x, self.height / 2) for x in (4, self.width - 4)]
        return [self.mean(time, self.width / 2, y) for y in (4, self.height - 4) if above > 16]

    def mean(self, time: float, x: float, y: float) -> Colour:
        frame = self.frames[min(int(time * self.rate), len(self.frames) - 1)]
        columns = range(max(0, int(x) - 2), min(self.width, int(x) + 3))
        rows = range(max(0, int(y) - 2), min(self.height, int(y) + 3))
        places = [(row * self.width + column) * 3 for row in rows for column in columns]
        red, green, blue = (
            round(sum(frame[place + n] for place in places) / len(places)) for n in range(3)
        )
        return red, green, blue

    def lufs(self, start: float, seconds: float) -> float | None:
        """None for silence."""
        part = ["-ss", str(start), "-t", str(seconds), "-i", str(self.path), "-vn"]
        log = _output(
            *part, "-af", "ebur128=framelog=quiet", "-f", "null", "-", level="info"
        ).stderr
        value = float(re.findall(rb"I: +(-?[\d.]+) LUFS", log)[-1])
        return None if value <= -60 else value


def _output(*arguments: str, level: str = "error") -> "subprocess.CompletedProcess[bytes]":
    command = [get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-v", level, *arguments]
    return subprocess.run(command, capture_output=True, check=True)


@pytest.fixture
async def as_alice(settings: Settings, alice: User) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(settings) as app, browser(app) as client:
        await sign_in(client, alice)
        yield client


@pytest.mark.parametrize("rows", BATCHES, ids=lambda rows: f"{rows[0].name} and others")
async def test_a_made_file_comes_out_right(
    as_alice: httpx.AsyncClient,
    db: Database,
    settings: Settings,
    alice: User,
    reel: Project,
    rows: list[MadeFile],
) -> None:
    added, verdicts = await upload(as_alice, reel, rows)
    film = await compiled(db, settings, alice, reel)

    wrong = [*verdicts, *differences(film, added)]
    assert "\n".join(wrong) == ""


async def upload(
    client: httpx.AsyncClient, project: Project, rows: Sequence[MadeFile]
) -> tuple[list[tuple[MadeFile, dict[str, Any]]], list[str]]:
    """Returns the clips of the rows that were taken, and what is not as it should be."""
    files = [("clips", (row.file, make(row.name).read_bytes())) for row in rows]
    headers = {"X-CSRF-Token": client.cookies["csrftoken"]}
    url = f"/api/projects/{project.id}/clips"
    answer = (await client.post(url, files=files, headers=headers, timeout=300)).json()
    clips = {clip["filename"]: clip for clip in answer.get("clips", [])}
    refusals = [error["detail"] for error in answer.get("errors", [])]
    added = [(row, clips[row.file]) for row in rows if row.file in clips]
    return added, [wrong for row in rows for wrong in _misjudged(row, clips, refusals)]


def _misjudged(
    row: MadeFile, clips: dict[str, dict[str, Any]], refusals: Sequence[str]
) -> Iterator[str]:
    refusal = next((one for one in refusals if f"'{row.file}'" in one), "")
    if row.refused:
        if row.refused not in refusal:
            yield f"{row.name}: not refused as one that {row.refused}, but {refusal or 'taken'}"
        return
    if refusal:
        yield f"{row.name}: {refusal}"
        return
    clip = clips[row.file]
    if abs(clip["duration"] - row.seconds) > row.within:
        yield f"{row.name}: {clip['duration']} s, not {row.seconds}"
    if (clip["width"], clip["height"]) != row.size:
        yield f"{row.name}: {clip['width']} x {clip['height']}, not {row.size}"
    if (clip.get("note") or "") != row.told:
        yield f"{row.name}: told {clip.get('note')}"


async def compiled(db: Database, settings: Settings, user: User, project: Project) -> Film:
    async with db.act() as session:
        compilation = await request_compilation(session, settings, project, user)
    await run_compilation(db, settings)
    async with db.read() as session:
        await session.refresh(done := await session.merge(compilation))
    assert (done.status, done.error) == ("completed", None)
    assert thumbnail_path(settings, done.id).stat().st_size
    return await Film.of(video_path(settings, done.id))


def differences(film: Film, added: Sequence[tuple[MadeFile, dict[str, Any]]]) -> Iterator[str]:
    """Looks at each clip where it stands in the video."""
    start = 0.0
    for row, clip in added:
        frames = max(1, round(clip["duration"] * film.rate))
        seconds = frames / film.rate
        yield from _unlike(film, row, start, seconds)
        start += seconds
    if abs(len(film.frames) - start * film.rate) > 0.5:
        yield f"the video has {len(film.frames)} frames, not {start * film.rate}"


def _unlike(film: Film, row: MadeFile, start: float, seconds: float) -> Iterator[str]:
    early, late = start + 0.1 * seconds, start + 0.9 * seconds
    for time, size in ((early, row.size), (late, row.turned or row.size)):
        seen = film.quarters(time, size)
        if row.seen and not _are_like(seen, row.seen, row.colour_within):
            yield f"{row.name}: at {time - start:.2f} s {seen}, not {row.seen}"
        if not _are_like(bars := film.bars(time, size), [(0, 0, 0)] * len(bars), 12):
            yield f"{row.name}: at {time - start:.2f} s {bars} beside it, not black"
    if seconds < 0.5:
        return
    heard = film.lufs(start, seconds)
    if (heard is None) != (row.lufs is None) or abs((heard or 0) - (row.lufs or 0)) > LU_WITHIN:
        yield f"{row.name}: {heard} LUFS, not {row.lufs}"


def _are_like(seen: Sequence[Colour], right: Sequence[Colour], within: int) -> bool:
    pairs = zip(seen, right, strict=True)
    return all(
        abs(a - b) <= within for one, other in pairs for a, b in zip(one, other, strict=True)
    )
