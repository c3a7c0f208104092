"""The pictures of users: made square from what they upload, stored, and removed.

Uploads are re-encoded, so that what is served is a picture and nothing else: without the location
that phones record in it (EXIF), and without data hidden behind it.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from weakref import WeakValueDictionary

from PIL import Image, ImageOps
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import Invalid, TooLarge
from app.faults import fault_of
from app.language import _
from app.models import User
from app.settings import Settings
from app.values.sizes import MB

FIELD = "picture"
MAX_BYTES = MB
# A photograph of 24 megapixels, with a little room. Decoded, it is a hundred times as large as its
# file.
MAX_PIXELS = 25_000_000
# A progressive JPEG refines all of its pixels with each scan (ITU-T T.81, G). Encoders make some ten, but
# in 1 MB there is room for 20,000, which take minutes.
MAX_SCANS = 100
START_OF_SCAN = b"\xff\xda"
SIDE = 256
FORMATS = ("PNG", "JPEG", "WEBP")
# Several pictures in a JPEG file make it an MPO to Pillow.
JPEGS = ("JPEG", "MPO")
MEDIA_TYPE = "image/webp"

_log = logging.getLogger(__name__)

# Scaling an image down takes much memory, so one is scaled at a time. The executor is separate, so
# that waiting images block no thread that other work needs. Each user has one image in it: however many
# one user sends, those of others are next.
_painter = ThreadPoolExecutor(1, "picture")
_turns = WeakValueDictionary[int, asyncio.Lock]()


def avatar_path(settings: Settings, user_id: int, avatar: str) -> Path:
    """`avatar` is the hash of the picture. Two users with the same picture have a file each."""
    return settings.avatars_dir / f"{user_id}.{avatar}.webp"


async def set_avatar(db: Database, settings: Settings, user: User, content: bytes) -> str:
    """Makes the content of an image file the user's picture. Returns its hash.

    Raises TooLarge for more than MAX_BYTES, Invalid for `picture` if it is no image of one of
    FORMATS or has more than MAX_PIXELS.
    """
    if len(content) > MAX_BYTES:
        raise too_large()
    picture = await _in_turn(user.id, content)
    avatar = sha256(picture).hexdigest()[:32]
    path = avatar_path(settings, user.id, avatar)
    draft = path.with_name(f"{path.name}.{token_hex(8)}")
    await asyncio.to_thread(_write, draft, picture)
    try:
        async with db.act() as session:
            outdated = await _replace(session, settings, user, avatar)
            # Renaming is instant. If the account has gone meanwhile, nothing is left of the picture.
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    await _remove_outdated(db, settings, user, outdated)
    return avatar


async def remove_avatar(db: Database, settings: Settings, user: User) -> None:
    """The user has initials again."""
    async with db.act() as session:
        outdated = await _replace(session, settings, user, None)
    await _remove_outdated(db, settings, user, outdated)


def avatar_files(settings: Settings, user: User) -> list[Path]:
    """The file of the user's picture, if there is one."""
    return [avatar_path(settings, user.id, user.avatar)] if user.avatar else []


def too_large() -> TooLarge:
    sentence = _("This file is too large. A picture can have at most {limit} MB.")
    return TooLarge(sentence.format(limit=MAX_BYTES // MB))


async def _in_turn(user_id: int, content: bytes) -> bytes:
    """Runs `encode` when it is its turn; its errors are in the language of this request."""
    work = partial(copy_context().run, encode, content)
    async with _turns.setdefault(user_id, asyncio.Lock()):
        return await asyncio.get_running_loop().run_in_executor(_painter, work)


def encode(content: bytes) -> bytes:
    """The middle of the image as a WebP of SIDE by SIDE pixels, upright. Raises Invalid."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_many_pixels()
            _require_few_scans(image, content)
            return _encoded(_square(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except Invalid:
        raise
    except Exception:  # Pillow raises many types for a damaged image
        sentence = _("This is not an image that we can read. Choose a PNG, JPEG or WebP file.")
        raise Invalid({FIELD: sentence}) from None


def _too_many_pixels() -> Invalid:
    sentence = _("This image has too many pixels. Choose one with at most {limit} megapixels.")
    return Invalid({FIELD: sentence.format(limit=MAX_PIXELS // MB)})


def _require_few_scans(image: Image.Image, content: bytes) -> None:
    """Raises ValueError for a JPEG with more than MAX_SCANS scans. Image data cannot contain the marker
    by chance; only metadata can.
    """
    if image.format in JPEGS and content.count(START_OF_SCAN) > MAX_SCANS:
        raise ValueError("More scans than any encoder makes.")


def _square(image: Image.Image) -> Image.Image:
    """Scales down first, so that no later step needs much memory."""
    image.draft("RGB", (2 * SIDE, 2 * SIDE))  # decodes a large JPEG at a fraction of its size
    mode = "RGBA" if image.has_transparency_data else "RGB"
    colours = image if image.mode == mode else _gray(image).convert(mode)
    square = ImageOps.fit(colours, (SIDE, SIDE), Image.Resampling.LANCZOS)
    return ImageOps.exif_transpose(square)


def _gray(image: Image.Image) -> Image.Image:
    """Keeps the upper 8 of 16 bits per pixel; Pillow's conversion would clip the values instead."""
    return image.point(lambda value: value / 256) if image.mode.startswith("I") else image


def _encoded(square: Image.Image) -> bytes:
    square.info.clear()
    encoded = BytesIO()
    square.save(encoded, "WEBP", quality=85)
    return encoded.getvalue()


def _write(draft: Path, picture: bytes) -> None:
    """Beside where it belongs: the same picture may be there, and browsers keep for good what they read."""
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        draft.write_bytes(picture)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


async def _replace(
    session: AsyncSession, settings: Settings, user: User, avatar: str | None
) -> list[Path]:
    """Returns the file of another picture that was there, for the caller to remove after the commit."""
    user = await session.get_one(User, user.id)
    former = avatar_files(settings, user)
    user.avatar = avatar
    return [file for file in former if file not in avatar_files(settings, user)]


async def _remove_outdated(
    db: Database, settings: Settings, user: User, outdated: Sequence[Path]
) -> None:
    """Alone, because the user may have uploaded the same picture again meanwhile. The new picture is
    there by now, so a fault is only logged.
    """
    if not outdated:
        return
    try:
        async with db.exclusive() as session:
            present = await session.get(User, user.id)
            used = avatar_files(settings, present) if present else []
            for file in outdated:
                if file not in used:
                    file.unlink(missing_ok=True)
    except Exception as error:
        if not (fault := fault_of(error)):
            raise
        _log.warning("The file of a former picture could not be removed: %s", fault)
