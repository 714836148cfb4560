"""What NetSuite's item types mean for an invoice, and what of them is delivered.

Source: the item types of the NetSuite REST API Browser (transaction line `itemType`). Lines are judged by
type and never by amount: a Subtotal or End of Group line may repeat an amount that is already billed.
"""

from __future__ import annotations

from typing import Final

from billing.domain.orders.sales_order import LineRole

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


_ALWAYS_FULFILLED: Final = frozenset({"invtpart", "assembly"})
_FULFILLED_UNLESS_TOLD: Final = frozenset({"kit"})
_FULFILLED_IF_TOLD: Final = frozenset({"noninvtpart", "othcharge"})


def is_fulfilled(item_type: str | None, flag: bool | None) -> bool | None:
    """Whether NetSuite fulfils an item before it bills it; None where that cannot be told.

    `flag` is the item's "Can be Fulfilled/Received", None where the account does not show it. Source: NetSuite help,
    "Item Record": inventory and assembly items are always fulfilled; kits, services, non-inventory and other charge
    items for sale are where that box is ticked. Services are not, unless it is.
    """
    kind = (item_type or "").lower()
    if kind in _ALWAYS_FULFILLED:
        return True
    if flag is not None:
        return flag
    if kind in _FULFILLED_UNLESS_TOLD:
        return True
    return None if kind in _FULFILLED_IF_TOLD else False
