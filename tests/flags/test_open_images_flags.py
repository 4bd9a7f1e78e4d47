"""Flags of the challenge and of Open Images fill their sources' configurations."""

import subprocess
import sys

from data_pipelines.open_images import fusion
from data_pipelines.sources import inclusive_images, open_images
from flags import inclusive_images_flags

_PRINT = """
import sys
from absl import flags
from flags import data_flags
data_flags.define()
flags.FLAGS(sys.argv)
print(repr(data_flags.config_from_flags()))
"""


def configured(root, *arguments):
    """What the flags become, from a process of their own, as repr."""
    process = subprocess.run(
        [sys.executable, "-c", _PRINT, *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stdout.strip()


def test_the_flag_of_fusion_knows_every_rule():
    assert set(inclusive_images_flags.RULES) == set(fusion.RULES)


def test_flags_nobody_types_are_the_defaults_of_the_libraries(root):
    for name, config in (
        ("inclusive_images", inclusive_images.InclusiveImagesConfig()),
        ("open_images", open_images.OpenImagesConfig()),
    ):
        assert configured(root, f"--dataset={name}") == repr(config)


def test_flags_of_the_challenge_are_handed_on(root):
    assert configured(
        root, "--dataset=inclusive_images", "--data_dir=d", "--train_images=t",
        "--test_images=s", "--fusion=box_union", "--notrainable_only",
        "--without_truth", "--unlabelled=drop", "--missing_images=drop",
        "--validation_fraction=0.1", "--data_seed=3",
    ) == repr(
        inclusive_images.InclusiveImagesConfig(
            "d", "t", "s", "box_union", False, True, "drop", "drop", 0.1, 3
        )
    )  # fmt: skip


def test_flags_of_open_images_are_handed_on(root):
    assert configured(
        root, "--dataset=open_images", "--data_dir=d", "--human_labels=a,b",
        "--machine_labels=m", "--boxes=x", "--class_descriptions=n",
        "--class_list=c", "--image_dir=i", "--fusion=maximum", "--unlabelled=drop",
        "--missing_images=drop", "--validation_fraction=0.1", "--data_seed=3",
    ) == repr(
        open_images.OpenImagesConfig(
            "d", ("a", "b"), ("m",), ("x",), "n", "c", "i", "maximum", "drop", "drop",
            0.1, 3,
        )
    )  # fmt: skip
