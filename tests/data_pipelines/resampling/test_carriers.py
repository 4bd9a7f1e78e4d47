"""Both carriers deliver the rates, differ between epochs, and can be resumed."""

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import hashing
from data_pipelines.resampling import carriers, plan

RATE = np.concatenate([np.full(300, 0.2), np.full(60, 1.0), np.full(20, 4.5)])
RATES = RATE[None]
COUNT, TOTAL = len(RATE), int(RATE.sum())
TWO = np.stack([RATE, RATE[::-1]])


def records(count=COUNT):
    return tf.data.Dataset.range(count).map(tf.strings.as_string)


def gather(dataset, key="example"):
    return np.array([int(element[key]) for element in dataset])


def test_a_plan_has_the_same_total_in_every_epoch():
    for epoch in range(20):
        assert len(plan.make(RATES, 0, epoch).example) == TOTAL


def test_a_plan_draws_each_example_its_rate_rounded_down_or_up():
    for epoch in range(20):
        drawn = plan.make(RATES, 3, epoch)
        counts = np.bincount(drawn.example, minlength=COUNT)
        assert (counts >= np.floor(RATE - 1e-9)).all()
        assert (counts <= np.ceil(RATE + 1e-9)).all()


def test_planned_draws_have_the_rates_as_their_mean():
    epochs = 400
    counts = sum(
        np.bincount(plan.make(RATES, 1, epoch).example, minlength=COUNT)
        for epoch in range(epochs)
    )
    fraction = RATE % 1
    sigma = np.sqrt(np.maximum(fraction * (1 - fraction), 1e-9) / epochs)
    assert (np.abs(counts / epochs - RATE) <= 5 * sigma + 1e-9).all()


def test_copies_of_an_example_are_numbered_within_an_epoch():
    drawn = plan.make(RATES, 0, 0)
    for example in np.unique(drawn.example):
        copies = np.sort(drawn.copy[drawn.example == example])
        np.testing.assert_array_equal(copies, np.arange(len(copies)))


def test_a_plan_is_a_function_of_seed_and_epoch():
    same = plan.make(RATES, 5, 2).example
    np.testing.assert_array_equal(plan.make(RATES, 5, 2).example, same)
    assert not np.array_equal(plan.make(RATES, 5, 3).example, same)
    assert not np.array_equal(plan.make(RATES, 6, 2).example, same)


def test_epochs_follow_alternatives_as_a_fair_coin_would():
    """Each of 3 a third of the time, and none more often after another."""
    epochs = 9000
    chosen = np.array([plan.alternative(3, 7, epoch) for epoch in range(epochs)])
    pairs = np.bincount(3 * chosen[:-1] + chosen[1:], minlength=9)
    for counts, sides in ((np.bincount(chosen, minlength=3), 3), (pairs, 9)):
        share = counts / counts.sum()
        sigma = np.sqrt(1 / sides * (1 - 1 / sides) / epochs)
        assert (np.abs(share - 1 / sides) < 5 * sigma).all()


def test_the_alternative_is_a_function_of_seed_and_epoch():
    sequences = [
        [plan.alternative(2, seed, epoch) for epoch in range(64)] for seed in (0, 0, 1)
    ]
    assert sequences[0] == sequences[1] != sequences[2]
    assert plan.alternative(1, 0, 5) == 0


def test_a_plan_follows_the_alternative_of_its_epoch():
    for epoch in range(20):
        drawn = plan.make(TWO, 3, epoch).example
        rate = TWO[plan.alternative(2, 3, epoch)]
        alone = plan.make(rate[None], 3, epoch).example
        np.testing.assert_array_equal(drawn, alone)
        assert len(drawn) == TOTAL


def test_both_carriers_follow_the_same_alternative_in_each_epoch():
    epochs = 6
    chosen = [plan.alternative(2, 0, epoch) for epoch in range(epochs)]
    assert set(chosen) == {0, 1}
    streamed = epochs_of_stream(epochs, TWO)
    planned = carriers.indexed(TWO, 0, epochs).as_numpy_iterator()
    for draws in (streamed, list(planned)):
        counts = np.zeros((epochs, COUNT))
        for draw in draws:
            counts[draw["epoch"], draw["example"]] += 1
        for epoch, which in enumerate(chosen):
            assert (counts[epoch] >= np.floor(TWO[which] - 1e-9)).all()
            assert (counts[epoch] <= np.ceil(TWO[which] + 1e-9)).all()


def test_the_indexed_carrier_delivers_the_plans():
    delivered = gather(carriers.indexed(RATES, 0, epochs=2))
    expected = [plan.make(RATES, 0, epoch).example for epoch in range(2)]
    np.testing.assert_array_equal(delivered, np.concatenate(expected))


def test_the_indexed_carrier_resumes_by_arithmetic():
    whole = gather(carriers.indexed(RATES, 0, epochs=3))
    rest = gather(carriers.indexed(RATES, 0, 3, first_epoch=1, first_draw=37))
    np.testing.assert_array_equal(rest, whole[TOTAL + 37 :])


def epochs_of_stream(count, rates=RATES, seed=0):
    found = []
    for element in carriers.streaming(records(), rates, seed).as_numpy_iterator():
        if element["epoch"] >= count:
            return found
        found.append(element)
    return found


def test_both_carriers_have_the_same_marginals_within_five_sigma():
    epochs = 60
    streamed = np.zeros(COUNT)
    for element in epochs_of_stream(epochs):
        streamed[element["example"]] += 1
    planned = np.bincount(gather(carriers.indexed(RATES, 0, epochs)), minlength=COUNT)
    fraction = RATE % 1
    sigma = np.sqrt(np.maximum(fraction * (1 - fraction), 1e-9) / epochs)
    for counts in (streamed, planned):
        # a family of 380 looks at five sigma: chance would fail one run in 4,000
        assert (np.abs(counts / epochs - RATE) <= 5 * sigma + 1e-9).all()


def test_the_stream_carries_the_record_of_its_example():
    for element in epochs_of_stream(1):
        assert element["data"] == str(element["example"]).encode()


def test_the_stream_rejects_other_examples_in_each_epoch():
    found = epochs_of_stream(2)
    first, second = (
        {int(e["example"]) for e in found if e["epoch"] == epoch} for epoch in (0, 1)
    )
    assert first != second


def test_what_selects_a_copy_says_nothing_of_how_it_is_augmented():
    """Numbers shared between the two would mirror no third copy at all."""
    rates = np.full((1, 4000), 2.3)
    dataset = carriers.streaming(records(4000), rates, seed=0)
    keys = np.array([
        (element["epoch"], element["example"], element["copy"])
        for element in dataset.take(9000).as_numpy_iterator()
    ])  # fmt: skip
    for copy in range(3):
        own = hashing.uniforms(keys[keys[:, 2] == copy], 0, 1).numpy()
        assert abs(own.mean() - 0.5) < 5 * np.sqrt(1 / 12 / len(own))


@pytest.mark.parametrize("rates", [RATES, TWO], ids=["one", "two"])
def test_the_stream_can_be_checkpointed_and_goes_on_exactly(tmp_path, rates):
    dataset = carriers.streaming(records(), rates, 0, shuffle_buffer=16)
    iterator = iter(dataset)
    for _ in range(2 * TOTAL // 3):
        next(iterator)
    path = tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "place"))
    expected = [int(next(iterator)["example"]) for _ in range(TOTAL)]
    restored = iter(dataset)
    tf.train.Checkpoint(iterator=restored).read(path).assert_consumed()
    assert [int(next(restored)["example"]) for _ in range(TOTAL)] == expected


def test_a_stream_can_start_in_any_epoch():
    expected = [one for one in epochs_of_stream(3) if one["epoch"] == 2]
    found = carriers.streaming(records(), RATES, 0, first_epoch=2)
    for one, other in zip(expected, found.as_numpy_iterator(), strict=False):
        assert one == other


def test_a_stream_longer_than_its_rates_is_refused():
    dataset = carriers.streaming(records(COUNT + 1), RATES, 0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="more records than"):
        list(dataset.take(2 * TOTAL))
