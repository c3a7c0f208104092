"""The JSON routes of teams."""
