"""The one logger, tracer and metrics object of a function.

Events and answers are never logged or traced: they carry task tokens and signed links.
"""

from __future__ import annotations

import logging
import os

from aws_lambda_powertools import Logger, Metrics, Tracer

_service, _level = os.environ["POWERTOOLS_SERVICE_NAME"], os.environ["POWERTOOLS_LOG_LEVEL"]

# Libraries tell of requests at DEBUG, secrets and addresses included: only their warnings are kept, at every LogLevel.
logging.getLogger().setLevel(logging.WARNING)

logger = Logger(service=_service, level=_level)
# Where Lambda has a level of its own (AWS_LAMBDA_LOG_LEVEL, always with JSON logs), Powertools takes that one, in its
# constructor and in its setLevel. template.yaml gives Lambda the level that lets metrics through; LogLevel is ours.
logging.getLogger(_service).setLevel(_level)
metrics = Metrics(service=_service, namespace=os.environ["POWERTOOLS_METRICS_NAMESPACE"])
tracer = Tracer(service=_service, auto_patch=False)
