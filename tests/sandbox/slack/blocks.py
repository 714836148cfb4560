"""Block Kit's limits, for the blocks that a message of ours may hold.

Source: Slack's reference of blocks and composition objects. The limit on all text together is not documented:
it was reported (slackapi/bolt-js issue 2509) at about 13,200 characters, with the error msg_blocks_too_long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sandbox.slack.refusals import SlackError

MOST_BLOCKS = 50
ALL_TEXT = 13_200
Problems = list[str]


def check(blocks: Any) -> None:
    """Raise `SlackError` invalid_blocks with a pointer to each mistake, or msg_blocks_too_long."""
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    problems: Problems = []
    if len(blocks) > MOST_BLOCKS:
        problems.append(f"no more than {MOST_BLOCKS} items allowed [json-pointer:/blocks]")
    for index, block in enumerate(blocks):
        problems.extend(_block(block, f"/blocks/{index}"))
    if problems:
        raise SlackError("invalid_blocks", problems)
    if _text_length(blocks) > ALL_TEXT:
        raise SlackError("msg_blocks_too_long")


def _text_length(node: Any) -> int:
    if isinstance(node, dict):
        return sum(
            len(value) if key == "text" and isinstance(value, str) else _text_length(value)
            for key, value in node.items()
        )
    return sum(_text_length(item) for item in node) if isinstance(node, list) else 0


def _block(block: Any, at: str) -> Problems:
    if not isinstance(block, dict) or block.get("type") not in _BLOCKS:
        kind = block.get("type") if isinstance(block, dict) else block
        return [f"unsupported type: {kind} [json-pointer:{at}/type]"]
    problems = _BLOCKS[block["type"]](block, at)
    if len(str(block.get("block_id", ""))) > 255:
        problems.append(f"must be less than 256 characters [json-pointer:{at}/block_id]")
    return problems


def _only(node: dict[str, Any], names: str, at: str) -> Problems:
    allowed = set(names.split()) | {"type", "block_id"}
    return [f"additional property: {name} [json-pointer:{at}]" for name in node if name not in allowed]


def _text(node: Any, at: str, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> Problems:
    if not isinstance(node, dict) or node.get("type") not in kinds:
        return [f"must be a text object of type {' or '.join(kinds)} [json-pointer:{at}]"]
    problems = _only(node, "text emoji" if node["type"] == "plain_text" else "text verbatim", at)
    text = node.get("text")
    if not isinstance(text, str) or not text:
        return [*problems, f"must be more than 0 characters [json-pointer:{at}/text]"]
    if len(text) > most:
        problems.append(f"must be less than {most + 1} characters [json-pointer:{at}/text]")
    return problems


def _section(block: dict[str, Any], at: str) -> Problems:
    problems = _only(block, "text fields accessory expand", at)
    if "text" not in block and "fields" not in block:
        return [*problems, f"missing required field: text or fields [json-pointer:{at}]"]
    if "text" in block:
        problems += _text(block["text"], f"{at}/text", 3000)
    fields = block.get("fields", [])
    if "fields" in block and not 1 <= len(fields) <= 10:
        problems.append(f"must have 1 to 10 items [json-pointer:{at}/fields]")
    for index, field in enumerate(fields):
        problems += _text(field, f"{at}/fields/{index}", 2000)
    if "accessory" in block:
        problems += _element(block["accessory"], f"{at}/accessory")
    return problems


def _header(block: dict[str, Any], at: str) -> Problems:
    return _only(block, "text", at) + _text(block.get("text"), f"{at}/text", 150, ("plain_text",))


def _context(block: dict[str, Any], at: str) -> Problems:
    problems = _only(block, "elements", at)
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 10:
        problems.append(f"must have 1 to 10 items [json-pointer:{at}/elements]")
    for index, element in enumerate(elements):
        place = f"{at}/elements/{index}"
        is_image = isinstance(element, dict) and element.get("type") == "image"
        problems += _image(element, place) if is_image else _text(element, place, 3000)
    return problems


def _actions(block: dict[str, Any], at: str) -> Problems:
    problems = _only(block, "elements", at)
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 25:
        problems.append(f"must have 1 to 25 items [json-pointer:{at}/elements]")
    for index, element in enumerate(elements):
        problems += _element(element, f"{at}/elements/{index}")
    return problems


def _element(element: Any, at: str) -> Problems:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind == "image":
        return _image(element, at)
    if kind != "button":
        return [f"unsupported type: {kind} [json-pointer:{at}/type]"]
    problems = _only(element, "text action_id url value style confirm accessibility_label", at)
    problems += _text(element.get("text"), f"{at}/text", 75, ("plain_text",))
    for name, most in (("url", 3000), ("value", 2000), ("action_id", 255)):
        if len(str(element.get(name, ""))) > most:
            problems.append(f"must be less than {most + 1} characters [json-pointer:{at}/{name}]")
    if element.get("style", "primary") not in ("primary", "danger"):
        problems.append(f"must be primary or danger [json-pointer:{at}/style]")
    return problems


def _image(block: dict[str, Any], at: str) -> Problems:
    problems = _only(block, "image_url alt_text title", at)
    for name, most in (("image_url", 3000), ("alt_text", 2000)):
        if not 1 <= len(str(block.get(name, ""))) <= most:
            problems.append(f"must have 1 to {most} characters [json-pointer:{at}/{name}]")
    return problems


def _divider(block: dict[str, Any], at: str) -> Problems:
    return _only(block, "", at)


def _markdown(block: dict[str, Any], at: str) -> Problems:
    text = block.get("text")
    if not isinstance(text, str) or not 1 <= len(text) <= 12_000:
        return [f"must have 1 to 12000 characters [json-pointer:{at}/text]"]
    return _only(block, "text", at)


_BLOCKS: dict[str, Callable[[dict[str, Any], str], Problems]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "divider": _divider,
    "markdown": _markdown,
}
