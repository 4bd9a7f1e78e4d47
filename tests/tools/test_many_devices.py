"""Two hosts, or two devices, take the steps of one, and say when one is gone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

STEPS = 20
FLAGS = [
    "--dataset=table", "--height=8", "--width=8", "--channels=3", "--blocks=1,1",
    "--growth=4", "--batch_size=8", "--steps_per_epoch=10", "--warmup_steps=2",
    "--epochs=2", "--mirror=0.5", "--shift=0.1", "--resampling=class_aware",
    "--learning_rate=0.01", "--clip_norm=1", "--loss=multilabel_softmax",
]  # fmt: skip
SCRIPT = """
import sys
from tools import tensorflow_start
tensorflow_start.prepare()
import tensorflow as tf
if "--distribution=mirrored" in sys.argv:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
import runpy
runpy.run_module("tools.train", run_name="__main__")
"""


def start(root, run, table, *more, worker=None, ports=()):
    """Starts a training; of a worker, with TF_CONFIG."""
    environment = dict(os.environ)
    if worker is not None:
        cluster = {"worker": [f"localhost:{port}" for port in ports]}
        environment["TF_CONFIG"] = json.dumps(
            {"cluster": cluster, "task": {"type": "worker", "index": worker}}
        )
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, f"--run={run}", f"--table={table}", *FLAGS,
         *more],
        cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment,
    )  # fmt: skip


def start_workers(root, run, table, *more):
    ports = free_ports(2)
    return [
        start(root, run, table, *more, worker=worker, ports=ports) for worker in (0, 1)
    ]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def finish(*processes):
    said = [process.communicate(timeout=300)[0] for process in processes]
    for process, text in zip(processes, said, strict=True):
        assert process.returncode == 0, text
    return said


def end_of(run):
    """Returns (losses of the epochs, {name: variable})."""
    with np.load(run / "checkpoints" / f"step-{STEPS:08d}" / "variables.npz") as stored:
        variables = {name: stored[name] for name in stored.files}
    history = json.loads((run / "training.json").read_text())["history"]
    losses = [
        [epoch[name] for epoch in history]
        for name in ("loss", "validation_loss", "validation_mean_f2")
    ]
    return losses, variables


@pytest.fixture
def table(make_table, colour_rows):
    return make_table(colour_rows())


def assert_equal(run, expected, tolerance):
    losses, variables = end_of(run)
    same, whole = end_of(expected)
    np.testing.assert_allclose(losses, same, atol=1e-5)
    assert set(variables) == set(whole)
    for name, values in whole.items():
        np.testing.assert_allclose(
            variables[name], values, atol=tolerance, err_msg=f"{run.name} {name}"
        )


def test_two_hosts_and_two_devices_are_one(root, table, tmp_path):
    """Same batches, resampled and augmented, with batch normalisation over them all."""
    runs = [tmp_path / name for name in ("one", "mirrored", "workers")]
    more = ["--optimizer=sgd"]
    finish(start(root, runs[0], table, *more, "--distribution=one_device"))
    finish(start(root, runs[1], table, *more, "--distribution=mirrored"))
    chief, other = finish(*start_workers(root, runs[2], table, *more))
    assert "epoch 2/2" in chief
    assert other.splitlines()[0].startswith("trained 20 steps")
    for run in runs[1:]:
        assert_equal(run, runs[0], 1e-5)


@pytest.mark.soak
def test_two_hosts_are_one_with_adam(root, table, tmp_path):
    finish(start(root, tmp_path / "one", table))
    finish(*start_workers(root, tmp_path / "workers", table))
    assert_equal(tmp_path / "workers", tmp_path / "one", 1e-3)


def wait_for_checkpoints(run, count, process):
    deadline = time.monotonic() + 200
    while len(list((run / "checkpoints").glob("step-*"))) < count:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("sent", "within"),
    [
        ("SIGKILL", 60),
        pytest.param("SIGKILL", 10, marks=pytest.mark.soak),
        pytest.param("SIGSTOP", 120, marks=pytest.mark.soak),
    ],
)
def test_a_lost_worker_is_said_by_the_others(root, table, tmp_path, sent, within):
    """Within 10 s where the machine does nothing else."""
    more = ["--checkpoint_minutes=1e-8", "--check_every=1", "--epochs=200"]
    processes = start_workers(root, tmp_path / "run", table, *more)
    try:
        wait_for_checkpoints(tmp_path / "run", 2, processes[0])
        processes[1].send_signal(signal.Signals[sent])
        said = processes[0].communicate(timeout=within)[0]
        assert processes[0].returncode == 1, said
        assert "another worker is gone or no longer answers" in said
        assert "Traceback" not in said
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.mark.soak
def test_a_job_that_lost_a_worker_is_gone_on_with_to_the_same_bits(
    root, table, tmp_path
):
    more = ["--checkpoint_minutes=1e-8", "--check_every=1", "--optimizer=sgd"]
    finish(*start_workers(root, tmp_path / "whole", table, *more))
    processes = start_workers(root, tmp_path / "parts", table, *more)
    wait_for_checkpoints(tmp_path / "parts", 2, processes[0])
    processes[1].kill()
    for process in processes:
        process.communicate()
    chief, _ = finish(*start_workers(root, tmp_path / "parts", table, *more))
    assert "resuming after step" in chief
    assert_equal(tmp_path / "parts", tmp_path / "whole", 0)
