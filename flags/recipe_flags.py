"""A whole recipe as flags: a training, its phases and members, and how it answers.

The flags of a training describe the first phase. Each --phase is a line of flags that a
further phase has on top of those, and starts from the weights of the phase before; each
--member is a line of flags that one member has on top in all its phases:

    --model=resnet_small
    --phase=--train_splits=tuning --held_out=0.2 --trainable=last_layer --epochs=10
    --member=
    --member=--model=densenet_small
"""

import hashlib
import json
import math
import pathlib
import shlex

from absl import flags
from absl.testing import flagsaver

from data_pipelines import errors
from flags import (
    adaptation_flags,
    experiment_flags,
    prediction_flags,
    run_flags,
)
from inclusive_tf import run as run_directory
from inclusive_tf.recipes import recipe

FLAGS = flags.FLAGS

_BETWEEN_MEMBERS = 1000
"""Seeds of members lie so far apart that recipes of neighbouring seeds share none."""


def define():
    """Defines the flags."""
    experiment_flags.define()
    prediction_flags.define()
    adaptation_flags.define_parts()
    flags.DEFINE_string("recipe", "recipe", "Name of the recipe, for tables.")
    flags.DEFINE_multi_string(
        "phase", [], "Flags of a further phase, on top of the others; in order."
    )
    flags.DEFINE_multi_string(
        "member", [], "Flags of a member, on top of the others; none: one member."
    )
    flags.DEFINE_string(
        "pseudo_split",
        "",
        "In a --phase: learn further from this split, with labels that the phase "
        "before gives.",
    )
    flags.DEFINE_float(
        "pseudo_threshold", 0.25, "Probability from which it gives them.", 0.001, 0.999
    )
    flags.DEFINE_string(
        "fit_split",
        "tuning",
        "Split whose labels thresholds and layers are fitted on; empty: nothing is.",
    )
    flags.DEFINE_float(
        "answer_threshold",
        0.5,
        "Probability from which labels are given when nothing is fitted.",
        0.001,
        0.999,
    )
    flags.DEFINE_string(
        "source_split", "", "Labelled split of the training's place, for --priors."
    )
    flags.DEFINE_string(
        "target_split", "", "Split of the new place, without labels, for --priors."
    )
    flags.DEFINE_list("answer", ["stage_1", "stage_2"], "Splits to answer.")
    _define_combination()


def _define_combination():
    flags.DEFINE_enum(
        "combine",
        "mean_logits",
        list(recipe.COMBINATIONS),
        "How members are combined.",
    )
    flags.DEFINE_enum(
        "adapt",
        "members",
        list(recipe.ADAPTED),
        "What is adapted: each member, or their combination.",
    )
    flags.DEFINE_integer(
        "at_least", None, "Votes a label needs; by default more than half.", 1
    )
    flags.DEFINE_integer(
        "least_labels", 0, "Labels that each image is given at least.", 0
    )
    flags.DEFINE_integer(
        "largest_set", 0, "Labels that each image is given at most; 0: any number.", 0
    )
    flags.DEFINE_bool(
        "fill", True, "Whether images without any vote get the best constant answer."
    )


def config_from_flags(output):
    """Returns the `recipe.Recipe` of the flags; imports TensorFlow.

    Args:
        output: folder of its runs, a folder a member and phase.

    Raises:
        errors.SettingError: a line of --phase or --member cannot be read.
    """
    output = pathlib.Path(output)
    lines, seed = FLAGS.member or [""], FLAGS.seed
    members = []
    for number, line in enumerate(lines):
        steps = []
        for phase, more in enumerate(["", *FLAGS.phase]):
            before = _folder(output, number, phase - 1) if phase else ""
            with flagsaver.flagsaver():
                _seed(number)
                _take(line, "member")
                _take(more, "phase")
                steps.append(_step(output, number, phase, before))
        with flagsaver.flagsaver():
            _seed(number)
            _take(line, "member")
            members.append(
                recipe.Member(
                    tuple(steps),
                    {
                        "views": prediction_flags.views_config(),
                        "scores": prediction_flags.scores_config(),
                        "statistics": prediction_flags.statistics_config(),
                    },
                    _adaptation(seed),
                )
            )
    return recipe.Recipe(
        name=FLAGS.recipe,
        seed=FLAGS.seed,
        members=tuple(members),
        fit_split=FLAGS.fit_split,
        threshold_logit=math.log(FLAGS.answer_threshold)
        - math.log1p(-FLAGS.answer_threshold),
        source_split=FLAGS.source_split,
        target_split=FLAGS.target_split,
        splits=tuple(FLAGS.answer),
        combine=FLAGS.combine,
        adapt=FLAGS.adapt,
        at_least=FLAGS.at_least,
        least=FLAGS.least_labels,
        most=FLAGS.largest_set,
        fill=FLAGS.fill,
        defaults=run_flags.defaults(),
    )


FOLDER = pathlib.Path("flags", "recipes")
"""Where recipes lie, a flagfile each."""

_PARTS = "parts"

_MODULES = ("recipe_flags", "prediction_flags", "adaptation_flags")

_NO_PART = run_directory.MAY_CHANGE | {"keep_gib", "shuffle_buffer"}


def names():
    """Returns the names of the recipes there are, sorted."""
    found = [path.relative_to(FOLDER) for path in FOLDER.rglob("*.flags")]
    return sorted(
        path.with_suffix("").as_posix() for path in found if path.parts[0] != _PARTS
    )


def arguments(name, common, seed):
    """Returns the arguments of `tools.recipe` for a recipe by name.

    Args:
        name: of the recipe.
        common: a line of flags on top of the recipe's.
        seed: int.

    Raises:
        errors.SettingError: there is no such recipe; those there are stand in it.
    """
    path = FOLDER / f"{name}.flags"
    if not path.is_file():
        raise errors.SettingError(
            f"There is no recipe of this name. Expected: one of {', '.join(names())}. "
            f"Received: {name}."
        )
    return [
        f"--flagfile={path}", *shlex.split(common), f"--recipe={name}", f"--seed={seed}"
    ]  # fmt: skip


def take(given):
    """Parses arguments of `tools.recipe` on top of what the flags are."""
    _take(shlex.join(given), "recipe")


def digest_of(given):
    """Returns the `digest` that `tools.recipe` has with these arguments."""
    with flagsaver.flagsaver():
        take(given)
        return digest()


def digest():
    """Returns the SHA-256, as hex, of all that makes the recipe what it is.

    That is every flag that differs from its default, so that a flag that is added to
    the project does not make older records another recipe's; where files lie and how
    much memory is used are no part of it.
    """
    flags_of = FLAGS.flags_by_module_dict()
    found = {
        flag.name: flag.value
        for module in (*_MODULES, *run_flags.TRAINING)
        for flag in flags_of.get(f"flags.{module}", ())
        if flag.value != flag.default and flag.name not in _NO_PART
    }
    text = json.dumps(found, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def require_untyped():
    """Refuses flags of recipes among those of a study, which would reach no recipe.

    Raises:
        errors.SettingError: one was typed.
    """
    flags_of = FLAGS.flags_by_module_dict()
    typed = [
        f"--{flag.name}"
        for module in (*_MODULES, *run_flags.TRAINING)
        for flag in flags_of.get(f"flags.{module}", ())
        if flag.present
    ]
    if typed:
        raise errors.SettingError(
            "A study gives its recipes the flags of --common. Expected: "
            f'--common="{typed[0]}=...". Received: {", ".join(sorted(typed))}.'
        )


def _folder(output, member, phase):
    return str(output / f"member-{member}" / f"phase-{phase}")


def _seed(member):
    """Gives each member a seed of its own, the first the recipe's."""
    FLAGS["seed"].value = FLAGS.seed + _BETWEEN_MEMBERS * member


def _take(line, what):
    """Parses a line of flags on top of what the flags are."""
    for name in FLAGS:
        if isinstance(FLAGS[name], flags.MultiFlag):
            # absl would lengthen the list that the other lines share
            FLAGS[name].present = 0
            FLAGS[name].value = list(FLAGS[name].value or ())
    try:
        rest = FLAGS(["recipe", *shlex.split(line)])
    except (flags.Error, ValueError) as error:
        raise errors.SettingError(
            f"A line of --{what} cannot be read: {error} Received: {line}"
        ) from error
    if len(rest) > 1:
        raise errors.SettingError(
            f"A line of --{what} holds something that is no flag. Expected: "
            f"--name=value. Received: {' '.join(rest[1:])}."
        )


def _step(output, member, phase, before):
    """The training that the flags describe, which starts where the one before ended."""
    if before:
        FLAGS["initial_run"].value = before
    folder = pathlib.Path(_folder(output, member, phase))
    pseudo = recipe.Pseudo(FLAGS.pseudo_split, FLAGS.pseudo_threshold)
    if pseudo.split:
        if not before:
            raise errors.SettingError(
                "Images get labels from the phase before. Expected: --pseudo_split in "
                "a --phase. Received: it in the first."
            )
        FLAGS["pseudo_labels"].value = f"{folder}-pseudo_labels.csv"
    return recipe.Step(
        folder, experiment_flags.config_from_flags(), run_flags.resolved(), pseudo
    )


def _adaptation(seed):
    """What `adapted.fit` is told."""
    names = adaptation_flags.PARTS
    return {name: FLAGS[name].value for name in names} | {"seed": seed}
