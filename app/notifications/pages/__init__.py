"""The HTML handlers of notifications: bell, inbox, preferences, devices, push, delivery log."""

from app.notifications.pages import (
    actions,
    bell,
    dead_letters,
    delivery_log,
    devices,
    inbox,
    preferences,
    push,
    unsubscribe,
)

routes = [
    *bell.routes,
    *inbox.routes,
    *actions.routes,
    *preferences.routes,
    *devices.routes,
    *push.routes,
    *delivery_log.routes,
    *unsubscribe.routes,
    *dead_letters.routes,
]
