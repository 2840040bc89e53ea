"""Hashes of PINs (argon2id, RFC 9106): the one place that speaks argon2-cffi, loaded with the first PIN.

A hash takes 19 MiB and some 50 ms: call it in a thread.
"""

from __future__ import annotations

import functools

_MEMORY_KIB, _PASSES, _LANES = 19 * 1024, 2, 1  # OWASP Password Storage Cheat Sheet, argon2id
_M_MMAP_THRESHOLD = -3  # malloc.h: larger pieces are mapped for themselves
_LONGEST = 64  # characters that are looked at; a PIN has at most 12


def hash_of(pin: str) -> str:
    """A new hash, with its salt and its costs in it."""
    from argon2 import PasswordHasher

    _borrow()
    return PasswordHasher(_PASSES, _MEMORY_KIB, _LANES).hash(pin)


def fits(pin: str, hash: str) -> bool:
    """Whether a PIN is the one of a hash; a hash that can not be read fits nothing."""
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    if len(pin) > _LONGEST:
        return False
    _borrow()
    try:
        return PasswordHasher(_PASSES, _MEMORY_KIB, _LANES).verify(hash, pin)
    except (Argon2Error, InvalidHashError):
        return False


@functools.cache
def _borrow() -> None:
    """Have the memory of a hash come from the PC and go back to it: glibc would keep it for the next one, perhaps
    of tomorrow."""
    import ctypes

    option = getattr(ctypes.CDLL(None), "mallopt", None)  # mallopt(3); others than glibc need it not
    if option is not None:
        option(_M_MMAP_THRESHOLD, 4 * 2**20)
