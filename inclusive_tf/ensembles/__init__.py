"""Several predictions of the same images made into one.

`members` reads them one at a time, since hundreds do not fit into memory or open files
at once; `combining` has the means and the vote, `selection` chooses members greedily.
"""
