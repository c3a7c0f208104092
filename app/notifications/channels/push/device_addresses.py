"""The address of a push delivery: the name and the id of its device, `Firefox on Linux #7`.

The device may be gone or have a new name by the time that the address is read.
"""

from sqlalchemy import ColumnElement, String, cast

from app.models import Delivery, PushSubscription

_SEPARATOR = " #"


def address_of(device: PushSubscription) -> str:
    return f"{device.name}{_SEPARATOR}{device.id}"


def address_column() -> ColumnElement[str]:
    """The same of each row of PushSubscription."""
    return PushSubscription.name + _SEPARATOR + cast(PushSubscription.id, String)


def name_in(address: str) -> str:
    """The name that the device had."""
    return address.rpartition(_SEPARATOR)[0]


def is_for_name(name: str) -> ColumnElement[bool]:
    """Whether a delivery is for a device of this name."""
    return Delivery.address.startswith(f"{name}{_SEPARATOR}", autoescape=True)
