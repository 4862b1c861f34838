"""A rule invokes its function as AWS does: asynchronously, with retries, and with a destination for what still fails.

The gap: MiniStack does so for an invocation of type Event, but what a rule invokes it tries once, and forgets.
"""

import logging

from ministack.services import eventbridge, lambda_svc

from . import exact_json
from .replacing import part, replace

log = logging.getLogger(__name__)


def apply():
    for name in ("_get_func_record_for_ref", "_execution_record_for_config", "invoke_async_with_retry"):
        part(lambda_svc, name)
    replace(eventbridge, "_dispatch_to_lambda", invoke)


def invoke(arn, payload):
    """Raises ValueError, which MiniStack logs, where an input transformer made no JSON of the event."""
    function, configuration, name = lambda_svc._get_func_record_for_ref(arn)
    if function is None:
        log.error("a rule's function does not exist: %s", name)
        return
    function = lambda_svc._execution_record_for_config(function, configuration)
    lambda_svc.invoke_async_with_retry(function, exact_json.loads(payload))
