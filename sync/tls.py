"""The TLS of a connection to an ERP: at least 1.2, certificates always checked, a certificate of our own on demand.

Nothing comes from the environment: no proxy, and no file that the keys of a session would be written to.
"""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path


def trust(ca_file: Path | None, client_cert: Path | None = None, client_key: Path | None = None) -> ssl.SSLContext:
    """The certificate authorities of this PC, or only those of `ca_file`; and who we are, where a server asks.

    Raises ValueError with a sentence when a file can not be used, or others may read the key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificates and names
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(ca_file)
    except OSError as error:
        raise ValueError(f"ca_file {ca_file} holds no certificates that can be read: {error}.") from error
    if (client_cert is None) is not (client_key is None):
        raise ValueError("client_cert and client_key go together: give both, or none.")
    if client_cert is not None and client_key is not None:
        _check_key(client_key)
        try:
            context.load_cert_chain(client_cert, client_key, password=_no_password)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"client_cert {client_cert} and client_key {client_key} can not be used together: {error}. "
                "Give the certificate and its own key, both as PEM, the key without a password."
            ) from error
    return context


def _check_key(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ValueError(f"client_key {path} can not be read: {error.strerror}.") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError(f"Others on this PC may read client_key {path}: run chmod 600 on it.")


def _no_password() -> str:
    """An agent that starts by itself has nobody to ask."""
    raise ValueError("the key has a password")
