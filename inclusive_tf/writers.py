"""Where the figures of a run are written while it goes on."""

import time

import keras
import numpy as np


class Writer:
    """Takes the figures of a training.

    `epoch` is called once an epoch, with growing steps; figures are Python floats.
    `close` is called once, after which nothing more is written.
    """

    def epoch(self, epoch, epochs, step, figures):
        """Takes the figures after `epoch` (counted from 1) of `epochs`."""

    def close(self):
        """Writes out what is buffered."""


class Console(Writer):
    """Prints a line an epoch."""

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

    def close(self):
        """Closes all."""
        for writer in self._writers:
            writer.close()


class ProgressBar(keras.callbacks.Callback):
    """A bar on a terminal, redrawn once a second; nothing elsewhere."""

    def __init__(self, steps_per_epoch):
        super().__init__()
        self._steps = steps_per_epoch
        self._bar = None
        self._drawn = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        """Opens a bar."""
        import tqdm

        self._bar = tqdm.tqdm(
            total=self._steps, desc=f"epoch {epoch + 1}", unit="step", leave=False,
            disable=None,
        )  # fmt: skip
        self._drawn = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar."""
        if self._bar.disable or time.monotonic() - self._drawn < 1:
            return
        self._bar.update(batch + 1 - self._bar.n)
        self._drawn = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        """Closes the bar."""
        self._bar.close()
