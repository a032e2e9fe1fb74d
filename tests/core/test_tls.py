"""TLS: encrypted sessions, 1.2 and newer alone, and a new certificate on SIGHUP."""

from __future__ import annotations

import os
import signal
import ssl
import warnings
from pathlib import Path

import anyio
import pytest
import structlog
import trustme
from anyio.streams.tls import TLSStream

from mt_remote.errors import ConfigurationError
from mt_remote.shell.server import Running, tls_context
from tests.core.conftest import Peer, Start, until

pytestmark = pytest.mark.anyio


class Files:
    """A certificate and its key in files that can be replaced."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "cert.pem", folder / "key.pem"
        self.authority = trustme.CA()
        self.renew()

    def renew(self) -> None:
        issued = self.authority.issue_cert("localhost")
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        self.key.write_bytes(issued.private_key_pem.bytes())

    def client(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def connected(gateway: Running, context: ssl.SSLContext) -> TLSStream:
    stream = await anyio.connect_tcp(gateway.host, gateway.port)
    try:
        return await TLSStream.wrap(stream, hostname="localhost", ssl_context=context, standard_compatible=False)
    except BaseException:
        await stream.aclose()
        raise


def serial(stream: TLSStream) -> object:
    from anyio.streams.tls import TLSAttribute

    certificate = stream.extra(TLSAttribute.peer_certificate)
    assert certificate is not None
    return certificate["serialNumber"]


async def test_a_session_over_tls_and_a_renewed_certificate(start: Start, files: Files) -> None:
    with anyio.fail_after(20):
        async with start(tls_cert=files.certificate, tls_key=files.key) as gateway:
            assert gateway.url.startswith("wss://")
            async with await connected(gateway, files.client()) as stream:
                client = Peer(stream)  # type: ignore[arg-type]
                await client.handshake()
                await client.connect()
                (session,) = gateway.gateway.sessions
                assert session.transport.secure
                first = serial(stream)
                with structlog.testing.capture_logs() as logs:
                    files.key.write_text("rubbish")
                    os.kill(os.getpid(), signal.SIGHUP)
                    await until(lambda: any("not reloaded" in entry["event"] for entry in logs))
                    async with await connected(gateway, files.client()) as other:
                        assert serial(other) == first, "the old pair stays"
                    files.renew()
                    os.kill(os.getpid(), signal.SIGHUP)
                    await until(lambda: any(entry["event"] == "TLS certificate reloaded" for entry in logs))
                async with await connected(gateway, files.client()) as other:
                    assert serial(other) != first
                assert (await client.ask("config.group.get", group="demo"))["status"] == "OK", "open sessions stay"


async def test_a_client_that_speaks_no_tls_or_an_old_one_is_refused(start: Start, files: Files) -> None:
    with anyio.fail_after(20):
        async with start(tls_cert=files.certificate, tls_key=files.key) as gateway:
            old = files.client()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
            old.set_ciphers("ALL:@SECLEVEL=0")
            with pytest.raises((ssl.SSLError, anyio.BrokenResourceError, anyio.EndOfStream)):
                await connected(gateway, old)
            async with await anyio.connect_tcp(gateway.host, gateway.port) as plain:
                await plain.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                answer = b""
                try:
                    while True:
                        answer += await plain.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    pass
                assert b"HTTP" not in answer
            assert not gateway.gateway.sessions
            newer = files.client()
            newer.minimum_version = newer.maximum_version = ssl.TLSVersion.TLSv1_2
            async with await connected(gateway, newer):
                pass


def test_wrong_files_are_named(files: Files, tmp_path: Path) -> None:
    assert tls_context(None, None) is None
    with pytest.raises(ConfigurationError, match="both --tls-cert and --tls-key"):
        tls_context(files.certificate, None)
    with pytest.raises(ConfigurationError, match=r"TLS file '.*nothing.pem' does not exist"):
        tls_context(files.certificate, tmp_path / "nothing.pem")
    files.key.write_text("rubbish")
    with pytest.raises(ConfigurationError, match=r"TLS certificate '.*cert.pem' with key '.*key.pem'"):
        tls_context(files.certificate, files.key)
