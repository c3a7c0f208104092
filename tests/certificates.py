"""Certificates of a certificate authority made for the tests; nothing else trusts it."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app import clock

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Authority:
    """`path` is what SSL_CERT_FILE names to trust it; `server` speaks as localhost."""

    path: Path
    server: ssl.SSLContext


def make_authority(folder: Path) -> Authority:
    own_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    own = _certificate("The tests' authority", own_key, "The tests' authority", own_key)
    certificate = _certificate("localhost", key, "The tests' authority", own_key)
    authority, server = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(own.public_bytes(serialization.Encoding.PEM))
    server.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    return Authority(authority, context)


def _certificate(name: str, key: Key, issuer: str, issuer_key: Key) -> x509.Certificate:
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    is_authority = key is issuer_key
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA256())
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
