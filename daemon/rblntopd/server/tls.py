"""TCP: for clients that prove by a certificate who they are. Its names say what they may do."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import grpc

from rblntopd.audit.caller import Caller, certified
from rblntopd.config.config import Tcp
from rblntopd.server.roles import Context, Pass, Role
from rblntopd.server.socket_place import SocketPlaceError

_NAMES = ("x509_subject_alternative_name", "x509_common_name")
"""Names of a client's certificate as gRPC has them (grpc_security_constants.h)."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the files hold: PEM."""

    certificate: bytes
    key: bytes
    client_ca: bytes


def read_certificates(tcp: Tcp) -> Certificates:
    """The files' content, checked: gRPC would say nothing, and refuse every client.

    Raises:
        SocketPlaceError: a file cannot be read, is no certificate or key, or the key is another's.
    """
    files = {}
    for name, path in (("certificate", tcp.certificate), ("key", tcp.key), ("client_ca", tcp.client_ca)):
        try:
            files[name] = path.read_bytes()
        except OSError as error:
            raise SocketPlaceError(f"tcp.{name} {path}: {error.strerror or error}") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _check(
        f"tcp.certificate {tcp.certificate} with tcp.key {tcp.key}",
        # A key with a password would be asked for at a terminal.
        lambda: context.load_cert_chain(tcp.certificate, tcp.key, password=lambda: b""),
    )
    _check(f"tcp.client_ca {tcp.client_ca}", lambda: context.load_verify_locations(tcp.client_ca))
    return Certificates(**files)


class TlsListener:
    """The TCP port of the API. Certificates and roles can be changed while it serves."""

    def __init__(self, tcp: Tcp) -> None:
        """Read the certificates.

        Raises:
            SocketPlaceError: they cannot be used.
        """
        self._certificates = self._sent = read_certificates(tcp)
        self._listen = tcp.listen
        self._roles: Mapping[str, str] = tcp.roles

    def bind(self, server: grpc.aio.Server) -> None:
        """Have ``server`` listen.

        Raises:
            SocketPlaceError: it cannot.
        """
        credentials = grpc.dynamic_ssl_server_credentials(
            _configuration(self._certificates), self._changed, require_client_authentication=True
        )
        try:
            server.add_secure_port(self._listen, credentials)
        except RuntimeError as error:
            raise SocketPlaceError(f"cannot listen on {self._listen}: {error}") from error

    def take(self, tcp: Tcp) -> None:
        """Use other certificates for connections that come from now on, and other roles for every call.

        Raises:
            SocketPlaceError: the certificates cannot be used; the old ones, and the old roles, stay.
        """
        self._certificates = read_certificates(tcp)
        self._roles = tcp.roles

    def shown(self, context: Context) -> Pass:
        """The role of a call, by the names in its certificate; the stronger one where they have several."""
        names = _names(context)
        roles = {self._roles[name] for name in names if name in self._roles}
        role = next((role for role in (Role.OPERATOR, Role.VIEWER) if role.value in roles), None)
        return Pass(role, f"certificate {', '.join(names) or 'without a name'}")

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Asked by gRPC at each handshake, in a thread of its own."""
        certificates = self._certificates
        if certificates is self._sent:
            return None
        self._sent = certificates
        return _configuration(certificates)


def caller(context: Context) -> Caller | None:
    """Who a call over TCP is from; None: it did not come that way."""
    names = _names(context)
    return certified(names[-1]) if names else None


def _names(context: Context) -> list[str]:
    """The names in a client's certificate, its common name last."""
    found = context.auth_context()
    return [name.decode(errors="replace") for key in _NAMES for name in found.get(key, ())]


def _configuration(certificates: Certificates) -> grpc.ServerCertificateConfiguration:
    chain = [(certificates.key, certificates.certificate)]
    return grpc.ssl_server_certificate_configuration(chain, root_certificates=certificates.client_ca)


def _check(what: str, load: Callable[[], None]) -> None:
    try:
        load()
    except ssl.SSLError as error:
        raise SocketPlaceError(f"{what}: {error.reason or error}") from error
