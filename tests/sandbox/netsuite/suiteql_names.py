"""Finds the record behind every column of a query, and refuses what the account does not have.

Each resolved column carries its definition in `meta`, lower-case names and its table's alias.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from tests.sandbox.netsuite.store import Store
from tests.sandbox.netsuite.suiteql_refusal import SuiteQLRefused
from tests.sandbox.netsuite.tables import Column, Kind

ROWNUM = "rownum"
SESSION_TIME_ZONE = "sessiontimezone"
_DEFINITION = "netsuite"

_Columns = Mapping[str, Column]


def definition(expression: object) -> Column | None:
    """The definition of a resolved column; None for anything else."""
    if not isinstance(expression, exp.Column):
        return None
    found = expression.meta.get(_DEFINITION)
    return found if isinstance(found, Column) else None


def resolve_names(select: exp.Select, store: Store) -> None:
    """Resolve the whole query in place, stars included. SuiteQLRefused with NetSuite's words."""
    for table in select.find_all(exp.Table):
        if store.visible(table.name.lower()) is None:
            raise SuiteQLRefused(f"Search error occurred: Record '{table.name}' was not found.")
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name.lower())))
        else:
            table.args["alias"].set("this", exp.to_identifier(table.alias.lower()))
        table.set("this", exp.to_identifier(table.name.lower()))
    scopes = traverse_scope(select)
    for scope in scopes:
        sources = _sources(scope, store)
        own = {name.lower(): sources[name.lower()] for name in scope.sources}
        _expand_stars(scope, own)
        aliases = {str(name).lower() for name in getattr(scope.expression, "named_selects", ())}
        for column in list(scope.find_all(exp.Column)):
            if not isinstance(column.this, exp.Star):
                _resolve(column, sources, own, aliases, _hidden_in(column, scope, store))


def _hidden_in(column: exp.Column, scope: Scope, store: Store) -> str:
    """The record whose column this is, if it has one that the account hides and says so by NOT_EXPOSED."""
    source = scope.sources.get(column.table.lower()) if column.table else None
    if store.options.absent_words != "not_exposed" or not isinstance(source, exp.Table):
        return ""
    record = source.name.lower()
    return record if f"{record}.{column.name.lower()}" in store.options.columns_absent else ""


def _sources(scope: Scope, store: Store) -> dict[str, _Columns]:
    """What each alias offers, the enclosing queries' aliases included (for correlated subqueries)."""
    found: dict[str, _Columns] = {}
    level: Scope | None = scope
    while level is not None:
        for name, source in level.sources.items():
            found.setdefault(name.lower(), _offered(source, store))
        level = level.parent
    return found


def _offered(source: object, store: Store) -> _Columns:
    if isinstance(source, Scope):
        names = [str(name).lower() for name in getattr(source.expression, "named_selects", ())]
        return {name: Column(name, Kind.TEXT) for name in names}
    assert isinstance(source, exp.Table)
    return store.visible(source.name.lower()) or {}


def _expand_stars(scope: Scope, sources: Mapping[str, _Columns]) -> None:
    select = scope.expression
    if not isinstance(select, exp.Select):
        return
    expanded: list[exp.Expr] = []
    for projection in select.expressions:
        whole_row = isinstance(projection, exp.Star)
        one_table = isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
        if not whole_row and not one_table:
            expanded.append(projection)
            continue
        wanted = projection.table.lower() if one_table else None
        for name, columns in sources.items():
            if wanted in (None, name):
                expanded += [exp.column(column, table=name) for column in columns]
    select.set("expressions", expanded)


def _resolve(
    column: exp.Column,
    sources: Mapping[str, _Columns],
    own: Mapping[str, _Columns],
    aliases: set[str],
    hidden_in: str,
) -> None:
    name, alias = column.name.lower(), column.table.lower()
    if not alias and name in (ROWNUM, SESSION_TIME_ZONE):
        return
    if hidden_in:
        raise SuiteQLRefused(
            f"Search error occurred: Field '{column.name}' for record '{hidden_in}' was not found. Reason: NOT_EXPOSED."
        )
    holders = [source for source, columns in own.items() if alias in ("", source) and name in columns]
    if not holders:
        holders = [source for source, columns in sources.items() if alias in ("", source) and name in columns]
    if not holders:
        if not alias and name in aliases and column.find_ancestor(exp.Order):
            column.set("this", exp.to_identifier(name))
            return
        available = ", ".join(f"{source}={source}" for source in sources)
        raise SuiteQLRefused(
            f"Search error occurred: Unknown identifier '{column.name}'. Available identifiers are: {{{available}}}."
        )
    if len(holders) > 1:
        raise SuiteQLRefused(f"Search error occurred: Ambiguous identifier '{column.name}'.")
    column.set("this", exp.to_identifier(name))
    column.set("table", exp.to_identifier(holders[0]))
    column.meta[_DEFINITION] = sources[holders[0]][name]
