"""Which refusals of AWS itself can pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from billing.domain.errors import OurFault, PassingError, PersonNeeded

_PASSING = frozenset(
    (
        "InternalFailure",
        "InternalServerError",
        "InternalError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ReplicatedWriteConflictException",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    )
)
_DENIED = frozenset(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"))


@contextmanager
def aws_faults_named() -> Iterator[None]:
    """Give AWS's errors the names that Retry and Catch know. boto3 has retried them itself before."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _PASSING or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            raise PassingError(f"AWS refused {error.operation_name} for now ({code}).") from error
        if code in _DENIED:
            raise PersonNeeded(
                f"This function's role may not call {error.operation_name}. Compare template.yaml "
                "with what is deployed."
            ) from error
        raise OurFault(f"AWS refused {error.operation_name} ({code}).") from error
    except BotoCoreError as error:
        raise PassingError(f"AWS could not be reached ({type(error).__name__}).") from error
