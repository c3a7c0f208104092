"""Adding, moving and deleting clips, and reading an upload as it arrives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from pathlib import Path

import pytest

from app.database import Database
from app.errors import Forbidden, Invalid, NotFound, TooLarge
from app.models import Clip, Project, User
from app.projects.clips import add_clip, clips_of, delete_clip, move_clip
from app.projects.media_storage import clip_files
from app.projects.projects import create_project
from app.projects.sharing import share_project
from app.projects.storage import storage_of
from app.projects.upload_stream import Overfull, receive
from app.projects.video.colours import Colours
from app.projects.video.ffmpeg import Unusable
from app.projects.video.probe import ClipFacts
from app.projects.video.turns import Turns, turn
from app.settings import Settings
from app.values.sizes import MB
from tests.factories import make_team
from tests.projects.conftest import add, uploaded

PART = '--x\r\nContent-Disposition: form-data; name="{}"; filename="{}"\r\n\r\n{}\r\n'


async def body(*parts: str, end: str = "--x--\r\n", step: int = 7) -> AsyncIterator[bytes]:
    """Arrives in small chunks, as over a slow connection."""
    whole = ("".join(parts) + end).encode()
    for start in range(0, len(whole), step):
        yield whole[start : start + step]


async def room_for_all(_needed: int) -> int:
    return MB


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def order(db: Database, project: Project) -> list[int]:
    async with db.read() as session:
        return [clip.id for clip in await clips_of(session, project.id)]


async def test_a_clip_has_the_size_and_duration_of_its_file(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    clip = await add(db, settings, reel, alice, "portrait")

    assert (clip.width, clip.height) == (120, 160)
    assert clip.duration == pytest.approx(0.6, abs=0.1)
    assert [path.name for path in settings.clips_dir.iterdir()] == [clip.stored_as]


async def test_a_file_that_is_not_a_video_is_refused_by_name(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    with pytest.raises(Unusable, match=r"'playlist\.mp4' is not a video"):
        await add(db, settings, reel, alice, "playlist")

    assert await order(db, reel) == []


async def test_only_the_owner_adds(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await share_project(session, alice, reel.id, team.id)

    with pytest.raises(Forbidden):
        await add(db, settings, reel, bob)


async def test_one_persons_upload_is_next_after_the_flood_of_another(
    db: Database,
    settings: Settings,
    alice: User,
    bob: User,
    reel: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []

    async def probe(_path: Path, name: str) -> ClipFacts:
        async with turn():
            order.append(name)
            await asyncio.sleep(0.01)
        return ClipFacts("mov", 1, 160, 120, 25, None, 0, Colours(), frames=25, size=9_999)

    monkeypatch.setattr("app.projects.clips.probe", probe)
    async with db.act() as session:
        project_of_bob = await create_project(session, bob, "Bob's own")
    turns = Turns(settings.data_dir / "ffmpeg", 1)
    async with db.read() as session:
        one_slot = Database(settings.database_url, info={**session.info, "turns": turns})

    def adding(project: Project, owner: User, name: str) -> Awaitable[Clip]:
        upload = replace(uploaded(settings, "silent"), name=name)
        return add_clip(one_slot, settings, owner, project.id, upload)

    flood = asyncio.gather(*(adding(reel, alice, "alice") for _ in range(12)))
    while not order:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    await adding(project_of_bob, bob, "bob")
    await flood
    await one_slot.close()

    assert order[:2] == ["alice", "bob"]
    assert len(order) == 13


async def test_uploads_at_once_do_not_exceed_the_quota(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    size = uploaded(settings, "silent").size
    narrow = replace(settings, upload_quota_mb=1)
    filler = uploaded(settings, "silent")
    filler.size = MB - size
    await add_clip(db, narrow, alice, reel.id, filler)
    outcomes = await asyncio.gather(
        *(add(db, narrow, reel, alice) for _ in range(2)), return_exceptions=True
    )

    assert sum(isinstance(outcome, TooLarge) for outcome in outcomes) == 1
    async with db.read() as session:
        assert (await storage_of(session, narrow, alice.id)).free == 0


async def test_only_clips_in_projects_of_the_user_count_towards_the_quota(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    narrow = replace(settings, upload_quota_mb=1)
    clip = await add(db, narrow, reel, alice)

    async with db.read() as session:
        assert (await storage_of(session, narrow, alice.id)).free == MB - clip.size
        assert (await storage_of(session, narrow, bob.id)).free == MB


async def test_a_lowered_quota_leaves_nothing(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    large = uploaded(settings, "silent")
    large.size = 2 * MB
    await add_clip(db, settings, alice, reel.id, large)

    async with db.read() as session:
        lowered = replace(settings, upload_quota_mb=1)
        assert (await storage_of(session, lowered, alice.id)).free == 0


async def test_a_clip_is_added_at_the_end_of_its_project(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    first, second = [(await add(db, settings, reel, alice)).id for _ in range(2)]
    async with db.act() as session:
        await move_clip(session, alice, reel.id, second, by=-1)
        other = await create_project(session, alice, "Best Clips 2025")

    third = await add(db, settings, reel, alice)
    elsewhere = await add(db, settings, other, alice)

    assert await order(db, reel) == [second, first, third.id]
    assert (third.position, elsewhere.position) == (2, 0)


async def test_a_clip_moves_up_and_down_but_not_out(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    first, second, third = [(await add(db, settings, reel, alice)).id for _ in range(3)]

    async with db.act() as session:
        await move_clip(session, alice, reel.id, third, by=-1)
        await move_clip(session, alice, reel.id, first, by=-1)
    assert await order(db, reel) == [first, third, second]
    async with db.act() as session:
        await move_clip(session, alice, reel.id, first, by=1)
        await move_clip(session, alice, reel.id, second, by=1)
    assert await order(db, reel) == [third, first, second]


async def test_a_clip_of_another_project_is_not_found(
    db: Database, settings: Settings, alice: User, bob: User, reel: Project
) -> None:
    clip = await add(db, settings, reel, alice)
    async with db.act() as session:
        other = Project(name="Other", owner_id=bob.id)
        session.add(other)

    async with db.act() as session:
        with pytest.raises(NotFound):
            await delete_clip(session, settings, bob, other.id, clip.id)
        with pytest.raises(NotFound):
            await move_clip(session, bob, other.id, clip.id, by=1)
        with pytest.raises(NotFound):
            await delete_clip(session, settings, alice, reel.id, 999)


async def test_deleting_a_clip_returns_its_files(
    db: Database, settings: Settings, alice: User, reel: Project
) -> None:
    clip = await add(db, settings, reel, alice)

    async with db.act() as session:
        files = await delete_clip(session, settings, alice, reel.id, clip.id)

    assert [file.exists() for file in files] == [True, True]
    assert files == clip_files(settings, clip.stored_as)
    assert await order(db, reel) == []


async def test_an_upload_is_read_from_chunks_of_any_size(tmp_path: Path) -> None:
    parts = [PART.format("clips", "a.mp4", "AAA"), PART.format("clips", "b.mp4", "B\r\nB")]

    async with receive(body(*parts), "x", tmp_path, limit=MB, cover=room_for_all) as uploads:
        read = [(each.name, each.size, each.path.read_bytes()) for each in uploads]

    assert read == [("a.mp4", 3, b"AAA"), ("b.mp4", 4, b"B\r\nB")]
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\\\videos\\\\a.mp4", "a.mp4"),
        ("../../etc/passwd", "passwd"),
        ("a\u202eb.mp4", "ab.mp4"),
        ("dir/", "clip"),
        ("x" * 300 + ".mp4", "x" * 251 + ".mp4"),
    ],
)
async def test_a_file_name_is_stored_without_folders_and_control_characters(
    tmp_path: Path, sent: str, kept: str
) -> None:
    async with receive(
        body(PART.format("clips", sent, "A")), "x", tmp_path, limit=MB, cover=room_for_all
    ) as uploads:
        assert uploads[0].name == kept
        assert uploads[0].path.parent == tmp_path


async def test_a_file_that_is_too_large_ends_the_upload(tmp_path: Path) -> None:
    parts = [PART.format("clips", "a.mp4", "A" * 10), PART.format("clips", "big.mp4", "B" * 50)]

    with pytest.raises(TooLarge, match=r"big\.mp4"):
        async with receive(body(*parts), "x", tmp_path, limit=20, cover=room_for_all):
            pytest.fail("The upload was accepted.")

    assert names_in(tmp_path) == []


async def test_other_fields_are_ignored(tmp_path: Path) -> None:
    parts = [PART.format("avatar", "a.png", "A"), PART.format("clips", "b.mp4", "B")]

    async with receive(body(*parts), "x", tmp_path, limit=MB, cover=room_for_all) as uploads:
        assert [each.name for each in uploads] == ["b.mp4"]


@pytest.mark.parametrize("end", ["", "--x", "garbage"])
async def test_an_upload_cut_short_leaves_nothing(tmp_path: Path, end: str) -> None:
    part = PART.format("clips", "a.mp4", "AAA")

    with pytest.raises(Invalid):
        async with receive(body(part, end=end), "x", tmp_path, limit=MB, cover=room_for_all):
            pytest.fail("The upload was accepted.")

    assert names_in(tmp_path) == []


async def test_files_that_have_no_room_together_end_the_upload(tmp_path: Path) -> None:
    parts = [PART.format("clips", f"{name}.mp4", "A" * 10) for name in "abc"]
    asked: list[int] = []

    async def room(needed: int) -> int:
        asked.append(needed)
        return 29

    with pytest.raises(Overfull):
        async with receive(body(*parts), "x", tmp_path, limit=MB, cover=room):
            pytest.fail("The upload was accepted.")

    assert max(asked) <= 30 + 7
    assert names_in(tmp_path) == []
