"""The Jinja environment for HTML, and the functions that every template can call."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import UnknownLocaleError
from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from app.language import _, ngettext
from app.names import isolate, to_html, to_text
from app.settings import ROOT
from app.static_files import asset
from app.zones import zone, zone_names, zones_by_region


@cache
def html() -> Environment:
    """The environment for pages and fragments. Escapes everything; undefined names are errors."""
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(
        _=_, ngettext=ngettext, asset=asset, time_tag=time_tag, isolate=isolate
    )
    environment.filters.update(attributes=attributes, bdi=to_html, name=name, as_text=to_text)
    environment.globals.update(zone_names=zone_names, zones_by_region=zones_by_region)
    return environment


def name(name: str) -> Markup:
    """A filter: a name that stands in no sentence, in a direction of its own."""
    return to_html(isolate(name))


def render(template: str, context: dict[str, Any]) -> str:
    return html().get_template(template).render(context)


def attributes(values: Mapping[str, Any]) -> Markup:
    """HTML attributes, each preceded by a space. True makes an attribute without a value; False and
    None make none.

    Jinja's own `xmlattr` writes `disabled="False"`, which browsers treat as disabled.
    """
    return Markup().join(
        Markup(" {}").format(name) if value is True else Markup(' {}="{}"').format(name, value)
        for name, value in values.items()
        if value is not None and value is not False
    )


@pass_context
def time_tag(context: Context, moment: datetime, *, is_relative: bool = True) -> Markup:
    """`<time>` in the user's zone. If `is_relative`, a script turns it into "5 minutes ago"."""
    user = context.get("user")
    local = moment.astimezone(zone_of(user))
    text = _formatted(local, getattr(user, "language", "") or "en")
    title = Markup(' title="{}"').format(text) if is_relative else ""
    return Markup('<time datetime="{}"{}>{}</time>').format(
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"), title, text
    )


def zone_of(user: Any) -> ZoneInfo:
    """The time zone of the user; UTC until it is known."""
    return zone(getattr(user, "timezone", ""))


def _formatted(local: datetime, language: str) -> str:
    try:
        return str(format_datetime(local, "d MMM y, HH:mm", locale=language.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        return f"{local:%Y-%m-%d %H:%M}"
