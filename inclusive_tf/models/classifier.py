"""A `keras.Model` that refuses what Keras would do silently and wrongly to it.

Measured on Keras 3.15 with targets [N, C] that show several labels an image:

- `class_weight` takes the position of each row's first largest target for the image's
  class, an image without labels for class 0, and weighs the whole image by it;
- a two-dimensional `sample_weight` does not weigh labels: it ends in a shape error or,
  where shapes happen to fit, weighs other things than it says;
- a loss that expects probabilities clips logits to 0..1 and trains on that.
"""

import inspect

import keras

from data_pipelines import errors

_INSTEAD = "use a loss that weighs labels, as `inclusive_tf.losses` lists"


@keras.saving.register_keras_serializable(package="inclusive_tf")
class Classifier(keras.Model):
    """A functional model of several labels an image, from inputs to logits [B, C].

    It is made, saved, cloned and trained like any functional `keras.Model`.

    Raises:
        errors.SettingError: on `compile`, `fit`, `train_on_batch`, `test_on_batch` or
            `evaluate`, when what is asked for would silently be something else.
    """

    def compile(self, *args, **kwargs):
        """As `keras.Model.compile`; refuses losses that expect probabilities."""
        given = inspect.signature(super().compile).bind(*args, **kwargs)
        for loss in keras.tree.flatten(given.arguments.get("loss")):
            _require_logits(loss)
        return super().compile(*args, **kwargs)

    def compile_from_config(self, config):
        """Compiles as a saved or cloned model was; Keras asks for it beside compile."""
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    def fit(self, *args, **kwargs):
        """As `keras.Model.fit`; refuses `class_weight` and weights of labels."""
        _require_weights_of_images(super().fit, args, kwargs)
        return super().fit(*args, **kwargs)

    def train_on_batch(self, *args, **kwargs):
        """As `keras.Model.train_on_batch`; refuses what `fit` does."""
        _require_weights_of_images(super().train_on_batch, args, kwargs)
        return super().train_on_batch(*args, **kwargs)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """As `keras.Model.compute_loss`; refuses weights that are not one an image.

        Weights that come out of a data set, and all of `evaluate`, pass here.
        """
        _require_one_weight_an_image(sample_weight)
        return super().compute_loss(x, y, y_pred, sample_weight, training)


def _require_weights_of_images(method, args, kwargs):
    given = inspect.signature(method).bind(*args, **kwargs).arguments
    if given.get("class_weight") is not None:
        raise errors.SettingError(
            "With several labels an image, Keras takes the first largest target for "
            "the image's class, class 0 where there is no label, and weighs the whole "
            f"image by it, silently. Expected: no class_weight; {_INSTEAD}. "
            f"Received: class_weight={given['class_weight']!r}."
        )
    _require_one_weight_an_image(given.get("sample_weight"))


def _require_one_weight_an_image(sample_weight):
    for weights in keras.tree.flatten(sample_weight):
        # `fit` hides even the rank of arrays from what it compiles; they are seen above
        shape = getattr(weights, "shape", ())
        rank = shape.rank if hasattr(shape, "rank") else len(shape)
        if rank is not None and rank > 1:
            raise errors.SettingError(
                "Keras does not weigh single labels by sample_weight: it fails, or "
                "weighs something else. Expected: one weight an image, [N]; for "
                f"labels, {_INSTEAD}. Received: weights of {rank} dimensions."
            )


def _require_logits(loss):
    """Refuses a loss, or the name of one, whose `from_logits` is false."""
    if loss is None:
        return
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    if isinstance(loss, keras.losses.Loss):
        from_logits = loss.get_config().get("from_logits", True)
    else:
        parameters = inspect.signature(loss).parameters
        from_logits = getattr(parameters.get("from_logits"), "default", True)
    if not from_logits:
        raise errors.SettingError(
            "The model gives logits, which this loss would clip to 0..1 as if they "
            "were probabilities, silently. Expected: from_logits=True, or a loss of "
            f"`inclusive_tf.losses`. Received: {getattr(loss, 'name', loss)}."
        )
