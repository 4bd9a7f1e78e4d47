"""A folder of classes, with or without list files, as a prepared data set.

tfds build data_pipelines/tfds_builders/class_folders --manual_dir=RAW --data_dir=OUT
"""

from data_pipelines.tfds_builders import base


class Builder(base.PreparedBuilder):
    """Reads the class folders in the manual folder."""

    SOURCE = "class_folders"
    SOURCE_CONFIG = "ClassFoldersConfig"
    MANUAL_FIELDS = ("data_dir", "image_dir", "names")
