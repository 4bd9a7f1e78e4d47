"""Who may talk to the review page, and what its answers may do in a browser.

The server listens on loopback, where any page in the same browser, any program of the
machine and, by DNS rebinding, any site could reach it. So a request must name this
machine as its host, carry the cookie that the printed link gave, and to write anything
come from the page itself and bring a token that only the page knows.
"""

import hmac
import secrets

import flask

HOSTS = ("127.0.0.1", "localhost")
MOST_BYTES = 2**16
TOKEN_HEADER = "X-Review-Token"
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """The secrets of one run of the server.

    Attributes:
        link_token: stands in the printed link; the cookie holds it.
        write_token: stands in the page and in the header of every write.
        run: no secret; tells pictures of this run from those in a browser's cache.
    """

    def __init__(self):
        self.link_token = secrets.token_urlsafe(24)
        self.write_token = secrets.token_urlsafe(24)
        self.run = secrets.token_hex(4)

    def protect(self, app):
        """Makes a `flask.Flask` ask each request, and mark each answer."""
        app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
        app.before_request(self._ask)
        app.after_request(_mark)

    def _ask(self):
        request = flask.request
        host = request.headers.get("Host", "")
        if host.rpartition(":")[0] not in HOSTS and host not in HOSTS:
            flask.abort(421, "This server answers to this machine's own name only.")
        given = request.args.get("token", "")
        if request.path == "/" and request.method == "GET" and given:
            if not _same(given, self.link_token):
                flask.abort(403, _NO_LINK)
            return self._admit(host)
        if not _same(request.cookies.get(_cookie(host), ""), self.link_token):
            flask.abort(403, _NO_LINK)
        if request.method not in ("GET", "HEAD"):
            self._ask_writer(host)
        return None

    def _admit(self, host):
        """Puts the token into a cookie, and takes it out of the address."""
        answer = flask.redirect("/", 303)
        answer.set_cookie(
            _cookie(host), self.link_token, httponly=True, samesite="Strict"
        )
        return answer

    def _ask_writer(self, host):
        request = flask.request
        if request.headers.get("Origin") != f"http://{host}":
            flask.abort(403, "Only the page itself may write.")
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            flask.abort(403, "Only the page itself may write.")
        if not _same(request.headers.get(TOKEN_HEADER, ""), self.write_token):
            flask.abort(403, "The server was started anew. Load the page again.")
        if request.mimetype != "application/json":
            flask.abort(415, "What is written must be JSON.")


_NO_LINK = (
    "This page opens by the link that tools.review printed when it was started last."
)


def _cookie(host):
    # a browser sends one machine's cookies to every port of it
    return f"review_{host.rpartition(':')[2]}"


def _same(given, secret):
    return hmac.compare_digest(given.encode(), secret.encode())


def _mark(answer):
    answer.headers.update(_HEADERS)
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer
