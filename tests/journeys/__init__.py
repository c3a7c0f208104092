"""Journeys through the application: the shipped commands as processes, used with real Chromium."""
