"""What is said of a training that goes wrong without stopping."""

from inclusive_tf.training import symptoms


def losses(*values):
    return [{"loss": value} for value in values]


def test_a_training_that_goes_well_is_left_alone():
    assert symptoms.of_history(losses(0.5), 0.7) == []
    assert symptoms.of_history(losses(0.5, 0.4, 0.41), 0.7) == []


def test_a_loss_that_does_not_move_is_said_after_the_first_epoch():
    (said,) = symptoms.of_history(losses(0.6999), 0.7)
    assert "the loss does not move: 0.6999 over epoch 1, 0.7" in said
    # a training at its end does not move either
    assert symptoms.of_history(losses(0.3, 0.3), 0.7) == []


def test_an_epoch_that_is_all_first_steps_is_compared_with_the_next():
    assert symptoms.of_history(losses(0.7), 0.7) == []
    assert len(symptoms.of_history(losses(0.7, 0.6999), 0.7)) == 1
    assert symptoms.of_history(losses(0.7, 0.5), 0.7) == []


def test_a_loss_that_explodes_is_said():
    (said,) = symptoms.of_history(losses(0.5, 60.0), 0.7)
    assert "the loss explodes: 60 in epoch 2, 0.5 before" in said
    (said,) = symptoms.of_history(losses(9.0), 0.7)
    assert "explodes" in said
