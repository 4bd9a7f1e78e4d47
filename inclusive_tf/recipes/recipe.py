"""What a recipe is made of: members, each trained in phases, and how they answer."""

import dataclasses
import pathlib

from data_pipelines import errors

COMBINATIONS = ("mean_logits", "mean_probabilities", "greedy", "vote")
"""How members are combined; greedy chooses them for the mean of their logits."""

ADAPTED = ("members", "ensemble")
"""What is adapted: each member before it is combined, or their combination."""


@dataclasses.dataclass(frozen=True)
class Pseudo:
    """Labels that the members of the phase before give to images of a split.

    Args:
        split: whose images get labels; "" for none.
        threshold: mean probability from which a label is given.
    """

    split: str = ""
    threshold: float = 0.25


@dataclasses.dataclass(frozen=True)
class Step:
    """One training: a member in a phase.

    Args:
        run: path of its run directory.
        experiment: `experiment.Experiment`.
        flags: {name: JSON value}, what the run remembers.
        pseudo: `Pseudo`; its file is what the experiment's data name.
    """

    run: pathlib.Path
    experiment: object
    flags: dict
    pseudo: Pseudo = Pseudo()


@dataclasses.dataclass(frozen=True)
class Member:
    """A model and how it answers.

    Args:
        steps: tuple of `Step`, a phase each.
        prediction: a dict of arguments of `trained.predict`: views, scores, statistics.
        adaptation: a dict of arguments of `adapted.fit`.
    """

    steps: tuple
    prediction: dict
    adaptation: dict


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A system from data to decisions.

    Args:
        name: for tables.
        seed: of its first member, for tables.
        members: tuple of `Member`, all with as many phases.
        fit_split: split whose labels adaptations are fitted on; "" fits nothing.
        threshold_logit: where labels are given when nothing is fitted.
        source_split: labelled split of the training's place, for priors by EM or BBSE.
        target_split: split of the new place whose images, without their labels, priors
            are estimated on.
        splits: splits that are answered.
        combine: one of `COMBINATIONS`.
        adapt: one of `ADAPTED`.
        at_least: votes that a label needs; None is more than half.
        least: labels that each image is given at least.
        most: labels that each image is given at most; 0 is any number.
        fill: whether images without any vote get the best constant answer.
        defaults: {name: JSON value} of flags that an older run does not name.

    Raises:
        errors.SettingError: parts that do not go together.
    """

    name: str
    seed: int
    members: tuple
    fit_split: str = "tuning"
    threshold_logit: float = 0.0
    source_split: str = ""
    target_split: str = ""
    splits: tuple = ("stage_1", "stage_2")
    combine: str = "mean_logits"
    adapt: str = "members"
    at_least: int | None = None
    least: int = 0
    most: int = 0
    fill: bool = True
    defaults: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        fitted = self.fit_split, self.source_split, self.target_split
        if self.fit_split in self.splits or self.source_split in self.splits:
            raise errors.SettingError(
                "What is answered must not be fitted on. Expected: other --answer than "
                f"{' and '.join(filter(None, fitted))}. "
                f"Received: {', '.join(self.splits)}."
            )
        fits = any(
            value not in (False, "none", "", None)
            for member in self.members
            for name, value in member.adaptation.items()
            if name not in ("seed", "folds")
        )
        if fits and not self.fit_split:
            raise errors.SettingError(
                "There are no labels to fit on. Expected: --fit_split, or neither "
                "--threshold nor another part that is fitted. Received: none."
            )
        self._require_what_can_work()
        if self.adapt == "ensemble":
            self._require_one_adaptation()
        if self.adapt == "ensemble" and self.combine == "vote":
            raise errors.SettingError(
                "Members vote with their own thresholds. Expected: --adapt=members "
                "with --combine=vote. Received: --adapt=ensemble."
            )
        if self.adapt == "members" and self.combine == "greedy":
            raise errors.SettingError(
                "Members are chosen on the images that they would be adapted to. "
                "Expected: --adapt=ensemble with --combine=greedy. "
                "Received: --adapt=members."
            )

    def _require_what_can_work(self):
        """Refuses what would end in an error, or count for nothing, after training."""
        from inclusive_tf.adaptation import fitting

        members = len(self.members)
        priors = {one.adaptation["priors"] for one in self.members}
        learnt = self.members[0].steps[-1].pseudo.split
        used = {self.fit_split, self.source_split, self.target_split, *self.splits}
        for right, expected, received in (
            (self.splits, "--answer names a split", "none"),
            (
                self.target_split or not priors & {"em", "bbse"},
                "--target_split with --priors=em or bbse",
                "none",
            ),
            (
                self.at_least is None or self.combine == "vote",
                "--at_least with --combine=vote",
                f"--combine={self.combine}",
            ),
            (
                (self.at_least or 0) <= members,
                f"--at_least of at most {members}, the number of members",
                self.at_least,
            ),
            (
                self.least <= self.most or not self.most,
                "--least_labels of at most --largest_set",
                f"{self.least} and {self.most}",
            ),
            (
                not learnt or learnt not in used,
                "another split to fit on and to answer than the last --pseudo_split",
                learnt,
            ),
        ):
            if not right:
                raise errors.SettingError(
                    "Parts of the recipe do not go together. Expected: "
                    f"{expected}. Received: {received}."
                )
        for member in self.members:
            given = dict(member.adaptation)
            rule, associations = given.pop("threshold"), given.pop("associations")
            fitting.Settings(**given, rule=rule, associations=bool(associations))

    def _require_one_adaptation(self):
        settings = [member.adaptation for member in self.members]
        priors = settings[0]["priors"]
        for right, expected, received in (
            (self.fit_split, "--fit_split to fit it on", "none"),
            (
                all(one == settings[0] for one in settings),
                "the same adaptation in all members",
                "another one in a --member",
            ),
            (
                not settings[0]["last_layer"],
                "no --last_layer, which an ensemble has none of",
                "one",
            ),
            (
                priors not in ("em", "bbse"),
                "priors that are counted, or none",
                f"--priors={priors}",
            ),
        ):
            if not right:
                raise errors.SettingError(
                    "With --adapt=ensemble one adaptation is fitted on the combination "
                    f"of all members. Expected: {expected}. Received: {received}."
                )
