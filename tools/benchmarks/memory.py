"""Measures the time and the memory of work, in a process of its own (Linux).

Only a fresh process shows what work needs: one that has done other work holds freed
memory, and the highest that the system reports is that of the whole life.
"""

import dataclasses
import json
import os
import pathlib
import pkgutil
import subprocess
import sys
import threading
import time

from tools import calling

_SECONDS_BETWEEN_LOOKS = 0.005


class Watch:
    """Looks at this process's memory while a block runs.

    Attributes:
        own: most bytes that no file is behind.
        resident: most bytes, with the pages of mapped files.
        before: bytes of `own` when the block began.
    """

    def __init__(self):
        self.own = self.resident = self.before = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._look()
        self.before = self.own
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._look()

    def _run(self):
        while not self._stop.wait(_SECONDS_BETWEEN_LOOKS):
            self._look()

    def _look(self):
        page = os.sysconf("SC_PAGE_SIZE")
        fields = pathlib.Path("/proc/self/statm").read_text("ascii").split()
        resident, shared = int(fields[1]) * page, int(fields[2]) * page
        self.own = max(self.own, resident - shared)
        self.resident = max(self.resident, resident)


@dataclasses.dataclass(frozen=True)
class Used:
    """What work took.

    Args:
        seconds: by the clock.
        cpu_seconds: of all threads.
        before: bytes of its own that the process had when the work began.
        own: most bytes of memory that no file is behind.
        resident: most bytes, with the pages of mapped files.
        peak: most resident bytes since the process began, imports and all.
        returned: what the work returned, as JSON has it.
    """

    seconds: float
    cpu_seconds: float
    before: int
    own: int
    resident: int
    peak: int
    returned: object = None

    @property
    def grown(self):
        """Most bytes of its own beyond those that were there when the work began."""
        return self.own - self.before


def used(work):
    """Returns what one call of a function of nothing takes here."""
    with Watch() as watch:
        began, busy = time.perf_counter(), time.process_time()
        returned = work()
        seconds = time.perf_counter() - began
        cpu_seconds = time.process_time() - busy
    # unlike getrusage's, this one knows nothing of the parent process
    status = pathlib.Path("/proc/self/status").read_text("ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return Used(
        seconds, cpu_seconds, watch.before, watch.own, watch.resident,
        1024 * int(peak.split()[1]), returned,
    )  # fmt: skip


def apart(function, *arguments):
    """Returns what work takes in a process of its own.

    Args:
        function: "module:name" of a function that prepares (imports, opens files) and
            returns the work, a function of nothing that returns what JSON can hold.
        arguments: of the function, as JSON can hold them.

    Raises:
        RuntimeError: the process failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tools.benchmarks.memory", function,
         json.dumps(arguments)],
        cwd=calling.ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{function}{arguments} failed: {done.stderr.strip()}")
    return Used(**json.loads(done.stdout.splitlines()[-1]))


def apart_in_turn(ways, rounds):
    """Takes ways in turn, each time in a process of its own.

    Args:
        ways: {name: what `apart` takes}.
        rounds: how often.

    Returns:
        {name: list of `Used`, one a round}.
    """
    found = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(apart(*way))
    return found


def _main(function, arguments):
    prepare = pkgutil.resolve_name(function)
    print(json.dumps(dataclasses.asdict(used(prepare(*json.loads(arguments))))))


if __name__ == "__main__":
    _main(*sys.argv[1:])
