"""AWS::ApiGatewayV2::*: moto keeps the API, the sandbox's gateway serves it."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.sandbox.aws.deploy.intrinsics import Physical
from tests.sandbox.aws.deploy.registry import Deployment, Properties, creates, tags_as_object, whole
from tests.sandbox.aws.errors import DeployError
from tests.sandbox.aws.gateway import Route

_FUNCTION_IN_URI = re.compile(r"/functions/(arn:[^/]+)/invocations$")
_BODY_KEYS = {"openapi", "info", "paths", "tags"}
_METHOD_KEYS = {"isDefaultRoute", "responses", "parameters", "x-amazon-apigateway-integration"}


@creates("AWS::ApiGatewayV2::Api")
def create_api(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """An HTTP API, from an OpenAPI body (as SAM makes it) or plain."""
    client = deployment.clients("apigatewayv2")
    body = properties.take("Body", None)
    fail = properties.take("FailOnWarnings", False)
    disabled = properties.take("DisableExecuteApiEndpoint", False)
    if disabled:
        raise DeployError(f"{logical_id}: an API without its execute-api endpoint has no address in the sandbox")
    if body is not None:
        routes = routes_of(logical_id, body)
        # moto has no ImportApi; CreateApi and ReimportApi come to the same.
        created = client.create_api(Name=str(body.get("info", {}).get("title", logical_id)), ProtocolType="HTTP")
        client.reimport_api(ApiId=created["ApiId"], Body=json.dumps(body), FailOnWarnings=bool(fail))
        properties.take("Name", None)
        properties.take("Description", None)
    else:
        routes = []
        created = client.create_api(
            Name=properties.take("Name"),
            ProtocolType=properties.take("ProtocolType"),
            **properties.take_present("Description", "CorsConfiguration"),
        )
    properties.take("Tags", None)
    properties.finish()
    api_id = created["ApiId"]
    deployment.gateway.add_api(api_id, routes)
    return Physical(api_id, {"ApiId": api_id, "ApiEndpoint": deployment.gateway.api_url(api_id)})


def routes_of(logical_id: str, body: dict[str, Any]) -> list[Route]:
    """The routes of an OpenAPI body, as SAM makes it. DeployError for what the gateway does not serve."""
    strange = sorted(set(body) - _BODY_KEYS)
    if strange:
        raise DeployError(f"{logical_id}: the sandbox's gateway does not know {strange} of an OpenAPI body")
    routes = []
    for path, methods in body.get("paths", {}).items():
        for method, details in methods.items():
            odd = sorted(set(details) - _METHOD_KEYS)
            if odd:
                raise DeployError(f"{logical_id}: {method} {path}: the sandbox's gateway does not know {odd}")
            name = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            routes.append(_route(logical_id, name, path, details["x-amazon-apigateway-integration"]))
    return routes


def _route(logical_id: str, method: str, path: str, integration: dict[str, Any]) -> Route:
    if str(integration.get("payloadFormatVersion")) != "2.0" or integration.get("type") != "aws_proxy":
        raise DeployError(f"{logical_id}: {method} {path}: only aws_proxy with payload format 2.0 is served")
    found = _FUNCTION_IN_URI.search(integration["uri"])
    if found is None:
        raise DeployError(f"{logical_id}: {method} {path}: {integration['uri']!r} names no function")
    timeout = integration.get("timeoutInMillis")
    return Route(method, path, found.group(1), (whole(timeout, logical_id) / 1000) if timeout else 30.0)


@creates("AWS::ApiGatewayV2::Integration")
def create_integration(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A function behind an API."""
    api_id = properties.take("ApiId")
    uri = properties.take("IntegrationUri")
    version = properties.take("PayloadFormatVersion")
    kind = properties.take("IntegrationType")
    created = deployment.clients("apigatewayv2").create_integration(
        ApiId=api_id,
        IntegrationType=kind,
        IntegrationUri=uri,
        PayloadFormatVersion=version,
        **properties.take_present("IntegrationMethod", "Description", "TimeoutInMillis", "ConnectionType"),
    )
    properties.finish()
    if str(version) != "2.0" or kind != "AWS_PROXY":
        raise DeployError(f"{logical_id}: only AWS_PROXY with payload format 2.0 is served")
    found = _FUNCTION_IN_URI.search(uri)
    deployment.gateway.add_integration(api_id, created["IntegrationId"], found.group(1) if found else uri)
    return Physical(created["IntegrationId"], {})


@creates("AWS::ApiGatewayV2::Route")
def create_route(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A method and path of an API."""
    api_id = properties.take("ApiId")
    key = properties.take("RouteKey")
    target = properties.take("Target")
    created = deployment.clients("apigatewayv2").create_route(
        ApiId=api_id, RouteKey=key, Target=target, **properties.take_present("AuthorizationType")
    )
    properties.finish()
    method, _, path = key.partition(" ")
    function = deployment.gateway.integration(api_id, target.removeprefix("integrations/"))
    deployment.gateway.add_route(api_id, Route(method if path else "ANY", path or "$default", function))
    return Physical(created["RouteId"], {"RouteId": created["RouteId"]})


@creates("AWS::ApiGatewayV2::Stage")
def create_stage(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A stage; the gateway serves an API once it has one, and writes its access log."""
    api_id = properties.take("ApiId")
    name = properties.take("StageName")
    logs = properties.take("AccessLogSettings", None)
    settings = properties.take("DefaultRouteSettings", {})
    present = properties.take_present("AutoDeploy", "Description", "StageVariables", "RouteSettings")
    created = deployment.clients("apigatewayv2").create_stage(
        ApiId=api_id,
        StageName=name,
        Tags=tags_as_object(properties.take("Tags", {})),
        DefaultRouteSettings=route_settings(logical_id, settings),
        **({"AccessLogSettings": logs} if logs else {}),
        **present,
    )
    properties.finish()
    log_group = logs["DestinationArn"].split(":log-group:")[1].split(":")[0] if logs else None
    deployment.gateway.add_stage(api_id, name, log_group, logs["Format"] if logs else "", settings)
    return Physical(created["StageName"], {})


def route_settings(logical_id: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Throttling limits as numbers."""
    found = dict(settings)
    if "ThrottlingBurstLimit" in found:
        found["ThrottlingBurstLimit"] = whole(found["ThrottlingBurstLimit"], f"{logical_id}.ThrottlingBurstLimit")
    if "ThrottlingRateLimit" in found:
        found["ThrottlingRateLimit"] = float(found["ThrottlingRateLimit"])
    return found


@creates("AWS::ApiGatewayV2::DomainName")
def create_domain_name(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A domain name. moto keeps it; the gateway goes on serving by its own address."""
    name = properties.take("DomainName")
    created = deployment.clients("apigatewayv2").create_domain_name(
        DomainName=name,
        DomainNameConfigurations=properties.take("DomainNameConfigurations"),
        Tags=tags_as_object(properties.take("Tags", {})),
    )
    properties.finish()
    return Physical(
        created["DomainName"],
        {
            "RegionalDomainName": f"d-{logical_id.lower()}.execute-api.{deployment.region}.amazonaws.com",
            "RegionalHostedZoneId": "Z1UJRXOUMOOFQ8",
        },
    )


@creates("AWS::ApiGatewayV2::ApiMapping")
def create_api_mapping(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """Which API answers at a domain name."""
    created = deployment.clients("apigatewayv2").create_api_mapping(
        ApiId=properties.take("ApiId"),
        DomainName=properties.take("DomainName"),
        Stage=properties.take("Stage"),
        **properties.take_present("ApiMappingKey"),
    )
    properties.finish()
    return Physical(created["ApiMappingId"], {"ApiMappingId": created["ApiMappingId"]})


@creates("AWS::Route53::RecordSet")
def create_record_set(deployment: Deployment, logical_id: str, properties: Properties) -> Physical:
    """A record of a hosted zone that is there."""
    name, zone = properties.take("Name"), properties.take("HostedZoneId")
    target = properties.take("AliasTarget")
    record = {
        "Name": name,
        "Type": properties.take("Type"),
        "AliasTarget": {"EvaluateTargetHealth": False, **target},
    }
    properties.finish()
    deployment.clients("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )
    return Physical(name, {})
