"""What NetSuite's item types mean for an invoice.

Source: the item types of the NetSuite REST API Browser (transaction line `itemType`). Lines are judged by
type and never by amount: a Subtotal or End of Group line may repeat an amount that is already billed.
"""

from __future__ import annotations

from typing import Final

from billing.domain.sales_order import LineRole

_ROLE_OF_TYPE: Final[dict[str, LineRole]] = {
    "service": LineRole.GOODS,
    "invtpart": LineRole.GOODS,
    "noninvtpart": LineRole.GOODS,
    "othcharge": LineRole.GOODS,
    "kit": LineRole.GOODS,
    "assembly": LineRole.GOODS,
    "dwnlditem": LineRole.GOODS,
    "giftcert": LineRole.GOODS,
    "expense": LineRole.GOODS,
    "subscriplan": LineRole.GOODS,
    "markup": LineRole.MARKUP,
    "discount": LineRole.DISCOUNT,
    "payment": LineRole.PAYMENT,
    "shipitem": LineRole.SHIPPING,
    "taxitem": LineRole.TAX,
    "taxgroup": LineRole.TAX,
    "subtotal": LineRole.SUBTOTAL,
    "group": LineRole.GROUP_START,
    "endgroup": LineRole.GROUP_END,
    "description": LineRole.TEXT,
}

_ROLE_OF_ITEM: Final[dict[str, LineRole]] = {
    # Built-in items that have no usable item row, so no type comes with them: the Subtotal item is known
    # to be -2; -3 (Description) and 0 (End of Group) are the ids of the same family [unsure].
    "-2": LineRole.SUBTOTAL,
    "-3": LineRole.TEXT,
    "0": LineRole.GROUP_END,
}


def role_of(item_type: str | None, item_id: str | None, tax_line: bool) -> LineRole | None:
    """The role of a line, None when NetSuite's answer does not tell.

    `tax_line` is the line's own flag and wins: a tax line's item need not be readable.
    """
    if tax_line:
        return LineRole.TAX
    if item_type is not None:
        return _ROLE_OF_TYPE.get(item_type.lower())
    if item_id is not None:
        return _ROLE_OF_ITEM.get(item_id)
    return None
