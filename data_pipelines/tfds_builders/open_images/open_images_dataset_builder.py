"""Open Images V4 to V7, from its CSV files, as a prepared data set.

tfds build data_pipelines/tfds_builders/open_images --manual_dir=RAW --data_dir=OUT
"""

from data_pipelines.tfds_builders import base


class Builder(base.PreparedBuilder):
    """Reads the files in the manual folder by their published names, or as told."""

    SOURCE = "open_images"
    SOURCE_CONFIG = "OpenImagesConfig"
    MANUAL_FIELDS = (
        "data_dir",
        "image_dir",
        "human_labels",
        "machine_labels",
        "boxes",
        "class_descriptions",
        "class_list",
    )
