"""Runs scripts in processes that have imported TensorFlow already.

    python tests/tools/forking.py < REQUESTS > ANSWERS

To import TensorFlow takes a script longer than most of its work on small data, so it is
done once. A request is a line of JSON, {"script", "arguments", "out", "error",
"seconds"}: this process forks, the child runs tools.SCRIPT with its output in the files
`out` and `error`, and is ended after so many seconds. The answer is a line with the
exit code.
"""

import json
import os
import runpy
import signal
import sys

sys.path.insert(0, os.getcwd())

from tools import tensorflow_start

tensorflow_start.prepare()

import keras  # noqa: E402, F401
import tensorflow as tf  # noqa: E402, F401


def next_request():
    """Returns a request, in a child that is to run it; ends when there are no more."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            return json.loads(line)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    sys.exit()


request = next_request()
signal.alarm(request["seconds"])
for name, descriptor in (("out", 1), ("error", 2)):
    os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT), descriptor)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
sys.argv[1:] = request["arguments"]
runpy.run_module(f"tools.{request['script']}", run_name="__main__", alter_sys=True)
