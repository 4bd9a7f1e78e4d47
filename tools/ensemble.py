"""Makes one predictions folder of several of the same images.

    python -m tools.ensemble --predictions=A/predictions/stage_1 \\
        --predictions=B/predictions/stage_1 --rule=mean_logits --output=BOTH/stage_1
    python -m tools.ensemble --predictions=... --rule=vote --at_least=4 \\
        --adaptations=... --fill="/m/01g317 /m/05s2s /m/07j7r" --output=...
    python -m tools.ensemble --predictions=... --select_on=A/predictions/tuning \\
        --select_on=B/predictions/tuning --output=...

The result is read by tools.adapt, tools.evaluate, tools.compare and tools.submit like
any predictions; an ensemble has no features and no last layer. --adaptations has one
folder a member, in the same order: means are then of logits less each member's
thresholds, and votes are decided by them. Without, a member votes from probability
--vote_threshold on.

--rule=vote keeps labels with --at_least votes (more than half by default). An image
left empty takes every label with a vote (--nounion does not), one still empty the
labels of --fill. Votes are stored as logits whose cut is 0: the logit of (v + 1/2) /
(n + 1) less that of needed / (n + 1).

--rule=fallback asks the first of two members, and the second where the first's largest
probability is less than --fallback_below, or than the threshold that is best on the
labelled predictions of --select_on by --fallback_figure:

    python -m tools.ensemble --rule=fallback --output=BOTH/test \\
        --predictions=IMAGE/predictions/test --select_on=IMAGE/predictions/validation \\
        --predictions=TEXT/predictions/test --select_on=TEXT/predictions/validation

--select_on, one folder a member, otherwise chooses members and weights for a mean
greedily by the mean F2 on those images (Caruana et al. 2004); their truth is fitted on,
so evaluate on others: images that --predictions share with them are refused. To adapt
an ensemble on the images that chose it, combine those with --weights as printed.
"""

from absl import flags

from tools import command

FLAGS = flags.FLAGS

flags.DEFINE_multi_string(
    "predictions", None, "Folder of predictions; once a member.", required=True
)
flags.DEFINE_multi_string("adaptations", [], "Folder of an adaptation; once a member.")
flags.DEFINE_enum(
    "rule",
    "mean_logits",
    ["mean_logits", "mean_probabilities", "vote", "fallback"],
    "How members are combined.",
)
flags.DEFINE_list("weights", [], "Weights of a mean, one a member; by default equal.")
flags.DEFINE_integer(
    "at_least", None, "Votes a label needs; by default more than half.", lower_bound=1
)
flags.DEFINE_bool("union", True, "Whether an image left empty takes all voted labels.")
flags.DEFINE_string("fill", "", "Labels, space-joined, for images still empty.")
flags.DEFINE_float(
    "vote_threshold",
    0.5,
    "Probability from which a member without an adaptation votes.",
)
flags.DEFINE_float(
    "fallback_below",
    None,
    "Probability under which the second member is asked; None: fitted on --select_on.",
    0,
    1,
)
flags.DEFINE_enum(
    "fallback_by",
    "softmax",
    ["softmax", "sigmoid"],
    "Largest probability: over all labels, or of the labels one by one.",
)
flags.DEFINE_enum(
    "fallback_figure",
    "mean_f2",
    ["mean_f2", "top_1", "macro_top_1"],
    "What --fallback_below is fitted by.",
)
flags.DEFINE_multi_string(
    "select_on", [], "Folder of labelled predictions to choose on; once a member."
)
flags.DEFINE_integer("steps", 30, "Members to choose, with replacement.", lower_bound=1)
flags.DEFINE_bool("verify", True, "Whether to check the sums of the members' files.")
flags.DEFINE_string("output", None, "Folder to write.", required=True)
flags.register_validator(
    "vote_threshold", lambda chance: 0 < chance < 1, "must lie between 0 and 1"
)


def main(_):
    """Checks, chooses, combines and writes."""
    import dataclasses

    from inclusive_tf.ensembles import combining, selection

    members = _members(FLAGS.predictions)
    of = FLAGS.rule.removeprefix("mean_")
    facts = {}
    if FLAGS.rule == "fallback":
        _fall_back(members)
        return
    if FLAGS.select_on:
        _require(FLAGS.rule != "vote", "--select_on chooses for a mean, not for a vote")
        _require(not FLAGS.weights, "--select_on finds the weights; leave --weights")
        selected = _members(FLAGS.select_on)
        selection.require_fit(members, selected)
        found = selection.greedy(selected, FLAGS.steps, of, FLAGS.verify)
        for step in found.path:
            name = FLAGS.predictions[step["member"]]
            print(f"mean F2 {step['mean_f2']:.4f} with {name}")
        for member, count in zip(members, found.counts, strict=True):
            if count:
                print(f"weight {count} of {member.predictions}")
        members = [
            dataclasses.replace(member, weight=float(count))
            for member, count in zip(members, found.counts, strict=True)
            if count
        ]
        print(f"{len(members)} of {len(found.counts)} members were chosen")
        facts = {"selected_on": list(FLAGS.select_on)}
    if FLAGS.rule == "vote":
        predictions, numbers = combining.vote(members, _vote(), FLAGS.verify)
        print(f"{numbers['union']} images took the union of all votes")
        print(
            f"{numbers['filled']} images got the constant answer: {FLAGS.fill or '-'}"
        )
        print(f"{numbers['empty']} images have no label")
    else:
        predictions = combining.mean(members, of, FLAGS.verify)
    source = predictions.source | facts
    dataclasses.replace(predictions, source=source).save(FLAGS.output)
    print(f"{len(predictions)} images of {len(members)} members: {FLAGS.output}")


def _fall_back(members):
    import dataclasses

    import scipy.special

    from inclusive_tf.ensembles import fallback, selection

    _require(not FLAGS.weights, "a fallback asks one of two; leave --weights")
    given = FLAGS.fallback_below is not None
    _require(
        given != bool(FLAGS.select_on),
        "a fallback takes --fallback_below, or --select_on to fit it on",
    )
    facts = {}
    if given:
        below = float(scipy.special.logit(FLAGS.fallback_below))
        rule = fallback.Fallback(below, FLAGS.fallback_by)
    else:
        selected = _members(FLAGS.select_on)
        selection.require_fit(members, selected)
        found = fallback.fit(
            selected, FLAGS.fallback_figure, FLAGS.fallback_by, FLAGS.verify
        )
        rule = found.rule
        print(
            f"{FLAGS.fallback_figure} {found.figure:.4f} where the second is asked "
            f"below {rule.below:.4f}, about {found.asked:.1%} of the images; the first "
            f"alone {found.first:.4f}, the second alone {found.second:.4f} (fitted on "
            "these images, so it flatters)"
        )
        facts = {"selected_on": list(FLAGS.select_on)}
    predictions, asked = fallback.combine(members, rule, FLAGS.verify)
    source = predictions.source | facts
    dataclasses.replace(predictions, source=source).save(FLAGS.output)
    print(
        f"{len(predictions)} images, of which the second member answered {asked}: "
        f"{FLAGS.output}"
    )


def _members(folders):
    from inclusive_tf.ensembles import members as members_module

    count = len(FLAGS.predictions)
    given = {
        "select_on": folders,
        "adaptations": FLAGS.adaptations or [None] * count,
        "weights": FLAGS.weights or [1.0] * count,
    }
    for name, values in given.items():
        _require(len(values) == count, f"--{name} has one a member, in their order; "
                 f"expected {count}, received {len(values)}")  # fmt: skip
    try:
        weights = [float(weight) for weight in given["weights"]]
    except ValueError:
        _require(False, f"--weights are numbers; received {','.join(FLAGS.weights)}")
    rows = zip(folders, given["adaptations"], weights, strict=True)
    return [members_module.Member(*row) for row in rows]


def _vote():
    import math

    from data_pipelines import errors
    from inclusive_tf import predictions as predictions_module
    from inclusive_tf.ensembles import combining

    _require(not FLAGS.weights, "members have one vote each; leave --weights")
    fill = []
    if FLAGS.fill:
        first = predictions_module.load(FLAGS.predictions[0], verify=False)
        index = first.vocabulary.index()
        for code in FLAGS.fill.split():
            if code not in index:
                raise errors.DataError(
                    "--fill names a label that is not in the vocabulary", received=code
                )
            fill.append(index[code])
    chance = FLAGS.vote_threshold
    cut = math.log(chance) - math.log1p(-chance)
    return combining.Vote(FLAGS.at_least, FLAGS.union, tuple(fill), cut)


def _require(holds, message):
    from data_pipelines import errors

    if not holds:
        raise errors.SettingError(message)


if __name__ == "__main__":
    command.run(main)
