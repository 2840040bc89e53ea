"""Our own certificate, and what a certificate says: the only file that knows the library `cryptography`.

Imported when a device runs with signing and encryption; it costs 10 MiB.
"""

from __future__ import annotations

import socket
import stat
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from device_drivers.opcua.trust import TrustFolder, write_private

VALID = timedelta(days=3 * 365)  # a new one has to be brought to every server by hand
WARNED = timedelta(days=30)

_KEY_BITS = 2048  # the least that Basic256Sha256 allows, and what every server takes
_ANEW = "Bring the right one back, or delete it and the certificate: new ones are made."
_making = threading.Lock()  # two devices may want the first certificate at the same time


class CertificateError(Exception):
    """A certificate or its key can not be used. `str(error)` says what to do."""


@dataclass(frozen=True)
class Certificate:
    """What a certificate says. `subject` is its common name, `uri` its application, both for people."""

    subject: str
    uri: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True)
class Own:
    """Our certificate with its key, as files and read, and the application URI that goes with every session."""

    certificate: Path
    key: Path
    says: Certificate
    shown: x509.Certificate = field(repr=False)
    secret: rsa.RSAPrivateKey = field(repr=False)


def read(der: bytes) -> Certificate:
    """What a certificate in DER says. Raises CertificateError when it is none."""
    try:
        found = x509.load_der_x509_certificate(der)
        names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        uris = [uri for uri in _alternatives(found) if uri]
    except ValueError as error:
        raise CertificateError(f"It is no certificate: {error}.") from error
    subject = str(names[0].value) if names else ""
    return Certificate(
        subject, uris[0] if uris else "", found.not_valid_before_utc, found.not_valid_after_utc
    )


def own(folder: TrustFolder, now: datetime) -> Own:
    """Our certificate; it is made when it is not there yet. Blocks for up to a second then, and for a tenth else.

    Raises CertificateError and OSError.
    """
    certificate, key = folder.own / "certificate.der", folder.own / "key.pem"
    with _making:
        folder.prepare()
        if not certificate.exists():
            _make(certificate, key, now)
    if not key.exists():
        raise CertificateError(f"{certificate} has no key {key}: bring it back, or delete the certificate.")
    if stat.S_IMODE(key.stat().st_mode) & 0o077:
        raise CertificateError(f"The key {key} can be read by others: chmod 600 {key}")
    der = certificate.read_bytes()
    return Own(certificate, key, read(der), x509.load_der_x509_certificate(der), _secret(key))


def _secret(key: Path) -> rsa.RSAPrivateKey:
    try:
        found = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"{key} holds no key that can be used. {_ANEW}") from error
    if not isinstance(found, rsa.RSAPrivateKey):
        raise CertificateError(f"{key} is no RSA key, which Basic256Sha256 needs. {_ANEW}")
    return found


def expiry_warning(whose: str, not_after: datetime, now: datetime, what_to_do: str) -> str:
    """A sentence from WARNED before the end of a certificate; empty before that."""
    if now < not_after - WARNED:
        return ""
    day = f"{not_after:%Y-%m-%d}"
    if now >= not_after:
        return f"{whose} expired on {day}. {what_to_do}"
    days = (not_after - now).days
    left = "today" if days == 0 else "in 1 day" if days == 1 else f"in {days} days"
    return f"{whose} expires on {day}, {left}. {what_to_do}"


def _make(certificate: Path, key: Path, now: datetime) -> None:
    """Write a self-signed application certificate (part 6, 6.2.2); the key first: it may lie alone."""
    host = socket.gethostname() or "localhost"
    secret = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Floorhand on {host}"[:64])])
    names = [x509.UniformResourceIdentifier(f"urn:{host}:floorhand"), x509.DNSName(host)]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # the server's clock may be behind
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(secret.public_key()), critical=False)
        .sign(secret, hashes.SHA256())
    )
    private = secret.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(key, private)
    write_private(certificate, made.public_bytes(serialization.Encoding.DER))


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=True, data_encipherment=True,
        key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _alternatives(certificate: x509.Certificate) -> list[str]:
    """The application URIs among the names of a certificate."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)
