"""How tests of the scripts call them: as a user would, in a process of their own."""

import contextlib
import http.client
import json
import pathlib
import re
import signal
import subprocess
import sys

import pytest

SECONDS = 600
"""That a script may take."""


@pytest.fixture(scope="session")
def forking(root):
    """The process that forks those of the scripts."""
    process = subprocess.Popen(
        [sys.executable, pathlib.Path(__file__).with_name("forking.py")], cwd=root,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        yield process
        process.stdin.close()


@pytest.fixture(scope="session")
def call(forking, tmp_path_factory):
    """Returns a function that runs a script and expects how it ends.

    It takes the script's name, its arguments and the exit code that is right, and
    returns the `subprocess.CompletedProcess`. A traceback is never right.
    """
    folder = tmp_path_factory.mktemp("said")

    def run(script, *arguments, code=0):
        out, error = folder / "out", folder / "error"
        arguments = list(map(str, arguments))
        request = {"script": script, "arguments": arguments, "out": str(out),
                   "error": str(error), "seconds": SECONDS}  # fmt: skip
        for path in (out, error):
            path.write_text("")
        print(json.dumps(request), file=forking.stdin, flush=True)
        done = subprocess.CompletedProcess(
            [script, *arguments], int(forking.stdout.readline()),
            out.read_text(), error.read_text(),
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


class ReviewServer:
    """`tools.review` in a process of its own, and a client that opened its link."""

    def __init__(self, root, arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.review", *map(str, arguments)],
            cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said = []
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if line.startswith("end with"):
                break
        else:
            raise AssertionError(self.process.communicate()[1])
        self.link = self.said[-2].removeprefix("open ")
        self.origin = self.link.partition("/?")[0]
        self._host = self.origin.removeprefix("http://")
        answer, _ = self._send("GET", self.link.removeprefix(self.origin), None, {})
        self._cookie = answer.headers["Set-Cookie"].partition(";")[0]
        _, page = self._send("GET", "/", None, {"Cookie": self._cookie})
        self._token = re.search(r'data-token="([^"]+)"', page.decode())[1]

    def _send(self, method, path, body, headers):
        connection = http.client.HTTPConnection(self._host, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer, answer.read()

    def get(self, path):
        """Returns the JSON of an answer."""
        return json.loads(self._send("GET", path, None, {"Cookie": self._cookie})[1])

    def decide(self, place, action, label="", new_label="", seen=10**9):
        """Returns the JSON that answers a decision, once it is acknowledged."""
        body = json.dumps({"place": place, "seen": seen, "action": action,
                           "label": label, "new_label": new_label})  # fmt: skip
        headers = {
            "Cookie": self._cookie,
            "Origin": self.origin,
            "X-Review-Token": self._token,
            "Content-Type": "application/json",
        }
        answer, data = self._send("POST", "/api/decisions", body, headers)
        assert answer.status == 200, data
        return json.loads(data)

    def end(self, how=signal.SIGTERM):
        """Ends the process; returns what else it printed on both streams."""
        self.process.send_signal(how)
        out, error = self.process.communicate(timeout=60)
        return out, error


@pytest.fixture(scope="module")
def review(root):
    """Returns a function that starts `tools.review` and gives a `ReviewServer`."""
    started = []

    def start(*arguments):
        started.append(ReviewServer(root, arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.returncode is None:
            one.end(signal.SIGKILL)
