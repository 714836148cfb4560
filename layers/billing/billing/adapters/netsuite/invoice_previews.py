"""Asks NetSuite's record API which invoice it would make of an order. Nothing is saved.

Source: Oracle's help, "Using Create-Form" (article_1217103046): a transform that accepts `type=create-form` answers 200
with the record as it would be, and "Transforming Records" (section_157901123882): an empty body bills all that is
billable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from billing.adapters.netsuite.records import NetSuiteRecords
from billing.adapters.netsuite.suiteql import SuiteQL
from billing.domain.orders.invoice_preview import InvoicePreview, PreviewUnreadable, preview_of_record
from billing.domain.settlement.write_doubts import Refused
from billing.domain.text import one_line, truncate

_LONGEST_REFUSAL: Final = 300


@dataclass(frozen=True, slots=True)
class InvoicePreviews:
    """One call for each order."""

    connection: SuiteQL

    def of(self, order_id: str) -> InvoicePreview:
        """The preview of the order with this internal id; `refused` where NetSuite would not invoice it, or answers
        with what is no invoice.

        Raises PassingError, PersonNeeded (login, permission).
        """
        records = NetSuiteRecords(self.connection.transport)
        try:
            return preview_of_record(records.preview_transform("salesOrder", str(int(order_id)), "invoice", {}))
        except Refused as refused:
            return InvoicePreview(refused=truncate(one_line(refused.detail), _LONGEST_REFUSAL))
        except PreviewUnreadable as unreadable:
            return InvoicePreview(refused=f"({unreadable})")
