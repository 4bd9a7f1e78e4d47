"""Flags say what the libraries' own defaults say, and recipes name real flags."""

import dataclasses
import pathlib
import subprocess
import sys

import pytest
from absl import flags as absl_flags

from data_pipelines import batches
from data_pipelines.resampling import policies
from data_pipelines.sources import table
from inclusive_tf import losses, models
from inclusive_tf.training import config as training_config

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = sorted(
    path.stem
    for path in (ROOT / "tools").glob("*.py")
    if "command.run(main)" in path.read_text() and path.stem != "command"
)
RECIPES = sorted((ROOT / "flags" / "recipes").glob("*.flags"))


@pytest.fixture(scope="module")
def defined():
    """All flags of a training, as typed by nobody."""
    from flags import experiment_flags

    experiment_flags.define()
    return absl_flags.FLAGS


def default(defined, name):
    return defined[name].default


def test_training_flags_have_the_defaults_of_the_library(defined):
    for field in dataclasses.fields(training_config.TrainingConfig):
        assert default(defined, field.name) == field.default, field.name


def test_model_flags_have_the_defaults_of_the_library(defined):
    for name in ("growth", "stem_stride", "dropout", "dtype"):
        assert default(defined, name) == getattr(models.ModelConfig, name)
    assert tuple(map(int, default(defined, "blocks"))) == models.ModelConfig.blocks
    assert default(defined, "model") == models.ModelConfig.name


def test_table_flags_have_the_defaults_of_the_library(defined):
    for field in dataclasses.fields(table.TableConfig):
        name = {"seed": "data_seed"}.get(field.name, field.name)
        if name in defined:
            found = default(defined, name)
            found = tuple(found) if isinstance(found, list) else found
            assert found == field.default, name


def test_choices_are_those_of_the_registries(defined):
    for name, registry in (
        ("model", models.MODELS),
        ("loss", losses.LOSSES),
        ("resampling", policies.POLICIES),
        ("carrier", batches.CARRIERS),
    ):
        assert set(defined[name].parser.enum_values) == set(registry), name


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_names_the_flags_without_tensorflow(script):
    code = (
        "import runpy, sys; sys.argv = ['tools/x.py', '--help']\n"
        "try:\n"
        f"    runpy.run_module('tools.{script}', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print('imported:', 'tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert "--" in done.stdout
    assert done.stdout.strip().endswith("imported: False False"), done.stderr


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_names_only_flags_that_there_are(recipe, defined):
    lines = [line.strip() for line in recipe.read_text().splitlines()]
    for line in lines:
        if line.startswith("--"):
            assert line[2:].split("=")[0].removeprefix("no") in defined or (
                line[2:].split("=")[0] in defined
            ), line
    head = "\n".join(line for line in lines if line.startswith("#"))
    for part in ("Source:", "Command:", "Expected:", "Time:"):
        assert part in head


def test_a_misspelt_choice_lists_the_right_ones():
    done = subprocess.run(
        [sys.executable, "-m", "tools.train", "--run=x", "--resampling=smote"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "class_aware" in done.stdout + done.stderr
