"""A request to end the process, heard between two steps instead of at once."""

import contextlib
import signal
import threading

EXIT_CODE = 128 + signal.SIGTERM
"""What a shell reports of a process that SIGTERM ended."""


@contextlib.contextmanager
def requested():
    """Hears SIGTERM while the context lasts.

    Signals reach the main thread of a process only; in another thread nothing is heard
    and SIGTERM does what it did before.

    Yields:
        () → bool, whether it came.
    """
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return
    before = signal.signal(signal.SIGTERM, lambda *_: came.set())
    try:
        yield came.is_set
    finally:
        signal.signal(signal.SIGTERM, before)
