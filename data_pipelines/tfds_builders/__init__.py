"""TFDS builders, one package folder each, as `tfds build` wants them.

    tfds build data_pipelines/tfds_builders/table --manual_dir=RAW --data_dir=OUT

What they make is a prepared data set like that of `tools.prepare`, which uses the same
builders: readable by TFDS and by `--dataset=prepared`. `base` holds what they share.
"""

BUILDERS = {
    name: f"data_pipelines.tfds_builders.{name}.{name}_dataset_builder"
    for name in (
        "table",
        "class_folders",
        "fashion_products",
        "inclusive_images",
        "open_images",
    )
}
"""Which module has the builder of a source; each is called Builder."""
