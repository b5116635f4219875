"""What every response says to the browser, and the policies that differ from it.

Content security policy B: styles by nonce, scripts from here only, nothing from elsewhere.
"""

from flask import Response

NONCE_PLACEHOLDER = "__CSP_NONCE__"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
FILE_POLICY = "default-src 'none'; sandbox"
# A kernel's HTML: drawn, never run, and never the app's origin.
FRAME_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
# The same, once the person asked to run it: its own scripts run, at no origin and with no network.
# Chromium 156 honours no directive against WebRTC: the page says so before the click.
RUN_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

_DEFAULTS = {
    "Content-Security-Policy": API_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    # A link that is only looked at does not tell its host to a name server.
    "X-DNS-Prefetch-Control": "off",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()",
}


def page_policy(nonce: str | None = None) -> str:
    """The policy of the page and its assets; ``nonce`` lets style elements in."""
    style = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    return (
        f"default-src 'none'; script-src 'self'; style-src {style}; "
        "style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self'; frame-src 'self'; worker-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    )


def add_headers(response: Response) -> Response:
    """Set what the view has not set itself."""
    for name, value in _DEFAULTS.items():
        response.headers.setdefault(name, value)
    if response.headers["Content-Security-Policy"] in (FRAME_POLICY, RUN_POLICY):
        del response.headers["X-Frame-Options"]
    return response
