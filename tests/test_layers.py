"""Imports point one way: the map in app/__init__.py is the table, and this keeps it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import app

APP = Path(app.__file__).parent
LINES = [
    re.split(r" {2,}", line.strip())[0].split()
    for line in (app.__doc__ or "").splitlines()
    if line.startswith("    ")
]
LEVEL = {room: number for number, rooms in enumerate(LINES) for room in rooms}


def test_every_module_has_a_room_on_the_map() -> None:
    assert sorted(module for module in _modules() if _room(module) not in LEVEL) == []


def test_every_room_on_the_map_is_there() -> None:
    assert sorted(LEVEL.keys() - {_room(module) for module in _modules()}) == []


def test_a_room_imports_only_what_stands_below_it() -> None:
    upward = [
        f"{importer} imports {imported}"
        for importer, imported in _imports()
        if _room(importer) != _room(imported) and LEVEL[_room(imported)] <= LEVEL[_room(importer)]
    ]

    assert upward == []


def test_no_two_modules_import_each_other() -> None:
    """Also within a room: of two that do, neither can be understood alone."""
    pairs = set(_imports())

    assert sorted(pair for pair in pairs if pair[::-1] in pairs and pair[0] < pair[1]) == []


def _modules() -> dict[str, Path]:
    """Every module by its dotted name below `app`; packages go by their own name."""
    files = [file for file in sorted(APP.rglob("*.py")) if file != APP / "__init__.py"]
    return {
        ".".join(file.relative_to(APP).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files
        if file.stem != "__init__" or file.read_text().strip()
    }


def _imports() -> Iterator[tuple[str, str]]:
    modules = _modules()
    for importer, file in modules.items():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "app":
                base = (node.module or "").removeprefix("app").removeprefix(".")
                for alias in node.names:
                    name = f"{base}.{alias.name}".removeprefix(".")
                    yield importer, name if name in modules else base


def _room(module: str) -> str:
    """The longest name on the map that the module belongs to."""
    parts = module.split(".")
    names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((name for name in names if name in LEVEL), module)
