"""Flags say what the libraries' own defaults say, and recipes name real flags."""

import dataclasses
import pathlib
import subprocess
import sys

import pytest
from absl import flags as absl_flags

from data_pipelines import batches, target_transforms
from data_pipelines.resampling import policies
from data_pipelines.sources import table
from inclusive_tf import experiment, losses, models
from inclusive_tf.training import config as training_config
from inclusive_tf.training import second_heads

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = sorted(
    path.stem
    for path in (ROOT / "tools").glob("*.py")
    if "command.run(main)" in path.read_text() and path.stem != "command"
)
RECIPES = sorted(
    path
    for path in (ROOT / "flags" / "recipes").glob("*.flags")
    if "python -m tools.train" in path.read_text()
)


@pytest.fixture(scope="module")
def defined():
    """All flags of a training, as typed by nobody, for this module only."""
    from flags import experiment_flags

    before = set(absl_flags.FLAGS)
    experiment_flags.define()
    yield absl_flags.FLAGS
    for name in set(absl_flags.FLAGS) - before:
        delattr(absl_flags.FLAGS, name)


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


def test_text_and_head_flags_have_the_defaults_of_the_library(defined):
    for name in ("inputs", "text_length", "text_units"):
        assert default(defined, name) == getattr(models.ModelConfig, name)
    assert default(defined, "text_vocabulary") == experiment.Experiment.text_words
    for field in dataclasses.fields(second_heads.SecondHeadsConfig):
        name = field.name.replace("_weight", "_head_weight")
        assert default(defined, name) == field.default, name


def test_table_flags_have_the_defaults_of_the_library(defined):
    for field in dataclasses.fields(table.TableConfig):
        name = {"seed": "data_seed"}.get(field.name, field.name)
        if name in defined:
            found = default(defined, name)
            found = tuple(found) if isinstance(found, list) else found
            assert found == field.default, name


def test_every_setting_of_a_policy_is_a_flag_with_its_default(defined):
    from flags import resampling_flags

    found = {}
    for policy in policies.POLICIES:
        for setting, value in policies.defaults(policy).items():
            flag = resampling_flags.SETTING_FLAGS[setting]
            assert default(defined, flag) == value, (policy, setting)
            found.setdefault(setting, []).append(policy)
    assert set(found) == set(resampling_flags.SETTING_FLAGS)
    # the help says which policy takes a setting that others do not
    for setting, takers in found.items():
        if len(takers) == 1:
            help_text = defined[resampling_flags.SETTING_FLAGS[setting]].help
            assert help_text.startswith(takers[0] + ":"), setting


def test_choices_are_those_of_the_registries(defined):
    for name, registry in (
        ("model", models.MODELS),
        ("loss", losses.LOSSES),
        ("resampling", policies.POLICIES),
        ("carrier", batches.CARRIERS),
        ("one_label", target_transforms.ONE_LABEL),
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
