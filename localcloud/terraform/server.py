"""The provider as Terraform starts it: a process that says on its first line where it listens, and then serves.

It is HashiCorp's go-plugin: https://github.com/hashicorp/go-plugin/blob/main/docs/guide-plugin-write-non-go.md
"""

import base64
import datetime as dt
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from localcloud.terraform.kinds import ADDRESS
from localcloud.terraform.messages import CLASSES, METHODS, SERVICE
from localcloud.terraform.provider import Provider

# what Terraform sets, so that nobody takes the program for a command
COOKIE = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
RESIDENT = "--resident"
_WATCH_S = 1.0


def main() -> None:
    """Serve until Terraform says that it is done, or is gone; with `--resident` until the parent ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; Terraform finishes first, and then says so
    resident = sys.argv[1:] == [RESIDENT]
    if not resident and os.environ.get(COOKIE[0]) != COOKIE[1]:
        sys.exit("This is a provider for Terraform; run it through `python -m localcloud terraform -- plan`.")
    parent, done = os.getppid(), threading.Event()
    server = grpc.server(futures.ThreadPoolExecutor(10))
    server.add_generic_rpc_handlers(_handlers(Provider(os.environ), done))
    with tempfile.TemporaryDirectory(prefix="localcloud-") as folder:  # nobody else can read it
        socket = f"{folder}/provider"
        if resident:
            signal.signal(signal.SIGTERM, lambda _number, _frame: done.set())
            server.add_insecure_port(f"unix:{socket}")
            first_line = json.dumps({ADDRESS: _reattach(socket)})
        else:
            key, pem, der = _certificate()
            server.add_secure_port(f"unix:{socket}", grpc.ssl_server_credentials([(key, pem)]))
            first_line = f"1|6|unix|{socket}|grpc|{base64.b64encode(der).decode().rstrip('=')}"
        server.start()
        print(first_line, flush=True)  # noqa: T201
        while not done.wait(_WATCH_S) and os.getppid() == parent:
            pass
        server.stop(0.2).wait()


def _reattach(socket: str) -> dict[str, Any]:
    """Return what TF_REATTACH_PROVIDERS says of a provider that somebody else starts and ends."""
    address = {"Network": "unix", "String": socket}
    return {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}


def _handlers(provider: Provider, done: threading.Event) -> tuple[Any, ...]:
    def shutdown(_request: bytes, _context: Any) -> bytes:
        done.set()
        return b""

    calls = {
        name: grpc.unary_unary_rpc_method_handler(
            _answering(getattr(provider, name)), CLASSES[asked].FromString, CLASSES[answered].SerializeToString
        )
        for name, (asked, answered) in METHODS.items()
    }
    silent = grpc.unary_stream_rpc_method_handler(lambda _request, _context: iter(()))
    return (
        grpc.method_handlers_generic_handler(SERVICE, calls),
        grpc.method_handlers_generic_handler(
            "plugin.GRPCController", {"Shutdown": grpc.unary_unary_rpc_method_handler(shutdown)}
        ),
        grpc.method_handlers_generic_handler("plugin.GRPCStdio", {"StreamStdio": silent}),
    )


def _answering(method: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda request, _context: method(request)


def _certificate() -> tuple[bytes, bytes, bytes]:
    """Make a key and a certificate for one day, which Terraform takes from the first line: no other peer is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    encoding = serialization.Encoding
    return private, certificate.public_bytes(encoding.PEM), certificate.public_bytes(encoding.DER)


if __name__ == "__main__":
    main()
