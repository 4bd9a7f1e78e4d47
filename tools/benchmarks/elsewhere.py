"""A way that takes its turns in a process of its own.

What a library reads once, as it starts (`TF_ENABLE_ONEDNN_OPTS`, `KERAS_BACKEND`), can
so be compared in turn.
"""

import contextlib
import json
import os
import pkgutil
import subprocess
import sys

from tools import calling


def ask(process, line, problem):
    """Returns the seconds that a process answers a line with.

    Args:
        process: `subprocess.Popen` with unbuffered pipes.
        line: str.
        problem: what to raise where it has ended.

    Raises:
        RuntimeError: it has ended; it has said why on stderr.
    """
    # one that has ended does not read, which its silence tells
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(f"{line}\n".encode())
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(problem)
    return float(answer)


class Elsewhere:
    """A process that makes a way and calls it when told; a context manager.

    Args:
        made_by: "module:function", whose result is a function of nothing; called with
            `arguments`.
        arguments: what JSON can hold.
        environment: {name: value} of variables beside this process's own.
    """

    def __init__(self, made_by, arguments, environment):
        self._made_by = made_by
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, made_by, json.dumps(arguments)],
            cwd=calling.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, **environment},
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        self.exit_code = self._process.wait()

    def __call__(self):
        """Returns the seconds that a call took there.

        Raises:
            RuntimeError: the process ended; it has said why on stderr.
        """
        return ask(self._process, "", f"the process of {self._made_by} ended")


def serve(made_by, arguments):
    """Answers each line of stdin with the seconds of a call, on stdout."""
    from tools.benchmarks import turns

    # what libraries print is no answer
    answers, sys.stdout = sys.stdout, sys.stderr
    way = pkgutil.resolve_name(made_by)(*json.loads(arguments))
    for _ in sys.stdin:
        seconds = turns.take({made_by: way}, 1, warm_up=0)[made_by][0]
        print(seconds, file=answers, flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
