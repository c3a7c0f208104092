"""The JSON handlers of notifications: inbox, bulk actions, devices, preferences, stream."""
