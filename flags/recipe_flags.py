"""A whole recipe as flags: a training, its phases and members, and how it answers.

The flags of a training describe the first phase. Each --phase is a line of flags that a
further phase has on top of those, and starts from the weights of the phase before; each
--member is a line of flags that one member has on top in all its phases:

    --model=resnet_small
    --phase=--train_splits=tuning --held_out=0.2 --trainable=last_layer --epochs=10
    --member=
    --member=--model=densenet_small

A line of --phase holds flags of a training, one of --member also how it looks at images
and what is fitted. All else is said of the whole recipe, outside of them.
"""

import dataclasses
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
        "In a --phase: learn further from this split, with labels that the members of "
        "the phase before give.",
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
        "With --fit_split=: probability from which labels are given.",
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
        errors.SettingError: a line of --phase or --member cannot be read, or says what
            can only be said of the whole recipe; a threshold that would not be used.
    """
    output = pathlib.Path(output)
    _require_answer_threshold()
    lines, seed = FLAGS.member or [""], FLAGS.seed
    members, looks = [], []
    for number, line in enumerate(lines):
        steps = []
        for phase, more in enumerate(["", *FLAGS.phase]):
            before = _folder(output, number, phase - 1) if phase else ""
            with flagsaver.flagsaver():
                _seed(number)
                _take_part(line, "member")
                _take_part(more, "phase")
                steps.append(_step(output, number, phase, before))
        with flagsaver.flagsaver():
            _seed(number)
            _take_part(line, "member")
            looks.append(
                {flag.name: flag.value for flag in run_flags.of(["prediction_flags"])}
            )
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
        members=tuple(_labelled_by(member, looks) for member in members),
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

_PSEUDO = {"pseudo_split", "pseudo_threshold"}

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
        errors.SettingError: there is no such recipe; those there are stand in it. Or
            the line cannot be split.
    """
    path = FOLDER / f"{name}.flags"
    if not path.is_file():
        raise errors.SettingError(
            f"There is no recipe of this name. Expected: one of {', '.join(names())}. "
            f"Received: {name}."
        )
    return [
        f"--flagfile={path}", *_split(common, "common"), f"--recipe={name}",
        f"--seed={seed}",
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
    without = _NO_PART
    if FLAGS.carrier == "streaming":
        # there it decides the order of draws
        without = without - {"shuffle_buffer"}
    found = {
        flag.name: flag.value
        for flag in run_flags.of((*_MODULES, *run_flags.TRAINING))
        if flag.value != flag.default and flag.name not in without
    }
    text = json.dumps(found, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def require_untyped():
    """Refuses flags of recipes among those of a study, which would reach no recipe.

    Raises:
        errors.SettingError: one was typed.
    """
    typed = [
        f"--{flag.name}"
        for flag in run_flags.of((*_MODULES, *run_flags.TRAINING))
        if flag.present
    ]
    if typed:
        raise errors.SettingError(
            "A study gives its recipes the flags of --common. Expected: "
            f'--common="{typed[0]}=...". Received: {", ".join(sorted(typed))}.'
        )


def _require_answer_threshold():
    flag = FLAGS["answer_threshold"]
    if FLAGS.fit_split and flag.value != flag.default:
        raise errors.SettingError(
            "What is fitted decides from where labels are given. Expected: "
            f"--answer_threshold with --fit_split=. Received: --fit_split="
            f"{FLAGS.fit_split}."
        )


def _folder(output, member, phase):
    return str(output / f"member-{member}" / f"phase-{phase}")


def _seed(member):
    """Gives each member a seed of its own, the first the recipe's."""
    FLAGS["seed"].value = FLAGS.seed + _BETWEEN_MEMBERS * member


def _take_part(line, what):
    """Parses a line of --phase or --member, which may say no more than it decides."""
    words = _split(line, what)
    if any(word.lstrip("-").startswith("flagfile") for word in words):
        raise errors.SettingError(
            "A recipe is known by its flags, which a file could change. Expected: the "
            f"flags themselves in a line of --{what}. Received: {line}"
        )
    for name in FLAGS:
        FLAGS[name].present = 0
    _take(line, what)
    allowed = {flag.name for flag in run_flags.of(run_flags.TRAINING)}
    if what == "phase":
        allowed = (allowed | _PSEUDO) - {"initial_run"}
    else:
        allowed |= {flag.name for flag in run_flags.of(["prediction_flags"])}
        allowed |= set(adaptation_flags.PARTS)
    astray = [f"--{name}" for name in FLAGS if FLAGS[name].present]
    astray = sorted(set(astray) - {f"--{name}" for name in allowed})
    if astray:
        raise errors.SettingError(
            f"A line of --{what} does not decide this. Expected: it outside of "
            f"--{what}, or not at all. Received: {', '.join(astray)}."
        )


def _split(line, what):
    try:
        return shlex.split(line)
    except ValueError as error:
        raise errors.SettingError(
            f"A line of --{what} cannot be read: {error} Received: {line}"
        ) from error


def _take(line, what):
    """Parses a line of flags on top of what the flags are."""
    for name in FLAGS:
        if isinstance(FLAGS[name], flags.MultiFlag):
            # absl would lengthen the list that the other lines share
            FLAGS[name].present = 0
            FLAGS[name].value = list(FLAGS[name].value or ())
    try:
        rest = FLAGS(["recipe", *_split(line, what)])
    except flags.Error as error:
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
        # of all members, which is read once
        path = output / f"phase-{phase}-pseudo_labels.csv"
        FLAGS["pseudo_labels"].value = str(path)
    return recipe.Step(
        folder, experiment_flags.config_from_flags(), run_flags.resolved(), pseudo
    )


def _labelled_by(member, looks):
    """Has runs remember who gave their pseudo-labels, as the labels follow from that.

    Args:
        member: `recipe.Member`.
        looks: of each member, {name: value} of the flags that it predicts with.
    """
    steps = [
        dataclasses.replace(
            step,
            flags=step.flags
            | {
                "pseudo_split": step.pseudo.split,
                "pseudo_threshold": step.pseudo.threshold,
                "pseudo_by": looks,
            },
        )
        if step.pseudo.split
        else step
        for step in member.steps
    ]
    return dataclasses.replace(member, steps=tuple(steps))


def _adaptation(seed):
    """What `adapted.fit` is told."""
    names = adaptation_flags.PARTS
    return {name: FLAGS[name].value for name in names} | {"seed": seed}
