"""What a server says no with, in words that say what to do; knows no library."""

from __future__ import annotations

from collections.abc import Iterable

from device_drivers.contract import BadReply, DeviceError, Misconfigured

CHECK = "Check its power, its network cable and the address in the site file."

_USER = "does not take this user and password: check `username` and `password_file`"
_SECURITY = "wants other security: leave `insecure` out of the site file, or switch Basic256Sha256 on in it"
_OURS = (
    "does not trust the certificate of this agent: have it trust own/certificate.der in the folder "
    "`certificates` of this device, with the tool or the web page of the server"
)

_REFUSALS = {
    "BadUserAccessDenied": _USER,
    "BadIdentityTokenRejected": _USER,
    "BadIdentityTokenInvalid": _USER,
    "BadSecurityPolicyRejected": _SECURITY,
    "BadSecurityModeRejected": _SECURITY,
    "BadSecurityModeInsufficient": _SECURITY,
    "BadSecurityChecksFailed": _OURS,
    "BadCertificateUntrusted": _OURS,
    "BadCertificateInvalid": _OURS,
    "BadCertificateTimeInvalid": "says that the certificate of this agent is not valid now: compare the clocks",
    "BadCertificateUriInvalid": _OURS,
    "BadCertificateUseNotAllowed": _OURS,
    "BadTcpEndpointUrlInvalid": "does not know this endpoint",
    "BadNodeIdUnknown": "does not know a node of the site file",
}


def refusal(where: str, name: str) -> DeviceError:
    """The error for a status code by its name."""
    if name in _REFUSALS:
        return Misconfigured(f"{where} {_REFUSALS[name]} ({name}).")
    return BadReply(f"{where} answers {name}.")


def no_such_security(where: str, offered: Iterable[str]) -> str:
    """A server has no endpoint that is safe to use."""
    return (
        f"{where} offers no signing and encryption with Basic256Sha256, but {', '.join(offered) or 'nothing'}: "
        "switch it on in the server, or say `insecure = true` where the network is a cable of its own."
    )


def untrusted(where: str, subject: str, thumb: str) -> str:
    """A server showed a certificate that nobody has trusted yet."""
    return (
        f"{where} shows a certificate that is not trusted: {subject or 'without a name'}, thumbprint {thumb}. "
        "Compare the thumbprint with the one that the server itself shows; if it is the same: "
        "floorhand devices trust, with the name of this device."
    )
