"""Sources: one module a layout, each turning files into a `labels.LabelTable`.

A source module has `read(config) -> labels.LabelTable` whose locations are full paths.
`SOURCES` maps the name that `--dataset` takes to the module.
"""

import importlib

SOURCES = {
    "fashion_regions": "data_pipelines.sources.fashion_regions",
    "table": "data_pipelines.sources.table",
}


def load(name):
    """Returns the source module called `name`.

    Raises:
        ValueError: there is none; the message lists the known ones.
    """
    if name not in SOURCES:
        raise ValueError(
            f"Unknown data set. Expected: one of {', '.join(sorted(SOURCES))}. "
            f"Received: {name}."
        )
    return importlib.import_module(SOURCES[name])
