"""The model and the steps that train it."""

import dataclasses

from absl import flags

from data_pipelines import errors
from inclusive_tf import losses, models
from inclusive_tf.training import config

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    _define_model()
    _define_loss()
    _define_steps()


def _define_model():
    flags.DEFINE_enum("model", "densenet_small", list(models.MODELS), "Architecture.")
    flags.DEFINE_integer("growth", 8, "densenet_small: channels a layer adds.", 1)
    flags.DEFINE_integer(
        "filters", 16, "Other small models: channels of the first stage.", 1
    )
    flags.DEFINE_list(
        "blocks", ["3", "3", "3"], "Small models: layers or units of each stage."
    )
    flags.DEFINE_integer("stem_stride", 2, "Small models: 1 or 2.")
    flags.DEFINE_enum(
        "pooling",
        "average",
        list(models.POOLINGS),
        "How the final feature map becomes a vector.",
    )
    flags.DEFINE_list(
        "hidden", [], "Units of the layers between that vector and the last layer."
    )
    flags.DEFINE_float(
        "dropout", 0.0, "Share dropped before the last layer and of hidden ones.", 0,
        0.95,
    )  # fmt: skip
    flags.DEFINE_float(
        "batch_norm_momentum",
        0.99,
        "Of running means and variances; 0.9 for trainings of a few hundred steps.",
        0,
        0.9999,
    )
    flags.DEFINE_enum(
        "inputs",
        "image",
        list(models.INPUTS),
        "What the model takes; text is what the data set says of each image.",
    )
    flags.DEFINE_integer(
        "text_vocabulary", 10_000, "Text: words known, the commonest in training.", 1
    )
    flags.DEFINE_integer("text_length", 16, "Text: words read, from the first on.", 1)
    flags.DEFINE_integer(
        "text_units", 64, "Text: units of the GRU and width of a word's vector.", 1
    )
    flags.DEFINE_float(
        "count_head_weight",
        0.0,
        "Second head, in training only: number of labels, weight of its squared error.",
        0,
    )
    flags.DEFINE_float(
        "embedding_head_weight",
        0.0,
        "Second head, in training only: embedding of the labels, weight of its cosine "
        "distance.",
        0,
    )
    flags.DEFINE_integer(
        "embedding_size", 64, "Dimensions of the labels' embedding, at most labels.", 1
    )
    flags.DEFINE_bool(
        "prior_bias", True, "Start the last layer's bias at the labels' log-odds."
    )
    flags.DEFINE_enum(
        "dtype",
        "float32",
        ["float32", "mixed_float16", "mixed_bfloat16"],
        "Dtype policy; logits are float32 in any case.",
    )


def _define_loss():
    flags.DEFINE_enum(
        "loss", "binary_cross_entropy", list(losses.LOSSES), "Multilabel loss."
    )
    for name, meaning in (
        ("gamma", "focusing (focal: 2, class_balanced: 0)"),
        ("alpha", "weight of the present (focal: 0.25), least weight "
                  "(distribution_balanced: 0.1)"),
        ("beta", "of the effective number (class_balanced: 0.999), steepness "
                 "(distribution_balanced: 10)"),
        ("mu", "middle of the weights (distribution_balanced: 0.2)"),
        ("tau", "share of the log-odds added (logit_adjusted: 1)"),
        ("gamma_negative", "focusing on the absent (asymmetric: 4)"),
        ("gamma_positive", "focusing on the present (asymmetric: 1)"),
        ("clip", "probability taken off the absent (asymmetric: 0.05)"),
        ("negative_scale", "tolerance of the absent (distribution_balanced: 2)"),
        ("bias_scale", "share of the log-odds added (distribution_balanced: 0.05)"),
        ("positive_weight", "of the present; 0: by their shares "
                            "(weighted_binary_cross_entropy: 0)"),
        ("largest_weight", "end of those by shares "
                           "(weighted_binary_cross_entropy: 100)"),
        ("weight_power", "of labels by inverse counts (multilabel_softmax: 0)"),
        ("step_size", "of the group weights (group_dro: 0.01)"),
        ("adjustment", "C of C / sqrt(group size) (group_dro: 0)"),
    ):  # fmt: skip
        flags.DEFINE_float(f"loss_{name}", None, f"Loss: {meaning}.")


def _define_steps():
    flags.DEFINE_integer("epochs", 5, "Epochs.", 1)
    flags.DEFINE_integer(
        "steps_per_epoch", 0, "Steps an epoch; 0: as many as show each image once.", 0
    )
    flags.DEFINE_integer("batch_size", 64, "Images a step.", 1)
    flags.DEFINE_enum("optimizer", "adam", ["adam", "adamw", "sgd"], "Optimiser.")
    flags.DEFINE_float("learning_rate", 2e-3, "Peak learning rate.", 0)
    flags.DEFINE_enum("schedule", "cosine", list(config.SCHEDULES), "After warm-up.")
    flags.DEFINE_integer(
        "plateau_patience", 2, "plateau: epochs without a gain before a fall.", 1
    )
    flags.DEFINE_float("plateau_factor", 0.1, "plateau: factor of a fall.", 0, 1)
    flags.DEFINE_integer("warmup_steps", 50, "Steps of linear warm-up.", 0)
    flags.DEFINE_float("weight_decay", 0.0, "Decoupled weight decay (adamw, sgd).", 0)
    flags.DEFINE_float("clip_norm", 0.0, "Largest norm of the gradients; 0: any.", 0)
    flags.DEFINE_string(
        "initial_run", "", "Run directory whose weights are started from; empty: new."
    )
    flags.DEFINE_enum(
        "trainable",
        "all",
        ["all", "last_layer", "batch_norm"],
        "What of a model that --initial_run names learns.",
    )
    flags.DEFINE_bool("jit_compile", False, "Compile the step with XLA.")
    flags.DEFINE_integer(
        "accumulate", 1, "Parts of a batch that take turns, to save memory.", 1
    )
    flags.DEFINE_enum(
        "average",
        "none",
        list(config.AVERAGES),
        "Average of the weights that is predicted with: over steps (ema), or the ends "
        "of epochs (swa).",
    )
    flags.DEFINE_float("average_decay", 0.999, "ema: decay.", 0, 0.999999)
    flags.DEFINE_integer("average_from", 0, "swa: epochs that do not count.", 0)
    flags.DEFINE_integer(
        "average_batches", 50, "swa: batches to count batch normalisation on.", 1
    )
    flags.DEFINE_enum(
        "best_by",
        "mean_f2",
        list(config.BEST_BY),
        "Figure of the validation split that the best checkpoint, --schedule=plateau "
        "and --patience go by.",
    )
    flags.DEFINE_integer(
        "patience", 0, "Epochs without a gain after which training ends; 0: none.", 0
    )
    flags.DEFINE_enum(
        "distribution",
        "auto",
        list(config.DISTRIBUTIONS),
        "Devices of a step; auto: the workers of TF_CONFIG, else all GPUs.",
    )
    flags.DEFINE_integer("profile_first", 20, "Step before which profiling starts.", 1)
    flags.DEFINE_integer("profile_steps", 0, "Steps to profile for TensorBoard.", 0)
    flags.DEFINE_integer("check_every", 20, "Steps between looks at the loss.", 1)
    flags.DEFINE_float(
        "checkpoint_minutes",
        10.0,
        "Minutes between checkpoints within an epoch; 0: after epochs only.",
        0,
    )
    flags.DEFINE_integer("keep", 2, "Newest checkpoints that stay.", 1)
    flags.DEFINE_integer("seed", 0, "Seed of everything but the data set.", 0)


def training_config():
    """Returns the `training.config.TrainingConfig` of the flags."""
    return config.TrainingConfig(
        epochs=FLAGS.epochs,
        steps_per_epoch=FLAGS.steps_per_epoch,
        batch_size=FLAGS.batch_size,
        loss=FLAGS.loss,
        optimizer=FLAGS.optimizer,
        learning_rate=FLAGS.learning_rate,
        schedule=FLAGS.schedule,
        plateau_patience=FLAGS.plateau_patience,
        plateau_factor=FLAGS.plateau_factor,
        warmup_steps=FLAGS.warmup_steps,
        weight_decay=FLAGS.weight_decay,
        clip_norm=FLAGS.clip_norm,
        jit_compile=FLAGS.jit_compile,
        accumulate=FLAGS.accumulate,
        average=FLAGS.average,
        average_decay=FLAGS.average_decay,
        average_from=FLAGS.average_from,
        average_batches=FLAGS.average_batches,
        best_by=FLAGS.best_by,
        patience=FLAGS.patience,
        check_every=FLAGS.check_every,
        checkpoint_minutes=FLAGS.checkpoint_minutes,
        keep=FLAGS.keep,
        seed=FLAGS.seed,
    )


def surroundings_config():
    """Returns the `experiment.SurroundingsConfig` of the flags; imports TensorFlow."""
    from inclusive_tf import experiment

    return experiment.SurroundingsConfig(
        FLAGS.distribution, FLAGS.profile_first, FLAGS.profile_steps
    )


def start_config():
    """Returns the `starting.StartConfig` of the flags."""
    from inclusive_tf.training import starting

    return starting.StartConfig(FLAGS.initial_run, FLAGS.trainable)


def heads_config():
    """Returns the `second_heads.SecondHeadsConfig` of the flags."""
    from inclusive_tf.training import second_heads

    return second_heads.SecondHeadsConfig(
        FLAGS.count_head_weight, FLAGS.embedding_head_weight, FLAGS.embedding_size
    )


def loss_settings():
    """Returns the fields of `losses.LossConfig` that are given; the rest is the loss's.

    What is measured on the data set is not among them.
    """
    names = [field.name for field in dataclasses.fields(losses.LossConfig)]
    settings = [name for name in names if name not in ("name", *losses.MEASURED)]
    given = {name: FLAGS[f"loss_{name}"].value for name in settings}
    return {name: value for name, value in given.items() if value is not None}


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
        "filters": FLAGS.filters,
        "blocks": _whole_numbers("blocks"),
        "stem_stride": FLAGS.stem_stride,
        "pooling": FLAGS.pooling,
        "hidden": _whole_numbers("hidden"),
        "dropout": FLAGS.dropout,
        "batch_norm_momentum": FLAGS.batch_norm_momentum,
        "dtype": FLAGS.dtype,
        "seed": FLAGS.seed,
        "inputs": FLAGS.inputs,
        "text_length": FLAGS.text_length,
        "text_units": FLAGS.text_units,
    }
