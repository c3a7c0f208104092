"""Every way into the application by an address, but for static files and the JSON API."""

from dataclasses import dataclass

from litestar import Litestar
from litestar.routes import HTTPRoute


@dataclass(frozen=True)
class Door:
    """One method of one route, by its path as the application has it."""

    method: str
    path: str
    is_exempt: bool

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def doors(app: Litestar, *methods: str) -> list[Door]:
    """Those of these methods, or all. tests/api walks the JSON API."""
    return [door for door in every_door(app) if _is_page(door) and door.method in methods]


def every_door(app: Litestar) -> list[Door]:
    found = [
        Door(method, route.path, bool(handler.opt.get("exclude_from_csrf")))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _model) in route.route_handler_map.items()
        if method not in ("HEAD", "OPTIONS")
    ]
    return sorted(found, key=lambda door: (door.path, door.method))


def _is_page(door: Door) -> bool:
    return not door.path.startswith(("/static/", "/api/"))
