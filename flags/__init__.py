"""absl flags, one module a concern.

Each module has `define()`, which a script calls at import, and `config_from_flags()`,
which fills the frozen dataclass that a library owns. Only scripts read flags; nothing
here imports TensorFlow before the flags are parsed.
"""
