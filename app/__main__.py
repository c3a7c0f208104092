"""The command line: `python -m app` starts everything; `python -m app help` lists the rest."""

import sys

COMMANDS = """\
python -m app               install on first use, then start web and worker
python -m app test [...]    run the tests (arguments are passed to pytest)
python -m app web           start only the web processes
python -m app worker        start only the worker
python -m app migrate       upgrade the database to the newest schema
python -m app admin NAME    make a user an administrator; --remove takes it back
python -m app doctor        check the settings; --mail ADDRESS sends a test mail
python -m app vapid-keys    print a new key pair for browser push, as lines for .env
"""


def main() -> None:
    command, *rest = sys.argv[1:] or ["run"]
    if command in ("help", "--help", "-h"):
        print(COMMANDS, end="")
        return
    from app.cli.bootstrap import APP, enter

    enter("test" if command == "test" else APP)
    # The commands import what `enter` has installed.
    from app.cli.commands import COMMANDS as known

    if command not in known:
        sys.exit(f"Unknown command {command!r}.\n\n{COMMANDS}")
    known[command](rest)


if __name__ == "__main__":
    main()
