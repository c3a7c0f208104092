"""The JSON handlers of notifications: inbox, bulk actions, devices, preferences, stream."""

from app.notifications.api import bulk, devices, inbox, preferences, stream

routes = [*inbox.routes, *bulk.routes, *devices.routes, *preferences.routes, *stream.routes]
