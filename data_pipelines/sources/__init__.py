"""Sources: one module a layout, each turning files into a `labels.LabelTable`.

A source module has `read_with_notes(config, vocabulary=None)`, which returns a
`labels.LabelTable` whose locations are full paths, and sentences to print.
`SOURCES` maps the name that `--dataset` takes to the module.
"""

import importlib

from data_pipelines import errors

SOURCES = {
    "fashion_regions": "data_pipelines.sources.fashion_regions",
    "table": "data_pipelines.sources.table",
}


def load(name):
    """Returns the source module called `name`.

    Raises:
        errors.SettingError: there is none; the message lists the known ones.
    """
    if name not in SOURCES:
        raise errors.SettingError(
            f"Unknown data set. Expected: one of {', '.join(sorted(SOURCES))}. "
            f"Received: {name}."
        )
    return importlib.import_module(SOURCES[name])
