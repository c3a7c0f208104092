"""The HTML mouths of the notification system: bell and stream, inbox, preferences, what was sent."""

from app.notifications.pages import acts, bell, inbox, lost, preferences, reach, unsubscribe

routes = [
    *bell.routes,
    *inbox.routes,
    *acts.routes,
    *preferences.routes,
    *reach.routes,
    *unsubscribe.routes,
    *lost.routes,
]
