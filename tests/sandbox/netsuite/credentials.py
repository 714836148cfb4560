"""Credentials as the product's secret holds them, and what NetSuite keeps of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

Kind = Literal["oauth2", "tba"]
LONGEST_DAYS = 730
DEFAULT_ACCOUNT = "1234567_SB1"


@dataclass(frozen=True)
class Certificate:
    """An uploaded certificate: its id (the JWT's kid), the integration it belongs to and its public key."""

    certificate_id: str
    client_id: str
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True)
class TokenPair:
    """A token-based login: the integration's and the user's key and secret."""

    consumer_key: str
    consumer_secret: str
    token_id: str
    token_secret: str


def new_credentials(
    kind: Kind = "oauth2", algorithm: str = "ES256", account: str = DEFAULT_ACCOUNT, begins: datetime | None = None
) -> dict[str, str]:
    """A fresh key pair. `algorithm` (oauth2 only): ES256/384/512 (fast), PS256/384/512 (RSA of 3072 bits).

    oauth2: account, client_id, certificate_id, private_key (PEM, PKCS 8), algorithm, certificate (PEM; from now,
    or from `begins`).
    tba: account, consumer_key, consumer_secret, token_id, token_secret.
    """
    if kind == "tba":
        names = ("consumer_key", "consumer_secret", "token_id", "token_secret")
        return {"account": account, **{name: secrets.token_hex(32) for name in names}}
    if kind != "oauth2":
        raise ValueError(f"kind must be 'oauth2' or 'tba', not {kind!r}")
    curves: dict[str, ec.EllipticCurve] = {
        "ES256": ec.SECP256R1(),
        "ES384": ec.SECP384R1(),
        "ES512": ec.SECP521R1(),
    }
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if algorithm in curves:
        key = ec.generate_private_key(curves[algorithm])
    elif algorithm in ("PS256", "PS384", "PS512"):
        key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    else:
        raise ValueError(f"algorithm must be one of ES256/384/512 or PS256/384/512, not {algorithm!r}")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "account": account,
        "client_id": secrets.token_hex(32),
        "certificate_id": secrets.token_urlsafe(32),
        "private_key": pem.decode(),
        "algorithm": algorithm,
        "certificate": certificate_for(key, begins or datetime.now(UTC)).decode(),
    }


def certificate_for(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, begins: datetime, days: int = LONGEST_DAYS
) -> bytes:
    """A self-signed certificate in PEM, as README's commands make one."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "month-end-billing")])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), begins, begins + timedelta(days=days)
    )
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def certificate_of(secret: Mapping[str, str]) -> Certificate:
    """What NetSuite keeps of an oauth2 secret: not the private key. ValueError for an unknown kind of key."""
    private = serialization.load_pem_private_key(secret["private_key"].encode(), None)
    public = private.public_key()
    if not isinstance(public, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        raise ValueError("the certificate must hold an RSA or an EC key")
    return Certificate(secret["certificate_id"], secret["client_id"], public)


def token_pair_of(secret: Mapping[str, str]) -> TokenPair:
    return TokenPair(secret["consumer_key"], secret["consumer_secret"], secret["token_id"], secret["token_secret"])
