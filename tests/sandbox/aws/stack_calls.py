"""CloudFormation's answers about the deployed stack, for whoever looks for its resources: DescribeStacks and
ListStackResources, as the query protocol writes them. Nothing else of CloudFormation is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from tests.sandbox.aws.deploy.stack import Stack

_PAGE = 100
"""Resources on a page of ListStackResources (AWS CloudFormation, API reference)."""


def answer(body: bytes, stacks: Mapping[str, Stack]) -> tuple[int, bytes]:
    """(status, XML) of a request about one of the account's stacks, by name or id; without either the first."""
    asked = {key: values[0] for key, values in parse_qs(body.decode()).items()}
    action, wanted = asked.get("Action", ""), asked.get("StackName", next(iter(stacks)))
    if action not in ("DescribeStacks", "ListStackResources"):
        return 400, _error("InvalidAction", f"the sandbox does not answer {action}")
    name = next((name for name, stack in stacks.items() if wanted in (name, stack.id)), None)
    if name is None:
        return 400, _error("ValidationError", f"Stack with id {wanted} does not exist")
    stack = stacks[name]
    inner = _described(name, stack) if action == "DescribeStacks" else _resources(stack, asked)
    return 200, (
        f"<{action}Response><{action}Result>{inner}</{action}Result>"
        f"<ResponseMetadata><RequestId>sandbox</RequestId></ResponseMetadata></{action}Response>"
    ).encode()


def _described(name: str, stack: Stack) -> str:
    parameters = (
        {"ParameterKey": key, "ParameterValue": ",".join(value) if isinstance(value, list) else str(value)}
        for key, value in stack.parameters.items()
    )
    outputs = ({"OutputKey": key, "OutputValue": value} for key, value in stack.outputs.items())
    return (
        "<Stacks><member>"
        + _elements({"StackName": name, "StackId": stack.id, "StackStatus": "CREATE_COMPLETE"})
        + "<CreationTime>2026-01-01T00:00:00Z</CreationTime>"
        + f"<Parameters>{_members(parameters)}</Parameters><Outputs>{_members(outputs)}</Outputs>"
        + "</member></Stacks>"
    )


def _resources(stack: Stack, asked: Mapping[str, str]) -> str:
    start = int(asked.get("NextToken", "0"))
    names = sorted(stack.resources)
    page = (
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": str(stack.resources[name].ref),
            "ResourceType": stack.types[name],
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": "2026-01-01T00:00:00Z",
        }
        for name in names[start : start + _PAGE]
    )
    after = f"<NextToken>{start + _PAGE}</NextToken>" if start + _PAGE < len(names) else ""
    return f"<StackResourceSummaries>{_members(page)}</StackResourceSummaries>{after}"


def _members(found: Iterable[Mapping[str, str]]) -> str:
    return "".join(f"<member>{_elements(one)}</member>" for one in found)


def _elements(fields: Mapping[str, str]) -> str:
    return "".join(f"<{key}>{escape(value)}</{key}>" for key, value in fields.items())


def _error(code: str, message: str) -> bytes:
    inner = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
    return f"<ErrorResponse><Error>{inner}</Error><RequestId>sandbox</RequestId></ErrorResponse>".encode()
