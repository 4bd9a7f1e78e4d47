"""The model and the steps that train it."""

from absl import flags

from data_pipelines import errors

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_enum(
        "model", "densenet_small", ["densenet_small", "densenet121"], "Architecture."
    )
    flags.DEFINE_integer("growth", 8, "densenet_small: channels a layer adds.", 1)
    flags.DEFINE_list("blocks", ["3", "3", "3"], "densenet_small: layers a block.")
    flags.DEFINE_integer("stem_stride", 2, "densenet_small: 1 or 2.")
    flags.DEFINE_float("dropout", 0.0, "Share of features dropped.", 0, 0.95)
    flags.DEFINE_bool(
        "prior_bias", True, "Start the last layer's bias at the labels' log-odds."
    )
    flags.DEFINE_enum(
        "dtype",
        "float32",
        ["float32", "mixed_float16", "mixed_bfloat16"],
        "Dtype policy; logits are float32 in any case.",
    )
    flags.DEFINE_enum(
        "loss",
        "binary_cross_entropy",
        ["binary_cross_entropy", "multilabel_softmax"],
        "Multilabel loss.",
    )
    flags.DEFINE_integer("epochs", 5, "Epochs.", 1)
    flags.DEFINE_integer(
        "steps_per_epoch", 0, "Steps an epoch; 0: as many as show each image once.", 0
    )
    flags.DEFINE_integer("batch_size", 64, "Images a step.", 1)
    flags.DEFINE_enum("optimizer", "adam", ["adam", "adamw", "sgd"], "Optimiser.")
    flags.DEFINE_float("learning_rate", 2e-3, "Peak learning rate.", 0)
    flags.DEFINE_enum("schedule", "cosine", ["cosine", "constant"], "After warm-up.")
    flags.DEFINE_integer("warmup_steps", 50, "Steps of linear warm-up.", 0)
    flags.DEFINE_float("weight_decay", 0.0, "Decoupled weight decay (adamw, sgd).", 0)
    flags.DEFINE_float("clip_norm", 0.0, "Largest norm of the gradients; 0: any.", 0)
    flags.DEFINE_bool("jit_compile", False, "Compile the step with XLA.")
    flags.DEFINE_integer("check_every", 20, "Steps between looks at the loss.", 1)
    flags.DEFINE_integer("keep", 2, "Newest checkpoints that stay.", 1)
    flags.DEFINE_integer("seed", 0, "Seed of everything but the data set.", 0)


def training_config():
    """Returns the `training.config.TrainingConfig` of the flags."""
    from inclusive_tf.training import config

    return config.TrainingConfig(
        epochs=FLAGS.epochs,
        steps_per_epoch=FLAGS.steps_per_epoch,
        batch_size=FLAGS.batch_size,
        loss=FLAGS.loss,
        optimizer=FLAGS.optimizer,
        learning_rate=FLAGS.learning_rate,
        schedule=FLAGS.schedule,
        warmup_steps=FLAGS.warmup_steps,
        weight_decay=FLAGS.weight_decay,
        clip_norm=FLAGS.clip_norm,
        jit_compile=FLAGS.jit_compile,
        check_every=FLAGS.check_every,
        keep=FLAGS.keep,
        seed=FLAGS.seed,
    )


def _whole_numbers(name):
    values = FLAGS[name].value
    if not all(value.isdecimal() for value in values):
        raise errors.SettingError(
            f"--{name} cannot be read. Expected: whole numbers, joined by commas. "
            f"Received: {','.join(values)}."
        )
    return tuple(map(int, values))


def model_settings():
    """Returns the fields of `models.ModelConfig` that flags decide."""
    return {
        "name": FLAGS.model,
        "growth": FLAGS.growth,
        "blocks": _whole_numbers("blocks"),
        "stem_stride": FLAGS.stem_stride,
        "dropout": FLAGS.dropout,
        "dtype": FLAGS.dtype,
        "seed": FLAGS.seed,
    }
