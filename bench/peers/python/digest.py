"""Names made of what they name: the first 128 bits of a SHA-256 digest, as 32 hexadecimal digits."""

import hashlib


def digest(kind: str, *parts: str) -> str:
    """The parts are preceded by their length, so that ("a", "bc") and ("ab", "c") differ."""
    encoded = [part.encode() for part in parts]
    preceded = b"".join([len(part).to_bytes(8, "big") + part for part in encoded])
    return hashlib.sha256(kind.encode() + preceded).hexdigest()[:32]
