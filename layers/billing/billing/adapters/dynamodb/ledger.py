"""The ledger in DynamoDB.

    pk = plan key,          sk = "INVOICE"                  the plan's entry
    pk = plan key,          sk = "APPROVED#<content hash>"  when this content was last signed for, and when approvers
                                                           last said no to it: the later of the two counts
    pk = "ORDER#<order id>", sk = "BILLED"                  what was billed of an order, by invoice, and which plans
                                                           have claimed it and not ended (open_claims)
    pk = "INVOICE#<Stripe id>", sk = "PAID"                 that the invoice was seen paid: it is not looked up again

A row is only ever moved forward by conditional writes. What is drafted stays drafted, unless a person has removed its
invoice in Stripe and the approvers have signed for the one that takes its place.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from billing.adapters.dynamodb.items import batch_get, batch_write, readable, row_as, to_item, values_of, with_format
from billing.domain.errors import OurFault, PassingError, PersonNeeded
from billing.domain.invoices.invoice_days import InvoiceDays, SignedDays
from billing.domain.invoices.plan_record import InvoicePlan
from billing.domain.ledger.ledger import (
    UNSETTLED,
    Approval,
    BilledInvoice,
    EntryState,
    LedgerEntry,
    Objection,
    OrderLink,
    OrderRecord,
    Revocation,
    family,
    is_part_beside,
)
from billing.domain.records import to_record

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ENTRY = "INVOICE"
_BILLED = "BILLED"
_PAID = "PAID"
_LOCK = "LOCK"
_TOGETHER = 100  # TransactWriteItems' own maximum.
_MOST_PARTS = 40  # Ten thousand lines: where an older version noted no claims, so many parts are looked for.
# Both times are written by whoever fixed the outcome of a request, so the order in which the rows are written, or
# written again, does not matter. At the same instant the objection wins.
_STANDS = "attribute_exists(approved_at) AND (attribute_not_exists(withdrawn_at) OR withdrawn_at < approved_at)"


@dataclass(frozen=True, slots=True)
class LedgerTable:
    """`runs_table` holds the period's lock, which every intent checks in the same transaction."""

    dynamodb: DynamoDBClient
    table: str
    runs_table: str = ""

    def entries_and_approvals(self, hashes: Mapping[str, str]) -> tuple[dict[str, LedgerEntry], dict[str, Approval]]:
        """Entries and approvals of the plans {key: content hash}, by key. 100 rows a call."""
        keys = [(key, _ENTRY) for key in hashes] + [(key, f"APPROVED#{hash_}") for key, hash_ in hashes.items()]
        entries: dict[str, LedgerEntry] = {}
        approvals: dict[str, Approval] = {}
        for row in batch_get(self.dynamodb, self.table, [{"pk": pk, "sk": sk} for pk, sk in keys]):
            if row["sk"] == _ENTRY:
                entries[row["pk"]] = _entry(row)
            elif "approved_at" in row:
                approvals[row["pk"]] = _approval(row)
        return entries, approvals

    def entries(self, keys: Iterable[str]) -> dict[str, LedgerEntry]:
        """Entries by key."""
        wanted = [{"pk": key, "sk": _ENTRY} for key in keys]
        return {row["pk"]: _entry(row) for row in batch_get(self.dynamodb, self.table, wanted)}

    def entries_since(self, invoice_day: str) -> list[LedgerEntry]:
        """Every entry whose invoice is of that day (YYYY-MM-DD) or later. Reads the whole table: for repairs, not for
        runs.
        """
        found: list[LedgerEntry] = []
        arguments: dict[str, Any] = {
            "TableName": self.table,
            "FilterExpression": "sk = :entry AND invoice_day >= :day",
            "ExpressionAttributeValues": to_item({":entry": _ENTRY, ":day": invoice_day}),
            "ConsistentRead": True,
        }
        while True:
            page = self.dynamodb.scan(**arguments)
            found += [_entry(values_of(item)) for item in page["Items"]]
            if not page.get("LastEvaluatedKey"):
                return found
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def approvals(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Approval]:
        """The approvals of these (plan key, content hash), those that were taken away since included."""
        keys = [{"pk": key, "sk": f"APPROVED#{invoice_hash}"} for key, invoice_hash in dict.fromkeys(pairs)]
        rows = batch_get(self.dynamodb, self.table, keys)
        found = (_approval(row) for row in rows if "approved_at" in row)
        return {(one.key, one.invoice_hash): one for one in found}

    def adopt(self, entry: LedgerEntry, client_id: str, currency: str, order_ids: Iterable[str]) -> bool:
        """Note an invoice that Stripe has and the ledger does not know: in an entry that was begun and names none, or
        as a new entry; and claim its orders for its plan, so that no other plan takes them before it has ended.
        `client_id` is NetSuite's. Answers False if the ledger has moved on since it was read. Safe to repeat."""
        # The claims first: one without an entry claims nothing, an entry without claims would be found no second time.
        for order_id in sorted(order_ids):
            self.dynamodb.update_item(
                **with_format(
                    TableName=self.table,
                    Key=to_item({"pk": _order_key(order_id), "sk": _BILLED}),
                    # Whoever has planned this order without the claim is refused: the version moves.
                    UpdateExpression="SET record_version = if_not_exists(record_version, :none) + :one, "
                    "plan_family = if_not_exists(plan_family, :family), claimed_by = if_not_exists(claimed_by, :run), "
                    "client_id = if_not_exists(client_id, :client), currency = if_not_exists(currency, :currency), "
                    "billed = if_not_exists(billed, :nothing) ADD open_claims :claims",
                    ExpressionAttributeValues=to_item(
                        {
                            ":none": 0,
                            ":one": 1,
                            ":family": family(entry.key),
                            ":run": entry.run_id,
                            ":client": client_id,
                            ":currency": currency,
                            ":nothing": {},
                            ":claims": {entry.key},
                        }
                    ),
                )
            )
        return self._adopted(entry)

    def _adopted(self, entry: LedgerEntry) -> bool:
        return self._marked(
            entry.key,
            "SET #state = if_not_exists(#state, :intended), invoice_id = :invoice, content_hash = :hash, "
            "run_id = if_not_exists(run_id, :run), period = if_not_exists(period, :period), "
            "attempt = if_not_exists(attempt, :one), invoice_day = if_not_exists(invoice_day, :day), "
            "stripe_customer = :customer",
            "attribute_not_exists(pk) OR (#state IN (:intended, :failed) AND content_hash = :hash "
            "AND (attribute_not_exists(invoice_id) OR invoice_id = :invoice))",
            {
                ":intended": EntryState.INTENDED,
                ":failed": EntryState.FAILED,
                ":invoice": entry.invoice_id,
                ":hash": entry.invoice_hash,
                ":run": entry.run_id,
                ":period": entry.period,
                ":one": entry.attempt,
                ":day": entry.invoice_day,
                ":customer": entry.stripe_customer,
            },
        )

    def order_records(self, order_ids: Iterable[str]) -> dict[str, OrderRecord]:
        """Records of the orders that were drafted before, by NetSuite's internal id."""
        keys = [{"pk": _order_key(order_id), "sk": _BILLED} for order_id in dict.fromkeys(order_ids)]
        records = {}
        for row in batch_get(self.dynamodb, self.table, keys):
            order_id = row["pk"].removeprefix("ORDER#")
            with readable(row):
                records[order_id] = _order_record(order_id, row)
        return records

    def begun(self, records: Mapping[str, OrderRecord]) -> dict[str, dict[str, LedgerEntry]]:
        """By order id, the entries of plans that have claimed the order and not ended, by plan key. Orders without one
        are absent."""
        entries = self.entries({key for record in records.values() for key in record.claims})
        claims = {order_id: set(record.claims) for order_id, record in records.items()}
        for order_id, record in records.items():
            if f"{record.family}-part-1" in entries and f"{record.family}-part-2" not in record.claims:
                claims[order_id] |= {f"{record.family}-part-{number}" for number in range(2, _MOST_PARTS + 1)}
        entries |= self.entries({key for keys in claims.values() for key in keys} - entries.keys())
        found = {
            order_id: {key: entries[key] for key in sorted(keys) if key in entries and entries[key].is_begun}
            for order_id, keys in claims.items()
        }
        return {order_id: begun for order_id, begun in found.items() if begun}

    def paid_among(self, invoice_ids: Iterable[str]) -> set[str]:
        """Those of these invoices that were seen paid: nothing can happen to them in Stripe that makes their orders
        billable again. 100 a call."""
        keys = [{"pk": _paid_key(invoice_id), "sk": _PAID} for invoice_id in dict.fromkeys(invoice_ids)]
        return {str(row["pk"]).removeprefix(_paid_key("")) for row in batch_get(self.dynamodb, self.table, keys)}

    def note_paid(self, invoice_ids: Iterable[str]) -> None:
        """Note that these were seen paid. It only saves calls: without it they are looked up again. Safe to repeat."""
        rows = ({"pk": _paid_key(invoice_id), "sk": _PAID} for invoice_id in dict.fromkeys(invoice_ids))
        batch_write(self.dynamodb, self.table, put=rows)

    def record_approvals(self, approvals: Iterable[Approval], run_id: str, at: str) -> None:
        """Record what was signed for. `at` (ISO, UTC) is when the request was decided, not when it is written: repeated
        however late, it gives nothing back that was taken away after it. Safe to repeat."""
        self._move_forward(
            {
                "Key": to_item({"pk": approval.key, "sk": f"APPROVED#{approval.invoice_hash}"}),
                "UpdateExpression": "SET content_hash = :hash, stripe_customer = :customer, run_id = :run, "
                "approved_at = :at, signed_days = :days",
                "ConditionExpression": "attribute_not_exists(approved_at) OR approved_at <= :at",
                "ExpressionAttributeValues": to_item(
                    {
                        ":hash": approval.invoice_hash,
                        ":customer": approval.stripe_customer,
                        ":run": run_id,
                        ":at": at,
                        ":days": _days_row(approval.signed_days),
                    }
                ),
            }
            for approval in approvals
        )

    def revoke(self, revocations: Iterable[Revocation]) -> None:
        """Record what approvers said no to, approved before or not: another run may be about to sign for it or to draft
        it. Safe to repeat, in any order with approvals: the later of the two counts."""
        self._move_forward(
            {
                "Key": to_item({"pk": one.key, "sk": f"APPROVED#{one.invoice_hash}"}),
                "UpdateExpression": "SET content_hash = :hash, withdrawn_at = :at, withdrawn_as = :what, "
                "withdrawn_by = :by, withdrawn_why = :why, withdrawn_in = :run",
                "ConditionExpression": "attribute_not_exists(withdrawn_at) OR withdrawn_at <= :at",
                "ExpressionAttributeValues": to_item(
                    {
                        ":hash": one.invoice_hash,
                        ":at": one.at,
                        ":what": one.objection,
                        ":by": one.by,
                        ":why": one.reason,
                        ":run": one.run_id,
                    }
                ),
            }
            for one in revocations
        )

    def _move_forward(self, updates: Iterable[Mapping[str, Any]]) -> None:
        """Conditional updates of different rows, a hundred at a time. Where one of the hundred is out of date they are
        written one by one, and that one is left out."""
        wanted: list[Any] = [with_format(**{"TableName": self.table, **update}) for update in updates]
        for start in range(0, len(wanted), _TOGETHER):
            chunk = wanted[start : start + _TOGETHER]
            try:
                self.dynamodb.transact_write_items(TransactItems=[{"Update": update} for update in chunk])
                continue
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionCanceledException":
                    raise
            for update in chunk:
                try:
                    self.dynamodb.update_item(**update)
                except ClientError as error:
                    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                        raise

    def entry(self, key: str) -> LedgerEntry | None:
        """The entry as it is now, or None."""
        item = self.dynamodb.get_item(
            TableName=self.table, Key=to_item({"pk": key, "sk": _ENTRY}), ConsistentRead=True
        ).get("Item")
        return _entry(values_of(item)) if item else None

    def intend(
        self,
        entry: LedgerEntry,
        lock_key: str,
        plan: InvoicePlan,
        orders: Iterable[OrderLink],
        replaces: Iterable[str],
        customer: str | None = None,
        *,
        seen: LedgerEntry | None = None,
        gives_up: Collection[str] = (),
    ) -> None:
        """Write the intent and claim the plan's orders, in one transaction with what must hold: the run holds its
        period, this very content was approved and nobody said no to it since, the plan was not drafted yet (or a person
        removed the invoice that this one replaces), its entry is still the one that was `seen`, and no other plan has
        claimed one of its orders since this one was made. Safe to repeat by the same run.

        An order whose drafting another plan has begun and not ended is refused, whatever its key. The plans that this
        one `gives_up` are fenced by the same transaction: from then on nothing more is written for them. They stay
        begun until `abandon`.

        Raises OurFault if the run has lost its period or the content was never approved, PersonNeeded if its approval
        was taken away or the plan or an order is drafted already, PassingError if DynamoDB is busy with the same rows.
        """
        removed = list(replaces)
        links = list(orders)
        claims = self._claims_beside(entry, plan, links, gives_up)
        items: list[Any] = [
            {
                "ConditionCheck": {
                    "TableName": self.runs_table,
                    "Key": to_item({"pk": lock_key, "sk": _LOCK}),
                    "ConditionExpression": "run_id = :run AND #state = :held",
                    "ExpressionAttributeNames": {"#state": "state"},
                    "ExpressionAttributeValues": to_item({":run": entry.run_id, ":held": "held"}),
                }
            },
            {
                "ConditionCheck": {
                    "TableName": self.table,
                    "Key": to_item({"pk": entry.key, "sk": f"APPROVED#{entry.invoice_hash}"}),
                    # The customer is part of what was signed for, unless it was shown as new.
                    "ConditionExpression": f"{_STANDS} AND (stripe_customer = :customer "
                    "OR attribute_type(stripe_customer, :null))",
                    "ExpressionAttributeValues": to_item({":customer": customer, ":null": "NULL"}),
                }
            },
            {"Update": with_format(**self._intent(entry, removed, seen, gives_up))},
            *(
                {"Update": with_format(**self._claim(link, plan, entry.run_id, claims[link.order_id]))}
                for link in links
            ),
            *({"Update": with_format(**self._fence(key, entry.key))} for key in gives_up),
        ]
        try:
            self.dynamodb.transact_write_items(TransactItems=items)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            codes = [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
            failed = [code == "ConditionalCheckFailed" for code in codes] + [False] * 3
            if failed[0]:
                raise OurFault(
                    "This run no longer holds its billing period: another run took it over. Start a new execution."
                ) from None
            if failed[1]:
                approval = self._approval_now(entry.key, entry.invoice_hash)
                if approval is not None and approval.revoked is not None:
                    no = approval.revoked
                    raise PersonNeeded(
                        f"{entry.key}: its approval was taken away. It was {no.objection} in run {no.run_id}, whose "
                        "report says by whom and why. Nothing more of it is drafted, and the next run asks again."
                    ) from None
                if approval is not None and approval.stands and approval.stripe_customer in (None, customer):
                    raise PassingError(f"{entry.key}: it was signed for anew at this very moment.") from None
                raise OurFault(f"{entry.key}: nobody has signed for this content. Nothing is drafted.") from None
            if any(failed[2:]):
                raise PersonNeeded(
                    f"{entry.key}: it, or an order of it, was drafted by another run meanwhile. "
                    "Nothing is drafted twice."
                ) from None
            raise PassingError(f"The ledger is busy with {entry.key}.") from None

    def _approval_now(self, key: str, invoice_hash: str) -> Approval | None:
        item = self.dynamodb.get_item(
            TableName=self.table, Key=to_item({"pk": key, "sk": f"APPROVED#{invoice_hash}"}), ConsistentRead=True
        ).get("Item")
        row = values_of(item) if item else {}
        return _approval(row) if "approved_at" in row else None

    def _claims_beside(
        self, entry: LedgerEntry, plan: InvoicePlan, links: Iterable[OrderLink], gives_up: Collection[str]
    ) -> dict[str, set[str]]:
        """By order id, the begun plans beside this one that keep their claim: its own other parts, and those that it
        gives up. Raises PersonNeeded for any other."""
        records = self.order_records(link.order_id for link in links)
        begun = self.begun(records)
        for order_id, entries in begun.items():
            for key, other in entries.items():
                if key not in (entry.key, *gives_up) and not is_part_beside(key, entry.key, plan.parts):
                    number = next((order.number for order in plan.orders if order.id == order_id), order_id)
                    raise PersonNeeded(
                        f"{entry.key}: the drafting of {number} as {key} was begun in run {other.run_id} and has not "
                        f"ended{f', its draft is {other.invoice_id}' if other.invoice_id else ''}. Start a new "
                        "execution: it settles that first. Nothing is drafted twice."
                    )
        return {link.order_id: set(begun.get(link.order_id, ())) for link in links}

    def _intent(
        self, entry: LedgerEntry, removed: list[str], seen: LedgerEntry | None, gives_up: Collection[str]
    ) -> dict[str, Any]:
        """The entry is as it was seen, or this run's own. Where two runs of different periods are at the same order,
        the second one is stopped here, before it creates anything."""
        unfenced = "attribute_not_exists(fenced_by)"
        fences = {f":fence{number}": key for number, key in enumerate(gives_up)}
        if fences:
            unfenced = f"({unfenced} OR fenced_by IN ({', '.join(fences)}))"
        may = f"(run_id = :run AND content_hash = :hash AND #state IN (:intended, :failed) AND {unfenced})"
        known: dict[str, Any] = {}
        if seen is None:
            may += " OR attribute_not_exists(pk)"
        elif seen.state is EntryState.ABANDONED or seen.state in UNSETTLED:
            known = {
                ":seen_run": seen.run_id,
                ":seen_hash": seen.invoice_hash,
                ":seen_attempt": seen.attempt,
                ":abandoned": EntryState.ABANDONED,
            }
            may += (
                " OR (run_id = :seen_run AND content_hash = :seen_hash AND attempt = :seen_attempt AND "
                f"(#state = :abandoned OR (#state IN (:intended, :failed) AND {unfenced})))"
            )
        gone = {f":gone{number}": invoice_id for number, invoice_id in enumerate(removed)}
        if gone:
            may += f" OR (invoice_id IN ({', '.join(gone)}) AND {unfenced})"
        return {
            "TableName": self.table,
            "Key": to_item({"pk": entry.key, "sk": _ENTRY}),
            "UpdateExpression": "SET #state = :state, content_hash = :hash, run_id = :run, period = :period, "
            "attempt = :attempt, invoice_day = :day, due_day = :due, stripe_customer = :customer "
            "REMOVE reason, reason_name, earlier_reason, fenced_by",
            "ConditionExpression": may,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": to_item(
                {
                    ":state": EntryState.INTENDED,
                    ":hash": entry.invoice_hash,
                    ":run": entry.run_id,
                    ":period": entry.period,
                    ":attempt": entry.attempt,
                    ":day": entry.invoice_day,
                    ":due": entry.due_day,
                    ":customer": entry.stripe_customer,
                    ":intended": EntryState.INTENDED,
                    ":failed": EntryState.FAILED,
                    **known,
                    **fences,
                    **gone,
                }
            ),
        }

    def _claim(self, link: OrderLink, plan: InvoicePlan, run_id: str, beside: Iterable[str]) -> dict[str, Any]:
        """The order's record is as it was when the plan was made, or was claimed by this run for a part of the same
        plan. Each claim moves the version, so that of two plans that saw the same record only one gets the order."""
        unseen = "attribute_not_exists(pk)" if link.version == 0 else "record_version = :seen"
        # An older version did not note who claimed it; its run may be drafting the other parts.
        by_us = "plan_family = :family AND (claimed_by = :run OR attribute_not_exists(claimed_by))"
        return {
            "TableName": self.table,
            "Key": to_item({"pk": _order_key(link.order_id), "sk": _BILLED}),
            "UpdateExpression": "SET record_version = :next, plan_family = :family, client_id = :client, "
            "currency = :currency, billed = if_not_exists(billed, :nothing), claimed_by = :run "
            "ADD open_claims :claims",
            "ConditionExpression": f"{unseen} OR ({by_us})",
            "ExpressionAttributeValues": to_item(
                {
                    ":family": family(plan.key),
                    ":next": link.version + 1,
                    ":client": plan.client.netsuite_id,
                    ":currency": plan.currency,
                    ":nothing": {},
                    ":run": run_id,
                    ":claims": {plan.key, *beside},
                    **({":seen": link.version} if link.version else {}),
                }
            ),
        }

    def _fence(self, key: str, instead: str) -> dict[str, Any]:
        """Nothing more is written for a plan that was given up: whoever may still be drafting it is refused."""
        return {
            "TableName": self.table,
            "Key": to_item({"pk": key, "sk": _ENTRY}),
            "UpdateExpression": "SET fenced_by = :instead",
            "ConditionExpression": "#state IN (:intended, :failed, :abandoned)",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": to_item(
                {
                    ":instead": instead,
                    ":intended": EntryState.INTENDED,
                    ":failed": EntryState.FAILED,
                    ":abandoned": EntryState.ABANDONED,
                }
            ),
        }

    def abandon(self, keys: Iterable[str], instead: str) -> None:
        """Note that nothing of these plans is in Stripe any more: the plan `instead`, which has fenced them, bills
        their orders. Safe to repeat. OurFault if one of them was taken up again."""
        for key in keys:
            if not self._marked(
                key,
                "SET #state = :abandoned",
                "fenced_by = :instead AND #state IN (:intended, :failed, :abandoned)",
                {
                    ":abandoned": EntryState.ABANDONED,
                    ":instead": instead,
                    ":intended": EntryState.INTENDED,
                    ":failed": EntryState.FAILED,
                },
            ):
                raise OurFault(f"{instead}: {key} was taken up again meanwhile. Start a new execution.")

    def note_mirrored(self, order_id: str, invoice_id: str, netsuite_invoice: str) -> None:
        """Note that NetSuite's invoice `netsuite_invoice` was made of exactly our draft `invoice_id`: what it bills of
        the order is the same goods. Safe to repeat. OurFault if the order was not billed by that draft."""
        try:
            self.dynamodb.update_item(
                **with_format(
                    TableName=self.table,
                    Key=to_item({"pk": _order_key(order_id), "sk": _BILLED}),
                    UpdateExpression="SET billed.#invoice.mirrored_as = :netsuite",
                    ConditionExpression="attribute_exists(billed.#invoice)",
                    ExpressionAttributeNames={"#invoice": invoice_id},
                    ExpressionAttributeValues=to_item({":netsuite": netsuite_invoice}),
                )
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise OurFault(f"The order {order_id} was not billed by {invoice_id}.") from None
            raise

    def remember_invoice(self, key: str, run_id: str, invoice_id: str) -> None:
        """Note the draft's id as soon as Stripe has given it."""
        self._update(
            key,
            "SET invoice_id = :invoice",
            {":invoice": invoice_id, ":run": run_id},
            "run_id = :run AND attribute_not_exists(fenced_by)",
        )

    def settle(
        self,
        entry: LedgerEntry,
        plan: InvoicePlan,
        orders: Iterable[OrderLink],
        replaces: Iterable[str],
        gave_up: Iterable[str] = (),
    ) -> None:
        """Write the fact: drafted, or differs; and what was billed of each order. The plan's claim ends, and those of
        the plans that it gave up. Safe to repeat.

        OurFault if the entry has other content by now.
        """
        removed = list(replaces)
        items: list[Any] = [
            {
                "Update": with_format(
                    TableName=self.table,
                    Key=to_item({"pk": entry.key, "sk": _ENTRY}),
                    UpdateExpression="SET #state = :state, invoice_id = :invoice, currency = :currency, "
                    "#total = :total, reason = :reason, reason_name = :name, stripe_customer = :customer, "
                    "live_mode = :live, invoice_day = :day, due_day = :due",
                    # A fact stays: only the same one may be written over it.
                    ConditionExpression="content_hash = :hash AND attribute_not_exists(fenced_by) AND "
                    "(#state IN (:intended, :failed) OR (#state = :state AND invoice_id = :invoice))",
                    ExpressionAttributeNames={"#state": "state", "#total": "total"},
                    ExpressionAttributeValues=to_item(
                        {
                            ":state": entry.state,
                            ":invoice": entry.invoice_id,
                            ":currency": entry.currency,
                            ":total": entry.total,
                            ":reason": entry.reason,
                            ":name": entry.reason_name,
                            ":customer": entry.stripe_customer,
                            ":live": entry.live_mode,
                            ":day": entry.invoice_day,
                            ":due": entry.due_day,
                            ":hash": entry.invoice_hash,
                            ":intended": EntryState.INTENDED,
                            ":failed": EntryState.FAILED,
                        }
                    ),
                )
            },
        ]
        ended = {entry.key, *gave_up}
        items += [{"Update": with_format(**self._billed(link, entry, plan, removed, ended))} for link in orders]
        try:
            self.dynamodb.transact_write_items(TransactItems=items)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            codes = [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
            if "ConditionalCheckFailed" in codes:
                raise OurFault(f"{entry.key}: another run has taken this order over. Start a new execution.") from None
            raise PassingError(f"The ledger is busy with {entry.key}.") from None

    def _billed(
        self, link: OrderLink, entry: LedgerEntry, plan: InvoicePlan, removed: list[str], ended: set[str]
    ) -> dict[str, Any]:
        lines = [
            [line.id, line.quantity, line.amount, line.description[:200]]
            for line in plan.lines
            if line.netsuite.order_id == link.order_id
        ]
        sources = {
            line.id: [line.kind, line.netsuite.line, line.netsuite.item]
            for line in plan.lines
            if line.netsuite.order_id == link.order_id
        }
        billed: dict[str, Any] = {"plan_key": plan.key, "lines": json.dumps(lines), "sources": json.dumps(sources)}
        if link.netsuite_billed is not None:
            billed["netsuite_billed"] = json.dumps(dict(link.netsuite_billed))
        gone = {f"#gone{number}": invoice_id for number, invoice_id in enumerate(removed)}
        forget = f" REMOVE {', '.join(f'billed.{name}' for name in gone)}" if gone else ""
        return {
            "TableName": self.table,
            "Key": to_item({"pk": _order_key(link.order_id), "sk": _BILLED}),
            "UpdateExpression": "SET billed.#invoice = :billed, order_hash = :hash"
            + forget
            + " DELETE open_claims :ended",
            "ConditionExpression": "plan_family = :family",
            "ExpressionAttributeNames": {"#invoice": str(entry.invoice_id), **gone},
            "ExpressionAttributeValues": to_item(
                {
                    ":billed": billed,
                    ":ended": ended,
                    ":hash": link.order_hash,
                    ":family": family(plan.key),
                }
            ),
        }

    def explain(self, key: str, run_id: str, reason: str) -> None:
        """Keep the full reason of a failure, which may name amounts and people, out of logs and history but not
        lost.
        """
        self._update(key, "SET reason = :reason", {":reason": reason[:2000], ":run": run_id}, "run_id = :run")

    def note_failure(self, key: str, invoice_hash: str, run_id: str, period: str, name: str, reason: str) -> bool:
        """Mark a plan as failed, unless it has been drafted after all. Answers whether it was marked.

        The reason that this run has explained already stays. Of a draft that an earlier run had begun and this one did
        not even take up, the content, the day and the reason stay: the draft may be in Stripe, and is finished on its
        own day by the run that takes it up.
        """
        values = {
            ":failed": EntryState.FAILED,
            ":intended": EntryState.INTENDED,
            ":name": name,
            ":reason": reason[:2000],
            ":run": run_id,
        }
        if self._marked(
            key,
            "SET #state = :failed, reason_name = :name, reason = if_not_exists(reason, :reason)",
            "run_id = :run AND #state IN (:intended, :failed)",
            values,
        ):
            return True
        begun = "run_id <> :run AND #state IN (:intended, :failed) AND invoice_day <> :none"
        told = "#state = :failed, reason_name = :name, reason = :reason, run_id = :run, period = :period"
        # What stands on the right of SET is what was there before: the reason of the run that had begun.
        first = f"SET {told}, earlier_reason = if_not_exists(reason, :none)"
        known = {**values, ":period": period, ":none": ""}
        if self._marked(key, first, f"{begun} AND attribute_not_exists(earlier_reason)", known) or self._marked(
            key, f"SET {told}", f"{begun} AND attribute_exists(earlier_reason)", known
        ):
            return True
        return self._marked(
            key,
            "SET #state = :failed, reason_name = :name, reason = :reason, content_hash = :hash, run_id = :run, "
            "period = :period, attempt = if_not_exists(attempt, :one), invoice_day = :none",
            "attribute_not_exists(pk) OR (run_id <> :run AND #state IN (:intended, :failed))",
            {**values, ":hash": invoice_hash, ":period": period, ":one": 1, ":none": ""},
        )

    def _marked(self, key: str, expression: str, condition: str, values: Mapping[str, Any]) -> bool:
        try:
            self.dynamodb.update_item(
                **with_format(
                    TableName=self.table,
                    Key=to_item({"pk": key, "sk": _ENTRY}),
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues=to_item(values),
                )
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _update(
        self,
        key: str,
        expression: str,
        values: Mapping[str, Any],
        condition: str,
    ) -> None:
        arguments: Any = {
            "TableName": self.table,
            "Key": to_item({"pk": key, "sk": _ENTRY}),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
        }
        try:
            self.dynamodb.update_item(**with_format(**arguments))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise OurFault(f"{key}: another run has taken this order over. Start a new execution.") from None
            raise


def _paid_key(invoice_id: str) -> str:
    return f"INVOICE#{invoice_id}"


def _sources(row: Mapping[str, Any]) -> dict[str, tuple[str, str, str]] | None:
    if "sources" not in row:
        return None
    found = json.loads(row["sources"])
    return {line_id: (str(one[0]), str(one[1] or ""), str(one[2] or "")) for line_id, one in found.items()}


def _order_key(order_id: str) -> str:
    return f"ORDER#{order_id}"


def _claims_of_old(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The claims of a row of an older version, which noted the plan that claimed the order last, and not whether it
    ended: that its entry says. Its further parts are looked for where there is a first one."""
    name = row.get("plan_family", "")
    return (name, f"{name}-part-1") if name and "claimed_by" not in row else ()


def _approval(row: Mapping[str, Any]) -> Approval:
    with readable(row):
        return _approval_of(row)


def _approval_of(row: Mapping[str, Any]) -> Approval:
    revoked = None
    if "withdrawn_at" in row and row["withdrawn_at"] >= row["approved_at"]:
        revoked = Revocation(
            row["pk"],
            row["content_hash"],
            Objection(row["withdrawn_as"]),
            row["withdrawn_by"],
            row["withdrawn_why"],
            row["withdrawn_in"],
            row["withdrawn_at"],
        )
    return Approval(
        row["pk"],
        row["content_hash"],
        row.get("stripe_customer"),
        row.get("run_id", ""),
        revoked,
        _signed_days(row.get("signed_days")),
    )


def _days_row(signed: SignedDays | None) -> dict[str, str] | None:
    return {**to_record(signed.days), "period": signed.period} if signed else None


def _signed_days(row: Mapping[str, Any] | None) -> SignedDays | None:
    return SignedDays(InvoiceDays(row["invoice"], row["due"]), row["period"]) if row else None


def _entry(row: Mapping[str, Any]) -> LedgerEntry:
    return row_as(LedgerEntry, row, key="pk", invoice_hash="content_hash")


def _order_record(order_id: str, row: Mapping[str, Any]) -> OrderRecord:
    return OrderRecord(
        order_id,
        row.get("order_hash", ""),
        int(row["record_version"]),
        row["client_id"],
        row["currency"],
        {
            invoice_id: BilledInvoice(
                one["plan_key"],
                tuple((line[0], line[1], int(line[2]), line[3]) for line in json.loads(one["lines"])),
                json.loads(one["netsuite_billed"]) if "netsuite_billed" in one else None,
                one.get("mirrored_as", ""),
                _sources(one),
            )
            for invoice_id, one in row["billed"].items()
        },
        tuple(sorted(row["open_claims"])) if "open_claims" in row else _claims_of_old(row),
        row.get("plan_family", ""),
    )
