"""What all builders share: label table → encoded images → shards with random access.

Shards are written by TFDS' writer of files but not by its builders: a
`GeneratorBasedBuilder`, told not to shuffle, sorts a whole split in memory before it
writes a shard, a `ShardBasedBuilder` keeps a whole shard, and both take half a
millisecond to serialise an image (TFDS 4.9.10).
"""

import dataclasses
import importlib
import os
import pathlib
import shutil
import sys
import types

import numpy as np
import tensorflow_datasets as tfds
import tqdm

from data_pipelines import (
    atomic,
    errors,
    label_files,
    quality,
    sources,
    tfds_builders,
)
from data_pipelines.preparing import encoding, folder, local, staging
from data_pipelines.tfds_builders import shards


@dataclasses.dataclass
class PreparedBuilderConfig(tfds.core.BuilderConfig):
    """How a builder encodes, and what it tells its source.

    `tfds build --config='{"name": "small", "short_side": 128}'` makes one as well.

    Args:
        short_side: as `encoding.EncodingConfig` has it.
        encoding: as there.
        quality: as there.
        max_pixels: as there.
        max_bad_fraction: share of unreadable images to put up with.
        source: fields of the source's configuration; of `data_dir` and paths of files
            the manual folder is prepended.
        table: a label table that was read already; None reads the source.
        facts: what the source knows beside that table.
    """

    short_side: int = 256
    encoding: str = "jpeg"
    quality: int = 95
    max_pixels: int = 50_000_000
    max_bad_fraction: float = 0.01
    source: dict = dataclasses.field(default_factory=dict)
    table: object = dataclasses.field(default=None, repr=False)
    facts: dict = dataclasses.field(default_factory=dict, repr=False)

    def encoding_config(self):
        """Returns the `encoding.EncodingConfig` of these fields."""
        return encoding.EncodingConfig(
            short_side=self.short_side,
            encoding=self.encoding,
            quality=self.quality,
            max_pixels=self.max_pixels,
        )


class PreparedBuilder(
    tfds.core.dataset_builder.FileReaderBuilder, skip_registration=True
):
    """Base of the builders; each names its source.

    Record i of a split is row i of that split of the label table, which lies in the
    same folder. `download_and_prepare` may be stopped at any time: images encoded so
    far are found again.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Images re-encoded once, label table beside them."}  # noqa: RUF012
    BUILDER_CONFIGS = [PreparedBuilderConfig(name="default")]  # noqa: RUF012
    MANUAL_DOWNLOAD_INSTRUCTIONS = "The data set's own files, as its source reads them."

    SOURCE = None
    """Name of the source in `sources.SOURCES`."""
    SOURCE_CONFIG = None
    """Name of the source's configuration in its module."""
    MANUAL_FIELDS = ("data_dir",)
    """Fields of that configuration which are paths below the manual folder."""
    MANUAL_DEFAULTS = {"data_dir": ""}  # noqa: RUF012
    """What these fields are unless a config says otherwise."""

    def __init__(self, *, file_format=None, **others):
        super().__init__(file_format=file_format or folder.FILE_FORMAT, **others)

    def _info(self):
        config = self.builder_config
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                f"Images and labels that the source {self.SOURCE} of inclusive_tf "
                f"reads, prepared as {config.encoding_config().name}. A confidence of "
                "1 is a label that is present, 0 one verified absent, between a soft "
                "target; label_table/names.json says what an unlisted label means."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(
                        shape=(None, None, 3), encoding_format=config.encoding
                    ),
                    "id": tfds.features.Text(),
                    "labels": tfds.features.Sequence(tfds.features.ClassLabel()),
                    "confidences": tfds.features.Sequence(np.float32),
                    "group": tfds.features.ClassLabel(),
                    "text": tfds.features.Text(),
                }
            ),
            disable_shuffling=True,
        )

    @property
    def staging_folder(self):
        """Where encoded images are kept until the shards are whole, a `Path`."""
        return pathlib.Path(self.data_dir_root) / ".staging"

    def read_source(self, manual_dir):
        """Reads the label table and facts of the source below a folder.

        Args:
            manual_dir: path of the folder.

        Returns:
            (`labels.LabelTable`, dict).
        """
        module = sources.load(self.SOURCE)
        settings = self.MANUAL_DEFAULTS | self.builder_config.source
        for name, value in settings.items():
            many = isinstance(value, (list, tuple))
            if name in self.MANUAL_FIELDS:
                values = [os.path.join(manual_dir, each) for each in
                          (value if many else [value])]  # fmt: skip
                value = values if many else values[0]
            # JSON has no tuples
            settings[name] = tuple(value) if many else value
        config = getattr(module, self.SOURCE_CONFIG)(**settings)
        table, _ = module.read_with_notes(config)
        facts = module.facts(config) if hasattr(module, "facts") else {}
        return table, facts

    def download_and_prepare(self, **arguments):
        """As TFDS has it; holds the staging folder, and removes it at the end."""
        if pathlib.Path(self.data_dir).exists():
            super().download_and_prepare(**arguments)
            return
        with staging.alone(self.staging_folder):
            # what a killed process had written of its shards
            for old in pathlib.Path(self.data_dir).parent.glob("*.incomplete*"):
                shutil.rmtree(old)
            super().download_and_prepare(**arguments)
            shutil.rmtree(self.staging_folder)

    def _download_and_prepare(self, dl_manager, download_config=None):
        del download_config
        config = self.builder_config
        table, facts = config.table, config.facts
        if table is None:
            table, facts = self.read_source(dl_manager.manual_dir)
        shards.require_fit_for_tfds(table)
        as_encoded = config.encoding_config()
        keys, sizes = encoding.keys(table, as_encoded)
        local.stage(table, keys, as_encoded, self.staging_folder)
        with staging.Staged(self.staging_folder) as staged:
            readable, faults = self._leave_faults_out(table, keys, staged)
            left = table.take(readable)
            self._name_classes(left)
            with _bar(len(left)) as bar:
                content = shards.Content(left, keys[readable], staged, bar)
                self.info.set_splits(self._write_shards(content))
        self._write_beside(left, facts)
        folder.finish(
            self.data_dir,
            self._shards(left),
            self.info.file_format.value,
            {
                "source": self.SOURCE,
                "encoding": dataclasses.asdict(as_encoded),
                "source_fingerprint": folder.source_fingerprint(table, keys),
                "source_bytes": int(sizes[readable].clip(0).sum()),
                "quarantined": len(faults),
            },
        )

    def _leave_faults_out(self, table, keys, staged):
        """Returns (bool [N] of the readable rows, list of `quality.Fault`)."""
        faults = local.faults(table, keys, staged)
        readable = np.ones(len(table), bool)
        readable[[fault.row for fault in faults]] = False
        if faults:
            quarantine = self.staging_folder / folder.QUARANTINE
            quality.write_quarantine(quarantine, faults, table.ids)
            try:
                quality.apply(table, faults, self.builder_config.max_bad_fraction)
            except errors.DataError as error:
                raise errors.DataError(
                    f"{error} All of them are named in {quarantine}"
                ) from error
            quality.write_quarantine(
                pathlib.Path(self.data_dir) / folder.QUARANTINE, faults, table.ids
            )
        return readable, faults

    def _name_classes(self, table):
        features = self.info.features
        features["labels"].feature.names = list(table.vocabulary.ids)
        features["group"].names = [str(name) for name in table.group_names]

    def _write_beside(self, table, facts):
        numbered = dataclasses.replace(
            table, locations=folder.record_numbers(table).astype(str)
        )
        label_files.save(pathlib.Path(self.data_dir) / folder.LABEL_TABLE, numbered)
        if facts:
            atomic.write_json(pathlib.Path(self.data_dir) / folder.FACTS, facts)

    def _write_shards(self, content):
        """Writes all shards; returns the `tfds.core.SplitDict` of what was written."""
        writer = self._example_writer()
        splits = []
        for name, parts in content.split_rows().items():
            template = self._get_filename_template(split_name=name)
            paths = template.sharded_filepaths(len(parts))
            for path, rows in zip(paths, parts, strict=True):
                writer.write(path, content.examples(rows))
            splits.append(
                tfds.core.SplitInfo(
                    name=name,
                    shard_lengths=[len(rows) for rows in parts],
                    num_bytes=sum(path.stat().length for path in paths),
                    filename_template=template,
                )
            )
        return tfds.core.SplitDict(splits)

    def _example_writer(self):
        return tfds.core.ExampleWriter(self.info.file_format)

    def _shards(self, table):
        """Returns the shards that were written, in the order of the records."""
        return [
            {"split": name, "file": file, "records": records}
            for name, count in table.split_counts().items()
            if count
            for file, records in zip(
                sorted(self.info.splits[name].filenames),
                self.info.splits[name].shard_lengths,
                strict=True,
            )
        ]


def _bar(total):
    return tqdm.tqdm(
        total=total, unit="image", desc="writing shards",
        disable=not sys.stderr.isatty(),
    )  # fmt: skip


def builder_class(name, config):
    """Returns a builder of the source called `name` whose only configuration is given.

    Args:
        name: a name in `sources.SOURCES`; of those without a module in `BUILDERS` the
            configuration has to bring the label table.
        config: `PreparedBuilderConfig`.
    """
    of_source = PreparedBuilder
    if name in tfds_builders.BUILDERS:
        of_source = importlib.import_module(tfds_builders.BUILDERS[name]).Builder
    fields = {
        "name": name,
        "SOURCE": name,
        "BUILDER_CONFIGS": [config],
        "__module__": of_source.__module__,
    }
    return types.new_class(
        "Builder",
        (of_source,),
        {"skip_registration": True},
        lambda namespace: namespace.update(fields),
    )
