"""Runs the recipes of a study one after another, each in a process of its own."""

import dataclasses
import pathlib
import subprocess
import sys
import time

from data_pipelines import atomic
from inclusive_tf.recipes import record as records


@dataclasses.dataclass(frozen=True)
class Job:
    """One recipe with one seed.

    Args:
        recipe: its name.
        seed: its seed.
        arguments: of `tools.recipe`, as str.
        digest: of its flags.
        output: folder of its runs.
        record: path of the record to keep.
    """

    recipe: str
    seed: int
    arguments: tuple
    digest: str
    output: pathlib.Path
    record: pathlib.Path

    @property
    def done(self):
        """Whether there is a record of the same flags."""
        return self.record.is_file() and records.read(self.record).flags == self.digest


def run(jobs, minutes):
    """Runs what has no record of its flags yet, in order.

    A recipe that fails is named, and the others run all the same.

    Args:
        jobs: list of `Job`.
        minutes: after which no further one is begun.

    Returns:
        list of the jobs that failed.
    """
    started = time.monotonic()
    failed = []
    for number, job in enumerate(jobs, start=1):
        if job.done:
            continue
        if time.monotonic() - started >= 60 * minutes:
            print(f"{job.recipe}, seed {job.seed}, and what follows wait: time is up")
            break
        print(f"{job.recipe}, seed {job.seed} ({number} of {len(jobs)})", flush=True)
        job.output.mkdir(parents=True, exist_ok=True)
        with open(job.output / "log.txt", "ab") as log:
            command = [sys.executable, "-m", "tools.recipe", *job.arguments]
            ended = subprocess.run(
                [*command, f"--output={job.output}"],
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if ended.returncode:
            print(f"it failed: see {job.output / 'log.txt'}", flush=True)
            failed.append(job)
            continue
        made = job.output / "record.json"
        if records.read(made).flags != job.digest:
            print(f"it is of other flags than were asked for: {made}", flush=True)
            failed.append(job)
            continue
        atomic.write_bytes(job.record, made.read_bytes())
    return failed


def gather(jobs):
    """Returns ({recipe: list of `records.Record` by seed}, sentences on what lacks)."""
    found, lacking = {}, {}
    for job in jobs:
        if job.done:
            found.setdefault(job.recipe, []).append(records.read(job.record))
        else:
            kind = "made with other flags" if job.record.is_file() else "missing"
            lacking.setdefault((job.recipe, kind), []).append(str(job.seed))
    notes = [
        f"{recipe}, seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}: {kind}"
        for (recipe, kind), seeds in lacking.items()
    ]
    return found, notes
