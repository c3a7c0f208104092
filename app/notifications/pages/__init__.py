"""The HTML handlers of notifications: bell, inbox, preferences, devices, push, delivery log."""
