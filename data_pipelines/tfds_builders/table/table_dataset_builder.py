"""Any table, CSV or Parquet, as a prepared data set; by default labels.csv.

    tfds build data_pipelines/tfds_builders/table --manual_dir=RAW --data_dir=OUT \
        --config='{"name": "signs", "source": {"table": "signs.csv"}}'
"""

from data_pipelines.tfds_builders import base


class Builder(base.PreparedBuilder):
    """Reads `table` below the manual folder; paths in it are relative to its folder."""

    SOURCE = "table"
    SOURCE_CONFIG = "TableConfig"
    MANUAL_FIELDS = ("table", "image_dir", "names")
    MANUAL_DEFAULTS = {"table": "labels.csv"}  # noqa: RUF012
