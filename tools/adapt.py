"""Fits what changes in predictions of a new place to a labelled tuning set.

    python -m tools.adapt --predictions=RUN/predictions/tuning \\
        --last_layer --threshold=global --output=RUN/adaptation/NAME
    python -m tools.adapt --predictions=RUN/predictions/tuning \\
        --priors=counted --threshold=global --output=RUN/adaptation/NAME
    python -m tools.adapt --predictions=RUN/predictions/validation --temperature \\
        --priors=em --target=RUN/predictions/stage_1 --threshold=expected_f2 \\
        --output=RUN/adaptation/NAME

Predictions are those of the original model. The parts, fitted in this order:

- --last_layer refits the last layer on the features that predictions hold, pulled
  towards the original one; cross-validation chooses how strongly. --group_balanced lets
  each group count the same in it.
- --temperature brings logits to probabilities by one slope and offset.
- --priors moves each label to its share in the new place: counted in the tuning set, or
  estimated from --target without any label of it (em, bbse). These two compare it with
  labelled images of the training's place: --source, or --predictions where no label of
  the new place is there.
- --associations raises the scores of labels that come with others that are scored
  high; tools.associate counts which do. Cross-validation chooses how strongly, and 0 is
  among its choices.
- --threshold says what decides; see `--help`.

After a refit or a count, rules are fitted on logits out of fold. tools.evaluate,
tools.compare, tools.explain and tools.submit apply the result with --adaptation, and
refuse predictions of another model and images whose labels it was fitted on.
"""

from absl import flags

from flags import adaptation_flags
from tools import command

FLAGS = flags.FLAGS

adaptation_flags.define()
flags.DEFINE_string(
    "predictions", None, "Predictions of the labelled images to fit on.", required=True
)
flags.DEFINE_string(
    "source", None, "Labelled predictions of the training's place, for --priors."
)
flags.DEFINE_string(
    "target", None, "Predictions of the new place for --priors; labels are not read."
)
flags.DEFINE_string("output", None, "Folder to write.", required=True)


def main(_):
    """Loads, fits, prints and writes."""
    from data_pipelines import errors
    from inclusive_tf import predictions as predictions_module
    from inclusive_tf.adaptation import adapted

    config = adaptation_flags.config_from_flags()
    nothing = ("none", False, "")
    parts = config.threshold, config.priors, config.last_layer, config.temperature
    if all(part in nothing for part in (*parts, config.associations)):
        raise errors.SettingError(
            "nothing to fit; expected --last_layer, --temperature, --priors, "
            "--associations or --threshold"
        )
    found = {
        name: predictions_module.load(folder) if folder else None
        for name, folder in (("source", FLAGS.source), ("target", FLAGS.target))
    }
    adaptation = adapted.fit(
        predictions_module.load(FLAGS.predictions),
        config.last_layer,
        config.threshold,
        seed=config.seed,
        folds=config.folds,
        name=config.name,
        group_balanced=config.group_balanced,
        temperature=config.temperature,
        priors=config.priors,
        associations=config.associations,
        association_strength=config.association_strength,
        **found,
    )
    adaptation.save(FLAGS.output)
    for line in _lines(adaptation):
        print(line)
    print(f"written to {FLAGS.output}")


def _lines(adaptation):
    """What was found, a line each."""
    figures = adaptation.figures
    for row in figures.get("penalties", []):
        mark = " *" if row["penalty"] == figures["penalty"] else ""
        yield (
            f"penalty {row['penalty']:g}: log loss {row['log_loss']:.4f}, "
            f"mean F2 {row['mean_f2']:.4f}{mark}"
        )
    end = figures.get("penalty_at_end_of_grid")
    if end:
        yield f"the {end} penalty of the grid won: one beyond it might do better"
    yield from _calibration_lines(figures)
    yield from _association_lines(figures.get("associations"))
    rule = figures.get("rule", {})
    for name, said in (("weight", "weight"), ("cut_weight", "weight of cuts")):
        for row in rule.get(f"{name}s", []):
            mark = " *" if row["weight"] == rule[name] else ""
            weight = "infinite" if row["weight"] is None else f"{row['weight']:g}"
            yield f"{said} {weight}: mean F2 {row['mean_f2']:.4f}{mark}"
    left_out = adaptation.fitted_on["without_known_labels"]
    if left_out:
        yield f"{left_out} images of which no label is known were left out"
    yield _decision_line(adaptation.decision)
    yield (
        f"mean F2 {figures['mean_f2']:.4f} on {adaptation.fitted_on['images']} tuning "
        f"images ({figures['estimate']})"
    )


def _calibration_lines(figures):
    found = figures.get("temperature")
    if found:
        loss, error = found["log_loss"], found["calibration_error"]
        yield (
            f"temperature {found['temperature']:.4f}, offset {found['offset']:.4f}: "
            f"log loss {loss[0]:.5f} to {loss[1]:.5f}, "
            f"calibration error {error[0]:.5f} to {error[1]:.5f}"
        )
    found = figures.get("priors")
    if found:
        yield (
            f"priors of {found['moved_labels']} labels moved, by "
            f"{found['median_shift']:.3f} in the median"
        )
        yield from found["notes"]


def _association_lines(found):
    if not found:
        return
    for row in found["strengths"]:
        mark = " *" if row["strength"] == found["strength"] else ""
        yield (
            f"association strength {row['strength']:g}: mean F2 {row['mean_f2']:.4f}"
            f"{mark}"
        )
    if not found["strength"]:
        yield "associations do not help here: scores stay as they are"
    elif found["strengths"] and found["strength"] == found["strengths"][-1]["strength"]:
        yield "the highest strength of the grid won: one beyond it might do better"
    if found["strength"]:
        yield (
            f"{found['associated_labels']} labels are raised by others, over "
            f"{found['pairs']} pairs"
        )


def _decision_line(decision):
    import numpy as np
    from scipy import special

    if isinstance(decision, str):
        return "each image is given the set of the best expected F2"
    if np.ndim(decision):
        low, middle, high = special.expit(np.quantile(decision, [0.0, 0.5, 1.0]))
        return (
            f"thresholds of {len(decision)} labels: probability {low:.4f} to "
            f"{high:.4f}, median {middle:.4f}"
        )
    return f"threshold: logit {decision:.4f}, probability {special.expit(decision):.4f}"


if __name__ == "__main__":
    command.run(main)
