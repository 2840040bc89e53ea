"""One HTTP request to an ERP, and what its failures mean: the one place that speaks httpx."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from sync.ports import Ambiguous, Unreachable

_CONNECT = 5.0  # seconds: nobody answers sooner or not at all
_KEEP = 2.0  # seconds: drop an idle connection before the server does, so that no request meets its end
_REPLY_LIMIT = 32 * 2**20  # bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whole. `kind` is its content type, `ok` says that the status is 2xx."""

    status: int
    ok: bool
    kind: str
    content: bytes


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
        """One request. Raises Unreachable (it was not sent) and Ambiguous (nobody knows what came of it)."""
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
        return Reply(response.status_code, response.is_success, kind, content)

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
    except httpx.HTTPError as error:
        raise Ambiguous(f"{name} broke off: {(str(error) or type(error).__name__).rstrip('.')}.") from error


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _REPLY_LIMIT:
            raise Ambiguous("The answer is larger than any answer of our contract.")
    return bytes(content)
