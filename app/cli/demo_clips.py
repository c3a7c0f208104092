"""A few pleasant short clips for the demo, drawn by ffmpeg on the spot: no download, no rights."""

from pathlib import Path

from app.projects.video.concatenation import H264, ClipFile
from app.projects.video.ffmpeg import local, run

SECONDS = 3
# file name: (ffmpeg's source of pictures, the tone in hertz)
SIZE = "640x360"
SUNRISE = (
    "c0=0x1b1f3b:c1=0x7b2d8b:c2=0xf26b5e:c3=0xffd166:n=4:x0=10:y0=85:x1=150:y1=5:speed=0.01:seed=4"
)
LIGHTS = (
    "c0=0x03121f:c1=0x0fa3b1:c2=0x8ac926:n=3:x0=60:y0=40:x1=160:y1=80:speed=0.03:seed=9:type=radial"
)
# file name: (ffmpeg's source of pictures, the tone in hertz); gradients are drawn small, for speed
SCENES = {
    "Sunrise over the bay.mp4": (f"gradients=size=160x90:{SUNRISE},scale={SIZE}", 220),
    "Into the deep.mp4": (f"mandelbrot=size={SIZE}:maxiter=200:end_pts=120", 165),
    "Camera test.mp4": (f"testsrc2=size={SIZE}", 262),
    "Northern lights.mp4": (f"gradients=size=160x90:{LIGHTS},scale={SIZE}", 196),
}


async def draw_demo_clips(folder: Path) -> list[ClipFile]:
    """Draw the clips into `folder`, each three seconds with a soft tone; in the order to show."""
    return [await _draw(folder, name) for name in SCENES]


async def _draw(folder: Path, name: str) -> ClipFile:
    scene, tone = SCENES[name]
    chord = f"0.08*sin(2*PI*{tone}*t)+0.05*sin(3*PI*{tone}*t)"
    fades = f"afade=d=0.5,afade=out:st={SECONDS - 0.5}:d=0.5"
    await run(
        *["-f", "lavfi", "-i", scene, "-f", "lavfi", "-i", f"aevalsrc={chord}:s=48000"],
        *["-t", str(SECONDS), *H264, "-pix_fmt", "yuv420p", "-af", fades, "-ac", "2"],
        *["-c:a", "aac", "-movflags", "+faststart", "-f", "mp4", local(folder / name)],
        seconds=60,
    )
    return ClipFile(folder / name, name)
