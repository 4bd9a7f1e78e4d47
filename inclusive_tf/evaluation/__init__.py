"""What is said about predictions, in NumPy.

`f2` is the challenge's metric, `bands` splits labels by how often training showed them,
`measures` computes every figure for a weighting of the images, `bootstrap` gives the
intervals, `baselines` the constant answer, `figures` puts them together as JSON,
`tables` prints that as text, and `submissions` reads, checks, writes and scores CSV
files.
"""
