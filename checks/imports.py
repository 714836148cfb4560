"""Which packages a function loads: its own imports, and those of the parts of `billing` that it reaches.

A module's top level runs as soon as it is imported. What stands inside a function or class counts only when
something reached uses that name; so a file that wires everything costs a Lambda only the parts it asks for.
Imports under `if TYPE_CHECKING` never run and never count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

TOP = ""
"""The name of a module's own top level, beside the names of its definitions."""

Place = tuple[Path, str]
"""A file and a definition at its top level, or TOP."""

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass
class Reached:
    """What a walk has found: packages that are not the walked one, and whether that one is used at all."""

    packages: set[str] = field(default_factory=set)
    places: set[Place] = field(default_factory=set)


def reached_from(entry: Path, source_root: Path) -> Reached:
    """Follow imports from the file `entry` through the modules below `source_root`.

    `source_root` is what stands on sys.path (layers/billing); modules found there are walked, all others are
    noted by their top-level name, the standard library included. All of the entry file counts as used.
    """
    reached = Reached()
    modules: dict[Path, _Module] = {}
    waiting: list[Place] = [
        (entry, TOP),
        *((entry, name) for name in _Module(entry, source_root).definitions),
    ]
    while waiting:
        place = waiting.pop()
        if place in reached.places:
            continue
        reached.places.add(place)
        path, name = place
        if path not in modules:
            modules[path] = _Module(path, source_root)
        packages, places = modules[path].uses(name)
        reached.packages |= packages
        waiting += places
    return reached


class _Module:
    """One file, cut into its top level and its definitions."""

    def __init__(self, path: Path, source_root: Path) -> None:
        self.path = path
        self.root = source_root
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        statements = list(_running(tree.body))
        self.definitions: dict[str, _Definition] = {
            node.name: node for node in statements if isinstance(node, _Definition)
        }
        self.top = [node for node in statements if not isinstance(node, _Definition)]
        self.outer = _Names(self.root, [node for node in self.top if isinstance(node, ast.Import | ast.ImportFrom)])

    def uses(self, name: str) -> tuple[set[str], set[Place]]:
        """Packages and places that one definition, or the top level, leads to."""
        if name == TOP:
            nodes: list[ast.stmt] = list(self.top)
            # Decorators, defaults and base classes run with the top level.
            nodes += [ast.Expr(value=value) for node in self.definitions.values() for value in _at_once(node)]
        elif name in self.definitions:
            nodes = [self.definitions[name]]
        else:
            return set(), set()  # a constant, or a name that the module imports: its top level covers it
        inner = _Names(self.root, _imports_in(nodes))
        packages = set(inner.packages)
        places = set(inner.loaded)
        for used in _names_used(nodes):
            if used[0] in self.definitions:
                places.add((self.path, used[0]))
            places |= inner.place(used) | self.outer.place(used)
        return packages, places


class _Names:
    """What a set of import statements loads and which local names it gives."""

    def __init__(self, root: Path, imports: Iterable[ast.Import | ast.ImportFrom]) -> None:
        self.root = root
        self.packages: set[str] = set()
        self.loaded: set[Place] = set()
        self.modules: dict[str, Path] = {}
        self.members: dict[str, Place] = {}
        for node in imports:
            for alias in node.names:
                if isinstance(node, ast.Import):
                    self._module(alias.name, alias.asname or alias.name)
                elif node.module:
                    self._member(node.module, alias.name, alias.asname or alias.name)

    def _module(self, dotted: str, local: str) -> None:
        path = self._load(dotted)
        if path:
            self.modules[local] = path

    def _member(self, dotted: str, name: str, local: str) -> None:
        path = self._load(dotted)
        if path:
            inner = _file_of(self.root, f"{dotted}.{name}")
            if inner:
                self._module(f"{dotted}.{name}", local)
            else:
                self.members[local] = (path, name)

    def _load(self, dotted: str) -> Path | None:
        parts = dotted.split(".")
        if not (self.root / parts[0]).is_dir():
            self.packages.add(parts[0])
            return None
        for count in range(1, len(parts) + 1):  # a package's __init__ runs before its modules
            path = _file_of(self.root, ".".join(parts[:count]))
            if path:
                self.loaded.add((path, TOP))
        return _file_of(self.root, dotted)

    def place(self, used: tuple[str, ...]) -> set[Place]:
        """Where a name, or a dotted name, of the importing module leads."""
        if used[0] in self.members:
            return {self.members[used[0]]}
        for count in range(len(used) - 1, 0, -1):
            path = self.modules.get(".".join(used[:count]))
            if path:
                return {(path, used[count])}
        return set()


def _file_of(root: Path, dotted: str) -> Path | None:
    base = root.joinpath(*dotted.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _running(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for node in statements:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _running(node.orelse)
        elif isinstance(node, ast.If):
            yield ast.Expr(value=node.test)
            yield from _running([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            handlers = [inner for handler in node.handlers for inner in handler.body]
            yield from _running([*node.body, *handlers, *node.orelse, *node.finalbody])
        else:
            yield node


def _at_once(node: _Definition) -> list[ast.expr]:
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases]
    defaults = [default for default in node.args.kw_defaults if default is not None]
    return [*node.decorator_list, *node.args.defaults, *defaults]


def _imports_in(nodes: Iterable[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in nodes:
        skipped = {
            id(inner)
            for block in ast.walk(node)
            if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
            for statement in block.body
            for inner in ast.walk(statement)
        }
        for inner in ast.walk(node):
            if isinstance(inner, ast.Import | ast.ImportFrom) and id(inner) not in skipped:
                yield inner


def _names_used(nodes: Iterable[ast.stmt]) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for node in nodes:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                found.add((inner.id,))
            elif isinstance(inner, ast.Attribute):
                dotted = _dotted(inner)
                if dotted:
                    found.add(dotted)
    return found


def _dotted(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return (*before, node.attr) if before else ()
    return ()
