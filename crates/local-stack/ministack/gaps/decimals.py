"""Numbers go through EventBridge, Lambda and Step Functions digit for digit.

The gap: MiniStack parses the detail of an event, the payload of an invocation, the answer of a function and the data of a state, and
encodes them again through floats, where AWS carries them as they are. DynamoDB's numbers have up to 38 digits; an event about them lost
most.
"""

from ministack.core import lambda_runtime
from ministack.services import eventbridge, lambda_svc, stepfunctions

from . import exact_json
from .replacing import replace


def apply():
    for module in (eventbridge, lambda_svc, lambda_runtime, stepfunctions):
        replace(module, "json", exact_json)
