"""The HTML routes of the account lifecycle."""
