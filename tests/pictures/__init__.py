"""Pictures of the pages, to be looked at: `python -m tests.pictures [FOLDER] [PART OF A NAME …]`."""
