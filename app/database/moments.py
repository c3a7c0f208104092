"""The current time as a parameter, for statements that are built once and run many times."""

from datetime import timedelta
from typing import Any

from advanced_alchemy.types import DateTimeUTC
from sqlalchemy import BindParameter, bindparam

from app import clock

TYPE = DateTimeUTC(timezone=True)


def moment(after: timedelta = timedelta(0)) -> BindParameter[Any]:
    """The time at which the statement runs, plus `after`."""
    return bindparam(None, callable_=lambda: clock.now() + after, type_=TYPE)
