"""What the review page shows, and where its decisions go."""

from absl import flags

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_string("suspects", "", "CSV of suspects, as tools.audit writes it.")
    flags.DEFINE_string("log", "review.sqlite", "Log of decisions; made if missing.")
    flags.DEFINE_string(
        "who", "", "Whose decisions they are; empty: the name of the user."
    )
    flags.DEFINE_string(
        "definitions", "", "CSV or TOML of label, definition and checklist."
    )
    flags.DEFINE_list("maps", [], "Folders of maps, as tools.explain writes them.")
    flags.DEFINE_list(
        "predictions", [], "Folders of predictions of one run, for nearest neighbours."
    )
    flags.DEFINE_integer("neighbours", 6, "Nearest neighbours shown.", 1, 50)
    flags.DEFINE_integer("port", 0, "Port on this machine; 0: any free one.", 0, 65535)
    flags.DEFINE_string("title", "", "Heading of the page; empty: the data set's name.")
    flags.DEFINE_string(
        "import_corrections", "", "CSV of corrections to add to the log first."
    )
    flags.DEFINE_string(
        "export_corrections", "", "CSV to write for --corrections, without serving."
    )
    flags.DEFINE_string("export_all", "", "CSV of every row to write, without serving.")
    flags.DEFINE_string(
        "export_label_studio",
        "",
        "JSON for Label Studio to write, with its configuration beside it as .xml, "
        "without serving.",
    )
    flags.DEFINE_string(
        "label_studio_prefix",
        "/data/local-files/?d=",
        "What stands before an image's id where Label Studio serves it.",
    )


def who():
    """Returns whose decisions they are.

    Raises:
        SettingError: nobody is named, and the user has no name.
    """
    import getpass

    from data_pipelines import errors

    if named := FLAGS.who.strip():
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        # as in a container that runs under any number
        raise errors.SettingError(
            "The user has no name on this machine. Expected: --who=NAME. "
            "Received: none."
        ) from error


def exports():
    """Returns {what: path} of the files to write; empty: the page is served.

    Raises:
        SettingError: two would be one file, or the tasks their own configuration.
    """
    import pathlib

    from data_pipelines import errors

    named = {
        "corrections": FLAGS.export_corrections,
        "all": FLAGS.export_all,
        "label_studio": FLAGS.export_label_studio,
    }
    found = {what: path for what, path in named.items() if path}
    files = [pathlib.Path(path).resolve() for path in found.values()]
    if "label_studio" in found:
        files.append(files[-1].with_suffix(".xml"))
    if len(set(files)) < len(files):
        raise errors.SettingError(
            "Exports would overwrite one another. Expected: a file for each, and .xml "
            "left to Label Studio's configuration. Received: "
            f"{', '.join(found.values())}."
        )
    return found
