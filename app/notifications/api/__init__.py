"""The JSON mouths of the notification system."""

from app.notifications.api import bulk, inbox

routes = [*inbox.routes, *bulk.routes]
