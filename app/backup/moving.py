"""Moves an installation to another database, and leaves the old one as it is.

It has three steps, and a second run continues after the last completed one: the new database is
filled, but not usable yet; the old one is marked as moved; the new one is made usable. So both can
never be started at the same time, and until the second step the old one still can.
"""

from secrets import token_hex

from app import clock
from app.backup.databases import (
    alone,
    building,
    draft_of,
    is_there,
    publish,
    require_vacant,
    shown,
)
from app.backup.installation_keys import effective_keys, keep, require_no_other_keys
from app.backup.moved import (
    ARRIVING,
    Mark,
    arrive,
    is_arriving,
    read_mark,
    remove_mark,
    write_mark,
    write_row,
)
from app.backup.progress import Progress
from app.backup.restoring import require_same
from app.backup.snapshot import Snapshot, reading
from app.backup.target import Target
from app.database.migrations import newest
from app.errors import Conflict
from app.language import _
from app.settings import Settings


def move(old: Settings, new: Settings, *, progress: Progress) -> None:
    """Takes everything over: rows, ids and positions, keys, sessions, what is still to be sent.

    Raises Conflict if a process uses one of the databases, the new one is not vacant, or the old one
    is empty, has an older schema or was moved elsewhere. Run again after an interruption, it goes on
    or starts anew.
    """
    if shown(old) == shown(new):
        raise Conflict(_("The installation is in {database} already.").format(database=shown(new)))
    with alone(old), alone(new):
        if (mark := read_mark(old)) is None:
            mark = _copy(old, new, progress)
            write_mark(old, mark)
        elif mark.to != shown(new):
            sentence = _("This installation was moved to {database} already.")
            raise Conflict(sentence.format(database=mark.to))
        _arrive(new, mark)
    progress.say(_report(old, new))


def undo_move(settings: Settings) -> None:
    """The old database can be used again. Raises Conflict if the installation was not moved."""
    with alone(settings):
        if read_mark(settings) is None:
            sentence = _("The installation in {database} was not moved.")
            raise Conflict(sentence.format(database=shown(settings)))
        remove_mark(settings)


def _copy(old: Settings, new: Settings, progress: Progress) -> Mark:
    _require_something(old)
    keys = effective_keys(old)
    if not is_arriving(new):
        require_vacant(new)
    require_no_other_keys(new, keys)
    mark = Mark(id=token_hex(8), to=shown(new), at=clock.now())
    with reading(old.database_url) as snapshot, building(new) as target:
        _require_newest(snapshot)
        _fill(target, snapshot, progress)
        keep(new, target, keys)
        if not target.is_sqlite:
            write_row(target.connection, ARRIVING, mark.id)
    return mark


def _require_something(old: Settings) -> None:
    if old.is_sqlite and not old.sqlite_path.exists():
        raise Conflict(
            _("There is nothing to move: {database} is empty.").format(database=shown(old))
        )


def _require_newest(snapshot: Snapshot) -> None:
    if snapshot.revision != newest():
        raise Conflict(_("Run `python -m app migrate` first: the schema is an older one."))


def _fill(target: Target, snapshot: Snapshot, progress: Progress) -> None:
    target.upgrade()
    tables = snapshot.tables()
    target.empty(tables)
    for table in tables:
        target.fill(table, progress.counting(table.name, snapshot.rows(table)))
        require_same(table, snapshot.count(table), target.count(table))
        if table.sequence is not None:
            target.continue_after(table, table.sequence)


def _arrive(new: Settings, mark: Mark) -> None:
    """Does nothing where it was done before. Raises Conflict if the new database is gone."""
    if not new.is_sqlite:
        if is_arriving(new, mark.id):
            arrive(new)
    elif draft_of(new.sqlite_path).exists():
        remove_mark(new)  # of an earlier move, away from a database that was removed since
        publish(new)
    if not is_there(new):
        sentence = _(
            "{database} is not there any more. `python -m app move --undo` makes the old database "
            "usable again."
        )
        raise Conflict(sentence.format(database=shown(new)))


def _report(old: Settings, new: Settings) -> str:
    sentence = _(
        "The installation is now in {new}. Set DATABASE_URL to it, then start. {old} is as it was, "
        "and is not started any more; remove it when you no longer need it."
    )
    return sentence.format(old=shown(old), new=shown(new))
