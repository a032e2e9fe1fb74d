"""``mt-remote cert``: a self-signed certificate and its key for development, made with the library ``cryptography``."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mt_remote.errors import ConfigurationError
from mt_remote_tools.command_line import CommandLine

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

HELP = "Make a self-signed certificate and its key, for development."

_BACKDATED = timedelta(hours=1)  # for clients whose clock is behind


def command(line: CommandLine) -> Callable[..., None]:
    """The command."""
    return cert


def cert(
    hosts: Annotated[
        list[str] | None, typer.Option("--host", metavar="NAME", help="name or address that it is for; repeatable")
    ] = None,
    folder: Annotated[str, typer.Option("--out", metavar="FOLDER", help="where cert.pem and key.pem go")] = ".",
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="how long it is valid")] = 365,
    force: Annotated[bool, typer.Option("--force", help="overwrite files that are there")] = False,
) -> None:
    """Writes both and says how to serve with them."""
    certificate, key = make(Path(folder), hosts or ["localhost", "127.0.0.1", "::1"], days, force=force)
    print(f"mt-remote serve --tls-cert {certificate} --tls-key {key}")


def make(folder: Path, hosts: list[str], days: int, *, force: bool = False) -> tuple[Path, Path]:
    """Writes ``cert.pem`` and ``key.pem`` (readable by its owner alone); gives their paths.

    Raises :class:`~mt_remote.errors.ConfigurationError`: without the library, or for files that are there.
    """
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError:
        raise ConfigurationError("this needs the library 'cryptography': pip install 'mt-remote[cert]'") from None
    certificate, key = folder / "cert.pem", folder / "key.pem"
    for path in (certificate, key):
        if path.exists() and not force:
            raise ConfigurationError(f"{path} exists; --force overwrites it")
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signed = _signed(private, hosts, days)
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_secret(key, secret)
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    except OSError as error:
        raise ConfigurationError(f"can't write into {str(folder)!r}: {error.strerror or error}") from error
    return certificate, key


def _write_secret(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _signed(private: RSAPrivateKey, hosts: list[str], days: int) -> x509.Certificate:
    """Its own authority, so that a client can trust exactly this certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    now = datetime.now(UTC)
    public = private.public_key()
    usage = x509.KeyUsage(
        digital_signature=True, key_encipherment=True, key_cert_sign=True, content_commitment=False,
        data_encipherment=False, key_agreement=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(private, hashes.SHA256())
    )


def _alternative(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise ConfigurationError(f"--host {host!r} is neither a name nor an address: {error}") from error
