"""The certificate that belongs to a login, read from its public PEM text."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from billing.domain.doctor.netsuite import CertificateFound
from billing.domain.errors import PersonNeeded


def certificate_in(secret: Mapping[str, object]) -> CertificateFound | None:
    """From the secret's "certificate", None if it has none. PersonNeeded if one of the two is not PEM."""
    text = secret.get("certificate")
    if not text:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(str(text).encode())
    except ValueError:
        raise PersonNeeded(
            'The NetSuite secret\'s "certificate" is no PEM text: write netsuite-certificate.pem into it.'
        ) from None
    try:
        key = serialization.load_pem_private_key(str(secret.get("private_key", "")).encode(), None)
    except (ValueError, TypeError):
        raise PersonNeeded('The NetSuite secret\'s "private_key" is no PEM text of a key without a password.') from None
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return CertificateFound(
        certificate.not_valid_before_utc.date(),
        certificate.not_valid_after_utc.date(),
        certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form),
    )
