"""CloudFormation's intrinsic functions, evaluated; what cannot be resolved is an error with its place."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.aws.errors import DeployError

_SUB = re.compile(r"\$\{(!?)([^}]+)\}")


class NoValue:
    """What `Ref: AWS::NoValue` gives: the property is left out."""


NO_VALUE = NoValue()


@dataclass(frozen=True)
class Physical:
    """A created resource: what `Ref` gives, and what `Fn::GetAtt` gives by attribute name."""

    ref: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Scope:
    """Everything a template expression can mention."""

    parameters: Mapping[str, str | list[str]]
    pseudo: Mapping[str, str]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: dict[str, Physical] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()
    rewrite: Callable[[str], str] = str
    """Applied to every finished string of Sub and Join: turns public API addresses into local ones."""

    def truth(self, condition: str) -> bool:
        """The value of a named condition."""
        if condition not in self.conditions:
            raise DeployError(f"Condition {condition!r} is not declared")
        return self._test(self.conditions[condition], f"Conditions.{condition}")

    def _test(self, expression: Any, place: str) -> bool:
        if isinstance(expression, Mapping) and len(expression) == 1:
            ((name, argument),) = expression.items()
            if name == "Fn::Equals":
                left, right = (self.resolve(item, place) for item in argument)
                return _plain_text(left) == _plain_text(right)
            if name == "Fn::And":
                return all(self._test(item, place) for item in argument)
            if name == "Fn::Or":
                return any(self._test(item, place) for item in argument)
            if name == "Fn::Not":
                return not self._test(argument[0], place)
            if name == "Condition":
                return self.truth(argument)
        raise DeployError(f"{place}: {expression!r} is not a condition")

    def resolve(self, value: Any, place: str) -> Any:
        """`value` with every intrinsic replaced; `place` names it in errors. Properties set to
        AWS::NoValue vanish from objects and lists."""
        if isinstance(value, list):
            items = [self.resolve(item, f"{place}[{index}]") for index, item in enumerate(value)]
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._ref(argument, place)
            if name == "Condition" and isinstance(argument, str) and argument in self.conditions:
                return self.truth(argument)
            if name.startswith("Fn::"):
                return self._function(name, argument, place)
        found = {key: self.resolve(item, f"{place}.{key}") for key, item in value.items()}
        return {key: item for key, item in found.items() if item is not NO_VALUE}

    def _ref(self, name: str, place: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self._resource(name, place).ref

    def _resource(self, name: str, place: str) -> Physical:
        if name in self.resources:
            return self.resources[name]
        if name in self.declared:
            raise DeployError(f"{place}: {name} is not created (its condition is false, or it comes later)")
        raise DeployError(f"{place}: {name!r} is neither a parameter nor a resource of the template")

    def _attribute(self, path: Any, place: str) -> Any:
        if isinstance(path, str):
            name, _, attribute = path.partition(".")
        else:
            name, attribute = path[0], ".".join(str(part) for part in path[1:])
        resource = self._resource(name, place)
        if attribute not in resource.attributes:
            raise DeployError(f"{place}: {name} has no attribute {attribute!r} (it has {sorted(resource.attributes)})")
        return resource.attributes[attribute]

    def _function(self, name: str, argument: Any, place: str) -> Any:
        if name == "Fn::GetAtt":
            return self._attribute(argument, place)
        if name == "Fn::Sub":
            return self.rewrite(self._sub(argument, place))
        if name == "Fn::If":
            condition, yes, no = argument
            return self.resolve(yes if self.truth(condition) else no, place)
        if name in ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not"):
            return self._test({name: argument}, place)
        if name == "Fn::ImportValue":
            raise DeployError(f"{place}: Fn::ImportValue needs another stack; the sandbox has only this one")
        argument = self.resolve(argument, place)
        if name == "Fn::Join":
            return self.rewrite(argument[0].join(_plain_text(item) for item in argument[1]))
        if name == "Fn::Select":
            return argument[1][int(argument[0])]
        if name == "Fn::Split":
            return argument[1].split(argument[0])
        if name == "Fn::FindInMap":
            try:
                return self.mappings[argument[0]][argument[1]][argument[2]]
            except KeyError as missing:
                raise DeployError(f"{place}: Fn::FindInMap {argument}: {missing} is not in the mapping") from None
        if name == "Fn::Base64":
            return base64.b64encode(argument.encode()).decode()
        raise DeployError(f"{place}: {name} is not supported by the sandbox")

    def _sub(self, argument: Any, place: str) -> str:
        text, local = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
        values = {key: self.resolve(item, place) for key, item in local.items()}

        def replace(match: re.Match[str]) -> str:
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                return "${" + match.group(2) + "}"
            if name in values:
                return _plain_text(values[name])
            if "." in name:
                return _plain_text(self._attribute(name, place))
            return _plain_text(self._ref(name, place))

        return _SUB.sub(replace, text)


def _plain_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise DeployError(f"an object or list stands where text is needed: {value!r}")
    return str(value)


def mentioned(value: Any) -> Iterator[str]:
    """Every name that `value` refers to by Ref, GetAtt or Sub (resources, parameters, pseudo parameters)."""
    if isinstance(value, list):
        for item in value:
            yield from mentioned(item)
        return
    if not isinstance(value, Mapping):
        return
    for name, argument in value.items():
        if name == "Ref" and isinstance(argument, str):
            yield argument
        elif name == "Fn::GetAtt":
            yield argument.partition(".")[0] if isinstance(argument, str) else argument[0]
        elif name == "Fn::Sub":
            text, local = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
            for literal, inner in _SUB.findall(text):
                if not literal and inner.strip() not in local:
                    yield inner.strip().partition(".")[0]
            yield from mentioned(local)
        else:
            yield from mentioned(argument)
