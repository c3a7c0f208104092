"""Backups, restoring them, and moving an installation to another database.

    snapshot.py    reads every table of a database as it was at one moment
    archive.py     writes such a reading to one file, and reads it back
    target.py      fills a new database with it, all or nothing
    backing_up.py  restoring.py  moving.py   the three commands, made of these

Rows travel in a form that does not depend on the database (`values.py`).
"""
