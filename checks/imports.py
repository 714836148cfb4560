"""Which packages a function loads: its own imports, and those of every module of `billing` that these lead to.

Imports stand at the top of a file, so that what an entry imports is what it loads; one inside a function counts like
any other. Imports under `if TYPE_CHECKING` never run and never count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Reached:
    """What a walk has found: modules of the walked tree, and the top-level names of all other packages."""

    packages: set[str] = field(default_factory=set)
    modules: set[Path] = field(default_factory=set)


def reached_from(entry: Path, source_root: Path) -> Reached:
    """Follow imports from the file `entry` through the modules below `source_root`.

    `source_root` is what stands on sys.path (layers/billing); modules found there are walked, all others are
    noted by their top-level name, the standard library included.
    """
    reached = Reached()
    waiting = [entry]
    while waiting:
        for dotted in _imported(ast.parse(waiting.pop().read_text(encoding="utf-8"))):
            parts = dotted.split(".")
            if not (source_root / parts[0]).is_dir():
                reached.packages.add(parts[0])
                continue
            for count in range(1, len(parts) + 1):  # a package's __init__ runs before its modules
                path = _file_of(source_root, parts[:count])
                if path and path not in reached.modules:
                    reached.modules.add(path)
                    waiting.append(path)
    return reached


def _file_of(root: Path, parts: list[str]) -> Path | None:
    base = root.joinpath(*parts)
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _imported(node: ast.AST) -> Iterator[str]:
    """Every dotted name that an import could load: of `from a import b` also a.b, which may be a module."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for otherwise in child.orelse:
                yield from _imported(ast.Module([otherwise], []))
        else:
            yield from _imported(child)
