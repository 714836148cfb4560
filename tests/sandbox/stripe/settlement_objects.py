"""The endpoints that read payments, credits and payouts, and write metadata on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.sandbox.stripe import credit_notes, payouts
from tests.sandbox.stripe.credit_notes import Credit, CreditLine
from tests.sandbox.stripe.endpoint import Exchange, Handler
from tests.sandbox.stripe.errors import Invalid, Refusal, no_such
from tests.sandbox.stripe.kinds import within
from tests.sandbox.stripe.metadata import merged
from tests.sandbox.stripe.paging import page
from tests.sandbox.stripe.records import Json

UPDATED = {
    "charge": "charge.updated", "credit_note": "credit_note.updated", "dispute": "charge.dispute.updated",
    "payout": "payout.updated", "refund": "refund.updated",
}  # fmt: skip


def retrieve(kind: str) -> Handler:
    """GET of one object of this kind."""

    def answer(call: Exchange) -> Json:
        return named(call, kind)

    return answer


def named(call: Exchange, kind: str) -> Json:
    """The object of the URL; 404 if there is none."""
    held = call.store.objects[kind]
    if call.ids[0] not in held:
        raise no_such(kind.replace("_", " "), call.ids[0], "id", 404)
    return held[call.ids[0]]


def update(kind: str) -> Handler:
    """POST of metadata (and of a description or memo, where there is one)."""

    def answer(call: Exchange) -> Json:
        shape = named(call, kind)
        before = {name: shape[name] for name in call.params if name != "expand"}
        for name, value in call.params.items():
            if name == "metadata":
                shape["metadata"] = merged(shape["metadata"], value)
            elif name != "expand":
                shape[name] = value
        call.store.emit(UPDATED[kind], shape, before)
        return shape

    return answer


def _listed(call: Exchange, kind: str, candidates: Iterable[Json], wanted: Callable[[Json], bool]) -> Json:
    """A page of the candidates that are wanted, newest first."""
    path = {"dispute": "disputes", "payment_intent": "payment_intents"}.get(kind, f"{kind}s")
    found = [
        one
        for one in reversed(list(candidates))
        if within(one["created"], call.params.get("created", {})) and wanted(one)
    ]
    held = call.store.objects[kind]
    return page(
        found, call.params, f"/v1/{path}", kind.replace("_", " "), lambda one: str(one["id"]), dict, held.__contains__
    )


def _members(call: Exchange, kind: str, relation: str, owner: str) -> list[Json]:
    return [call.store.objects[kind][one] for one in call.store.linked(relation, owner)]


def _same(call: Exchange, *names: str) -> Callable[[Json], bool]:
    return lambda one: all(one[name] == call.params.get(name, one[name]) for name in names)


def invoice_payments(call: Exchange) -> Json:
    params = call.params
    payment = params.get("payment")
    candidates: Iterable[Json]
    if payment is not None:
        kind = payment["type"]
        if kind not in payment:
            raise Invalid(f"Missing required param: payment[{kind}].", param=f"payment[{kind}]")
        candidates = _members(call, "invoice_payment", "payment_of", payment[kind])
    elif "invoice" in params:
        if params["invoice"] not in call.store.invoices:
            raise no_such("invoice", params["invoice"] or "", "invoice")
        candidates = _members(call, "invoice_payment", "payments", params["invoice"])
    else:
        candidates = call.store.objects["invoice_payment"].values()
    return _listed(call, "invoice_payment", candidates, _same(call, "invoice", "status"))


def credit_note_list(call: Exchange) -> Json:
    invoice = call.params.get("invoice")
    held = call.store.objects["credit_note"].values()
    candidates = _members(call, "credit_note", "credit_notes", invoice) if invoice else held
    return _listed(call, "credit_note", candidates, _same(call, "customer"))


def credit_note_lines(call: Exchange) -> Json:
    note = named(call, "credit_note")
    lines = call.store.credit_lines[note["id"]]
    url = f"/v1/credit_notes/{note['id']}/lines"
    return page(lines, call.params, url, "credit note line item", lambda one: str(one["id"]), dict)


def create_credit_note(call: Exchange) -> Json:
    params, store = call.params, call.store
    if params["invoice"] not in store.invoices:
        raise no_such("invoice", params["invoice"] or "", "invoice")
    if not {"amount", "lines", "shipping_cost"} & set(params):
        raise Refusal("You must specify at least one of these parameters: amount, lines, shipping_cost.")
    lines = [_credit_line(line) for line in params.get("lines", ())]
    if not lines and params.get("amount"):
        lines = [CreditLine(params["amount"], description="Credit")]
    credit = Credit(
        lines, "shipping_cost" in params, params.get("refund_amount"), params.get("credit_amount"),
        params.get("out_of_band_amount"),
        [(one["refund"], one.get("amount_refunded") or store.objects["refund"][one["refund"]]["amount"])
         for one in params.get("refunds", ())],
        params.get("reason"), params.get("memo"), params.get("metadata", {}),
    )  # fmt: skip
    return credit_notes.create(store, store.invoices[params["invoice"]], credit)


def _credit_line(line: Json) -> CreditLine:
    amount = line.get("amount")
    if amount is None:
        amount = line.get("unit_amount", 0) * line.get("quantity", 1)
    return CreditLine(amount, line.get("invoice_line_item") or "", line.get("description") or "")


def void_credit_note(call: Exchange) -> Json:
    note = named(call, "credit_note")
    credit_notes.void(call.store, note)
    return note


def balance_transactions(call: Exchange) -> Json:
    """By payout only for an automatic one that exists: a manual payout names no movements (Stripe's reference)."""
    params, store = call.params, call.store
    candidates: Iterable[Json]
    if "payout" in params:
        payout = store.objects["payout"].get(params["payout"] or "")
        if payout is None:
            raise no_such("payout", params["payout"] or "", "payout")
        if not payout["automatic"]:
            raise Refusal(
                "Balance transaction history can only be filtered on automatic transfers, not manual.", param="payout"
            )
        candidates = payouts.members(store, payout["id"])
    elif "source" in params:
        candidates = _members(call, "balance_transaction", "movements_of_source", params["source"])
    else:
        candidates = store.objects["balance_transaction"].values()
    return _listed(call, "balance_transaction", candidates, _same(call, "currency", "type"))


def payout_list(call: Exchange) -> Json:
    same = _same(call, "destination", "status")
    span = call.params.get("arrival_date", {})
    held = call.store.objects["payout"].values()
    return _listed(call, "payout", held, lambda one: same(one) and within(one["arrival_date"], span))


def of_charge(kind: str, relation: str) -> Handler:
    """The list of refunds or of disputes, also of one charge or one payment intent."""

    def answer(call: Exchange) -> Json:
        charge = call.params.get("charge")
        if charge is not None and charge not in call.store.objects["charge"]:
            raise no_such("charge", charge, "charge")
        held = call.store.objects[kind].values()
        candidates = _members(call, kind, relation, charge) if charge else held
        return _listed(call, kind, candidates, _same(call, "payment_intent"))

    return answer


def charge_list(call: Exchange) -> Json:
    intent = call.params.get("payment_intent")
    held = call.store.objects["charge"].values()
    candidates = _members(call, "charge", "charges", intent) if intent else held
    return _listed(call, "charge", candidates, _same(call, "customer"))


def intent_list(call: Exchange) -> Json:
    held = call.store.objects["payment_intent"].values()
    return _listed(call, "payment_intent", held, _same(call, "customer"))


def customer_balance_transaction(call: Exchange) -> Json:
    for entry in call.store.balance_transactions:
        if (entry["customer"], entry["id"]) == call.ids:
            return entry
    raise no_such("customer balance transaction", call.ids[1], "transaction", 404)
