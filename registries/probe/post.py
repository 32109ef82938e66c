"""One HTTP POST to an address that a person typed, by the rules of the connection test.

The host is resolved once and judged by the address guard. There are no redirects, no cookies and nothing from the
environment.
"""

from collections.abc import Mapping

from .address_guard import first_refused
from .answer import Answer
from .endpoint import EndpointError, parse_endpoint
from .fault import Fault
from .policy import Policy
from .reason import Reason
from .trace import Trace
from .transport import PING_BODY, Transport


def post(url: str, body: bytes, headers: Mapping[str, str], policy: Policy) -> Answer:
    """Sends `body` and returns the response with at most 64 KiB of its body.

    Raises a Fault: INVALID_DOMAIN for a text that is no URL, PLAIN_HTTP_FORBIDDEN, BLOCKED_ADDRESS, or an error of the
    network. It takes at most `policy.total_timeout` seconds.
    """
    try:
        endpoint = parse_endpoint(url)
    except EndpointError:
        raise Fault(Reason.INVALID_DOMAIN) from None
    if endpoint.scheme == "http" and not policy.allow_plain_http:
        raise Fault(Reason.PLAIN_HTTP_FORBIDDEN)
    with Transport(policy, Trace(), endpoint.netloc) as transport:
        refused = first_refused(transport.resolve(endpoint.host, endpoint.port), policy)
        if refused:
            raise Fault(Reason.BLOCKED_ADDRESS)
        return transport.send("POST", endpoint, form=body, headers=headers, limit=PING_BODY)
