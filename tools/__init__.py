"""Scripts, each run from the root as `python -m tools.NAME`; `--help` tells its flags.

They parse flags, call the libraries and print; `command` runs them.
"""
