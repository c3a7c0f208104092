"""The command line: `python -m app` starts everything; `python -m app help` lists the rest."""

import sys

COMMANDS = """\
python -m app               install on first use, then start web and worker
python -m app test [...]    run the tests (arguments are passed to pytest)
python -m app web           start only the web processes
python -m app worker        start only the worker
python -m app migrate       upgrade the database to the newest schema
python -m app admin NAME    make a user an administrator; --remove takes it back
python -m app backup FILE   back up while everything runs; --media with clips and videos
python -m app restore FILE  make an installation from a backup, in an empty database
python -m app move URL      take the installation to another database; --undo afterwards
python -m app doctor        check the settings; --mail ADDRESS sends a test mail
python -m app vapid-keys    print a new key pair for browser push, as lines for .env
"""


def main() -> None:
    command, *rest = sys.argv[1:] or ["run"]
    if command in ("help", "--help", "-h"):
        print(COMMANDS, end="")
        return
    from app.cli.bootstrap import enter, list_for

    enter(list_for(command, rest))
    # The commands import what `enter` has installed.
    from app.cli.commands import COMMANDS as known
    from app.errors import Failure
    from app.faults import fault_of
    from app.settings import SettingError

    if command not in known:
        sys.exit(f"Unknown command {command!r}.\n\n{COMMANDS}")
    try:
        known[command](rest)
    except (SettingError, Failure) as error:
        sys.exit(str(error))
    except Exception as error:
        if not (fault := fault_of(error)):
            raise
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
