"""Which devices, on which hosts, take each step together.

A batch is the batch of all of them: a worker (a process on a host) makes its share, and
its replicas (one a device) take equal parts of that share, in order. Sums over images
are added over all replicas before anything is divided, so that many devices take the
step of one.

Hosts share the disk that the run lies on. The first worker is the chief, which alone
writes.
"""

import contextlib
import json
import os

import keras
import numpy as np
import tensorflow as tf

from data_pipelines import errors
from inclusive_tf.training.config import DISTRIBUTIONS


class WorkerLostError(errors.StoppedError):
    """Another worker of the training is gone."""

    # TensorFlow's own end waits for all workers
    at_once = True


class Distribution:
    """Devices that take steps together.

    Args:
        strategy: `tf.distribute.Strategy`; the default one is one device.
        worker: index of this process, from 0.
        workers: processes.
    """

    def __init__(self, strategy, worker=0, workers=1):
        self.strategy, self.worker, self.workers = strategy, worker, workers
        self.replicas = strategy.num_replicas_in_sync
        self._local = self.replicas // workers
        vector = tf.TensorSpec([None], tf.float64)
        self._sum = tf.function(self._summed, input_signature=[vector], autograph=False)

    @property
    def is_chief(self):
        """Whether this process writes."""
        return self.worker == 0

    def scope(self):
        """Returns the context in which models, losses and optimisers are made."""
        return self.strategy.scope()

    def require_divides(self, batch_size, parts):
        """Refuses batches that replicas and parts do not divide evenly.

        Args:
            batch_size: images a step.
            parts: parts that a replica takes one after the other.

        Raises:
            errors.SettingError: they do not.
        """
        if batch_size % (self.replicas * parts):
            raise errors.SettingError(
                "A batch cannot be divided evenly. Expected: --batch_size a multiple "
                f"of {self.replicas * parts} ({self.replicas} devices, {parts} parts "
                f"each). Received: {batch_size}."
            )

    def prepare(self, model):
        """Lets batch normalisation look at the whole batch, not at a replica's part."""
        if self.replicas == 1:
            return
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True

    def run(self, function, arguments):
        """Runs a function on every replica; called within a `tf.function`.

        Args:
            function: called with the replica's part of each argument.
            arguments: nested tensors whose first axis is this worker's images.

        Returns:
            What the first local replica returns; others return the same if it is a sum
            of `all_reduce`.
        """
        if self.replicas == 1:
            return function(*arguments)

        def on_replica():
            place = tf.distribute.get_replica_context().replica_id_in_sync_group
            # on the host, so that a device receives its part alone
            with tf.device("/device:CPU:0"):
                own = part_of(arguments, place % self._local, self._local)
            return function(*own)

        found = self.strategy.run(on_replica)
        return tf.nest.map_structure(
            lambda value: self.strategy.experimental_local_results(value)[0], found
        )

    def all_reduce(self, tensors):
        """Sums nested tensors over replicas; called within `run`."""
        if self.replicas == 1:
            return tensors
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tensors)

    def update(self, variable, function, value):
        """Calls function(variable, value) where each copy of a variable lies.

        Called within a `tf.function`, outside `run`; `value` is a variable that lies at
        the same places.
        """
        self.strategy.extended.update(variable.value, function, args=(value.value,))

    def sum_of_workers(self, values):
        """Returns float64 like `values`, summed over the workers."""
        values = np.asarray(values, np.float64)
        if self.workers == 1:
            return values
        found = self._guarded(self._sum, tf.constant(values.ravel()))
        return found.numpy().reshape(values.shape)

    def of_chief(self, values):
        """Returns float64 like `values`: the chief's, bit by bit."""
        values = np.asarray(values, np.float64)
        return self.sum_of_workers(values if self.is_chief else np.zeros_like(values))

    def require_same(self, what, digest):
        """Refuses to go on when a worker's `digest` (hex) is not the chief's.

        Raises:
            errors.SettingError: it is not, here or at another worker.
        """
        # 32 bits are exact in float64
        own = np.array([int(digest[i : i + 8], 16) for i in range(0, 32, 8)])
        differ = np.zeros(self.workers)
        differ[self.worker] = (own != self.of_chief(own)).any()
        differing = np.flatnonzero(self.sum_of_workers(differ))
        if len(differing):
            raise errors.SettingError(
                f"Workers do not agree. Expected: the same {what} at all of them, and "
                "the run on a disk that they share. Received: others at worker "
                f"{', '.join(map(str, differing))} than at the chief."
            )

    def guard(self, function):
        """Returns a function that says it when a step fails for want of a worker."""
        if self.workers == 1:
            return function
        return lambda *arguments: self._guarded(function, *arguments)

    def _guarded(self, function, *arguments):
        try:
            return function(*arguments)
        except (
            tf.errors.UnavailableError,
            tf.errors.AbortedError,
            tf.errors.DeadlineExceededError,
            tf.errors.InternalError,
            tf.errors.CancelledError,
        ) as error:
            said = [one for one in str(error).splitlines() if "aborted" in one]
            raise WorkerLostError(
                f"Worker {self.worker} of {self.workers} stops: another worker is gone "
                "or no longer answers. Started again, all of them with the same "
                "flags, the training goes on from its newest checkpoint. TensorFlow "
                f"says: {(said or [type(error).__name__])[0]}"
            ) from error

    def _summed(self, values):
        def on_replica():
            context = tf.distribute.get_replica_context()
            first = context.replica_id_in_sync_group % self._local == 0
            own = tf.where(first, values, tf.zeros_like(values))
            return context.all_reduce(tf.distribute.ReduceOp.SUM, own)

        found = self.strategy.run(on_replica)
        return self.strategy.experimental_local_results(found)[0]


def part_of(tensors, number, count):
    """Returns part `number` of `count` equal ones of nested tensors, by the first axis.

    Args:
        tensors: tensors of a known first axis, or None, which stays.
        number: int or scalar int tensor.
        count: int, which divides the axis.
    """

    def part(tensor):
        if tensor is None or count == 1:
            return tensor
        size = tensor.shape[0] // count
        found = tensor[number * size : (number + 1) * size]
        return tf.ensure_shape(found, [size, *tensor.shape[1:]])

    return tf.nest.map_structure(part, tensors)


def one_device():
    """Returns the `Distribution` of one device in one process."""
    return Distribution(tf.distribute.get_strategy())


def build(name):
    """Returns a `Distribution`; for several workers it waits until all are there.

    `auto` is `multi_worker` where TF_CONFIG names more than one, `mirrored` where there
    is more than one GPU, else `one_device`.

    Args:
        name: one of `DISTRIBUTIONS`; `mirrored` takes all GPUs, or without any all
            logical CPUs, `multi_worker` the GPUs or one CPU of each worker.

    Raises:
        errors.SettingError: an unknown name, or no TF_CONFIG of several workers.
    """
    if name not in DISTRIBUTIONS:
        raise errors.SettingError(
            f"Unknown distribution. Expected: one of {', '.join(DISTRIBUTIONS)}. "
            f"Received: {name}."
        )
    workers, worker = _cluster()
    if name == "auto" and workers > 1:
        name = "multi_worker"
    if name == "multi_worker":
        return _multi_worker(workers, worker)
    gpus = tf.config.list_logical_devices("GPU")
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        devices = gpus or tf.config.list_logical_devices("CPU")
        return Distribution(tf.distribute.MirroredStrategy([d.name for d in devices]))
    return one_device()


def _multi_worker(workers, worker):
    if workers < 2:
        raise errors.SettingError(
            "There is nobody to train with. Expected: TF_CONFIG with two workers or "
            f"more. Received: {os.environ.get('TF_CONFIG', 'none')}."
        )
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    return Distribution(strategy, worker, workers)


def _cluster():
    """Returns (workers, index of this one) as TF_CONFIG says; (1, 0) without it.

    Raises:
        errors.SettingError: TF_CONFIG is no JSON of that form.
    """
    stated = os.environ.get("TF_CONFIG")
    if not stated:
        return 1, 0
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        config = json.loads(stated)
        cluster, task = config["cluster"], config["task"]
        chiefs = len(cluster.get("chief", ()))
        workers = chiefs + len(cluster.get("worker", ()))
        before = {"chief": 0, "worker": chiefs}
        index = before[task["type"]] + int(task["index"])
        if chiefs <= 1 and 0 <= index < workers:
            return workers, index
    raise errors.SettingError(
        "TF_CONFIG cannot be read. Expected: JSON with a cluster of workers (and at "
        f"most one chief) and the task of this one. Received: {stated[:200]}."
    )
