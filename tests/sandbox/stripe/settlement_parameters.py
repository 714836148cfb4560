"""Which parameters the endpoints of payments, credits, payouts and events take.

Source: Stripe's API reference for 2026-10-28.endive, as in `parameters`.
"""

from __future__ import annotations

from tests.sandbox.stripe.kinds import Choice, Currency, Fields, Flag, Items, Metadata, Span, Text, Whole
from tests.sandbox.stripe.parameters import EXPAND, MONEY, PAGING

EVENT_TYPES_MOST = 20
_ACCOUNT = frozenset({"customer_account"})
_METADATA = {**EXPAND, "metadata": Metadata()}

EVENT_LIST = Fields(
    {
        **PAGING,
        "created": Span(),
        "delivery_success": Flag(),
        "type": Text(),
        "types": Items(Text(), most=EVENT_TYPES_MOST),
    }
)
INVOICE_PAYMENT_LIST = Fields(
    {
        **PAGING,
        "created": Span(),
        "invoice": Text(),
        "payment": Fields(
            {"payment_intent": Text(), "payment_record": Text(), "type": Choice(("payment_intent", "payment_record"))},
            frozenset({"type"}),
        ),
        "status": Choice(("canceled", "open", "paid")),
    }
)
CREDIT_NOTE_LIST = Fields({**PAGING, "created": Span(), "customer": Text(), "invoice": Text()}, unsupported=_ACCOUNT)
CREDIT_NOTE_CREATE = Fields(
    {
        **EXPAND,
        "amount": Whole(0),
        "credit_amount": Whole(0),
        "invoice": Text(),
        "lines": Items(
            Fields(
                {
                    "amount": MONEY,
                    "description": Text(),
                    "invoice_line_item": Text(),
                    "quantity": Whole(0),
                    "type": Choice(("custom_line_item", "invoice_line_item")),
                    "unit_amount": MONEY,
                },
                frozenset({"type"}),
                frozenset({"metadata", "tax_amounts", "tax_rates", "unit_amount_decimal"}),
            )
        ),
        "memo": Text(),
        "metadata": Metadata(clearable=False),
        "out_of_band_amount": Whole(0),
        "reason": Choice(("duplicate", "fraudulent", "order_change", "product_unsatisfactory")),
        "refund_amount": Whole(0),
        "refunds": Items(
            Fields(
                {"amount_refunded": Whole(0), "refund": Text()},
                unsupported=frozenset({"payment_record_refund", "type"}),
            )
        ),
        "shipping_cost": Fields({"shipping_rate": Text()}),
    },
    frozenset({"invoice"}),
    frozenset({"effective_at", "email_type"}),
)
CREDIT_NOTE_UPDATE = Fields({**EXPAND, "memo": Text(), "metadata": Metadata(clearable=False)})
BALANCE_TRANSACTION_LIST = Fields(
    {**PAGING, "created": Span(), "currency": Currency(), "payout": Text(), "source": Text(), "type": Text()}
)
PAYOUT_LIST = Fields({**PAGING, "arrival_date": Span(), "created": Span(), "destination": Text(), "status": Text()})
METADATA_ONLY = Fields(_METADATA)
DISPUTE_UPDATE = Fields(_METADATA, unsupported=frozenset({"evidence", "submit"}))
CHARGE_UPDATE = Fields(
    {**_METADATA, "description": Text(40000)},
    unsupported=frozenset({"customer", "fraud_details", "receipt_email", "shipping", "transfer_group"}),
)
REFUND_LIST = Fields({**PAGING, "charge": Text(), "created": Span(), "payment_intent": Text()})
DISPUTE_LIST = REFUND_LIST
CHARGE_LIST = Fields(
    {**PAGING, "created": Span(), "customer": Text(), "payment_intent": Text()},
    unsupported=frozenset({"transfer_group"}),
)
INTENT_LIST = Fields({**PAGING, "created": Span(), "customer": Text()}, unsupported=_ACCOUNT)
INTENT_RETRIEVE = Fields(EXPAND, unsupported=frozenset({"client_secret"}))
