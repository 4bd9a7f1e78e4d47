"""Fashion-MNIST: 70,000 grey photographs of 28x28, ten classes, MIT licence.

Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747. Looked for in four places, the one
that needs a network for longest last.
"""

import gzip
import logging
import os
import pathlib
import shutil
import subprocess
import tempfile
import zlib

import numpy as np

from data_pipelines import errors

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
SIDE = 28
PACKAGE = "dataset-fashion-mnist"
SYSTEM_FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")
_PARTS = (("train", 60_000), ("t10k", 10_000))


def _read_idx(path, magic, count):
    """Reads one IDX file of unsigned bytes, plain or gzipped, sizes checked."""
    opener = gzip.open if path.suffix == ".gz" else open
    expected_size = count * (SIDE * SIDE if magic == 2051 else 1)
    header_size = 16 if magic == 2051 else 8
    try:
        with opener(path, "rb") as file:
            data = file.read(header_size + expected_size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise errors.DataError(
            "the file cannot be read", received=str(error), file=path
        ) from error
    whole_words = data[: min(header_size, len(data)) // 4 * 4]
    header = np.frombuffer(whole_words, ">u4").tolist()
    right = [magic, count] + ([SIDE, SIDE] if magic == 2051 else [])
    if header != right or len(data) != header_size + expected_size:
        raise errors.DataError(
            "not the Fashion-MNIST file of this name",
            expected=f"IDX header {right}, {header_size + expected_size:,} bytes",
            received=f"IDX header {header}, {len(data):,} bytes",
            file=path,
        )
    return np.frombuffer(data, np.uint8, offset=header_size)


def _find_file(folder, stem):
    for suffix in ("", ".gz"):
        path = folder / f"{stem}{suffix}"
        if path.is_file():
            return path
    return None


def read_folder(folder):
    """Reads the four IDX files of a folder.

    Returns:
        uint8 [70000, 28, 28] photographs and int [70000] classes, the official training
        part first.

    Raises:
        errors.DataError: a file is missing, unreadable or not what its name says.
    """
    folder = pathlib.Path(folder)
    photographs, classes = [], []
    for part, count in _PARTS:
        for stem, magic, into in (
            (f"{part}-images-idx3-ubyte", 2051, photographs),
            (f"{part}-labels-idx1-ubyte", 2049, classes),
        ):
            path = _find_file(folder, stem)
            if path is None:
                raise errors.DataError(
                    "a file of Fashion-MNIST is missing",
                    expected=f"{stem} or {stem}.gz",
                    file=folder,
                )
            into.append(_read_idx(path, magic, count))
    photographs = np.concatenate(photographs).reshape(-1, SIDE, SIDE)
    classes = np.concatenate(classes).astype(np.int64)
    if classes.max() >= len(CLASS_NAMES):
        raise errors.DataError(
            "a class is out of range", expected="0 to 9", received=int(classes.max()),
            file=folder,
        )  # fmt: skip
    return photographs, classes


def _apt_options(state):
    """apt options that keep what it writes below `state`, so no root is needed."""
    return [
        f"-oDir::State::Lists={state}/lists",
        f"-oDir::Cache={state}/cache",
        "-oDebug::NoLocking=1",
        "-oAPT::Sandbox::User=",
    ]


def unpack_debian_package(destination):
    """Downloads and unpacks Debian's package below `destination`, without root.

    Returns:
        The folder of the IDX files.

    Raises:
        OSError, subprocess.SubprocessError: no apt-get or dpkg, or no package.
    """
    # apt resolves relative folders against its own working directory
    destination = pathlib.Path(destination).resolve()
    found = destination / SYSTEM_FOLDER.relative_to("/")
    if found.is_dir():
        return found
    destination.parent.mkdir(parents=True, exist_ok=True)
    run = {"check": True, "capture_output": True, "text": True, "timeout": 300,
           "stdin": subprocess.DEVNULL}  # fmt: skip
    with tempfile.TemporaryDirectory(dir=destination.parent) as temporary:
        try:
            command = ["apt-get", "-oAPT::Sandbox::User=", "download", PACKAGE]
            subprocess.run(command, cwd=temporary, **run)
        except subprocess.CalledProcessError:
            # the machine may have no package lists yet: fetch them into our own folder
            for folder in ("lists/partial", "cache/archives/partial"):
                (pathlib.Path(temporary) / folder).mkdir(parents=True)
            own = ["apt-get", *_apt_options(temporary)]
            subprocess.run([*own, "update"], cwd=temporary, **run)
            subprocess.run([*own, "download", PACKAGE], cwd=temporary, **run)
        package = next(pathlib.Path(temporary).glob(f"{PACKAGE}_*.deb"), None)
        if package is None:
            raise OSError(f"apt-get download {PACKAGE} left no file")
        unpacked = pathlib.Path(temporary) / "unpacked"
        subprocess.run(["dpkg", "-x", package, unpacked], **run)
        if destination.exists():
            shutil.rmtree(destination)
        os.replace(unpacked, destination)
    return found


def _from_tfds(cache_dir):
    """Reads the data set through tensorflow-datasets."""
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise errors.MissingExtraError("TFDS fashion_mnist", "tfds") from error
    parts = [
        tfds.as_numpy(
            tfds.load(
                "fashion_mnist", split=split, batch_size=-1, data_dir=str(cache_dir)
            )
        )
        for split in ("train", "test")
    ]
    photographs = np.concatenate([part["image"][..., 0] for part in parts])
    return photographs, np.concatenate([part["label"] for part in parts])


def load(data_dir="", cache_dir="data"):
    """Finds and reads Fashion-MNIST.

    Args:
        data_dir: folder of the four IDX files; when given, no other place is tried.
        cache_dir: folder for what has to be downloaded.

    Returns:
        (photographs, classes, place): uint8 [70000, 28, 28], int64 [70000], and a
        sentence saying where they came from.

    Raises:
        errors.DataError: nowhere to be had; names the four places and what to type.
    """
    if data_dir:
        return *read_folder(data_dir), f"--data_dir ({data_dir})"
    if SYSTEM_FOLDER.is_dir():
        return *read_folder(SYSTEM_FOLDER), f"the system folder {SYSTEM_FOLDER}"
    failures = [f"{SYSTEM_FOLDER}: no such folder"]
    try:
        folder = unpack_debian_package(pathlib.Path(cache_dir) / PACKAGE)
        return *read_folder(folder), f"Debian's package {PACKAGE}"
    except (OSError, subprocess.SubprocessError, errors.DataError) as error:
        detail = (getattr(error, "stderr", None) or str(error)).strip()
        failures.append(f"Debian's package {PACKAGE}: {detail.splitlines()[-1:]}")
        logging.warning("%s", failures[-1])
    logging.warning("asking TFDS for fashion_mnist; without a network this takes long")
    try:
        return *_from_tfds(pathlib.Path(cache_dir) / "tfds"), "TFDS fashion_mnist"
    except Exception as error:  # TFDS raises whatever its downloader met
        failures.append(f"TFDS fashion_mnist: {type(error).__name__}: {error}"[:300])
    raise errors.DataError(
        "Fashion-MNIST is nowhere to be had",
        expected="one of: (1) --data_dir=FOLDER with the four IDX files; "
        f"(2) {SYSTEM_FOLDER}, which `apt-get install {PACKAGE}` fills; "
        f"(3) Debian's package, for which `apt-get download {PACKAGE}` must work; "
        "(4) TFDS: `pip install 'inclusive_tf[tfds]'` and a network",
        received="; ".join(failures),
    )
