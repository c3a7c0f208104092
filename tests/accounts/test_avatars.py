"""The pictures of users: what is accepted, what is stored, and when a file is removed."""

import asyncio
import re
from collections.abc import AsyncIterator
from errno import ENOSPC
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from litestar import Litestar
from PIL import Image
from sqlalchemy.exc import NoResultFound

from app.account_lifecycle.closing import delete_account
from app.accounts import avatars
from app.accounts.avatars import (
    MAX_BYTES,
    SIDE,
    START_OF_SCAN,
    avatar_path,
    encode,
    remove_avatar,
    set_avatar,
)
from app.database import Database
from app.errors import Invalid, TooLarge
from app.models import Team, User
from app.settings import Settings
from tests.accounts.images import image_file, opened, photograph, saved
from tests.application import browser
from tests.conftest import csrf_header, post, sign_in, text_of
from tests.factories import PASSWORD

BLUE, RED = (0, 0, 255), (255, 0, 0)
NO_IMAGE = "This is not an image that we can read. Choose a PNG, JPEG or WebP file."
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
async def as_alice(client: httpx.AsyncClient, alice: User) -> httpx.AsyncClient:
    await sign_in(client, alice)
    client.headers.update(csrf_header(client))
    return client


@pytest.fixture
async def visitor(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Another browser."""
    async with browser(app) as other:
        yield other


async def upload(client: httpx.AsyncClient, content: bytes, **fields: str) -> httpx.Response:
    files = {"picture": ("me.png", content)}
    return await client.post("/account/picture", data=fields, files=files)


async def avatar_of(db: Database, user: User) -> str | None:
    async with db.read() as session:
        return (await session.get_one(User, user.id)).avatar


def stored(settings: Settings) -> list[str]:
    folder = settings.avatars_dir
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def near(pixel: Any, colour: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 16 for one, other in zip(pixel, colour, strict=False))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_middle_of_an_image_becomes_a_square(kind: str) -> None:
    picture = opened(encode(image_file(kind, size=(900, 300))))

    assert (picture.format, picture.size) == ("WEBP", (SIDE, SIDE))
    assert near(picture.getpixel((20, 128)), BLUE)
    assert near(picture.getpixel((236, 128)), RED)


@pytest.mark.parametrize("size", [(1, 1), (1, 5_000), (SIDE, SIDE), (24, 24)])
def test_an_image_of_any_shape_fills_the_square(size: tuple[int, int]) -> None:
    assert opened(encode(image_file(size=size))).size == (SIDE, SIDE)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "I;16"])
def test_an_image_of_any_kind_of_colours_is_accepted(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    content = image_file(kind, mode=mode) if mode != "PA" else with_clear_palette()

    assert opened(encode(content)).size == (SIDE, SIDE)


def with_clear_palette() -> bytes:
    return saved(Image.new("P", (9, 9)), "PNG", transparency=0)


def test_a_gray_image_of_16_bits_keeps_its_brightness() -> None:
    picture = opened(encode(saved(Image.new("I;16", (9, 9), 0x8000), "PNG")))

    assert near(picture.getpixel((9, 9)), (128, 128, 128))


def test_what_is_clear_stays_clear() -> None:
    picture = opened(encode(saved(Image.new("RGBA", (9, 9), (0, 0, 0, 0)), "PNG")))

    assert picture.getpixel((9, 9)) == (0, 0, 0, 0)


def test_a_photograph_is_turned_upright_and_says_nothing_of_place_and_camera() -> None:
    picture = opened(encode(photograph()))

    assert near(picture.getpixel((128, 10)), BLUE)
    assert near(picture.getpixel((128, 245)), RED)
    assert dict(picture.getexif()) == {}
    assert not {"exif", "xmp", "icc_profile", "comment"} & picture.info.keys()


def test_what_is_hidden_behind_an_image_is_not_kept() -> None:
    assert b"<script>" not in encode(image_file() + b"<script>alert(1)</script>")


def test_only_the_first_picture_of_an_animation_is_kept() -> None:
    red = Image.new("RGB", (9, 9), "red")
    content = saved(Image.new("RGB", (9, 9), "blue"), "WEBP", save_all=True, append_images=[red])

    picture = opened(encode(content))

    assert getattr(picture, "n_frames", 1) == 1
    assert near(picture.getpixel((9, 9)), BLUE)


@pytest.mark.parametrize(
    "content",
    [
        b"\x00" * 100,
        SVG,
        image_file("GIF"),
        image_file("BMP"),
        image_file("PNG")[:-40],
        image_file("JPEG", size=(400, 400))[:900],
        image_file("WEBP", size=(400, 400))[:60],
    ],
    ids=["no image", "SVG", "GIF", "BMP", "cut PNG", "cut JPEG", "cut WebP"],
)
def test_what_is_no_sound_image_is_refused_at_its_field(content: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        encode(content)

    assert refusal.value.fields == {"picture": NO_IMAGE}


@pytest.mark.parametrize("side", [5_001, 20_000])
def test_a_small_file_of_a_huge_image_is_refused_before_it_is_decoded(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = saved(Image.new("1", (side, side)), "PNG")
    monkeypatch.setattr(avatars, "_square", None)
    assert len(bomb) < 100_000

    with pytest.raises(Invalid) as refusal:
        encode(bomb)

    assert "at most 25 megapixels" in refusal.value.fields["picture"]


@pytest.mark.parametrize("others", [[], [Image.new("RGB", (64, 64))]], ids=["JPEG", "MPO"])
def test_a_jpeg_that_refines_its_pixels_without_end_is_refused_before_it_is_decoded(
    others: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "MPO" if others else "JPEG"
    options: Any = {"save_all": True, "append_images": others} if others else {}
    picture = image_file(kind, size=(64, 64), progressive=True, **options)
    start, end = picture.rindex(START_OF_SCAN), picture.rindex(b"\xff\xd9")
    endless = picture[:start] + 10_000 * picture[start:end] + picture[end:]
    decode = Mock()
    monkeypatch.setattr(avatars, "_square", decode)
    assert opened(endless).format == kind
    assert len(endless) < MAX_BYTES

    with pytest.raises(Invalid) as refusal:
        encode(endless)

    assert refusal.value.fields == {"picture": NO_IMAGE}
    assert not decode.called


@pytest.mark.parametrize("quality", [1, 75, 100])
def test_a_progressive_jpeg_is_accepted(quality: int) -> None:
    picture = image_file("JPEG", size=(900, 300), progressive=True, quality=quality)
    assert picture.count(START_OF_SCAN) > 5

    assert opened(encode(picture)).size == (SIDE, SIDE)


async def test_another_picture_takes_the_place_of_the_first(
    db: Database, settings: Settings, alice: User
) -> None:
    first = await set_avatar(db, settings, alice, image_file())
    second = await set_avatar(db, settings, alice, photograph())

    assert first != second
    assert await avatar_of(db, alice) == second
    assert stored(settings) == [f"{alice.id}.{second}.webp"]


async def test_the_same_picture_again_stays(db: Database, settings: Settings, alice: User) -> None:
    avatar = await set_avatar(db, settings, alice, image_file())

    assert await set_avatar(db, settings, alice, image_file()) == avatar
    assert stored(settings) == [f"{alice.id}.{avatar}.webp"]


async def test_nobody_waits_for_all_that_someone_else_has_sent(
    db: Database, settings: Settings, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []

    def note(content: bytes) -> bytes:
        made.append(content)
        return content

    monkeypatch.setattr(avatars, "encode", note)
    sent = [(alice, b"first"), (alice, b"second"), (alice, b"third"), (bob, b"of Bob")]
    await asyncio.gather(*(set_avatar(db, settings, *each) for each in sent))

    assert made == [b"first", b"of Bob", b"second", b"third"]


async def test_a_picture_that_comes_back_while_it_is_removed_stays(
    db: Database, settings: Settings, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two uploads of one user at a time: the one that made it outdated, and one that brings it back."""
    first = await set_avatar(db, settings, alice, image_file())
    remove = avatars._remove_outdated

    async def come_back_first(*args: Any) -> None:
        monkeypatch.undo()
        assert await set_avatar(db, settings, alice, image_file()) == first
        await remove(*args)

    monkeypatch.setattr(avatars, "_remove_outdated", come_back_first)
    await set_avatar(db, settings, alice, photograph())

    assert await avatar_of(db, alice) == first
    assert stored(settings) == [f"{alice.id}.{first}.webp"]


async def test_no_picture_is_left_of_an_account_that_is_deleted_during_the_upload(
    db: Database, settings: Settings, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = avatars._in_turn

    async def delete_meanwhile(user_id: int, content: bytes) -> bytes:
        await delete_account(db, settings, alice, PASSWORD)
        return await make(user_id, content)

    monkeypatch.setattr(avatars, "_in_turn", delete_meanwhile)

    with pytest.raises(NoResultFound):
        await set_avatar(db, settings, alice, image_file())

    assert stored(settings) == []


async def test_a_picture_is_set_also_where_the_former_file_cannot_be_removed(
    db: Database, settings: Settings, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_avatar(db, settings, alice, image_file())
    turns = [db.exclusive(), OSError(ENOSPC, "The disk is full.")]
    monkeypatch.setattr(db, "exclusive", Mock(side_effect=turns))

    avatar = await set_avatar(db, settings, alice, photograph())

    assert await avatar_of(db, alice) == avatar


async def test_removing_a_picture_leaves_the_same_one_of_another_user(
    db: Database, settings: Settings, alice: User, bob: User
) -> None:
    for user in (alice, bob):
        avatar = await set_avatar(db, settings, user, image_file())

    await remove_avatar(db, settings, alice)

    assert (await avatar_of(db, alice), await avatar_of(db, bob)) == (None, avatar)
    assert stored(settings) == [f"{bob.id}.{avatar}.webp"]


async def test_a_picture_over_1_mb_is_refused(
    db: Database, settings: Settings, alice: User
) -> None:
    with pytest.raises(TooLarge, match="at most 1 MB"):
        await set_avatar(db, settings, alice, image_file() + bytes(MAX_BYTES))

    assert stored(settings) == []


async def test_the_same_picture_again_stays_where_the_disk_is_full(
    db: Database, settings: Settings, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_avatar(db, settings, alice, image_file())
    [before] = stored(settings)

    def fill(self: Any, _content: bytes) -> None:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(OSError, match="No space"):
        await set_avatar(db, settings, alice, image_file())

    assert stored(settings) == [before]


async def test_no_file_is_left_where_the_disk_is_full(
    db: Database, settings: Settings, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = avatar_path(settings, alice.id, "5eed")

    def fill(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(OSError, match="No space"):
        avatars._write(path, b"a picture")

    assert stored(settings) == []


async def test_the_picture_goes_with_the_account(
    db: Database, settings: Settings, alice: User
) -> None:
    await set_avatar(db, settings, alice, image_file())

    await delete_account(db, settings, alice, PASSWORD)

    assert stored(settings) == []


async def test_a_picture_is_uploaded_and_shown_in_place_of_the_initials(
    as_alice: httpx.AsyncClient, db: Database, alice: User, video_squad: Team
) -> None:
    answer = await upload(as_alice, photograph())

    avatar = await avatar_of(db, alice)
    address = f"/avatars/{alice.id}/{avatar}"
    account = (await as_alice.get(answer.headers["Location"])).text
    assert answer.status_code == 303
    assert "Your picture was changed." in account
    assert f'src="{address}"' in header_of(account)
    assert f'src="{address}"' in (await as_alice.get(f"/teams/{video_squad.id}")).text
    picture = await as_alice.get(address)
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/webp")
    assert opened(picture.content).size == (SIDE, SIDE)


def header_of(page: str) -> str:
    header = re.search(r'<header class="site">.*?</header>', page, re.DOTALL)
    assert header
    return header[0]


async def test_a_picture_can_be_removed(as_alice: httpx.AsyncClient, settings: Settings) -> None:
    await upload(as_alice, photograph())
    assert "Remove picture" in text_of(await as_alice.get("/account"))

    answer = await post(as_alice, "/account/picture/remove")

    account = await as_alice.get(answer.headers["Location"])
    assert "Your picture was removed." in account.text
    assert "Remove picture" not in account.text
    assert "<img" not in header_of(account.text)
    assert stored(settings) == []


async def test_browsers_keep_a_picture_that_only_users_can_see(
    as_alice: httpx.AsyncClient,
    visitor: httpx.AsyncClient,
    db: Database,
    alice: User,
    bob: User,
) -> None:
    await upload(as_alice, photograph())
    address = f"/avatars/{alice.id}/{await avatar_of(db, alice)}"

    signed_out = await visitor.get(address)
    await sign_in(visitor, bob)
    seen = await visitor.get(address)
    again = await visitor.get(address, headers={"If-None-Match": seen.headers["ETag"]})

    assert signed_out.status_code in (303, 401)
    assert seen.status_code == 200
    assert seen.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("avatar", ["0" * 32, "..%2f..%2fclippyfront", ".", "%00", "5eed.webp"])
async def test_there_is_nothing_under_any_other_address(
    as_alice: httpx.AsyncClient, alice: User, avatar: str
) -> None:
    assert (await as_alice.get(f"/avatars/{alice.id}/{avatar}")).status_code == 404


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (SVG, 422, NO_IMAGE),
        (b"", 422, "Choose an image first."),
        (bytes(MAX_BYTES + 1), 413, "A picture can have at most 1 MB."),
        (bytes(5 * MAX_BYTES), 413, "A picture can have at most 1 MB."),
    ],
    ids=["SVG", "empty", "a little too large", "far too large"],
)
async def test_a_refusal_stands_at_the_field(
    as_alice: httpx.AsyncClient,
    db: Database,
    alice: User,
    content: bytes,
    status: int,
    sentence: str,
) -> None:
    answer = await upload(as_alice, content)

    assert answer.status_code == status
    assert re.search(rf'id="picture-error">.*{re.escape(sentence)}', answer.text)
    assert '<input id="picture" name="picture" type="file" aria-invalid="true"' in answer.text
    assert await avatar_of(db, alice) is None


async def test_a_form_without_a_file_is_refused_at_the_field(as_alice: httpx.AsyncClient) -> None:
    answer = await as_alice.post("/account/picture", files={"other": ("a.png", image_file())})

    assert answer.status_code == 422
    assert "Choose an image first." in answer.text
