"""Measurements: our way beside each alternative, in turn in one go, as ratios."""
