"""Every recipe can be read, and its phases and members are what its flags say."""

import pytest
from absl import flags
from absl.testing import flagsaver

from data_pipelines import errors
from flags import recipe_flags

RECIPES = recipe_flags.names()
# the others are flagfiles of a training alone
WHOLE = [
    name
    for name in RECIPES
    if "python -m tools.train"
    not in (recipe_flags.FOLDER / f"{name}.flags").read_text()
]


@pytest.fixture(scope="module", autouse=True)
def defined():
    """Defines the flags, for this module only."""
    before = set(flags.FLAGS)
    recipe_flags.define()
    yield
    for name in set(flags.FLAGS) - before:
        delattr(flags.FLAGS, name)


def read(*arguments, output="out"):
    with flagsaver.flagsaver():
        recipe_flags.take(arguments)
        return recipe_flags.config_from_flags(output)


def test_the_systems_of_the_field_have_a_recipe():
    expected = {f"place_{place}" for place in (1, 2, 3, 4, 11, 19, 24)}
    expected |= {"asbudhkar_densenet", "asbudhkar_resnet", "indoor_scenes_alexnet"}
    expected |= {f"savan77_{kind}" for kind in ("weights", "oversampling", "both")}
    assert expected | {"ours", "ours_ensemble"} <= set(RECIPES)


@pytest.mark.parametrize("name", WHOLE)
def test_a_recipe_can_be_read_and_says_where_it_is_from(name):
    found = read(*recipe_flags.arguments(name, "", 3))
    assert (found.name, found.seed) == (name, 3)
    seeds = [member.steps[0].experiment.training.seed for member in found.members]
    assert seeds == [3 + 1000 * number for number in range(len(seeds))]
    text = (recipe_flags.FOLDER / f"{name}.flags").read_text()
    assert text.startswith("# ")
    if "/" not in name:
        origin = "Chosen" if name.startswith("ours") else "Differs:"
        for part in ("Command:", "Expected", origin):
            assert part in text


def test_a_phase_starts_from_the_one_before_and_keeps_the_other_flags():
    found = read("--epochs=5", "--phase=--trainable=last_layer --epochs=2")
    (member,) = found.members
    first, second = member.steps
    assert first.experiment.start.run == ""
    assert second.experiment.start.run == str(first.run)
    assert second.experiment.start.trainable == "last_layer"
    assert [step.experiment.training.epochs for step in member.steps] == [5, 2]
    assert second.flags["initial_run"] == str(first.run)
    assert first.experiment.model == second.experiment.model


def test_members_differ_in_their_flags_and_seeds_and_in_nothing_else():
    found = read(
        "--seed=2", "--member=--model=resnet_small", "--member=--threshold=global",
        "--phase=--epochs=1",
    )  # fmt: skip
    models = [member.steps[1].experiment.model for member in found.members]
    assert [one["name"] for one in models] == ["resnet_small", "densenet_small"]
    assert [one["seed"] for one in models] == [2, 1002]
    rules = [member.adaptation["threshold"] for member in found.members]
    assert rules == ["none", "global"]
    assert len({step.run for member in found.members for step in member.steps}) == 4


def test_a_flag_that_repeats_is_replaced_and_leaves_the_others_alone():
    found = read("--splits=train:a=1", "--member=--splits=train:a=2", "--member=",
                 "--dataset=table", "--table=t.csv")  # fmt: skip
    splits = [member.steps[0].experiment.data.source.splits for member in found.members]
    assert splits == [("train:a=2",), ("train:a=1",)]


def test_a_fixed_threshold_answers_where_nothing_is_fitted():
    found = read("--fit_split=", "--answer_threshold=0.25")
    assert found.threshold_logit == pytest.approx(-1.0986, abs=1e-4)
    with pytest.raises(errors.SettingError, match="no labels to fit on"):
        read("--fit_split=", "--threshold=global")


def test_a_fixed_threshold_that_would_not_be_used_is_refused():
    with pytest.raises(errors.SettingError, match="with --fit_split="):
        read("--answer_threshold=0.25")


@pytest.mark.parametrize(
    "line",
    [
        "--phase=--views=mirror", "--phase=--threshold=global", "--phase=--fit_split=",
        "--phase=--answer=train", "--phase=--phase=--epochs=1",
        "--phase=--initial_run=elsewhere", "--member=--fit_split=",
        "--member=--combine=vote", "--member=--answer=x", "--member=--least_labels=3",
        "--member=--answer_threshold=0.1", "--member=--pseudo_threshold=0.1",
        "--member=--recipe=other",
    ],
)  # fmt: skip
def test_a_line_that_says_what_it_does_not_decide_is_refused(line):
    flag = line.split("=")[1]
    with pytest.raises(errors.SettingError, match=rf"does not decide.*{flag}\."):
        read(line)


def test_a_line_with_a_flagfile_is_refused_as_its_content_would_not_be_known(tmp_path):
    path = tmp_path / "more.flags"
    path.write_text("--epochs=9")
    with pytest.raises(errors.SettingError, match="the flags themselves"):
        read(f"--member=--flagfile={path}")


def test_flags_typed_at_a_study_are_refused_since_they_reach_no_recipe():
    with flagsaver.flagsaver():
        recipe_flags.take(["--epochs=9"])
        with pytest.raises(errors.SettingError, match=r'--common="--epochs=\.\.\."'):
            recipe_flags.require_untyped()


def test_flags_are_afterwards_what_they_were():
    before = flags.FLAGS.flag_values_dict()
    read("--member=--epochs=9", "--phase=--seed=4")
    assert flags.FLAGS.flag_values_dict() == before


def test_labels_of_a_model_are_asked_for_in_a_phase():
    found = read(
        "--phase=--pseudo_split=stage_1 --pseudo_threshold=0.3", "--answer=stage_2"
    )
    step = found.members[0].steps[1]
    assert (step.pseudo.split, step.pseudo.threshold) == ("stage_1", 0.3)
    assert step.experiment.data.learnt.pseudo_labels.endswith("pseudo_labels.csv")
    assert "pseudo_split" not in found.members[0].steps[0].flags
    with pytest.raises(errors.SettingError, match="from the phase before"):
        read("--pseudo_split=stage_1")


@pytest.mark.parametrize(
    "other",
    [
        ["--phase=--pseudo_split=stage_1 --pseudo_threshold=0.4"],
        ["--phase=--pseudo_split=validation"],
        ["--phase=--pseudo_split=stage_1", "--views=ten_crops"],
        ["--phase=--pseudo_split=stage_1", "--member=", "--member=--scores=softmax"],
    ],
)
def test_a_run_remembers_who_gave_its_labels_and_how(other):
    def remembered(*arguments):
        return read(*arguments, "--answer=stage_2").members[0].steps[1].flags

    plain = "--phase=--pseudo_split=stage_1"
    assert remembered(plain) == remembered(plain)
    assert remembered(plain) != remembered(*other)


def test_members_read_the_same_labels_of_a_phase():
    found = read("--member=", "--member=", "--phase=--pseudo_split=stage_1",
                 "--answer=stage_2")  # fmt: skip
    learnt = [member.steps[1].experiment.data for member in found.members]
    assert learnt[0] == learnt[1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--phase=--loss=wrong", "binary_cross_entropy.*soft_f2"),
        ("--member=--model=wrong", "densenet_small.*xception"),
        ("--phase=--resampling=wrong", "rarest_label"),
        ("--phase=--no_such_flag=1", "no_such_flag"),
        ("--phase=epochs 2", "is no flag"),
        ("--phase=--epochs='2", "No closing quotation"),
    ],
)
def test_an_unknown_part_is_refused_with_the_known_ones(line, message):
    with pytest.raises(errors.SettingError, match=message):
        read(line)


def test_an_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(errors.SettingError, match=r"asbudhkar_densenet.*place_4"):
        recipe_flags.arguments("place_5", "", 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["--answer=tuning"], "must not be fitted on"),
        (["--answer="], "names a split"),
        (["--priors=em"], "--target_split with --priors=em"),
        (["--at_least=1"], "with --combine=vote"),
        (["--combine=vote", "--at_least=2"], "at most 1, the number of members"),
        (["--least_labels=5", "--largest_set=3"], "at most --largest_set"),
        (["--phase=--pseudo_split=tuning"], "than the last --pseudo_split"),
        (["--group_balanced"], "refit of the last layer"),
        (["--association_strength=1"], "needs associations"),
        (["--adapt=ensemble", "--last_layer"], "no --last_layer"),
        (["--combine=vote", "--adapt=ensemble"], "--adapt=members"),
        (["--combine=greedy"], "--adapt=ensemble"),
        (["--adapt=ensemble", "--fit_split="], "--fit_split to fit it on"),
        (
            ["--adapt=ensemble", "--priors=em", "--target_split=stage_1"],
            "priors that are counted",
        ),
        (
            ["--adapt=ensemble", "--member=--threshold=global", "--member="],
            "the same adaptation in all members",
        ),
    ],
)
def test_parts_that_do_not_go_together_are_refused(line, message):
    with pytest.raises(errors.SettingError, match=message):
        read(*line)


def test_a_digest_tells_flags_apart_and_not_where_data_lie():
    digests = [
        recipe_flags.digest_of(given)
        for given in ([], ["--epochs=6"], ["--views=mirror"], ["--phase=--epochs=1"])
    ]
    assert len(set(digests)) == 4
    assert recipe_flags.digest_of(["--cache_dir=elsewhere"]) == digests[0]


def test_how_far_a_stream_is_shuffled_is_part_of_the_digest_and_of_nothing_else():
    def digests(*arguments):
        return {
            recipe_flags.digest_of([*arguments, f"--shuffle_buffer={size}"])
            for size in (16, 64)
        }

    assert len(digests("--carrier=indexed")) == 1
    assert len(digests("--carrier=streaming")) == 2


def test_common_flags_that_cannot_be_split_are_refused():
    with pytest.raises(errors.SettingError, match=r"common cannot be read.*quotation"):
        recipe_flags.arguments("place_4", "--epochs='2", 0)
