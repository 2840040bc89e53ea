"""One HTTP request to an ERP, and what its failures mean: the one place that speaks httpx."""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

# httpx brings its own command line along where rich is installed: megabytes that an agent never uses.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: "can not be imported"

import httpx  # noqa: E402

from sync.ports import Ambiguous, NotAllowed, Unreachable  # noqa: E402

_CONNECT = 5.0  # seconds: nobody answers sooner or not at all
_KEEP = 2.0  # seconds: drop an idle connection before the server does, so that no request meets its end
_REPLY_LIMIT = 32 * 2**20  # bytes
_CUT = re.compile("disconnected|closed|incomplete")  # how httpx tells a connection that ended too early
_DIGITS = 10  # of a Retry-After that is a number of seconds


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whole. `kind` is its content type, `ok` says that the status is 2xx.

    `after` are the seconds of its Retry-After, `date` is when it was made (RFC 9110, 6.6.1), to the second; None
    without one that can be read.
    """

    status: int
    ok: bool
    kind: str
    content: bytes
    after: float | None = None
    date: datetime | None = None


class HttpCalls:
    """A pool of connections to one server; calls may run side by side."""

    def __init__(
        self, name: str, timeout: float, trust: ssl.SSLContext | None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        """`name` stands in sentences; `timeout` (seconds) is for a request with its answer; no `trust`: http.

        `transport` carries the requests in place of the network of this PC.
        """
        self._name = name
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            verify=trust or False,
            transport=transport,
            timeout=httpx.Timeout(timeout, connect=min(_CONNECT, timeout / 2)),
            limits=httpx.Limits(max_connections=4, keepalive_expiry=_KEEP),
        )

    async def call(
        self, method: str, url: str, headers: Mapping[str, str], query: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> Reply:  # fmt: skip
        """One request. Raises Unreachable, NotAllowed (it was not taken), Ambiguous (nobody knows what came of it)."""
        async with _mapped(self._name), asyncio.timeout(self._timeout):
            request = self._client.build_request(
                method, url, params=list(query), content=body, headers=dict(headers)
            )
            response = await self._client.send(request, stream=True)
            try:
                content = await _read(response)
            finally:
                await response.aclose()
        kind = response.headers.get("content-type", "")
        after, date = _after(response.headers), _date(response.headers)
        return Reply(response.status_code, response.is_success, kind, content, after, date)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


@asynccontextmanager
async def _mapped(name: str) -> AsyncIterator[None]:
    """Where the exceptions of httpx end: before the request was sent, or somewhere after it."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        if "CERTIFICATE" in str(error).upper():
            raise Unreachable(
                f"{name} shows a certificate that is not trusted ({error}): "
                "check ca_file and the clock of this PC."
            ) from error
        raise Unreachable(f"Nobody answers at {name}: {str(error) or 'no connection in time'}.") from error
    except (httpx.TimeoutException, TimeoutError) as error:
        raise Ambiguous(f"{name} did not answer in time.") from error
    except (httpx.HTTPError, OSError) as error:  # OSError: what a broken TLS connection says when it is closed
        if _asked_who_we_are(error):  # in the handshake: nothing was booked
            raise NotAllowed(f"{name} wants to know who we are: give client_cert and client_key.") from error
        raise Ambiguous(_broken(name, error)) from error
    except (httpx.InvalidURL, ValueError, OverflowError, ExceptionGroup) as error:  # no address to connect to
        raise Unreachable(f"Nobody can answer at {name} ({_innermost(error)}): check the address.") from error


def _innermost(error: BaseException) -> BaseException:
    """What a group was raised for; the library connects in one."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _after(headers: Mapping[str, str]) -> float | None:
    """Retry-After (RFC 9110, 10.2.3): seconds, or a date, which the Date of the same answer makes seconds of:
    our own clock may be wrong."""
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit() and len(asked) < _DIGITS:
        return float(asked)
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):  # no date, or one with a zone and one without
        return None
    return max(0.0, wait.total_seconds())


def _broken(name: str, error: httpx.HTTPError | OSError) -> str:
    """What became of a request that has no answer, in words."""
    if isinstance(error, httpx.WriteError):
        told = f"The connection to {name} broke off while we sent"
    elif isinstance(error, httpx.DecodingError) or (
        isinstance(error, httpx.RemoteProtocolError) and not _CUT.search(str(error))
    ):
        told = f"What {name} answers is not HTTP, or was damaged on its way"
    elif isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError | OSError):
        told = f"The connection to {name} broke off before the whole answer came"
    else:
        told = f"The request to {name} failed"
    return f"{told}. It is tried again by itself."


def _date(headers: Mapping[str, str]) -> datetime | None:
    """The Date of an answer; one without a zone says nothing."""
    try:
        date = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return date if date.tzinfo is not None else None


def _asked_who_we_are(error: BaseException | None) -> bool:
    """Whether the server ended the handshake because we showed no certificate; the reason is below the exception."""
    while error is not None:
        if isinstance(error, ssl.SSLError) and "CERTIFICATE_REQUIRED" in str(error).upper().replace(" ", "_"):
            return True
        error = error.__cause__ or error.__context__
    return False


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _REPLY_LIMIT:
            raise Ambiguous("The answer is larger than any answer of our contract.")
    return bytes(content)
