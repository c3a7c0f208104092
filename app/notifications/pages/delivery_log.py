"""The delivery log of one notification."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.http import AnyRequest
from app.layout import page
from app.models import User
from app.notifications.delivery.delivery_log import read_log


@get()
async def deliveries(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Response[str]:
    async with db.read() as session:
        log = await read_log(session, user, notification_id)
    return await page(request, "notifications/delivery_log.html", log=log)
