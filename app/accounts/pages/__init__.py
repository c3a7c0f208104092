"""The HTML routes of accounts."""
