"""The command line: `python -m app` starts everything; `python -m app help` lists the rest."""

import sys

COMMANDS = """\
python -m app               install on first use, then web and worker under the Procfile
python -m app test [...]    the test suite (arguments go to pytest)
python -m app web           the web processes alone
python -m app worker        the worker alone
python -m app migrate       bring the database to the newest schema
python -m app admin NAME    make somebody an administrator
python -m app doctor        try the settings for real; --mail ADDRESS sends a test mail
python -m app vapid-keys    print a fresh key pair for browser push, as lines for .env
"""


def main() -> None:
    command, *rest = sys.argv[1:] or ["run"]
    if command in ("help", "--help", "-h"):
        print(COMMANDS, end="")
        return
    from app.cli.bootstrap import enter

    enter("test" if command == "test" else "")
    # Only now is everything installed that the commands import.
    from app.cli.commands import COMMANDS as known

    if command not in known:
        sys.exit(f"There is no command {command!r}.\n\n{COMMANDS}")
    known[command](rest)


if __name__ == "__main__":
    main()
