"""What our ledger says that a Stripe invoice bills of each sales order, for the settlement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from billing.adapters.dynamodb.ledger import LedgerTable
from billing.domain.errors import OurFault
from billing.domain.settlement.stripe_objects import BilledLine, BilledOrder


@dataclass(frozen=True, slots=True)
class BilledOrdersOfLedger:
    """Reads the ledger's rows of orders; writes only which NetSuite invoice mirrors which draft."""

    ledger: LedgerTable

    def billed_by(
        self, invoice_ids: Sequence[str], orders: Mapping[str, str], line_numbers: Mapping[str, str]
    ) -> tuple[BilledOrder, ...]:
        """The shares of the first of these invoices that the ledger knows, in the order of `orders` ({id: number}). An
        order that it does not know is left out. `line_numbers` are the numbers that Stripe's lines name: what older
        versions billed has no kinds of lines, and counts as goods; the preview shows where that is wrong."""
        records = self.ledger.order_records(orders)
        found = []
        for order_id, number in orders.items():
            record = records.get(order_id)
            billed = next((record.billed[one] for one in invoice_ids if record and one in record.billed), None)
            if record is None or billed is None:
                continue
            lines = []
            for line_id, quantity, amount, _ in billed.lines:
                known = (billed.sources or {}).get(line_id, ("item", line_numbers.get(line_id, ""), ""))
                # Where one invoice bills lines of the same id of two orders, the order's id stands in front.
                key = line_id.removeprefix(f"{order_id}-") or line_id
                lines.append(BilledLine(key, known[0], known[1], quantity, amount, known[2]))
            found.append(BilledOrder(order_id, number, record.client_id, tuple(lines)))
        return tuple(found)

    def is_billed_again(self, order: BilledOrder) -> bool:
        """Whether an invoice of ours bills these goods since the one with this share of the order was voided and
        forgotten: one that has its lines, drafted when NetSuite had nothing of them billed any more."""
        record = self.ledger.order_records([order.order_id]).get(order.order_id)
        wanted = {line.line_id for line in order.lines if line.kind == "item"}
        for billed in record.billed.values() if record is not None else ():
            has = {line[0].removeprefix(f"{order.order_id}-") for line in billed.lines}
            noted = billed.netsuite_billed
            if wanted <= has and noted is not None and not any(Fraction(noted.get(one, "0")) for one in wanted):
                return True
        return False

    def note_mirrored(self, order_id: str, invoice_id: str, netsuite_invoice: str) -> None:
        """See LedgerTable.note_mirrored. An invoice that was voided, and that the ledger has forgotten for another one,
        mirrors nothing."""
        with suppress(OurFault):
            self.ledger.note_mirrored(order_id, invoice_id, netsuite_invoice)
