"""The unit most families are made of: a convolution, its normalisation, a ReLU."""

from keras import layers


def convolve(tensor, filters, size, name, strides=1):
    """Returns a convolution without bias, padded to the input's size over `strides`."""
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(tensor)


def normalise(tensor, name):
    """Returns the batch-normalised tensor."""
    return layers.BatchNormalization(name=f"{name}_norm")(tensor)


def activate(tensor, name):
    """Returns the positive part."""
    return layers.Activation("relu", name=f"{name}_relu")(tensor)


def convolve_normalise_activate(tensor, filters, size, name, strides=1):
    """Returns relu(batch norm(convolution)), from layer `name`_relu."""
    tensor = convolve(tensor, filters, size, name, strides)
    return activate(normalise(tensor, name), name)
