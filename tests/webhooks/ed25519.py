"""Ed25519 in pure Python, from the formulas of RFC 8032, section 5.1: slow, for tests.

It shares nothing with what is tested.
"""

from __future__ import annotations

import hashlib


P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960

Point = tuple[int, int, int, int]
"""X, Y, Z and T of the RFC: x is X / Z, y is Y / Z, x * y is T / Z."""

NEUTRAL: Point = (0, 1, 1, 0)
BASE: Point = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def _add(one: Point, two: Point) -> Point:
    (x1, y1, z1, t1), (x2, y2, z2, t2) = one, two
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    total = NEUTRAL
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point, scalar = _add(point, point), scalar >> 1
    return total


def _encoded(point: Point) -> bytes:
    x, y, z, _ = point
    x, y = (each * pow(z, -1, P) % P for each in (x, y))
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _number(content: bytes) -> int:
    return int.from_bytes(content, "little")


def _expanded(secret: bytes) -> tuple[int, bytes]:
    digest = hashlib.sha512(secret).digest()
    scalar = _number(digest[:32]) & ~(1 << 255) & ~7 | 1 << 254
    return scalar, digest[32:]


def public_key(secret: bytes) -> bytes:
    """Return the public key of a secret one."""
    return _encoded(_times(_expanded(secret)[0], BASE))


def sign(secret: bytes, message: bytes) -> bytes:
    """Return the signature of *message*."""
    scalar, prefix = _expanded(secret)
    public = public_key(secret)
    r = _number(hashlib.sha512(prefix + message).digest()) % L
    commitment = _encoded(_times(r, BASE))
    challenge = _number(hashlib.sha512(commitment + public + message).digest()) % L
    return commitment + ((r + challenge * scalar) % L).to_bytes(32, "little")
