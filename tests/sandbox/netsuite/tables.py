"""The records that SuiteQL can ask for, with their columns as NetSuite names them.

Names and flags are those of the SuiteAnalytics record catalog as production clients use them;
`transactionline` has no `itemtype` (NetSuite answers 400 for it over REST) and `transaction` no `subsidiary`
and no `total`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How a column is stored and how a query that selects it raw sees it."""

    ID = "id"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    FLAG = "flag"


@dataclass(frozen=True)
class Reference:
    """Where BUILTIN.DF finds the words: `SELECT display FROM record WHERE key = value`."""

    record: str
    display: str
    key: str = "id"


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    reference: Reference | None = None


@dataclass(frozen=True)
class Table:
    """`unique` lists the sets of columns that identify a row."""

    name: str
    columns: Mapping[str, Column]
    unique: tuple[frozenset[str], ...]


_NAME = "name"
_REFERENCES = {
    "entity": Reference("entity", "altname"),
    "currency": Reference("currency", _NAME),
    "terms": Reference("term", _NAME),
    "item": Reference("item", "itemid"),
    "category": Reference("customercategory", _NAME),
    "subsidiary": Reference("subsidiary", _NAME),
    "location": Reference("location", _NAME),
    "department": Reference("department", _NAME),
    "class": Reference("classification", _NAME),
    "transaction": Reference("transaction", "trandisplayname"),
    "status": Reference("ns_status", _NAME),
    "type": Reference("ns_type", _NAME),
    "billingschedule": Reference("billingschedule", _NAME),
    "units": Reference("unitstypeuom", _NAME),
    "taxcode": Reference("salestaxitem", "itemid"),
    "previousdoc": Reference("transaction", "trandisplayname"),
    "nextdoc": Reference("transaction", "trandisplayname"),
    "createdfrom": Reference("transaction", "trandisplayname"),
    "account": Reference("account", "accountsearchdisplayname"),
    "expenseaccount": Reference("account", "accountsearchdisplayname"),
    "postingperiod": Reference("accountingperiod", "periodname"),
}


def _table(name: str, spec: str, *unique: str, references: Mapping[str, Reference] | None = None) -> Table:
    """`spec` is "kind: column column ...; kind: ..."."""
    columns: dict[str, Column] = {}
    wanted = _REFERENCES if references is None else references
    for part in spec.split(";"):
        kind, _, names = part.partition(":")
        for column in names.split():
            columns[column] = Column(column, Kind(kind.strip()), wanted.get(column))
    return Table(name, columns, tuple(frozenset(key.split()) for key in unique))


def _list(name: str) -> Table:
    return _table(name, "id: id; text: name; flag: isinactive", "id", references={})


_ALL = (
    _table(
        "transaction",
        "id: id entity currency terms postingperiod billingschedule; "
        "text: tranid type recordtype abbrevtype trandisplayname status otherrefnum memo email externalid; "
        "date: trandate startdate enddate duedate closedate nextbilldate; "
        "datetime: createddate lastmodifieddate; "
        "number: exchangerate foreigntotal foreignamountpaid foreignamountunpaid foreignpaymentamountused "
        "foreignpaymentamountunused; flag: posting voided",
        "id",
    ),
    _table(
        "transactionline",
        "id: transaction id uniquekey linesequencenumber item kitmemberof subsidiary class department "
        "location createdfrom expenseaccount taxcode units billingschedule; "
        "text: memo taxrate1; date: revrecstartdate revrecenddate; "
        "number: quantity rate foreignamount netamount quantitybilled quantityshiprecv; "
        "flag: isclosed mainline taxline iscogs donotdisplayline kitcomponent assemblycomponent transactiondiscount",
        "uniquekey",
        "transaction id",
    ),
    _table(
        "customer",
        "id: id category subsidiary; text: entityid companyname firstname lastname altname email externalid; "
        "flag: isperson isinactive",
        "id",
    ),
    _table("entity", "id: id; text: entityid altname email type; flag: isinactive", "id", references={}),
    _table(
        "item",
        "id: id; text: itemid fullname displayname itemtype description externalid; flag: isinactive isfulfillable",
        "id",
        references={},
    ),
    _table(
        "currency",
        "id: id; text: name symbol; number: exchangerate currencyprecision; flag: isbasecurrency isinactive",
        "id",
        references={},
    ),
    _table(
        "term",
        "id: id; text: name; number: daysuntilnetdue dayofmonthnetdue duenextmonthifwithindays; "
        "flag: datedriven isinactive",
        "id",
        references={},
    ),
    _table("salestaxitem", "id: id; text: itemid fullname; number: rate; flag: isinactive", "id", references={}),
    _list("billingschedule"),
    _list("unitstypeuom"),
    _list("customercategory"),
    _table("subsidiary", "id: id currency; text: name; flag: isinactive", "id"),
    _table(
        "account",
        "id: id currency subsidiary; text: acctnumber accountsearchdisplayname fullname accttype externalid; "
        "flag: isinactive",
        "id",
    ),
    _table(
        "accountingperiod",
        "id: id parent; text: periodname; date: startdate enddate; "
        "flag: closed arlocked aplocked alllocked allownonglchanges isquarter isyear isadjust isposting isinactive",
        "id",
        references={},
    ),
    _table("paymentmethod", "id: id; text: name; flag: undepfunds isinactive", "id", references={}),
    _table(
        "transactionaccountingline",
        "id: transaction transactionline accountingbook account; number: amount debit credit; flag: posting",
        "transaction transactionline account",
    ),
    _table(
        "previoustransactionlinelink",
        "id: previousdoc previousline nextdoc nextline; text: previoustype nexttype linktype; "
        "date: previousdate nextdate; number: foreignamount",
        "previousdoc nextdoc previousline nextline",
    ),
    _table(
        "nexttransactionlinelink",
        "id: previousdoc previousline nextdoc nextline; text: previoustype nexttype linktype; "
        "date: previousdate nextdate; number: foreignamount",
        "previousdoc nextdoc previousline nextline",
    ),
    _list("location"),
    _list("department"),
    _list("classification"),
    _table("dual", "text: dummy", "dummy", references={}),
)

TABLES: Mapping[str, Table] = {table.name: table for table in _ALL}

STATUS_NAMES = {
    "A": "Pending Approval",
    "B": "Pending Fulfillment",
    "C": "Cancelled",
    "D": "Partially Fulfilled",
    "E": "Pending Billing/Partially Fulfilled",
    "F": "Pending Billing",
    "G": "Billed",
    "H": "Closed",
}

CUSTOM_FIELDS = {
    "custbody": "transaction",
    "custcol": "transactionline",
    "custentity": "customer",
    "custitem": "item",
}
"""Which record a custom field belongs to, by how its name begins."""
