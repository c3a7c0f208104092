"""The HTML mouths of the notification system: the bell, the stream, the inbox."""

from app.notifications.pages import bell, inbox

routes = [*bell.routes, *inbox.routes]
