"""Which parameters each endpoint takes: Stripe's own names, kinds and limits, written down as data.

Source: Stripe's API reference for 2026-10-28.endive. What Stripe knows and the stand-in does not act on is
listed as unsupported and refused by name, so that a green test never rests on an ignored parameter.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.sandbox.stripe.kinds import (
    Choice,
    Currency,
    Email,
    Fields,
    Flag,
    Fraction,
    Items,
    Kind,
    Metadata,
    Moment,
    Percentage,
    Span,
    Text,
    Unsettable,
    Whole,
)

LINES_MOST = 250
"""Items on one invoice (Stripe's docs)."""

MONEY = Whole(-(10**12), 10**12)
EXPAND: Mapping[str, Kind] = {"expand": Items(Text())}
PAGING: Mapping[str, Kind] = {
    **EXPAND,
    "limit": Whole(1, 100),
    "starting_after": Text(),
    "ending_before": Text(),
}
NOTHING = Fields({})
ONLY_EXPAND = Fields(EXPAND)
SEARCH = Fields({**EXPAND, "query": Text(), "limit": Whole(1, 100), "page": Text()}, frozenset({"query"}))

_TAX_TYPE = Choice(
    tuple(
        "amusement_tax communications_tax gst hst igst jct lease_tax mass_transit_parking_tax "
        "parking_tax pst qst retail_delivery_fee rst sales_tax service_tax vat".split()
    )
)
_TAXABILITY = Choice(
    tuple(
        "customer_exempt not_collecting not_subject_to_tax not_supported portion_product_exempt "
        "portion_reduced_rated portion_standard_rated product_exempt product_exempt_holiday "
        "proportionally_rated reduced_rated reverse_charge standard_rated taxable_basis_reduced "
        "zero_rated".split()
    )
)
_TAX_BEHAVIOR = Choice(("exclusive", "inclusive", "unspecified"))
_ADDRESS = Fields({name: Text() for name in ("city", "country", "line1", "line2", "postal_code", "state")})
_CUSTOM_FIELDS = Unsettable(Items(Fields({"name": Text(40), "value": Text(140)}, frozenset({"name", "value"})), most=4))
_METADATA = Metadata()

# Customers ------------------------------------------------------------------------------------------------

_CUSTOMER: Mapping[str, Kind] = {
    **EXPAND,
    "address": Unsettable(_ADDRESS),
    "balance": MONEY,
    "business_name": Text(150),
    "description": Text(),
    "email": Email(),
    "individual_name": Text(150),
    "invoice_prefix": Text(12),
    "invoice_settings": Fields(
        {
            "custom_fields": _CUSTOM_FIELDS,
            "footer": Text(),
            "rendering_options": Unsettable(
                Fields(
                    {"amount_tax_display": Choice(("exclude_tax", "include_inclusive_tax"), blank=True)},
                    unsupported=frozenset({"template"}),
                )
            ),
        },
        unsupported=frozenset({"default_payment_method"}),
    ),
    "metadata": _METADATA,
    "name": Text(256),
    "next_invoice_sequence": Whole(1),
    "phone": Text(20),
    "preferred_locales": Items(Text()),
    "shipping": Unsettable(
        Fields({"address": _ADDRESS, "name": Text(), "phone": Text()}, frozenset({"address", "name"}))
    ),
    "tax_exempt": Choice(("none", "exempt", "reverse"), blank=True),
}
_CUSTOMER_LEFT_OUT = frozenset({"cash_balance", "source", "tax"})
CUSTOMER_CREATE = Fields(_CUSTOMER, unsupported=_CUSTOMER_LEFT_OUT | {"payment_method", "tax_id_data", "test_clock"})
CUSTOMER_UPDATE = Fields(
    _CUSTOMER,
    unsupported=_CUSTOMER_LEFT_OUT
    | {"bank_account", "card", "default_alipay_account", "default_bank_account", "default_card"}
    | {"default_source"},
)
CUSTOMER_LIST = Fields({**PAGING, "created": Span(), "email": Text(512)}, unsupported=frozenset({"test_clock"}))
BALANCE_TRANSACTION_LIST = Fields({**PAGING, "created": Span(), "invoice": Text()})

# Invoices -------------------------------------------------------------------------------------------------

_SHIPPING = Fields({"address": _ADDRESS, "name": Text(), "phone": Text()}, frozenset({"address", "name"}))
_OURSELVES = Fields({"type": Choice(("self",))}, frozenset({"type"}), frozenset({"account"}))
_INVOICE: Mapping[str, Kind] = {
    **EXPAND,
    "auto_advance": Flag(),
    "automatic_tax": Fields(
        {"enabled": Flag(), "liability": _OURSELVES},
        frozenset({"enabled"}),
    ),
    "automatically_finalizes_at": Moment(),
    "collection_method": Choice(("charge_automatically", "send_invoice")),
    "custom_fields": _CUSTOM_FIELDS,
    "days_until_due": Whole(0),
    "default_tax_rates": Unsettable(Items(Text())),
    "description": Text(1500),
    "due_date": Moment(),
    "effective_at": Unsettable(Moment()),
    "footer": Text(5000),
    "issuer": _OURSELVES,
    "metadata": _METADATA,
    "number": Text(26),
    "payment_settings": Fields(
        {"payment_method_types": Unsettable(Items(Text()))},
        unsupported=frozenset({"default_mandate", "payment_method_options"}),
    ),
    "rendering": Fields(
        {
            "amount_tax_display": Choice(("exclude_tax", "include_inclusive_tax"), blank=True),
            "pdf": Fields({"page_size": Choice(("a4", "auto", "letter"))}),
        },
        unsupported=frozenset({"template", "template_version"}),
    ),
    "shipping_details": Unsettable(_SHIPPING),
    "statement_descriptor": Text(22),
}
_INVOICE_LEFT_OUT = frozenset(
    {"account_tax_ids", "application_fee_amount", "default_payment_method", "default_source", "discounts"}
    | {"on_behalf_of", "shipping_cost", "transfer_data"}
)
INVOICE_CREATE = Fields(
    {
        **_INVOICE,
        # On a new invoice there is nothing to unset.
        "default_tax_rates": Items(Text()),
        "effective_at": Moment(),
        "shipping_details": _SHIPPING,
        "customer": Text(),
        "currency": Currency(),
        "from_invoice": Fields({"action": Choice(("revision",)), "invoice": Text()}, frozenset({"action", "invoice"})),
        "pending_invoice_items_behavior": Choice(("exclude", "include")),
    },
    unsupported=_INVOICE_LEFT_OUT | {"customer_account", "subscription"},
)
INVOICE_UPDATE = Fields(_INVOICE, unsupported=_INVOICE_LEFT_OUT)
INVOICE_LIST = Fields(
    {
        **PAGING,
        "collection_method": Choice(("charge_automatically", "send_invoice")),
        "created": Span(),
        "customer": Text(),
        "due_date": Span(),
        "status": Choice(("draft", "open", "void", "paid", "uncollectible")),
    },
    unsupported=frozenset({"customer_account", "subscription"}),
)
INVOICE_FINALIZE = Fields({**EXPAND, "auto_advance": Flag()})
INVOICE_PAY = Fields(
    {**EXPAND, "paid_out_of_band": Flag(), "off_session": Flag()},
    unsupported=frozenset({"forgive", "mandate", "payment_method", "source"}),
)

# Lines and invoice items ----------------------------------------------------------------------------------

_PERIOD = Fields({"start": Moment(), "end": Moment()}, frozenset({"start", "end"}))
_PRODUCT_DATA = Fields(
    {
        "description": Text(40000),
        "images": Items(Text()),
        "metadata": Metadata(clearable=False),
        "name": Text(),
        "tax_code": Text(),
        "unit_label": Text(12),
    },
    frozenset({"name"}),
)
_PRICE_DATA: Mapping[str, Kind] = {
    "currency": Currency(),
    "product": Text(),
    "tax_behavior": _TAX_BEHAVIOR,
    "unit_amount": MONEY,
    "unit_amount_decimal": Fraction(),
}
_TAX_AMOUNTS = Unsettable(
    Items(
        Fields(
            {
                "amount": MONEY,
                "tax_rate_data": Fields(
                    {
                        "country": Text(),
                        "description": Text(),
                        "display_name": Text(200),
                        "inclusive": Flag(),
                        "jurisdiction": Text(200),
                        "jurisdiction_level": Choice(("city", "country", "county", "district", "multiple", "state")),
                        "percentage": Percentage(),
                        "state": Text(),
                        "tax_type": _TAX_TYPE,
                    },
                    frozenset({"display_name", "inclusive", "percentage"}),
                ),
                "taxability_reason": _TAXABILITY,
                "taxable_amount": MONEY,
            },
            frozenset({"amount", "tax_rate_data", "taxable_amount"}),
        )
    )
)
_CHARGE: Mapping[str, Kind] = {
    "amount": MONEY,
    "description": Text(5000),
    "discountable": Flag(),
    "metadata": _METADATA,
    "period": _PERIOD,
    "pricing": Fields({"price": Text()}),
    "quantity": Whole(0),
    "quantity_decimal": Fraction(non_negative=True),
    "tax_rates": Unsettable(Items(Text())),
}
_LINE: Mapping[str, Kind] = {
    **_CHARGE,
    "price_data": Fields({**_PRICE_DATA, "product_data": _PRODUCT_DATA}, frozenset({"currency"})),
    "tax_amounts": _TAX_AMOUNTS,
}
_NO_DISCOUNTS = frozenset({"discounts"})


def _lines(fields: Fields) -> Fields:
    return Fields(
        {**EXPAND, "invoice_metadata": _METADATA, "lines": Items(fields, most=LINES_MOST, least=1)},
        frozenset({"lines"}),
    )


ADD_LINES = _lines(Fields({**_LINE, "invoice_item": Text()}, unsupported=_NO_DISCOUNTS))
UPDATE_LINES = _lines(Fields({**_LINE, "id": Text()}, frozenset({"id"}), _NO_DISCOUNTS))
UPDATE_LINE = Fields({**EXPAND, **_LINE}, unsupported=_NO_DISCOUNTS)
REMOVE_LINES = _lines(Fields({"id": Text(), "behavior": Choice(("delete", "unassign"))}, frozenset({"id", "behavior"})))
LINE_LIST = Fields(PAGING)
WEBHOOK_ENDPOINT_LIST = Fields(PAGING)

_ITEM: Mapping[str, Kind] = {
    **EXPAND,
    **_CHARGE,
    "price_data": Fields(_PRICE_DATA, frozenset({"currency", "product"})),
    "tax_behavior": _TAX_BEHAVIOR,
    "unit_amount_decimal": Fraction(),
}
_ITEM_LEFT_OUT = frozenset({"discounts", "tax_code"})
ITEM_CREATE = Fields(
    {**_ITEM, "customer": Text(), "currency": Currency(), "invoice": Text(), "tax_rates": Items(Text())},
    frozenset({"customer"}),
    _ITEM_LEFT_OUT | {"customer_account", "subscription"},
)
ITEM_UPDATE = Fields(_ITEM, unsupported=_ITEM_LEFT_OUT)
ITEM_LIST = Fields(
    {**PAGING, "created": Span(), "customer": Text(), "invoice": Text(), "pending": Flag()},
    unsupported=frozenset({"customer_account"}),
)

# Tax rates, products, prices ------------------------------------------------------------------------------

_TAX_RATE: Mapping[str, Kind] = {
    **EXPAND,
    "active": Flag(),
    "country": Text(),
    "description": Text(),
    "display_name": Text(50),
    "jurisdiction": Text(50),
    "metadata": _METADATA,
    "state": Text(),
    "tax_type": _TAX_TYPE,
}
TAX_RATE_CREATE = Fields(
    {**_TAX_RATE, "metadata": Metadata(clearable=False), "inclusive": Flag(), "percentage": Percentage()},
    frozenset({"display_name", "inclusive", "percentage"}),
)
TAX_RATE_UPDATE = Fields(_TAX_RATE)
TAX_RATE_LIST = Fields({**PAGING, "active": Flag(), "created": Span(), "inclusive": Flag()})
PRODUCT_CREATE = Fields(
    {
        **EXPAND,
        "active": Flag(),
        "description": Text(40000),
        "metadata": Metadata(clearable=False),
        "name": Text(),
        "unit_label": Text(12),
    },
    frozenset({"name"}),
    frozenset({"default_price_data", "id", "images", "marketing_features", "package_dimensions", "shippable"})
    | {"statement_descriptor", "tax_code", "url"},
)
PRODUCT_LIST = Fields(
    {**PAGING, "active": Flag(), "created": Span()}, unsupported=frozenset({"ids", "shippable", "url"})
)
PRICE_CREATE = Fields(
    {
        **EXPAND,
        **_PRICE_DATA,
        "active": Flag(),
        "nickname": Text(),
        "metadata": Metadata(clearable=False),
        "product_data": Fields(
            {"active": Flag(), "metadata": Metadata(clearable=False), "name": Text(), "unit_label": Text(12)},
            frozenset({"name"}),
            frozenset({"id", "statement_descriptor", "tax_code"}),
        ),
    },
    frozenset({"currency"}),
    frozenset({"billing_scheme", "currency_options", "custom_unit_amount", "lookup_key", "recurring", "tiers"})
    | {"tiers_mode", "transfer_lookup_key", "transform_quantity"},
)
PRICE_LIST = Fields(
    {**PAGING, "active": Flag(), "created": Span(), "currency": Currency(), "product": Text()},
    unsupported=frozenset({"lookup_keys", "recurring", "type"}),
)
