"""SIGTERM is heard within the context, and does what it did before outside."""

import os
import signal
import threading

from inclusive_tf.training import termination


def test_it_is_heard_and_does_not_end_the_process():
    before = signal.getsignal(signal.SIGTERM)
    with termination.requested() as came:
        assert not came()
        os.kill(os.getpid(), signal.SIGTERM)
        assert came()
    assert signal.getsignal(signal.SIGTERM) == before


def test_another_thread_hears_nothing_and_changes_nothing():
    found = []

    def within():
        with termination.requested() as came:
            found.extend([came(), signal.getsignal(signal.SIGTERM)])

    thread = threading.Thread(target=within)
    thread.start()
    thread.join()
    assert found == [False, signal.getsignal(signal.SIGTERM)]
