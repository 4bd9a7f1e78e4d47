"""A model fitted to a new place with a handful of labelled images, in NumPy and SciPy.

`thresholds` finds the one threshold that scores best, `last_layer` refits the last
layer on features, `folds` deals images for cross-validation, `adapted` puts them
together, keeps them in a folder and applies them.
"""
