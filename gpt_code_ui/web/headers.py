"""What every response says to the browser, and the policies that differ from it.

Content security policy B: styles by nonce, scripts from here only, nothing from elsewhere.
"""

from flask import Response

NONCE_PLACEHOLDER = "__CSP_NONCE__"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
FILE_POLICY = "default-src 'none'; sandbox"
# A kernel's HTML: drawn, never run, and never the app's origin.
FRAME_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)

_DEFAULTS = {
    "Content-Security-Policy": API_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def page_policy(nonce: str | None = None) -> str:
    """The policy of the page and its assets; ``nonce`` lets style elements in."""
    style = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    return (
        f"default-src 'none'; script-src 'self'; style-src {style}; "
        "style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self'; frame-src 'self' blob:; worker-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    )


def add_headers(response: Response) -> Response:
    """Set what the view has not set itself."""
    for name, value in _DEFAULTS.items():
        response.headers.setdefault(name, value)
    if response.headers["Content-Security-Policy"] == FRAME_POLICY:
        del response.headers["X-Frame-Options"]
    return response
