"""The one logger, tracer and metrics object of a function.

Events and answers are never logged or traced: they carry task tokens and signed links.
"""

from __future__ import annotations

import os

from aws_lambda_powertools import Logger, Metrics, Tracer

logger = Logger(service=os.environ["POWERTOOLS_SERVICE_NAME"], level=os.environ["POWERTOOLS_LOG_LEVEL"])
metrics = Metrics(service=os.environ["POWERTOOLS_SERVICE_NAME"], namespace=os.environ["POWERTOOLS_METRICS_NAMESPACE"])
tracer = Tracer(service=os.environ["POWERTOOLS_SERVICE_NAME"], auto_patch=False)
