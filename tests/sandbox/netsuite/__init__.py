"""A stand-in for a NetSuite account that executes SuiteQL; see README.md."""

from tests.sandbox.netsuite.answers import (
    concurrency_fault,
    invalid_login_fault,
    maintenance_fault,
    permission_fault,
    record_changed_fault,
    unexpected_error_fault,
    workflow_lock_fault,
)
from tests.sandbox.netsuite.generated_world import generate_world
from tests.sandbox.netsuite.options import Options
from tests.sandbox.netsuite.server import NetSuiteServer
from tests.sandbox.netsuite.world import Order, World
from tests.sandbox.netsuite.world_fields import WorldError
from tests.sandbox.netsuite.world_loader import load_world

__all__ = [
    "NetSuiteServer",
    "Options",
    "Order",
    "World",
    "WorldError",
    "concurrency_fault",
    "generate_world",
    "invalid_login_fault",
    "load_world",
    "maintenance_fault",
    "permission_fault",
    "record_changed_fault",
    "unexpected_error_fault",
    "workflow_lock_fault",
]
