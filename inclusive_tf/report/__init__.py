"""What is said about a run, for people to read.

`page` writes the one self-contained HTML page, `tables` the same table for a terminal
and for Markdown, `tensorboard` the same run for TensorBoard. Behind them: `findings`
(what may be claimed, by rule), `headline` (the first sentences), `wording` (numbers and
names as text), `plots`, `bars` and `svg` (pictures), `explained` (errors with their
maps), `content` (what the page shows, in order). Nothing here but `tensorboard` imports
TensorFlow.
"""
