"""Where the figures of a run are written while it goes on."""

import time

import keras
import numpy as np


class Writer:
    """Takes the figures of a training.

    `epoch` is called once an epoch, with growing steps; figures are Python floats.
    `note` is called whenever there is something to say beside. `close` is called once,
    after which nothing more is written.
    """

    def epoch(self, epoch, epochs, step, figures):
        """Takes the figures after `epoch` (counted from 1) of `epochs`."""

    def note(self, text):
        """Takes a sentence for whoever watches."""

    def close(self):
        """Writes out what is buffered."""


class Console(Writer):
    """Prints a line an epoch, and notes."""

    def note(self, text):
        """Prints the sentence."""
        print(text, flush=True)

    def epoch(self, epoch, epochs, step, figures):
        """Prints the losses, the validation figure and the rates of the epoch."""
        parts = [f"epoch {epoch}/{epochs}", f"step {step:,}"]
        parts.append(f"loss {figures['loss']:.4f}")
        if "validation_loss" in figures:
            parts.append(f"validation loss {figures['validation_loss']:.4f}")
            parts.append(f"mean F2 {figures['validation_mean_f2']:.4f}")
        parts.append(f"{figures['images_per_second']:,.0f} images/s")
        parts.append(f"{figures['waiting_for_data']:.0%} waiting for data")
        left = (epochs - epoch) * figures["seconds"]
        parts.append(f"{left:,.0f} s left" if epoch < epochs else "done")
        print(", ".join(parts), flush=True)


class TensorBoard(Writer):
    """Writes every figure as a scalar, at the optimiser's step.

    Args:
        log_dir: folder of the event files.
    """

    def __init__(self, log_dir):
        import tensorflow as tf

        self._summary = tf.summary
        self._writer = tf.summary.create_file_writer(str(log_dir))

    def epoch(self, epoch, epochs, step, figures):
        """Writes the scalars."""
        with self._writer.as_default(step=step):
            for name, value in figures.items():
                self._summary.scalar(name, value)
        self._writer.flush()

    def histogram(self, name, values, step=0):
        """Writes a distribution, such as the rates of a resampling policy."""
        with self._writer.as_default(step=step):
            self._summary.histogram(name, np.asarray(values))
        self._writer.flush()

    def text(self, name, markdown, step=0):
        """Writes a text, shown as markdown."""
        with self._writer.as_default(step=step):
            self._summary.text(name, markdown)
        self._writer.flush()

    def close(self):
        """Closes the event file."""
        self._writer.close()


class Several(Writer):
    """Passes everything on to several writers."""

    def __init__(self, *writers):
        self._writers = writers

    def epoch(self, epoch, epochs, step, figures):
        """Passes the figures on."""
        for writer in self._writers:
            writer.epoch(epoch, epochs, step, figures)

    def note(self, text):
        """Passes the sentence on."""
        for writer in self._writers:
            writer.note(text)

    def close(self):
        """Closes all."""
        for writer in self._writers:
            writer.close()


class ProgressBar(keras.callbacks.Callback):
    """A bar on a terminal, redrawn once a second; nothing elsewhere.

    Shows images per second, time left of the epoch and the share of waiting for data.
    """

    def __init__(self, steps_per_epoch, batch_size):
        super().__init__()
        self._steps, self._batch_size = steps_per_epoch, batch_size
        self._bar = None

    def on_epoch_begin(self, epoch, logs=None):
        """Opens a bar."""
        import tqdm

        self._bar = tqdm.tqdm(
            total=self._steps * self._batch_size, desc=f"epoch {epoch + 1}",
            unit="images", unit_scale=True, mininterval=1, leave=False, disable=None,
        )  # fmt: skip

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar."""
        if self._bar.disable:
            return
        if not self._bar.n:
            # a resumed epoch begins in its midst
            self._bar.n = self._bar.initial = batch * self._batch_size
        waited = logs["seconds_waited"] / max(time.time() - self._bar.start_t, 1e-6)
        self._bar.set_postfix_str(f"{waited:.0%} waiting for data", refresh=False)
        self._bar.update(self._batch_size)

    def on_epoch_end(self, epoch, logs=None):
        """Closes the bar."""
        self._bar.close()


class Profile(keras.callbacks.Callback):
    """Records what the devices do in some steps, for TensorBoard's profile tab.

    Args:
        log_dir: folder of the event files.
        first: step of the training before which it starts, from 1.
        steps: steps to record; 0 records nothing.
    """

    def __init__(self, log_dir, first, steps):
        super().__init__()
        self._log_dir, self._first, self._steps = str(log_dir), first, steps
        self._begun = 0
        # a process that goes on from within these steps records nothing
        self._recorder = None

    def on_train_batch_begin(self, batch, logs=None):
        """Starts the recording."""
        self._begun += 1
        if self._steps and self._begun == self._first:
            from tensorflow import profiler

            self._recorder = profiler.experimental
            self._recorder.start(self._log_dir)

    def on_train_batch_end(self, batch, logs=None):
        """Ends and writes it."""
        is_last = self._begun == self._first + self._steps - 1
        if is_last and self._recorder is not None:
            # what is recorded is what has been done by then
            float(logs["loss"])
            self._recorder.stop()
