"""The door: who may come in, from where, and with what kind of body.

Everything is refused that is not allowed: a route added later is closed until it names itself in
``OPEN``. Hosts and origins are compared whole, never by prefix; secrets in constant time.
"""

import hmac
import secrets
import threading
from collections import deque
from collections.abc import Iterable

from flask import Response, g, request

from gpt_code_ui.errors import BodyTooLarge, Forbidden, Unauthenticated, WrongMediaType
from gpt_code_ui.web.body import BODY_LIMIT
from gpt_code_ui.web.sessions import LIFETIME_S, Sessions

SHELL = "page.shell"
OPEN = frozenset({SHELL, "page.asset", "api.health", "api.begin_session"})
RAW_BODY = frozenset({"files.put"})
# JSON all the same, of a size that its own view limits.
LARGE_BODY = frozenset({"notebooks.take"})
JSON_TYPES = ("application/json", "application/x-ipynb+json")
# What the secret in the data folder is good for: a second start asks for a code to show.
LOCAL = frozenset({"api.fresh_code"})
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
CODES_KEPT = 16


class Guard:
    """The door of one server, on one port."""

    def __init__(
        self, *, token: str, local_secret: str, sessions: Sessions, port: int,
        hosts: Iterable[str] = (), dev_origin: str | None = None,
    ) -> None:  # fmt: skip
        self._token = token
        self._local_secret = local_secret
        self._sessions = sessions
        self._dev_origin = dev_origin
        self._codes: deque[str] = deque(maxlen=CODES_KEPT)
        self._lock = threading.Lock()
        self.cookie = f"gptcode_{port}"
        self.hosts = frozenset(_with_port(LOOPBACK, port)) | frozenset(_given(hosts, port))
        self.origins = frozenset(f"http://{host}" for host in self.hosts) | frozenset(
            f"https://{host}" for host in _given(hosts, port)
        )

    # --- letting in ----------------------------------------------------------------------------

    def new_code(self) -> str:
        """A code for the address that is printed; good once."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._codes.append(code)
        return code

    def redeem(self, code: str, response: Response) -> None:
        """Turn a code into a session cookie on ``response``. Raises Unauthenticated."""
        with self._lock:
            match = next((known for known in self._codes if _same(known, code)), None)
            if match is None:
                raise Unauthenticated(
                    "This code was used before, or was never good.",
                    hint="Run gptcode again: it prints a fresh address.",
                )
            self._codes.remove(match)
        response.set_cookie(
            self.cookie, self._sessions.begin(),
            max_age=LIFETIME_S, httponly=True, samesite="Strict", path="/",
        )  # fmt: skip

    # --- the check before every request --------------------------------------------------------

    def check(self) -> None:
        """Raises Forbidden, Unauthenticated, BodyTooLarge or WrongMediaType."""
        self._check_host()
        self._check_origin()
        if self._is_preflight():
            return
        self._check_identity()
        self._check_body()

    def _check_host(self) -> None:
        host = request.headers.get("Host", "").lower()
        if host not in self.hosts:
            raise Forbidden(
                "This server does not answer to that Host header.",
                hint="Start gptcode with --allow-host to add a forwarded address.",
            )

    def _check_origin(self) -> None:
        origin = request.headers.get("Origin")
        if origin is not None and origin == self._dev_origin:
            return
        if origin is not None and origin not in self.origins:
            raise Forbidden("Requests from another origin are refused.")
        site = request.headers.get("Sec-Fetch-Site")
        mode = request.headers.get("Sec-Fetch-Mode")
        if site in (None, "none", "same-origin"):
            if mode == "no-cors" and site != "same-origin":
                raise Forbidden("Requests without CORS are refused.")
        elif not self._is_navigation_to_shell(mode):
            raise Forbidden("Requests from another site are refused.")

    def _is_navigation_to_shell(self, mode: str | None) -> bool:
        return (
            request.endpoint == SHELL
            and request.method == "GET"
            and mode == "navigate"
            and request.headers.get("Sec-Fetch-Dest", "document") == "document"
        )

    def _is_preflight(self) -> bool:
        return (
            request.method == "OPTIONS"
            and self._dev_origin is not None
            and request.headers.get("Origin") == self._dev_origin
        )

    def _check_identity(self) -> None:
        g.identity = identity = self._identity()
        if request.endpoint in OPEN or identity in ("token", "session"):
            return
        if identity == "local" and request.endpoint in LOCAL:
            return
        raise Unauthenticated(
            "Who is asking is not known.",
            hint="Open the address that gptcode prints, or send Authorization: Bearer <token>.",
        )

    def _identity(self) -> str | None:
        kind, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            if _same(self._token, credentials.strip()):
                return "token"
            return "local" if _same(self._local_secret, credentials.strip()) else None
        session = request.cookies.get(self.cookie)
        return "session" if session and self._sessions.knows(session) else None

    def _check_body(self) -> None:
        if request.endpoint in RAW_BODY:
            return
        length = request.content_length
        if request.endpoint not in LARGE_BODY:
            request.max_content_length = BODY_LIMIT
            if length is not None and length > BODY_LIMIT:
                raise BodyTooLarge(f"The body is over {BODY_LIMIT} bytes.")
        if request.method not in ("POST", "PATCH", "PUT"):
            return
        has_body = bool(length) or "Transfer-Encoding" in request.headers
        if (has_body or request.content_type) and request.mimetype not in JSON_TYPES:
            raise WrongMediaType(
                "The body has to be JSON.", hint="Send Content-Type: application/json."
            )


def _same(known: str, given: str) -> bool:
    return hmac.compare_digest(known.encode(), given.encode("utf-8", "replace"))


def _with_port(names: Iterable[str], port: int) -> Iterable[str]:
    for name in names:
        yield f"{name}:{port}"
        if port == 80:
            yield name


def _given(hosts: Iterable[str], port: int) -> Iterable[str]:
    """A host that was allowed by name, as it comes with a forwarded port or without."""
    for host in hosts:
        name = host.lower()
        yield name
        if not name.rpartition(":")[2].isdigit():
            yield f"{name}:{port}"
