"""The HTML mouths of the notification system: the bell, the stream, the inbox, the preferences."""

from app.notifications.pages import bell, inbox, preferences

routes = [*bell.routes, *inbox.routes, *preferences.routes]
