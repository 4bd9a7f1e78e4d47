"""Serves the review page on this machine, until it is interrupted.

Werkzeug's own server, with threads: it is meant for one person on loopback, which is
what this page is for, and not for a network.
"""

import contextlib
import gc
import logging
import signal
import socket

from data_pipelines import errors

HOST = "127.0.0.1"


def listen(port):
    """Returns a socket that listens on this machine alone.

    Args:
        port: 0 takes any that is free.

    Raises:
        errors.SettingError: the port cannot be had.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # a server that was killed a moment ago may be followed by another
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
        found.listen(128)
    except OSError as error:
        found.close()
        raise errors.SettingError(
            f"The port cannot be used ({error.strerror}). Expected: a free one, or 0 "
            f"for any. Received: --port={port}."
        ) from error
    return found


def link(listening, guarding):
    """Returns the address that opens the page.

    Args:
        listening: the socket.
        guarding: `guard.Guard`.
    """
    port = listening.getsockname()[1]
    return f"http://{HOST}:{port}/?token={guarding.link_token}"


def serve(app, listening):
    """Answers requests until the process is interrupted or asked to end.

    Args:
        app: `flask.Flask`.
        listening: the socket; closed at the end.
    """
    from werkzeug import serving

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = serving.make_server(
        HOST, listening.getsockname()[1], app, threaded=True, fd=listening.fileno()
    )
    server.daemon_threads = True
    # what was loaded stays, and walking it again and again would pause the answers
    gc.freeze()
    with contextlib.closing(listening), _interruptible():
        try:
            server.serve_forever()
        finally:
            server.server_close()


@contextlib.contextmanager
def _interruptible():
    """SIGTERM ends the server as Ctrl-C does, with the log closed in order."""

    def interrupt(*_):
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, interrupt)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, former)
