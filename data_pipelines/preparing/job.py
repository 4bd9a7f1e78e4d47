"""The whole way from a label table to a prepared data set."""

import contextlib
import dataclasses
import importlib
import io
import pathlib
import time

from data_pipelines import errors, storage
from data_pipelines.preparing import encoding, folder, on_beam, staging


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What came out.

    Args:
        path: folder of the prepared set.
        images: how many it holds.
        quarantined: how many could not be read.
        encoded: how many were encoded now, not taken from an interrupted start.
        seconds: of encoding and writing together.
        bytes_before: of the readable image files; 0 where images are no files.
        bytes_after: of the shards.
        shards: how many.
        reused: whether it was there already, made from the same.
    """

    path: pathlib.Path
    images: int
    quarantined: int
    encoded: int
    seconds: float
    bytes_before: int
    bytes_after: int
    shards: int
    reused: bool = False


def prepare(dataset, table, config, output, max_bad_fraction=0.01, facts=None,
            beam_runner="", beam_options=()):  # fmt: skip
    """Encodes every image of a table once and writes shards with the table beside.

    Stopped at any time and called again, it goes on where it was.

    Args:
        dataset: name of the source, which names the folder.
        table: `labels.LabelTable`.
        config: `encoding.EncodingConfig`.
        output: folder for OUTPUT/DATASET/ENCODING/VERSION, as TFDS lays it out.
        max_bad_fraction: share of unreadable images to put up with.
        facts: dict ready for JSON of what the source knows beside the table.
        beam_runner: Beam's name of an engine that encodes; empty: this machine.
        beam_options: `name=value` for Beam.

    Returns:
        `Prepared`.

    Raises:
        errors.DataError: too many bad images, another set lies there, or another
            process is at work.
        errors.MissingExtraError: TFDS or Beam is not installed.
    """
    if isinstance(table.storage, storage.Records):
        raise errors.SettingError(
            "The data set is a prepared one. Expected: the raw one. Received: shards."
        )
    base = _import_base()
    started = time.perf_counter()
    builder_config = base.PreparedBuilderConfig(
        name=config.name,
        **dataclasses.asdict(config),
        max_bad_fraction=max_bad_fraction,
        table=table,
        facts=facts or {},
    )
    builder = base.builder_class(dataset, builder_config)(data_dir=str(output))
    path = pathlib.Path(builder.data_dir)
    keys, _ = encoding.keys(table, config)
    if path.exists():
        _require_same(path, folder.source_fingerprint(table, keys))
        return _describe(path, 0, time.perf_counter() - started, reused=True)
    with staging.Staged(builder.staging_folder) as staged:
        todo = len(set(keys[~staged.has(keys)].tolist()))
    if beam_runner:
        with staging.alone(builder.staging_folder):
            on_beam.stage(
                table, keys, config, builder.staging_folder, beam_runner, beam_options
            )
    # TFDS prints where it writes
    with contextlib.redirect_stdout(io.StringIO()):
        builder.download_and_prepare(download_dir=str(builder.staging_folder))
    return _describe(path, todo, time.perf_counter() - started)


def _require_same(path, fingerprint):
    found = folder.read_description(path)
    if found.get("source_fingerprint") != fingerprint:
        raise errors.DataError(
            "a data set prepared from other files or labels lies here",
            expected="another --output, or this folder removed first",
            file=path,
        )


def _describe(path, encoded, seconds, reused=False):
    description = folder.read_description(path)
    shards = description["shards"]
    return Prepared(
        path=path,
        images=sum(shard["records"] for shard in shards),
        quarantined=description["quarantined"],
        encoded=encoded,
        seconds=seconds,
        bytes_before=description["source_bytes"],
        bytes_after=sum(shard["bytes"] for shard in shards),
        shards=len(shards),
        reused=reused,
    )


def _import_base():
    try:
        importlib.import_module("tensorflow_datasets")
        importlib.import_module("array_record")
    except ImportError as error:
        raise errors.MissingExtraError("tools.prepare", "tfds") from error
    return importlib.import_module("data_pipelines.tfds_builders.base")
