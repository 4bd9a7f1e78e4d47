"""The Inclusive Images Challenge, official layout, as a prepared data set.

tfds build data_pipelines/tfds_builders/inclusive_images --manual_dir=RAW --data_dir=OUT
"""

from data_pipelines.tfds_builders import base


class Builder(base.PreparedBuilder):
    """Reads the challenge's CSV files and image folders in the manual folder."""

    SOURCE = "inclusive_images"
    SOURCE_CONFIG = "InclusiveImagesConfig"
    MANUAL_FIELDS = ("data_dir", "train_images", "test_images")
