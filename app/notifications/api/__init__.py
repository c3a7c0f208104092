"""The JSON endpoints of the notification system."""

from app.notifications.api import bulk, devices, inbox, preferences, stream

routes = [*inbox.routes, *bulk.routes, *devices.routes, *preferences.routes, *stream.routes]
