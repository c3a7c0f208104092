from pathlib import Path

from app.cli.demo_clips import draw_demo_clips
from app.projects.video.probe import probe


async def test_the_demo_clips_are_real_ones(tmp_path: Path) -> None:
    drawn = await draw_demo_clips(tmp_path)

    assert len({clip.name for clip in drawn}) == 4
    for clip in drawn:
        facts = await probe(clip.path, clip.name)
        assert (facts.width, facts.height, facts.duration, facts.sounds) == (640, 360, 3.0, 1)
