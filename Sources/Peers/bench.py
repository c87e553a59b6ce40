"""Our tool and PyTorch, JAX and NumPy in turn, row by row: README.md says what is compared and how.

The result goes to the standard output, progress to the standard error. Exit status 0 even where a floor is missed,
1 if something failed, 2 if the command line makes no sense, 130 after Ctrl-C, which prints what there is.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report
from floors import groups
from participants import (
    HERE, Failure, Form, Ours, Worker, compile_rtneural, environment, our_version, rtneural_forms)
from rows import MODELS

LIBRARIES = ("numpy", "torch", "jax")
# Seconds after a turn: idle threads spin for 7 ms in PyTorch, and OpenBLAS's for 110 ms.
PAUSES = {"numpy": 0.15}
PAUSE = 0.02


def parse():
    parser = argparse.ArgumentParser(
        description="Times fastweights, PyTorch, JAX and NumPy in turn and prints our ratio to the best peer.")

    def numbers(text):
        values = sorted({int(part) for part in text.split(",")})
        if values[0] < 1:
            raise argparse.ArgumentTypeError("numbers of threads are at least 1")
        return values

    def count(text):
        if int(text) < 1:
            raise argparse.ArgumentTypeError("at least one round is needed")
        return int(text)

    parser.add_argument("--rows", metavar="PREFIX,…", type=lambda text: text.split(","), default=[""],
                        help="only rows with these ids, whole or up to one of their slashes")
    parser.add_argument("--threads", metavar="N,…", type=numbers, default=[1, 2], help="default: 1,2")
    parser.add_argument("--table", action="store_true",
                        help="only what the table of floors needs: each row with the number of threads its floor is for")
    parser.add_argument("--rounds", metavar="N", type=count, help="turns of each participant; default: 5")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 0.05 s in place of 5 of 0.15 s")
    parser.add_argument("--all", action="store_true", help="also forms known to be several times slower")
    parser.add_argument("--check", action="store_true", help="only check that all forms compute the same")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every figure")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the table of the README")
    parser.add_argument("--tool", metavar="PATH", type=Path, help="default: .build/release/fastweights",
                        default=HERE.parent.parent / ".build" / "release" / "fastweights")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.seconds = 0.05 if options.quick else 0.15
    return options


def main():
    options = parse()
    rows = list(dict.fromkeys(row for group in groups() for floor in group.floors for row in floor.rows))
    rows = [row for row in rows if any(f"{row.id}/".startswith(f"{start}/" if start else "") for start in options.rows)]
    if not rows:
        print(f"no row's id begins with {','.join(options.rows)}", file=sys.stderr)
        return 2
    differences = check({row.model.removesuffix("-dense") for row in rows} & MODELS.keys())
    if options.check or differences:
        print(differences or "all forms compute the same")
        return 1 if differences else 0

    measurement = Measurement(options)
    interrupted = False
    with tempfile.TemporaryDirectory() as folder:
        try:
            measurement.run(rows, folder)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            measurement.end_workers()
    write(options, measurement)
    return 130 if interrupted else 1 if measurement.failures else 0


def check(models):
    """What the forms of these models compute differently."""
    if not models:
        return ""
    print(f"checking that all forms of {', '.join(sorted(models))} compute the same", file=sys.stderr)
    done = subprocess.run([sys.executable, HERE / "check.py", *models], capture_output=True, text=True,
                          env=environment(1))
    return done.stdout if done.returncode < 2 and done.stdout else done.stderr if done.returncode else ""


class Measurement:
    """`results` of the finished rows, `failures` as sentences, `versions` of what ran."""

    def __init__(self, options):
        self.options, self.workers, self.programs = options, {}, {}
        self.results, self.failures, self.versions = [], [], {}

    def run(self, rows, folder):
        self.attempt("ours", lambda: self.versions.update(ours=our_version(self.options.tool)))
        if checkout := os.environ.get("RTNEURAL"):
            self.attempt("RTNeural", lambda: self.programs.update(compile_rtneural(checkout, folder)))
        if self.options.table:
            plan = list(dict.fromkeys((row, group.threads) for group in groups() for floor in group.floors
                                      for row in floor.rows if row in rows))
        else:
            plan = [(row, threads) for row in rows for threads in row.threads(self.options.threads)]
        plan.sort(key=lambda step: step[1])
        taken = {}
        for number, (row, threads) in enumerate(plan):
            left = [statistics.mean(taken.get(other.kind) or sum(taken.values(), [])) for other, _ in plan[number:]
                    if taken]
            estimate = f", about {sum(left) / 60:.0f} minutes left" if left else ""
            print(f"{number + 1} of {len(plan)}{estimate}: {row.id}, threads {threads}", file=sys.stderr)
            start = time.monotonic()
            self.measure(row, threads)
            taken.setdefault(row.kind, []).append(time.monotonic() - start)

    def measure(self, row, threads):
        """All rounds of one row: everyone is prepared, then all take turns, never two at once."""
        participants = [Ours(self.options.tool, row, threads)]
        for library in LIBRARIES:
            self.attempt(row.id, lambda: participants.extend(self.forms(library, row, threads)))
        participants += rtneural_forms(self.programs, row)
        figures = {one.name: [] for one in participants if self.attempt(f"{row.id}, {one.name}", one.prepare)}
        for _ in range(self.options.rounds):
            for one in participants:
                if one.name in figures and not self.attempt(
                        f"{row.id}, {one.name}", lambda: figures[one.name].append(one.figure(self.options.seconds))):
                    del figures[one.name]
                time.sleep(PAUSES.get(one.library, PAUSE))
        libraries = {one.name: one.library for one in participants if one.name in figures}
        self.results.append(report.Result(row, threads, figures, libraries))
        for worker in self.workers.values():
            if worker.runs:
                self.attempt(row.id, lambda: worker.ask(forget=True))

    def forms(self, library, row, threads):
        """Of the library's worker with that number of threads, which is started, and started anew if it ended."""
        key = library, row.threads_of(library, threads)
        worker = self.workers.get(key)
        if worker is None or not worker.runs:
            self.workers[key] = worker = Worker(*key)
            self.versions |= worker.ask(versions=True)
        return [Form(worker, row, form) for form in worker.ask(forms=row.id, all=self.options.all)]

    def attempt(self, what, action):
        """Whether the action succeeded; if it did not, its failure is noted and the rest goes on."""
        try:
            action()
        except Failure as failure:
            self.failures.append(f"{what}: {failure}")
            print(f"failed: {self.failures[-1]}", file=sys.stderr)
            return False
        return True

    def end_workers(self):
        for worker in self.workers.values():
            worker.end()


def write(options, measurement):
    machine, results = report.machine(), measurement.results
    versions = ", ".join(f"{name} {version}" for name, version in measurement.versions.items())
    flags = " and ".join(machine["flags"]) or "no AVX2"
    about = [f"{machine['processor']}, {machine['cores']} cores, {flags}; {versions}",
             f"Medians of {options.rounds} rounds of at least {options.seconds} s, ± half the distance from the least to "
             "the most."]
    print(report.text(results, about))
    for failure in measurement.failures:
        print(f"failed: {failure}")
    if options.json:
        found = report.as_json(results, machine, measurement.versions, measurement.failures)
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(report.markdown(results, about))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
