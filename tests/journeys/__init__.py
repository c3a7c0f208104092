"""Journeys of real people: the shipped commands as processes, real Chromium in front of them."""
