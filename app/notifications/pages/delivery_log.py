"""How a notice reached its person: every delivery with its outcome."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.http import AnyRequest
from app.layout import page
from app.models import User
from app.notifications.delivery.delivery_log import read_reach


@get("/notifications/{notification_id:int}/deliveries")
async def deliveries(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Response[str]:
    async with db.read() as session:
        reach = await read_reach(session, user, notification_id)
    return await page(request, "notifications/reach.html", reach=reach)


routes = [deliveries]
