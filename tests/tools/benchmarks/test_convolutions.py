"""Operations are counted as arithmetic says, and a share is one of rates."""

import keras

from tools.benchmarks import convolutions


def test_operations_of_convolutions_and_dense_layers_are_counted():
    inputs = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(4, 3, strides=2, padding="same")(inputs)
    vector = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(maps))
    model = keras.Model(inputs, keras.layers.Dense(5)(vector))
    assert convolutions.flops(model) == 2 * (3 * 3 * 3 * 4 * 4 * 4 + 4 * 5)


def test_the_large_convolution_is_counted_as_a_layer_is():
    inputs = keras.Input((6, 6, 2))
    maps = keras.layers.Conv2D(2, 3, padding="same", use_bias=False)(inputs)
    one = convolutions.flops(keras.Model(inputs, maps))
    assert convolutions.large_flops(5, 6, 2) == 5 * one


def test_the_large_convolution_runs_each_time_it_is_called():
    run = convolutions.large(1, 6, 2)
    assert run().shape == (1, 6, 6, 2)


def test_a_share_is_of_the_limits_rate():
    said = convolutions.share("a step", 3e9, [1.0, 2.0, 9.0], "it", 1e9, [0.5])
    assert said == "a step: 1.5 GFLOP/s, **75.0%** of the 2 of it.\n"
