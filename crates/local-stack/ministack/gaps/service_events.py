"""A stand-in of an AWS service may send that service's events.

The gap: as on AWS, nobody but AWS's own services sends events whose source begins with `aws.`; but a service that MiniStack lacks, and
another process stands in for, is one of them. It signs its requests with the access key id `local-service`.
"""

import contextvars

from ministack.core import router
from ministack.services import eventbridge

from .replacing import part, replace

ACCESS_KEY_ID = "local-service"

_is_service = contextvars.ContextVar("is_service", default=False)


def apply():
    part(router, "extract_access_key_id")
    replace(eventbridge, "handle_request", noting_services(part(eventbridge, "handle_request")))
    replace(eventbridge, "_put_events", allowing_services(part(eventbridge, "_put_events")))


def noting_services(handle_request):
    async def handle(method, path, headers, body, query):
        token = _is_service.set(router.extract_access_key_id(headers, query) == ACCESS_KEY_ID)
        try:
            return await handle_request(method, path, headers, body, query)
        finally:
            _is_service.reset(token)

    return handle


def allowing_services(put_events):
    def put(request, allow_aws_source=False):
        return put_events(request, allow_aws_source or _is_service.get())

    return put
