"""How NetSuite says no: every refusal of the record API, with its code and words.

Words in samples or in public code are used as they are. Where no text is known the words here are the stand-in's
own; README.md lists them.
"""

from __future__ import annotations

from tests.sandbox.http_messages import Response
from tests.sandbox.netsuite import answers

_ACCESS = "Error while accessing a resource."


class Refused(Exception):
    """The request is refused and nothing was saved."""

    def __init__(self, detail: str, code: str = "USER_ERROR", path: str | None = None, status: int = 400) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.path = path
        self.status = status

    def answer(self) -> Response:
        if self.path is None:
            return answers.error(self.status, self.code, self.detail)
        return answers.error(self.status, self.code, self.detail, path=self.path)


def access(text: str) -> Refused:
    """A business rule: 400 USER_ERROR."""
    return Refused(f"{_ACCESS} {text}")


def already_exists() -> Refused:
    """The external id (or an entity's or item's name) is taken."""
    return access("This entity already exists.")


def enter_value(label: str) -> Refused:
    return access(f"Please enter value(s) for: {label}")


def invalid_value(value: object, field: str, path: str | None = None) -> Refused:
    """The words of Oracle's help page on errors (INVALID_CONTENT)."""
    return Refused(
        f"Error while accessing resource: You have entered an Invalid Field Value {value} for the following field: "
        f"{field}",
        "INVALID_CONTENT",
        path or field,
    )


def no_matching_line(sublist: str, key: str, value: str) -> Refused:
    return access(f"Unable to find a matching line for sub-list {sublist} with key: [{key}] and value: [{value}].")


def invalid_reference_key(key: object) -> Refused:
    return access(f"Invalid id reference key {key}.")


def unknown_property(path: str) -> Refused:
    return Refused(f"Unknown property '{path}' in the request body.", "INVALID_CONTENT", path)


def nothing_there() -> Refused:
    return Refused("Record does not exist.", "NONEXISTENT_ID", status=404)


def bad_request(detail: str, path: str | None = None) -> Refused:
    return Refused(detail, "INVALID_CONTENT", path)
