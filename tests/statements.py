"""Listens to the statements that run within a block, those of short reads included."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event


@dataclass(frozen=True)
class Statement:
    text: str
    values: Any
    thread: int

    @property
    def is_in_main_thread(self) -> bool:
        """Where the event loop runs."""
        return self.thread == threading.main_thread().ident


@contextmanager
def statements_heard() -> Iterator[list[Statement]]:
    """The list grows while the block runs."""
    heard: list[Statement] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        heard.append(Statement(statement, values, threading.get_ident()))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
