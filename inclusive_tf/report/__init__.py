"""What is said about a run, for people to read.

`page` writes the one self-contained HTML page, `tables` the same table for a terminal
and for Markdown, `tensorboard` the same run for TensorBoard. Behind them: `findings`
(what may be claimed, by rule), `wording` (numbers and names as text), `plots` and `svg`
(pictures), `content` (what the page shows, in order). Nothing here but `tensorboard`
imports TensorFlow.
"""
