"""The columns of a listing: what each is called in a row, where SuiteQL has it, what it belongs to, and whether an
account may lack it. The one list of them: the query is written from it and the rows are read by it.

A column that is named nowhere here counts as the header's, so that a configured e-mail column needs no change; a new
column of the line must be named here, or every order of two lines would look as if it had been edited between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """`source` is SuiteQL's expression: t is the transaction, c its client, cur its currency, term its terms, tl a line
    and i the line's item. A feature may be off, or the role may not see a field: the query then goes without a column
    that is `optional`."""

    source: str
    name: str
    optional: bool = False

    @property
    def of_line(self) -> bool:
        """Whether it is a line's, and not the header's, which every row of an order repeats."""
        return "tl." in self.source or self.source.startswith("i.")


COLUMNS: Final = (
    Column("t.id", "id"),
    Column("t.tranid", "tranid"),
    Column("t.status", "status"),
    Column("TO_CHAR(t.trandate,'YYYY-MM-DD')", "trandate"),
    Column("TO_CHAR(t.lastmodifieddate,'YYYY-MM-DD HH24:MI:SS')", "lastmodified"),
    Column("t.entity", "entity"),
    Column("c.entityid", "clientnumber"),
    Column("c.companyname", "clientname"),
    Column("c.email", "clientemail"),
    Column("cur.symbol", "currencycode"),
    Column("t.foreigntotal", "foreigntotal"),
    Column("t.terms", "terms"),
    Column("tl.id", "line"),
    Column("tl.uniquekey", "uniquekey"),
    Column("tl.item", "item"),
    Column("i.itemid", "itemid"),
    Column("i.itemtype", "itemtype"),
    Column("tl.memo", "linememo"),
    Column("tl.quantity", "quantity"),
    Column("tl.foreignamount", "foreignamount"),
    Column("tl.quantitybilled", "quantitybilled"),
    Column("tl.isclosed", "isclosed"),
    Column("tl.mainline", "mainline"),
    Column("tl.taxline", "taxline"),
    # Without it a kit's components would be billed beside the kit.
    Column("tl.kitmemberof", "kitmemberof"),
    Column("t.otherrefnum", "otherrefnum", optional=True),
    Column("t.memo", "memo", optional=True),
    Column("t.email", "orderemail", optional=True),
    Column("c.firstname", "clientfirstname", optional=True),
    Column("c.lastname", "clientlastname", optional=True),
    Column("BUILTIN.DF(t.terms)", "termsname", optional=True),
    Column("term.daysuntilnetdue", "daysuntilnetdue", optional=True),
    Column("term.datedriven", "datedriven", optional=True),
    Column("term.dayofmonthnetdue", "dayofmonthnetdue", optional=True),
    Column("term.duenextmonthifwithindays", "duenextmonthifwithindays", optional=True),
    Column("TO_CHAR(t.startdate,'YYYY-MM-DD')", "startdate", optional=True),
    Column("TO_CHAR(t.enddate,'YYYY-MM-DD')", "enddate", optional=True),
    Column("i.displayname", "itemname", optional=True),
    Column("tl.rate", "rate", optional=True),
    Column("tl.iscogs", "iscogs", optional=True),
    # The order in which a person sees the lines; without it, the line id's order counts.
    Column("tl.linesequencenumber", "linesequencenumber", optional=True),
    # Whether a discount is the whole order's.
    Column("tl.transactiondiscount", "transactiondiscount", optional=True),
    # Names of columns: transactionline and item as in production queries over them [likely]; the schedule of the whole
    # order and its next day are named as in saved searches [unsure].
    Column("cur.currencyprecision", "currencyprecision", optional=True),
    # How much was fulfilled, and whether the item is at all.
    Column("tl.quantityshiprecv", "quantityshiprecv", optional=True),
    Column("i.isfulfillable", "isfulfillable", optional=True),
    # By what the line is taxed.
    Column("tl.taxcode", "linetaxcode", optional=True),
    Column("tl.taxrate1", "linetaxrate", optional=True),
    Column("BUILTIN.DF(tl.units)", "unitname", optional=True),
    # First and last day of the service.
    Column("TO_CHAR(tl.revrecstartdate,'YYYY-MM-DD')", "linestart", optional=True),
    Column("TO_CHAR(tl.revrecenddate,'YYYY-MM-DD')", "lineend", optional=True),
    Column("tl.billingschedule", "linebillingschedule", optional=True),
    Column("BUILTIN.DF(tl.billingschedule)", "linebillingschedulename", optional=True),
    Column("t.billingschedule", "billingschedule", optional=True),
    Column("BUILTIN.DF(t.billingschedule)", "billingschedulename", optional=True),
    Column("TO_CHAR(t.nextbilldate,'YYYY-MM-DD')", "nextbill", optional=True),
)
STRIPE_ID_COLUMN: Final = "clientstripeid"
"""The column of the client's field that the parameter StripeIdField names, where it names one."""

HEADER_COLUMNS: Final = (*(one.name for one in COLUMNS if not one.of_line), STRIPE_ID_COLUMN)
LINE_COLUMNS: Final = tuple(one.name for one in COLUMNS if one.of_line)
