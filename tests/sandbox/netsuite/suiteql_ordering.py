"""Says whether a query's ORDER BY leaves no tie.

Oracle wants a unique sort for paged queries, and clients found that the word ASC must be there: without both,
a page may repeat rows of the page before or miss some.
"""

from __future__ import annotations

from sqlglot import exp

from tests.sandbox.netsuite.tables import TABLES

_Name = tuple[str, str]


def ordering_is_unique(select: exp.Select) -> bool:
    """True if the keys with an explicit ASC decide every row's place. Columns must be resolved already.

    A record's row is decided when one of its unique keys is; a column is decided when it is sorted by, equals
    a decided column in a join or filter, or belongs to a decided row.
    """
    order = select.args.get("order")
    keys = [key.this for key in order.expressions if key.args.get("desc") is False] if order else []
    group = select.args.get("group")
    if group:
        return all(expression in keys for expression in group.expressions)
    if any(projection.find(exp.AggFunc) for projection in select.selects):
        return True
    tables = _tables(select)
    if tables is None:
        return False
    decided: set[_Name] = {(key.table, key.name) for key in keys if isinstance(key, exp.Column)}
    equal = _equalities(select)
    rows: set[str] = set()
    while True:
        before = len(decided), len(rows)
        for left, right in equal:
            if left in decided or left[0] in rows:
                decided.add(right)
            if right in decided or right[0] in rows:
                decided.add(left)
        for alias, record in tables.items():
            names = {name for table, name in decided if table == alias}
            if any(key <= names for key in TABLES[record].unique):
                rows.add(alias)
        if (len(decided), len(rows)) == before:
            return rows == set(tables)


def row_keys(select: exp.Select) -> list[exp.Column] | None:
    """The columns that tell the rows of a plain query apart; None if the query is not over records alone."""
    tables = _tables(select)
    if tables is None:
        return None
    return [
        exp.column(name, table=alias) for alias, record in tables.items() for name in sorted(TABLES[record].unique[0])
    ]


def _tables(select: exp.Select) -> dict[str, str] | None:
    """Record by alias, or None if a source is a subquery."""
    sources = [select.args["from_"].this] if select.args.get("from_") else []
    sources += [join.this for join in select.args.get("joins") or []]
    if not all(isinstance(source, exp.Table) for source in sources):
        return None
    return {source.alias_or_name.lower(): source.name.lower() for source in sources}


def _equalities(select: exp.Select) -> list[tuple[_Name, _Name]]:
    """Columns that every row of the result has equal. Conditions under OR or NOT do not count."""
    conditions = [join.args["on"] for join in select.args.get("joins") or [] if join.args.get("on")]
    if select.args.get("where"):
        conditions.append(select.args["where"].this)
    found: list[tuple[_Name, _Name]] = []
    for condition in conditions:
        for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
            if isinstance(part, exp.EQ) and isinstance(part.this, exp.Column):
                other = part.expression
                if isinstance(other, exp.Column):
                    found.append(((part.this.table, part.this.name), (other.table, other.name)))
    return found
