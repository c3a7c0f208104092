"""The JSON API of projects."""
