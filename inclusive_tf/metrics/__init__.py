"""Keras metrics for watching a training; the exact figures are `evaluation`'s."""
