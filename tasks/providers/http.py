"""Sends one request within a deadline. Whatever happens becomes a reply or an outcome."""

import json
import logging
import ssl
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from socket import gaierror
from threading import local
from typing import Any
from urllib.parse import urlencode

from requests import PreparedRequest, Response
from requests.exceptions import RequestException
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential, wait_random
from urllib3.exceptions import HTTPError, SSLError

from config.settings import settings
from tasks.outcome import CredentialsRefused, Unavailable, Unclear
from tasks.providers.base import Reply, Request
from tasks.providers.connection import Adapter, Call, TooLarge, calling
from tasks.providers.deadline import Deadline
from worker.tracing import tracing

MAX_BODY_BYTES = 1024 * 1024
TRIES = 3
NoReply = Unavailable | Unclear | CredentialsRefused
_CHUNK = 16 * 1024
_URLLIB3 = ("connection", "connectionpool", "poolmanager", "response", "util.retry")
_LOGGERS = ("requests", "urllib3", *(f"urllib3.{name}" for name in _URLLIB3))
_FAILURES = (RequestException, HTTPError, OSError, ValueError)

NOT_SENDABLE = (
    "the request cannot be made with this account's base_url and credentials: check them for characters that"
    " an address or a header cannot hold"
)
NO_TLS = "the provider's TLS certificate was not accepted: check base_url and the time of this machine"
NO_HOST = "the provider's host name was not found: check base_url and DNS"
NO_CONNECTION = "no connection to the provider"
NO_CONNECTION_IN_TIME = "no connection to the provider in time"
NO_ANSWER_IN_TIME = "no whole answer from the provider in time"
CONNECTION_LOST = "the connection broke before the provider's whole answer came"
ANSWER_TOO_LARGE = "the provider's answer was larger than 1 MiB"


class _NothingSent(Exception):
    """No byte of the request left, and the next moment may be better."""


class _Local(local):
    """One adapter a thread, and no session around it: a session follows redirects, keeps cookies, though accounts at
    one host share it, and takes a proxy or a .netrc from the environment."""

    def __init__(self) -> None:
        self.adapter = Adapter()


def trusted() -> bool | str:
    """A PEM file of those who vouch for the providers' hosts; True for the public authorities."""
    ca_file = settings().ca_file
    return str(ca_file) if ca_file else True


def quiet_http_logs() -> None:
    """Silences urllib3 and requests for good: their records carry URLs, in which credentials stand."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False


def _user_agent() -> str:
    try:
        return f"invitation-worker/{version('invitation-worker')}"
    except PackageNotFoundError:
        return "invitation-worker/0"


def send(root: str, request: Request, deadline: Deadline) -> Reply | NoReply:
    """One call to the request's own root, or else to `root` (scheme and host), within `deadline`, redirects not
    followed, at most 1 MiB of answer.

    Tried up to three times where nothing was sent. Unavailable: surely nothing was sent. Unclear: something
    was, and no whole answer came. CredentialsRefused: this account's credentials cannot be put into a request
    at all.
    """
    try:
        return _retrying(_once, request.root or root, request, deadline)
    except _NothingSent as failure:
        return Unavailable(str(failure))


def _is_enough(state: RetryCallState) -> bool:
    deadline: Deadline = state.args[-1]
    return state.attempt_number >= TRIES or deadline.left() <= state.upcoming_sleep


def _once(root: str, request: Request, deadline: Deadline) -> Reply | NoReply:
    with tracing.call(request.method, root, request.path), calling(deadline) as call:
        try:
            with _open(root, request, deadline) as response:
                reply: Reply | NoReply = _reply(response)
        except _FAILURES as error:
            reply = _failed(error, call)
        tracing.answered(reply.status if isinstance(reply, Reply) else type(reply).__name__)
        return reply


def _open(root: str, request: Request, deadline: Deadline) -> Response:
    left = max(deadline.left(), 0.001)
    prepared = PreparedRequest()
    # As texts: of anything else requests asks first, at 30 µs each, whether it is a file.
    prepared.prepare(
        request.method,
        root + request.path,
        params=urlencode(request.query),
        headers={**HEADERS, **({} if request.form is None else FORM), **request.headers},
        data=urlencode(request.form) if request.form is not None else None,
        json=request.json,
    )
    return _local.adapter.send(prepared, timeout=(left, left), stream=True, verify=trusted())


def _reply(response: Response) -> Reply | Unclear:
    """The reply; where 429 or 503 says all there is to say, a body that breaks off does no harm."""
    body = b""
    try:
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise TooLarge
    except _FAILURES as error:
        if response.status_code not in (429, 503):
            return Unclear(_lost(error))
        body = b""
    data = _json(body)
    return Reply(
        status=response.status_code,
        headers=response.headers,
        body=body,
        data=data if isinstance(data, dict) else None,
        array=data if isinstance(data, list) else None,
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _failed(error: Exception, call: Call) -> NoReply:
    """What an exception comes to. Raises _NothingSent where the same call may work a moment later."""
    if call.sent:
        return Unclear(_lost(error))
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLError | SSLError) for cause in causes):
        return Unavailable(NO_TLS)
    if any(isinstance(cause, gaierror) for cause in causes):
        raise _NothingSent(NO_HOST) from None
    if any(isinstance(cause, TimeoutError) for cause in causes):
        raise _NothingSent(NO_CONNECTION_IN_TIME) from None
    if isinstance(error, ValueError):
        return CredentialsRefused(NOT_SENDABLE)
    raise _NothingSent(NO_CONNECTION) from None


def _lost(error: Exception) -> str:
    causes = list(_causes(error))
    if any(isinstance(cause, TooLarge) for cause in causes):
        return ANSWER_TOO_LARGE
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return NO_ANSWER_IN_TIME
    return CONNECTION_LOST


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """`error` and what it was raised from. urllib3 and requests wrap what a socket says, each in its own
    way."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


HEADERS = {
    "User-Agent": _user_agent(),
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "keep-alive",
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_retrying = Retrying(
    retry=retry_if_exception_type(_NothingSent),
    stop=_is_enough,
    wait=wait_exponential(multiplier=0.2, max=1) + wait_random(0, 0.2),
    reraise=True,
)
quiet_http_logs()
_local = _Local()
