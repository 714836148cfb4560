"""AWS: the function's environment, and clients that retry by themselves before an error reaches a state."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from billing.adapters.aws.run_files import RunFiles
from billing.adapters.aws.task_tokens import TaskCallback
from billing.runtime.settings import Environment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=20)


def environment() -> Environment:
    """Return the variables that template.yaml gives this function."""
    return Environment(os.environ)


def dynamodb() -> DynamoDBClient:
    """Return a client for DynamoDB."""
    return boto3.client("dynamodb", config=CONFIG)


def kms() -> KMSClient:
    """Return a client for KMS."""
    return boto3.client("kms", config=CONFIG)


def stepfunctions() -> SFNClient:
    """Return a client for Step Functions."""
    return boto3.client("stepfunctions", config=CONFIG)


def run_files(env: Environment) -> RunFiles:
    """Return the bucket that holds each run's files."""
    return RunFiles(boto3.client("s3", config=CONFIG), env.text("RUNS_BUCKET"))


def sqs() -> SQSClient:
    """Return a client for SQS."""
    return boto3.client("sqs", config=CONFIG)


def task_callback() -> TaskCallback:
    """Return what opens sealed task tokens and ends the wait of a run."""
    return TaskCallback(kms(), stepfunctions())
