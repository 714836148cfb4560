"""Rewrites Oracle's expressions and NetSuite's BUILTIN functions into what SQLite can compute."""

from __future__ import annotations

from datetime import datetime

from sqlglot import exp
from sqlglot.time import format_time

from tests.sandbox.netsuite.oracle_functions import QueryFailed, read_date
from tests.sandbox.netsuite.suiteql_names import ROWNUM, SESSION_TIME_ZONE, definition
from tests.sandbox.netsuite.suiteql_refusal import SuiteQLRefused
from tests.sandbox.netsuite.tables import Kind

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_DATES = (
    exp.StrToDate, exp.StrToTime, exp.CurrentTimestamp, exp.AddMonths, exp.LastDay, exp.DateTrunc,
    exp.TimestampTrunc,
)  # fmt: skip
_FORMAT_BACK = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%H": "HH24", "%M": "MI", "%S": "SS", "%b": "MON"}
_NATIVE = (
    exp.Abs, exp.Sum, exp.Count, exp.Min, exp.Max, exp.Avg, exp.Coalesce, exp.Nullif, exp.Case, exp.If,
    exp.Cast, exp.Upper, exp.Lower, exp.Length, exp.Trim, exp.Substring, exp.Replace, exp.And, exp.Or,
    exp.Exists, exp.Nvl2, exp.DecodeCase, exp.Mod, exp.Greatest, exp.Least, exp.Sign, exp.StrPosition,
)  # fmt: skip


def is_date(expression: object) -> bool:
    """True if the value is a date; selected raw it then comes back in the user's preference."""
    if isinstance(expression, (exp.Alias, exp.Paren, exp.Max, exp.Min, exp.Coalesce)):
        return is_date(expression.this)
    if isinstance(expression, _DATES):
        return True
    if isinstance(expression, exp.Anonymous):
        name = expression.name.upper()
        return name in ("SYS_EXTRACT_UTC", "NS_ADD_DAYS") or (name == "TRUNC" and is_date(expression.expressions[0]))
    column = definition(expression)
    return column is not None and column.kind in (Kind.DATE, Kind.DATETIME)


class ExpressionRewriter:
    """`now` is the session's time, `zone` its name."""

    def __init__(self, now: datetime, zone: str) -> None:
        self._now = now.strftime("%Y-%m-%d %H:%M:%S")
        self._zone = zone

    def rewrite(self, select: exp.Select) -> None:
        """Rewrite the query in place. SuiteQLRefused for a function that is not executed here."""
        _date_arithmetic(select)
        self._raw_dates(select)
        self._compared_dates(select)
        # Innermost first, so that an argument is rewritten before the call around it.
        for node in reversed(list(select.walk(bfs=True))):
            replacement = self._replacement(node)
            if replacement is not None:
                node.replace(replacement)

    def _raw_dates(self, select: exp.Select) -> None:
        for projection in select.expressions:
            if is_date(projection):
                value = projection.this if isinstance(projection, exp.Alias) else projection
                value.replace(_call("ns_raw_date", value.copy()))

    def _compared_dates(self, select: exp.Select) -> None:
        """A text compared with a date is read in the user's date preference, as Oracle does."""
        for node in select.find_all(*_COMPARISONS, exp.Between):
            parts = [node.this, node.expression] if isinstance(node, _COMPARISONS) else [
                node.this, node.args["low"], node.args["high"]
            ]  # fmt: skip
            if not any(is_date(part) for part in parts):
                continue
            for part in parts:
                if isinstance(part, exp.Placeholder) or (isinstance(part, exp.Literal) and part.is_string):
                    part.replace(_call("ns_read_date", part.copy()))

    def _replacement(self, node: exp.Expr) -> exp.Expr | None:
        if isinstance(node, exp.Dot):
            return self._builtin(node)
        if isinstance(node, exp.ToChar):
            form = node.args.get("format")
            return _call("ns_to_char", node.this, form) if form else _call("ns_to_text", node.this)
        if isinstance(node, exp.TimeToStr):
            # What sqlglot makes of TO_CHAR where it knows that the value is a date.
            return _call("ns_to_char", node.this, exp.Literal.string(_oracle_format(node)))
        if isinstance(node, (exp.StrToDate, exp.StrToTime)):
            return _to_date(node)
        if isinstance(node, exp.CurrentTimestamp):
            return exp.Literal.string(self._now)
        if isinstance(node, exp.ToNumber):
            return _call("ns_to_number", node.this)
        if isinstance(node, exp.Round):
            return _call("ns_round", node.this, node.args.get("decimals") or exp.Literal.number(0))
        if isinstance(node, exp.Trunc):
            return _call("ns_trunc", node.this, node.args.get("decimals") or exp.Literal.number(0))
        if isinstance(node, exp.AddMonths):
            return _call("ns_add_months", node.this, node.expression)
        if isinstance(node, (exp.DateTrunc, exp.TimestampTrunc)):
            return _call("ns_trunc_date", node.this, exp.Literal.string(node.args["unit"].name))
        if isinstance(node, exp.LastDay):
            return _call("ns_last_day", node.this)
        if isinstance(node, exp.DPipe):
            # To Oracle null is an empty text when joined.
            empty = exp.Literal.string("")
            return exp.DPipe(
                this=_call("COALESCE", node.this, empty),
                expression=_call("COALESCE", node.expression, empty.copy()),
                safe=True,
            )
        if isinstance(node, exp.Concat):
            empty = exp.Literal.string("")
            first, *rest = [_call("COALESCE", each, empty) for each in node.expressions]
            joined: exp.Expr = first
            for each in rest:
                joined = exp.DPipe(this=joined, expression=each, safe=True)
            return exp.paren(joined)
        if isinstance(node, exp.Column) and not node.table:
            return self._pseudo_column(node)
        if isinstance(node, exp.Func):
            return self._function(node)
        return None

    def _function(self, node: exp.Func) -> exp.Expr | None:
        if isinstance(node, exp.Anonymous):
            name = node.name.upper()
            if name.startswith("NS_") or name == "COALESCE" or isinstance(node.parent, exp.Dot):
                return None
            if name == "SYS_EXTRACT_UTC":
                return _call("ns_utc", *node.expressions)
            if name == "TRUNC" and len(node.expressions) == 1:
                if _holds_date(node.expressions[0]):
                    return _call("ns_day", *node.expressions)
                return _call("ns_trunc", *node.expressions, exp.Literal.number(0))
            raise SuiteQLRefused(f"Invalid or unsupported search: unknown function {node.name}")
        if isinstance(node, _NATIVE):
            return None
        raise SuiteQLRefused(
            f"function {node.sql_name()} is not executed by this stand-in for NetSuite; tell whoever keeps it"
        )

    def _pseudo_column(self, node: exp.Column) -> exp.Expr | None:
        if node.name.lower() == SESSION_TIME_ZONE:
            return exp.Literal.string(self._zone)
        if node.name.lower() == ROWNUM:
            raise SuiteQLRefused("this stand-in for NetSuite executes ROWNUM only as ROWNUM <= n in the outer WHERE")
        return None

    def _builtin(self, node: exp.Dot) -> exp.Expr:
        call = node.expression
        if node.this.name.upper() != "BUILTIN" or not isinstance(call, exp.Anonymous):
            raise SuiteQLRefused(f"Invalid or unsupported search: {node.sql()}")
        name = call.name.upper()
        argument = call.expressions[0] if len(call.expressions) == 1 else None
        if argument is None or name not in ("DF", "CF"):
            raise SuiteQLRefused(f"BUILTIN.{call.name} is not executed by this stand-in for NetSuite")
        column = definition(argument)
        if column is None or not isinstance(argument, exp.Column):
            raise SuiteQLRefused(f"BUILTIN.{name} needs a column of a record")
        if name == "CF":
            return self._composite(argument)
        if column.reference is None:
            is_day = column.kind in (Kind.DATE, Kind.DATETIME)
            return _call("ns_raw_date", argument.copy()) if is_day else argument.copy()
        reference = column.reference
        wanted = self._composite(argument) if reference.record == "ns_status" else argument.copy()
        words = exp.select(exp.column(reference.display, table="ns_shown")).from_(
            exp.alias_(exp.to_table(reference.record), "ns_shown", table=True)
        )
        return exp.Subquery(
            this=words.where(exp.EQ(this=exp.column(reference.key, table="ns_shown"), expression=wanted))
        )

    def _composite(self, column: exp.Column) -> exp.Expr:
        """BUILTIN.CF(t.status) is 'SalesOrd:F': the type and the letter."""
        if column.name != "status":
            return column.copy()
        kind = exp.column("type", table=column.table)
        start = exp.DPipe(this=kind, expression=exp.Literal.string(":"), safe=True)
        # Parenthesised, and not rewritten again: neither part is ever null.
        return exp.Paren(this=exp.DPipe(this=start, expression=column.copy(), safe=True))


def _date_arithmetic(select: exp.Expr) -> None:
    """Oracle counts in days: a date plus a number is a date, a date less a date is a number."""
    for node in reversed(list(select.find_all(exp.Add, exp.Sub))):
        left, right = node.this, node.expression
        if is_date(left) and is_date(right):
            node.replace(_call("ns_days_between", left, right))
        elif is_date(left):
            days = right if isinstance(node, exp.Add) else exp.Neg(this=exp.paren(right))
            node.replace(_call("ns_add_days", left, days))
        elif is_date(right) and isinstance(node, exp.Add):
            node.replace(_call("ns_add_days", right, left))


def _holds_date(expression: exp.Expr) -> bool:
    return is_date(expression) or (
        isinstance(expression, exp.Anonymous)
        and expression.name in ("ns_utc", "ns_to_date", "ns_add_months", "ns_last_day", "ns_day", "ns_add_days")
    )


def _to_date(node: exp.Expr) -> exp.Expr:
    """A constant is computed once here, not for every row."""
    form = _oracle_format(node)
    text = node.this
    if not isinstance(text, exp.Literal):
        return _call("ns_to_date", text, exp.Literal.string(form))
    try:
        return exp.Literal.string(read_date(text.name, form))
    except QueryFailed as failure:
        raise SuiteQLRefused(f"Search error occurred: {failure}") from None


def _oracle_format(node: exp.Expr) -> str:
    """sqlglot stores formats as strftime's; back to Oracle's, which this server's functions read."""
    form = node.args.get("format")
    text = form.name if isinstance(form, exp.Literal) else "%Y-%m-%d"
    return format_time(text, _FORMAT_BACK) or text


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])
