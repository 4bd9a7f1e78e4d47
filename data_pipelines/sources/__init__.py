"""Sources: one module a layout, each turning files into a `labels.LabelTable`.

A source module has `read_with_notes(config, vocabulary=None)`, which returns a
`labels.LabelTable` and sentences to print, and where its layout knows more than a table
holds, `facts(config)` and `box_files(config, split)`. `SOURCES` maps the name that
`--dataset` takes to the module.
"""

import importlib

from data_pipelines import errors

SOURCES = {
    name: f"data_pipelines.sources.{name}"
    for name in (
        "fashion_regions",
        "table",
        "inclusive_images",
        "open_images",
        "fashion_products",
        "class_folders",
        "tfds",
        "prepared",
    )
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
