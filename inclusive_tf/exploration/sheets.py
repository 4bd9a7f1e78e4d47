"""Sample sheets: a few images of each class and of each group."""

import numpy as np

from inclusive_tf.exploration import entries, frequency, sampling


def _draw(rows, most, generator):
    if len(rows) > most:
        rows = generator.choice(rows, most, replace=False, shuffle=False)
    return np.sort(rows)


def choose(table, rows, config):
    """Chooses the images of the sheets.

    Args:
        table: `labels.LabelTable`.
        rows: int; the examples that class sheets are drawn from.
        config: `config.ExplorationConfig`; when there are more classes than sheets,
            they are taken evenly over the ranks, so head, middle and tail are all seen.

    Returns:
        {"classes": [(label position, its images among `rows`, int chosen rows)],
        "groups": [(group, its images, int chosen rows)]}; {} without sheets.
    """
    if not config.sheets:
        return {}
    generator = np.random.default_rng([config.seed, len(table), 1])
    present = table.labels.take(rows).present()
    counts = present.counts()
    order = frequency.ranked(counts, table.vocabulary)
    order = order[counts[order] > 0]
    order = order[sampling.spread(len(order), config.sheets)]
    row_of_entry = present.rows()
    classes = []
    for position in order:
        its = rows[row_of_entry[present.index == position]]
        classes.append(
            (int(position), len(its), _draw(its, config.sheet_images, generator))
        )
    sizes = np.bincount(table.group, minlength=len(table.group_names))
    groups = []
    for group in np.lexsort((np.array(table.group_names), -sizes))[: config.sheets]:
        its = np.flatnonzero(table.group == group)
        if len(its):
            groups.append(
                (int(group), len(its), _draw(its, config.sheet_images, generator))
            )
    return {"classes": classes, "groups": groups}


def _image(table, row, faults):
    present = table.labels.take([row]).present()
    found = {
        "row": int(row),
        "id": str(table.ids[row]),
        "group": str(table.group_names[table.group[row]]),
        "split": str(table.split_names[table.split[row]]),
        "labels": [str(table.vocabulary.names[label]) for label in present.index],
    }
    return found | ({"fault": faults[row]} if row in faults else {})


def rows_of(chosen):
    """Returns int64, sorted: the images of all sheets, of `choose`."""
    parts = [its for part in chosen.values() for _, _, its in part]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))


def sheets(table, rows, chosen, found, faults):
    """Figures of the sheets.

    Args:
        table: `labels.LabelTable`.
        rows: int; the examples that class sheets are drawn from.
        chosen: of `choose`.
        found, faults: {row: `pictures.Picture`} and {row: why not}, of `pictures.read`.

    Returns:
        {"classes": [{"id", "name", "images", "sheet"}], "classes_in_use", "groups":
        [{"name", "images", "sheet"}], "groups_in_use"}, where a sheet lists {"row",
        "id", "group", "split", "labels", and "fault" where it cannot be read}; or
        {"missing"}.
    """
    needed = rows_of(chosen)
    if not len(needed):
        return entries.missing("no image was to be shown")
    if not any(row in found for row in needed.tolist()):
        row = int(needed[0])
        return entries.missing(
            f"none of {len(needed):,} chosen images could be read, such as "
            f"{table.ids[row]}: {faults[row]}"
        )

    def sheet(its):
        return [_image(table, row, faults) for row in its.tolist()]

    in_use = np.count_nonzero(table.labels.take(rows).counts())
    return {
        "classes": [
            entries.label(table.vocabulary, position)
            | {"images": size, "sheet": sheet(its)}
            for position, size, its in chosen["classes"]
        ],
        "classes_in_use": int(in_use),
        "groups": [
            {
                "name": str(table.group_names[group]),
                "images": size,
                "sheet": sheet(its),
            }
            for group, size, its in chosen["groups"]
        ],
        "groups_in_use": len(np.unique(table.group)),
    }
