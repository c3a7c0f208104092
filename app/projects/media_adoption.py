"""Takes over the clips and videos of earlier versions, which kept them in DATA_DIR itself."""

import errno
import shutil
from pathlib import Path

from app.settings import SettingError, Settings


def adopt_media(settings: Settings) -> None:
    """Moves what is in `DATA_DIR/clips` and `DATA_DIR/compilations` to MEDIA_DIR, by renaming.

    Run it in one process at a time. If it is interrupted, the next run moves the rest. Raises
    SettingError if MEDIA_DIR is on another disk, where renaming cannot move anything.
    """
    for folder in (settings.clips_dir, settings.compilations_dir):
        earlier = settings.data_dir / folder.name
        if earlier != folder and earlier.is_dir():
            _move(earlier, folder)


def _move(earlier: Path, folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
        for left in earlier.glob("*.segments"):  # by workers that were killed
            shutil.rmtree(left)
        for path in earlier.iterdir():
            path.rename(folder / path.name)
        earlier.rmdir()
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        sentence = f"is on another disk than {earlier}. Move that folder there, then start again."
        raise SettingError(f"MEDIA_DIR {folder.parent} {sentence}") from None
