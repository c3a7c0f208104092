"""The device list of the preferences page: show, test and remove a user's push devices."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.http import AnyRequest, is_partial, redirect
from app.language import _
from app.layout import fragment
from app.models import User
from app.notifications.channels.push import device_tests, devices
from app.notifications.channels.push.device_list import read_list
from app.notifications.channels.push.throttles import throttle_tests
from app.settings import Settings

PREFERENCES = "/account/notifications"
HERE = PREFERENCES + "/devices"


@get()
async def show(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[str] | Response[None]:
    """The list as a fragment, for a page that has just subscribed or waits for a test result."""
    return await _list(request, db, user) if is_partial(request) else redirect(PREFERENCES)


@post(status_code=200)
async def test(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    device_id: FromPath[int],
) -> Response[str] | Response[None]:
    async with db.read() as session:
        device = await devices.find(session, user, device_id)
    await throttle_tests(db, settings, user)
    async with db.exclusive() as session:
        await device_tests.add(session, device)
    if is_partial(request):
        return await _list(request, db, user)
    sentence = _("A test push is on its way to {name}.")
    return redirect(PREFERENCES, sentence.format(name=device.name))


@post(status_code=200)
async def remove(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    device_id: FromPath[int],
) -> Response[str] | Response[None]:
    async with db.exclusive() as session:
        await devices.remove(session, user, device_id)
    if is_partial(request):
        return await _list(request, db, user)
    return redirect(PREFERENCES, _("The device was removed."))


async def _list(request: AnyRequest, db: Database, user: User) -> Response[str]:
    async with db.read() as session:
        listed = await read_list(session, user)
    return fragment(request, "notifications/_device_list.html", devices=listed)
