"""Links to the AWS console and to Stripe's dashboard, for those who look after a run."""

from __future__ import annotations

import os
from urllib.parse import quote

from billing.domain.runs.report import Report


def execution_url(arn: str, region: str = "") -> str:
    """Return the page of an execution in the console of Step Functions. `region` is the function's own without one."""
    region = region or os.environ["AWS_REGION"]
    return f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{arn}"


def alarm_url(name: str, region: str = "") -> str:
    """Return the page of an alarm in the console of CloudWatch. `region` is the function's own without one."""
    region = region or os.environ["AWS_REGION"]
    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{quote(name, safe='')}"
    )


def object_url(bucket: str, key: str, region: str = "") -> str:
    """Return the page of an object in the console of S3. `region` is the function's own without one."""
    region = region or os.environ["AWS_REGION"]
    return f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?region={region}&prefix={key}"


def report_links(report: Report, bucket: str) -> dict[str, str]:
    """Return the links of a run's summary by the names of their parameters; `bucket` holds the run's files."""
    return {
        "console_url": execution_url(report.run.execution_arn),
        "report_url": object_url(bucket, f"{report.run.prefix}report.html"),
        "stripe_dashboard": dashboard_url(report),
    }


def dashboard_url(report: Report) -> str:
    """Return Stripe's dashboard, that of test mode if the run's drafts are in test mode."""
    return "https://dashboard.stripe.com" + ("/test" if report.live_mode is False else "")
