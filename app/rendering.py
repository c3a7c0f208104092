"""The Jinja environment for HTML, and the functions that every template can call."""

import re
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from gettext import NullTranslations
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from babel.core import Locale, UnknownLocaleError
from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, Macro
from markupsafe import Markup, escape

from app import clock
from app.language import SOURCE_LANGUAGE, _, current_language, current_translations, ngettext
from app.settings import ROOT
from app.values.email_addresses import readable_address
from app.values.faces import avatar_url
from app.values.names import isolate, to_html, to_text
from app.values.sizes import file_size
from app.web.static_files import asset
from app.zones import zone, zone_names, zones_by_region

# In every language, each plural form is used by one of the first numbers.
SAMPLES = 200
# Minutes whose words are remembered, in one language each.
MOMENTS_KEPT = 2_000
# Some 5 KB each.
RENDERINGS_KEPT = 2_000
_UNSAFE = re.compile("[&<>\"']")
# Modules of macros that every template can call: {{ ui.tag(_("New")) }}. Each may use those before
# it.
MACROS = {
    "form": "components/forms.html",
    "ui": "components/ui.html",
    "row": "notifications/_row.html",
}

_context: ContextVar[Mapping[str, Any]] = ContextVar("context")


@cache
def html() -> Environment:
    """The environment for pages and fragments. Escapes everything; undefined names are errors."""
    environment = _Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.globals.update(
        _=_, ngettext=ngettext, asset=asset, isolate=isolate, time_tag=time_tag
    )
    environment.globals.update(
        page_context=page_context, icon=icon, cached=cached, cached_part=cached_part
    )
    environment.globals.update(
        plural_forms=plural_forms, avatar_url=avatar_url, time_ahead=time_ahead
    )
    environment.filters.update(attributes=attributes, bdi=to_html, name=name, as_text=to_text)
    environment.filters.update(address=readable_address)
    environment.filters.update(playing_time=playing_time, file_size=file_size)
    environment.globals.update(zone_names=zone_names, zones_by_region=zones_by_region)
    # Last, since they use all the others. Importing them in each template would take far longer.
    for module, file in MACROS.items():
        environment.globals[module] = environment.get_template(file).module
    return environment


class _Context(Context):
    """Calls functions directly. Jinja would first check whether they want its context. Ours never
    do, and the check takes longer than most of the calls.
    """

    def call(
        self,
        called: Callable[..., Any],
        /,
        *args: Any,
        _loop_vars: object = None,
        _block_vars: object = None,
        **options: Any,
    ) -> Any:
        return called(*args, **options)


class _CodeGenerator(CodeGenerator):
    """Compiles `asset("app.css")` and `icon("bi-bell")` to constants, since they are the same on
    every page, and `_("Save")` to a direct call without a lookup in the context.
    """

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        match node:
            case nodes.Call(node=nodes.Name(name="_"), args=[nodes.Const(value=sentence)]):
                self.write(f"environment.translated({sentence!r})")
            case _:
                super().visit_Call(node, frame, forward_caller=forward_caller)

    def _output_child_to_const(self, node: nodes.Expr, frame: Any, finalize: Any) -> str:
        match node:
            case nodes.Call(node=nodes.Name(name="asset"), args=[nodes.Const(value=name)]):
                node = nodes.Const(asset(name))
            case nodes.Call(node=nodes.Name(name="icon"), args=[nodes.Const(value=name)]):
                node = nodes.Const(icon(name))
        return super()._output_child_to_const(node, frame, finalize)

    def _output_child_pre(self, *_details: Any) -> None:
        self.write("environment.escaped(")


class _Environment(Environment):
    context_class = _Context
    code_generator_class = _CodeGenerator

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Shares one dict among all templates. By default each template has a view of its own,
        which is copied for each page and searched for each fragment.
        """
        return {**self.globals, **d} if d else self.globals

    translated = staticmethod(_)

    def escaped(self, value: object) -> str:
        """Like `escape`, but returns a plain str where nothing has to be escaped: the result is
        only joined, and creating a Markup takes time.
        """
        if type(value) is int or (type(value) is str and not _UNSAFE.search(value)):
            return str(value)
        return value if type(value) is Markup else escape(value)


def name(name: str) -> Markup:
    """A filter: a name outside a sentence, isolated from the direction of the text around it."""
    return to_html(isolate(name))


def render(template: str, context: dict[str, Any]) -> str:
    token = _context.set(context)
    try:
        return html().get_template(template).render(context)
    finally:
        _context.reset(token)


def page_context() -> Mapping[str, Any]:
    """The context of what is being rendered, for macros, which do not see it."""
    return _context.get()


def cached(macro: Macro, value: Any) -> str:
    """The macro's output for a value, cached. Of the page's context, the macro may use only the
    reader's language and time zone.
    """
    user = page_context().get("user")
    reader = current_translations(), getattr(user, "timezone", "")
    return _cached(_Rendering(macro, msgspec.json.encode(value), reader, value))


@dataclass(frozen=True, slots=True)
class _Rendering:
    """A cache key with all that the rendering depends on, so that no entry is ever out of date."""

    macro: Macro
    content: bytes
    reader: tuple[Any, ...]
    value: Any = field(compare=False)


@lru_cache(RENDERINGS_KEPT)
def _cached(rendering: _Rendering) -> str:
    return rendering.macro(rendering.value)


def cached_part(template: str) -> Markup:
    """A template without variables, rendered once for each language."""
    return _cached_part(template, current_translations())


@lru_cache(RENDERINGS_KEPT)
def _cached_part(template: str, _language: NullTranslations) -> Markup:
    return Markup(html().get_template(template).render())  # noqa: S704 - of a template


def playing_time(seconds: float) -> str:
    """A filter: the length of a video, as in 0:25 or 1:02:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@cache
def icon(name: str) -> Markup:
    """An icon of the sprite."""
    use = Markup('<use href="{}#{}"></use>').format(asset("icons.svg"), name)
    return Markup('<svg class="icon" aria-hidden="true">{}</svg>').format(use)


def attributes(values: Mapping[str, Any]) -> Markup:
    """HTML attributes, each preceded by a space. True makes an attribute without a value; False and
    None make none.

    Jinja's own `xmlattr` writes `disabled="False"`, which browsers treat as disabled.
    """
    parts = [
        f" {escape(name)}" if value is True else f' {escape(name)}="{escape(value)}"'
        for name, value in values.items()
        if value is not None and value is not False
    ]
    return Markup("".join(parts))  # noqa: S704 - each part is escaped


def time_tag(moment: datetime, *, is_relative: bool = True) -> Markup:
    """`<time>` in the user's zone. If `is_relative`, a script turns it into "5 minutes ago"."""
    return _time_tag(moment, _zone(), current_language(), is_relative=is_relative)


def time_ahead(moment: datetime) -> Markup:
    """`<time>` of one of the next days: 18:00 for today, "tomorrow, 08:00", else "Mon 7 Dec, 08:00"."""
    zone, language = _zone(), current_language()
    local = moment.astimezone(zone)
    days = (local.date() - clock.now().astimezone(zone).date()).days
    minute = local.replace(second=0, microsecond=0, tzinfo=None)
    text = _formatted(minute, language, "HH:mm" if days < 2 else "EEE d MMM, HH:mm")
    if days == 1:
        text = escape(_("tomorrow, {time}")).format(time=text)
    return _tag(moment, text)


def _zone() -> ZoneInfo:
    return zone_of(page_context().get("user"))


@lru_cache(MOMENTS_KEPT)
def _time_tag(moment: datetime, zone: ZoneInfo, language: str, *, is_relative: bool) -> Markup:
    local = moment.astimezone(zone)
    minute = local.replace(second=0, microsecond=0, tzinfo=None)
    text = _formatted(minute, language, "d MMM y, HH:mm")
    return _tag(moment, text, f' title="{text}"' if is_relative else "")


def _tag(moment: datetime, text: Markup, title: str = "") -> Markup:
    return Markup(  # noqa: S704 - escaped
        f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}"{title}>{text}</time>'
    )


@cache
def plural_forms(language: str) -> tuple[tuple[str, int], ...]:
    """The plural forms of a language (CLDR), each with a number that takes it: (("one", 1), …).

    For sentences whose number only a script knows.
    """
    form_of = locale_of(language).plural_form
    forms = {form_of(n): n for n in range(SAMPLES, 0, -1)}
    return tuple(forms.items())


def zone_of(user: Any) -> ZoneInfo:
    """The time zone of the user; UTC until it is known."""
    return zone(getattr(user, "timezone", ""))


@lru_cache(MOMENTS_KEPT)
def _formatted(local: datetime, language: str, pattern: str) -> Markup:
    locale = language.replace("-", "_")
    try:
        return escape(format_datetime(local, pattern, locale=locale))
    except (UnknownLocaleError, ValueError):
        return escape(f"{local:%Y-%m-%d %H:%M}")


def locale_of(language: str) -> Locale:
    """Babel's locale for a language; that of the source language if Babel does not know it."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale(SOURCE_LANGUAGE)
