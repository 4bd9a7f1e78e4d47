"""A model fitted to a new place with a handful of labelled images, in NumPy and SciPy.

Parts, each fitted on what the earlier ones give (`fitting`): `last_layer` refits the
last layer on features, `temperature` makes logits probabilities, `priors` moves them to
how common labels are in the new place, `smoothing` lets labels that come together raise
each other. Rules (`rules`) then decide: `thresholds` has one for all labels,
`label_thresholds` one for each, `shrinkage` something between (with what counting says,
`label_offsets`), and `expected_f2` the best set of each image. `adapted` puts them
together, keeps them in a folder (`stored`) and applies them; `folds` deals images for
cross-validation.

`associations` measures which labels come together, counted (`counting`) in a data set
or where a text corpus (`corpora`) names them (`label_mentions`), and kept in a folder
(`association_files`).
"""
