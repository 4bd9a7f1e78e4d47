"""How scripts start TensorFlow: with oneDNN's kernels, and without its greetings.

TensorFlow 2.21 uses oneDNN by itself only on processors with instructions for neural
networks (AVX-512 VNNI and later); asked to, it does on any with AVX2, where a training
step takes a fifth to a half less time (docs/benchmarks.md). It then logs that it does,
twice, before it reads TF_CPP_MIN_LOG_LEVEL.
"""

import contextlib
import importlib.machinery
import os
import sys
import threading

_GREETINGS = (
    b"oneDNN custom operations are on.",
    b"All log messages before absl::InitializeLog()",
)


def prepare():
    """Sets what TensorFlow reads as it is imported, which comes later, if at all."""
    # a script's output is what it says, not what TensorFlow logs while it starts
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # our products are small: beside TensorFlow's threads, BLAS's own only wait
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds TensorFlow where it is, and lets its import leave out greetings."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            execute = spec.loader.exec_module

            def quietly(module):
                with _without_greetings():
                    execute(module)

            spec.loader.exec_module = quietly
        return spec


@contextlib.contextmanager
def _without_greetings():
    """Passes on what is written to file descriptor 2, less the greetings."""
    reading, writing = os.pipe()
    kept = os.dup(2)
    os.dup2(writing, 2)
    os.close(writing)
    passing = threading.Thread(target=_pass_on, args=(reading, kept), daemon=True)
    passing.start()
    try:
        yield
    finally:
        os.dup2(kept, 2)
        passing.join()
        os.close(kept)


def _pass_on(reading, kept):
    with open(reading, "rb") as lines:
        for line in lines:
            if not any(words in line for words in _GREETINGS):
                os.write(kept, line)
