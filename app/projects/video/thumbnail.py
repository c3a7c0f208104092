"""The thumbnail of a video."""

from pathlib import Path

from app.projects.video.colours import Colours
from app.projects.video.ffmpeg import local, reading, run

# JPEG (JFIF) has the matrix of BT.601. Deinterlacing needs three lines and columns.
JPEG = "scale='min(640,iw)':-2:out_color_matrix=bt601:out_range=pc,format=yuvj420p"
SQUARE_PIXELS = "scale=w='max(4,iw*sar)':h='max(4,ih)',setsar=1,bwdif=deint=interlaced"
# For a frame of 8K on a slow machine.
SECONDS = 80.0


async def write_thumbnail(
    video: Path, container: str, picture: Path, *, last_frame: float, colours: Colours | None = None
) -> None:
    """Writes a JPEG at most 640 pixels wide: the most representative of the frames from one second
    (or a tenth) into the video, whose last one is shown at `last_frame` seconds. `colours` are those
    of the video unless it is one of ours. Raises FfmpegFailed and CompilationError.
    """
    converted = [SQUARE_PIXELS, *colours.filters] if colours else []
    for start in (min(1.0, last_frame / 10), 0.0):  # some containers find nothing but the start
        finished = await run(
            *["-ss", str(start), *reading(video, container), "-map", "0:V:0"],
            *["-vf", ",".join(["thumbnail=25", *converted, JPEG]), "-frames:v", "1"],
            *["-c:v", "mjpeg", "-q:v", "4", "-f", "mjpeg", local(picture)],
            reads=[video],
            writes=[picture],
            seconds=SECONDS,
        )
        if finished.frames:
            break
