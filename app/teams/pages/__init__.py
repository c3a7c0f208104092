"""The HTML routes of teams."""
