"""Fashion Product Images as a prepared data set.

tfds build data_pipelines/tfds_builders/fashion_products --manual_dir=RAW --data_dir=OUT
"""

from data_pipelines.tfds_builders import base


class Builder(base.PreparedBuilder):
    """Reads `styles.csv` and `images/` in the manual folder."""

    SOURCE = "fashion_products"
    SOURCE_CONFIG = "FashionProductsConfig"
    MANUAL_FIELDS = ("data_dir", "image_dir", "names")
