"""The folder of certificates: whom we are, whom we trust, and who was refused. Knows no library.

`own/` has our certificate and its key, `trusted/` the certificates of servers (DER or PEM, any file
name), `rejected/` the newest one that each endpoint showed in vain. A server is trusted when exactly
its certificate is in `trusted/`: what is pinned needs no authority, and nobody can speak for it.
"""

from __future__ import annotations

import hashlib
import os
import re
import ssl
from contextlib import suppress
from pathlib import Path

_SUFFIXES = (".der", ".crt", ".cer", ".pem")


class TrustFolder:
    """One folder, shared by all OPC UA devices of a site. Every method may raise OSError."""

    def __init__(self, folder: Path) -> None:
        self.own = folder / "own"
        self.trusted = folder / "trusted"
        self.rejected = folder / "rejected"

    def prepare(self) -> None:
        """Make the folders that are not there."""
        for folder in (self.own, self.trusted, self.rejected):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def trusts(self, certificate: bytes) -> bool:
        """Whether this certificate, in DER, is in `trusted/`."""
        return any(_der(path) == certificate for path in _files(self.trusted))

    def reject(self, endpoint: str, certificate: bytes) -> Path:
        """Keep the certificate that an endpoint showed; an earlier one of the same endpoint goes."""
        path = self.rejected / f"{_slug(endpoint)}.{thumbprint(certificate)}.der"
        if not path.exists():
            written = path.with_suffix(".new")
            written.write_bytes(certificate)
            written.replace(path)
        for other in self._of(endpoint):
            if other != path:
                other.unlink(missing_ok=True)
        return path

    def trust(self, endpoint: str) -> bytes | None:
        """Move what the endpoint showed last to `trusted/`, and return it; None when nothing was refused."""
        waiting = self._of(endpoint)
        if not waiting:
            return None
        newest = max(waiting, key=lambda path: path.stat().st_mtime_ns)
        certificate = newest.read_bytes()
        newest.replace(self.trusted / newest.name)
        return certificate

    def _of(self, endpoint: str) -> list[Path]:
        start = f"{_slug(endpoint)}."
        return [
            path for path in _files(self.rejected) if re.sub(r"[0-9A-F]{40}\.der$", "", path.name) == start
        ]


def thumbprint(certificate: bytes) -> str:
    """The SHA-1 of a certificate in DER, as OPC UA tools show it (part 6, 6.2.1): 40 hex digits."""
    return hashlib.sha1(certificate, usedforsecurity=False).hexdigest().upper()


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on; it is whole or not there."""
    written = path.with_suffix(".new")
    written.unlink(missing_ok=True)
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())


def _der(path: Path) -> bytes:
    """The certificate of a file; what is neither PEM nor DER equals no certificate."""
    content = path.read_bytes()
    with suppress(ValueError):
        return ssl.PEM_cert_to_DER_cert(content.decode("ascii").strip())
    return content


def _slug(endpoint: str) -> str:
    """An endpoint as part of a file name.

    >>> _slug("opc.tcp://192.0.2.20:4840/press 3")
    '192.0.2.20_4840_press_3'
    """
    return re.sub(r"[^A-Za-z0-9.-]+", "_", endpoint.removeprefix("opc.tcp://"))[:100]


def first(chain: bytes) -> bytes:
    """The first of the certificates that stand one behind the other: DER says how long it is."""
    if chain[:1] != b"\x30" or len(chain) < 4 or chain[1] != 0x82:  # shorter or longer ones are none
        return chain
    return chain[: 4 + int.from_bytes(chain[2:4], "big")]
