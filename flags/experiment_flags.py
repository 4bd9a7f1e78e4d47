"""Every flag of a training, and the `experiment.Experiment` they make."""

from absl import flags

from flags import (
    data_flags,
    image_flags,
    mixing_flags,
    resampling_flags,
    training_flags,
)

FLAGS = flags.FLAGS


def define():
    """Defines the flags of data, images, resampling and training."""
    data_flags.define()
    image_flags.define()
    resampling_flags.define()
    mixing_flags.define()
    training_flags.define()


def config_from_flags():
    """Returns the `experiment.Experiment` of the flags; imports TensorFlow."""
    from inclusive_tf import experiment

    return experiment.Experiment(
        data=data_flags.data_config(),
        image=image_flags.image_config(),
        augment=image_flags.augmentation_config(),
        resampling=FLAGS.resampling,
        resampling_settings=resampling_flags.policy_settings(),
        carrier=FLAGS.carrier,
        shuffle_buffer=FLAGS.shuffle_buffer,
        keep_bytes=int(FLAGS.keep_gib * 2**30),
        model=training_flags.model_settings(),
        prior_bias=FLAGS.prior_bias,
        training=training_flags.training_config(),
        loss_settings=training_flags.loss_settings(),
        mixing=mixing_flags.config_from_flags(),
        start=training_flags.start_config(),
        one_label=FLAGS.one_label,
        text_words=FLAGS.text_vocabulary,
        heads=training_flags.heads_config(),
        surroundings=training_flags.surroundings_config(),
    )
