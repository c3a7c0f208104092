"""Image files as users upload them."""

from io import BytesIO
from typing import Any

from PIL import Image

UPRIGHT_AFTER_A_QUARTER_TURN = 6
ORIENTATION, CAMERA, GPS = 0x0112, 0x010F, 0x8825


def image_file(
    kind: str = "PNG", *, size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any
) -> bytes:
    """The left half is blue, the right half red, in a mode that has colours."""
    image = Image.new(mode, size, "red" if mode.startswith("RGB") else 1)
    if mode.startswith("RGB"):
        image.paste("blue", (0, 0, size[0] // 2, size[1]))
    return saved(image, kind, **options)


def photograph() -> bytes:
    """A JPEG of a phone that was held upright, with the place where it was taken."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[CAMERA] = UPRIGHT_AFTER_A_QUARTER_TURN, "Camera"
    exif.get_ifd(GPS)[1] = "N"
    return image_file("JPEG", exif=exif, comment=b"a comment")


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))
