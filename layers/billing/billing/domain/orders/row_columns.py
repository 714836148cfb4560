"""The columns of the joined SuiteQL query, by what they belong to.

A column that is named nowhere here counts as the header's, so that a configured e-mail column needs no
change; a new column of the line must be named in LINE_COLUMNS, or every order of two lines would look as if
it had been edited between them.
"""

from __future__ import annotations

from typing import Final

HEADER_COLUMNS: Final = (
    "id", "tranid", "status", "trandate", "lastmodified", "entity", "clientnumber", "clientname",
    "clientfirstname", "clientlastname", "clientemail", "orderemail", "clientstripeid", "currencycode",
    "foreigntotal", "terms", "termsname", "daysuntilnetdue", "datedriven", "dayofmonthnetdue",
    "duenextmonthifwithindays", "otherrefnum", "memo", "startdate", "enddate",
    "billingschedule", "billingschedulename", "nextbill", "currencyprecision",
)  # fmt: skip
LINE_COLUMNS: Final = (
    "line", "uniquekey", "item", "itemid", "itemname", "itemtype", "linememo", "quantity", "rate",
    "foreignamount", "quantitybilled", "isclosed", "mainline", "taxline", "iscogs", "kitmemberof",
    "linestart", "lineend", "unitname", "transactiondiscount", "linesequencenumber",
    "quantityshiprecv", "isfulfillable", "linetaxcode", "linetaxrate", "linebillingschedule", "linebillingschedulename",
)  # fmt: skip
"""From `linestart` on they are optional: first and last day of the service, the unit's display name, whether a discount
is the whole order's, the order in which a person sees the lines (without it, the line id's order counts), how much was
fulfilled and whether the item is at all, the code and rate by which the line is taxed, and its billing schedule."""
