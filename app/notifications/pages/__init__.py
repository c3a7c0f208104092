"""The HTML mouths of the notification system: bell and stream, inbox, preferences, devices, what was sent."""

from app.notifications.pages import (
    acts,
    bell,
    devices,
    inbox,
    lost,
    preferences,
    push,
    reach,
    unsubscribe,
)

routes = [
    *bell.routes,
    *inbox.routes,
    *acts.routes,
    *preferences.routes,
    *devices.routes,
    *push.routes,
    *reach.routes,
    *unsubscribe.routes,
    *lost.routes,
]
