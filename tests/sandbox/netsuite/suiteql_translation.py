"""Translates SuiteQL (Oracle's dialect with BUILTIN functions) into SQLite's, or refuses it as NetSuite does.

What NetSuite refuses is refused: LIMIT, WITH, CURRENT_DATE, more than 1000 values in IN, unknown records and
columns (Oracle's help, "SuiteQL Supported and Unsupported Functions"). What this server cannot execute
faithfully is refused too, with a text that says so: it never guesses.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from tests.sandbox.netsuite.store import Store
from tests.sandbox.netsuite.suiteql_expressions import ExpressionRewriter
from tests.sandbox.netsuite.suiteql_names import ROWNUM, resolve_names
from tests.sandbox.netsuite.suiteql_ordering import ordering_is_unique, row_keys
from tests.sandbox.netsuite.suiteql_refusal import SuiteQLRefused

MOST_IN_VALUES = 1000

_REFUSED: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.With, "Invalid or unsupported search: WITH is not supported"),
    (exp.Limit, "Invalid or unsupported search: LIMIT is not supported"),
    (exp.Offset, "Invalid or unsupported search: OFFSET is not supported"),
    (exp.CurrentDate, "Invalid or unsupported search: CURRENT_DATE is not supported"),
    (exp.Array, "Invalid or unsupported search: square brackets are not supported"),
    (exp.Bracket, "Invalid or unsupported search: square brackets are not supported"),
    (exp.SetOperation, "set operations are not executed by this stand-in for NetSuite"),
    (exp.Window, "analytic functions are not executed by this stand-in for NetSuite"),
)


@dataclass(frozen=True)
class Translation:
    """`sql` gives the rows in order, `count_sql` their number; both take the parameters p1, p2, ...

    `keys` are the result's column names in lower case, `most_rows` what FETCH FIRST allows. If
    `unique_order` is False pages may shift: `scrambled_sql` gives the rows that ORDER BY leaves equal in an
    order that depends on the parameter ns_page.
    """

    sql: str
    scrambled_sql: str
    count_sql: str
    keys: tuple[str, ...]
    parameters: int
    most_rows: int | None
    unique_order: bool


def translate(query: str, store: Store) -> Translation:
    """SuiteQLRefused if NetSuite would refuse the query, or this server cannot execute it."""
    text, parameters = _number_parameters(query)
    try:
        statements = sqlglot.parse(text, dialect="oracle")
    except SqlglotError as error:
        raise SuiteQLRefused(f"Invalid or unsupported search: {str(error).splitlines()[0]}") from None
    if len(statements) != 1 or statements[0] is None:
        raise SuiteQLRefused("Invalid or unsupported search: exactly one SELECT statement is supported")
    select = statements[0]
    _refuse(select)
    if not isinstance(select, exp.Select):
        raise SuiteQLRefused("Invalid or unsupported search: only SELECT is supported")
    resolve_names(select, store)
    _spell_out_order(select)
    unique = ordering_is_unique(select)
    ties = row_keys(select)
    keys = _name_projections(select)
    most = _take_fetch(select)
    rownum = _take_rownum(select)
    ExpressionRewriter(store.now(), store.world.time_zone).rewrite(select)
    _order_as_oracle(select)
    if rownum is not None:
        select, ties = _first_rows(select, rownum), None
    return Translation(
        sql=_sql(select),
        scrambled_sql=_sql(_scrambled(select, ties)),
        count_sql=_count(select),
        keys=keys,
        parameters=parameters,
        most_rows=most,
        unique_order=unique,
    )


def _number_parameters(query: str) -> tuple[str, int]:
    """Turns each `?` into a named parameter, so that moving a condition cannot mix them up."""
    try:
        tokens = sqlglot.tokenize(query, read="oracle")
    except SqlglotError as error:
        raise SuiteQLRefused(f"Invalid or unsupported search: {str(error).splitlines()[0]}") from None
    parts: list[str] = []
    position = count = 0
    for token in tokens:
        if token.token_type is TokenType.PLACEHOLDER:
            count += 1
            parts += [query[position : token.start], f":p{count}"]
            position = token.end + 1
    return "".join([*parts, query[position:]]), count


def _refuse(statement: exp.Expr) -> None:
    for kind, text in _REFUSED:
        if statement.find(kind):
            raise SuiteQLRefused(text)
    if any(column.args.get("join_mark") for column in statement.find_all(exp.Column)):
        raise SuiteQLRefused("(+) joins are not executed by this stand-in for NetSuite; write ANSI joins")
    for values in statement.find_all(exp.In):
        if len(values.expressions) > MOST_IN_VALUES:
            raise SuiteQLRefused("ORA-01795: maximum number of expressions in a list is 1000")


def _name_projections(select: exp.Select) -> tuple[str, ...]:
    """Column names as the result shows them: alias, column, or expr1, expr2, ... for the rest."""
    keys: list[str] = []
    nameless = 0
    for projection in select.expressions:
        name = projection.alias_or_name if isinstance(projection, (exp.Alias, exp.Column)) else ""
        if not name:
            nameless += 1
            name = f"expr{nameless}"
        keys.append(name.lower())
    return tuple(keys)


def _take_rownum(select: exp.Select) -> int | None:
    """Takes `ROWNUM <= n` out of the outer WHERE and returns n: Oracle counts rows before it sorts them."""
    where = select.args.get("where")
    if where is None:
        return None
    parts = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    most: int | None = None
    kept: list[exp.Expr] = []
    for part in parts:
        by_rownum = isinstance(part, (exp.LT, exp.LTE)) and part.this.name.lower() == ROWNUM
        if by_rownum and isinstance(part.expression, exp.Literal) and not part.expression.is_string:
            limit = int(part.expression.name) - (1 if isinstance(part, exp.LT) else 0)
            most = limit if most is None else min(most, limit)
        else:
            kept.append(part)
    if most is not None:
        if select.args.get("group") or any(each.find(exp.AggFunc) for each in select.selects):
            raise SuiteQLRefused("this stand-in for NetSuite does not execute ROWNUM together with aggregates")
        select.set("where", exp.Where(this=exp.and_(*kept, copy=False)) if kept else None)
    return most


def _spell_out_order(select: exp.Select) -> None:
    """Replaces an alias or an ordinal in ORDER BY by the expression it stands for."""
    order = select.args.get("order")
    by_alias = {each.alias.lower(): each.this for each in select.expressions if isinstance(each, exp.Alias)}
    for key in order.expressions if order else []:
        sorted_by = key.this
        if isinstance(sorted_by, exp.Column) and not sorted_by.table and sorted_by.name in by_alias:
            key.set("this", by_alias[sorted_by.name].copy())
        elif isinstance(sorted_by, exp.Literal) and not sorted_by.is_string:
            place = int(sorted_by.name)
            if not 1 <= place <= len(select.expressions):
                raise SuiteQLRefused(f"ORA-01785: ORDER BY item {place} is not in the select list")
            key.set("this", select.expressions[place - 1].unalias().copy())


def _order_as_oracle(select: exp.Select) -> None:
    """Oracle puts nulls last when ascending and first when descending.

    Ids are left to SQLite's own order, so that it reads rows in order from its indexes instead of sorting.
    """
    order = select.args.get("order")
    for key in order.expressions if order else []:
        is_id = isinstance(key.this, exp.Column) and key.this.name == "id"
        key.set("nulls_first", bool(key.args.get("desc")) or is_id)


def _take_fetch(select: exp.Select) -> int | None:
    fetch = select.args.get("limit")
    if fetch is None:
        return None
    select.set("limit", None)
    count = fetch.args.get("count")
    options = fetch.args.get("limit_options")
    odd = options is not None and (options.args.get("percent") or options.args.get("with_ties"))
    if odd or not isinstance(count, exp.Literal):
        raise SuiteQLRefused("this stand-in for NetSuite executes only FETCH FIRST n ROWS ONLY")
    return int(count.name)


def _scrambled(select: exp.Select, ties: list[exp.Column] | None) -> exp.Select:
    """The same rows, with those that ORDER BY leaves equal in an order that differs from page to page."""
    if ties is None or select.args.get("group") or select.args.get("distinct"):
        return select
    scrambled = select.copy()
    key = exp.Anonymous(this="ns_scramble", expressions=[*ties, exp.Placeholder(this="ns_page")])
    order = scrambled.args.get("order")
    keys = [*(order.expressions if order else []), exp.Ordered(this=key, nulls_first=True)]
    scrambled.set("order", exp.Order(expressions=keys))
    return scrambled


def _first_rows(select: exp.Select, most: int) -> exp.Select:
    """ROWNUM: take `most` rows in no order, then sort those."""
    inner = select.copy()
    order = inner.args.get("order")
    inner.set("order", None)
    results = [exp.alias_(each.unalias(), f"ns_c{place}") for place, each in enumerate(inner.expressions)]
    keys = order.expressions if order else []
    hidden = [exp.alias_(key.this, f"ns_o{place}") for place, key in enumerate(keys)]
    inner.set("expressions", [*results, *hidden])
    inner.set("limit", exp.Limit(expression=exp.Literal.number(most)))
    outer = exp.select(*(exp.column(f"ns_c{place}") for place in range(len(results)))).from_(inner.subquery("ns_rows"))
    for place, key in enumerate(keys):
        key.set("this", exp.column(f"ns_o{place}"))
    if keys:
        outer.set("order", exp.Order(expressions=keys))
    return outer


def _count(select: exp.Select) -> str:
    counted = select.copy()
    counted.set("order", None)
    grouped = counted.args.get("group") or counted.args.get("distinct")
    if not grouped and not any(each.find(exp.AggFunc) for each in counted.selects):
        counted.set("expressions", [exp.alias_(exp.Literal.number(1), "ns_one")])
    return f"SELECT COUNT(*) FROM ({_sql(counted)})"


def _sql(select: exp.Select) -> str:
    # Quoted, because "transaction" is a word of SQLite's own.
    return select.sql(dialect="sqlite", identify=True)
