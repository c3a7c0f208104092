"""Journeys of pushes: arriving on a screen, leaving it, and the devices that they go to."""
