"""A mail about a finished video contains its picture, as an alternative to the text."""

from email.message import EmailMessage

import pytest
from PIL import Image
from sqlalchemy import update

from app.database import Database
from app.models import Delivery, Project, User
from app.operations.dev_mail import _read
from app.settings import Settings
from tests.accounts.images import opened
from tests.mailing import deliver_mail, make_due
from tests.postoffice import PostOffice
from tests.projects.conftest import SHAPE, finish

PICTURE = "image/jpeg"


@pytest.fixture
async def reel(db: Database, alice: User) -> Project:
    project = Project(name="Highlight Reel", owner_id=alice.id)
    async with db.write() as session:
        session.add(project)
    return project


async def deliver(db: Database, settings: Settings, office: PostOffice) -> EmailMessage:
    """The one mail that is waiting."""
    await make_due(db)
    await deliver_mail(db, settings)
    [mail] = office.mails
    return mail


def kinds(mail: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in mail.walk()]


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def shown_pictures(mail: EmailMessage) -> list[Image.Image]:
    """The pictures in the mail, each of which the HTML shows."""
    found = []
    for part in mail.walk():
        if part.get_content_type() == PICTURE:
            assert f'src="cid:{part["Content-ID"].strip("<>")}"' in html_of(mail)
            assert part.get_content_disposition() == "inline"
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            found.append(opened(content))
    assert html_of(mail).count("cid:") == len(found)
    return found


async def test_the_picture_belongs_to_the_html_and_the_text_comes_first(
    db: Database, mailing: Settings, office: PostOffice, reel: Project
) -> None:
    await finish(db, mailing, reel)

    mail = await deliver(db, mailing, office)

    assert kinds(mail) == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        PICTURE,
    ]
    assert [part.defects for part in mail.walk()] == [[]] * 5
    assert [picture.size for picture in shown_pictures(mail)] == [SHAPE]
    assert "1:05" in html_of(mail)


async def test_a_mail_without_a_picture_is_as_before(
    db: Database, mailing: Settings, office: PostOffice, reel: Project
) -> None:
    await finish(db, mailing, reel, with_picture=False)

    mail = await deliver(db, mailing, office)

    assert kinds(mail) == ["multipart/alternative", "text/plain", "text/html"]
    assert "cid:" not in html_of(mail)


@pytest.mark.parametrize("bundling", ["bundle", "digest"])
async def test_several_notices_have_three_pictures_at_most(
    db: Database, mailing: Settings, office: PostOffice, reel: Project, bundling: str
) -> None:
    await finish(db, mailing, reel, with_picture=False)
    for _ in range(4):
        await finish(db, mailing, reel)
    async with db.write() as session:
        await session.execute(update(Delivery).values(bundling=bundling))

    mail = await deliver(db, mailing, office)

    assert len(shown_pictures(mail)) == 3


async def test_the_mailbox_of_the_demo_shows_the_picture(
    db: Database, settings: Settings, reel: Project
) -> None:
    await finish(db, settings, reel)
    await make_due(db)
    await deliver_mail(db, settings)

    mail = _read(next(settings.mail_dir.glob("*.eml")))

    assert 'src="data:image/jpeg;base64,' in mail.html
    assert "cid:" not in mail.html
