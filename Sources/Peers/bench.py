"""Our tool and what others run networks with in turn, row by row: README.md says what is compared and how.

The result goes to the standard output, progress to the standard error. Exit status 0 even where a floor is missed,
1 if something failed, 2 if the command line makes no sense, 130 after Ctrl-C, which prints what there is.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ours
import report
import rtneural
from commands import Failure
from floors import groups
from participants import HERE, Form, Worker, environment, our_forms, our_version
from rows import DEPLOYMENT, FRAMEWORKS, MODELS

LIBRARIES = FRAMEWORKS + DEPLOYMENT
# Seconds after a turn: idle threads spin for 7 ms in PyTorch, for 80 in ONNX Runtime, and OpenBLAS's for 110.
PAUSES = {"numpy": 0.15, "onnxruntime": 0.15}
PAUSE = 0.02


def parse():
    parser = argparse.ArgumentParser(
        description="Times fastweights, PyTorch, JAX, NumPy, ONNX Runtime, OpenVINO and, where RTNEURAL_DIR names its "
                    "sources, RTNeural in turn, and prints our ratio to the best peer.")

    def numbers(text):
        values = sorted({int(part) for part in text.split(",")})
        if values[0] < 1:
            raise argparse.ArgumentTypeError("numbers of threads are at least 1")
        return values

    def count(text):
        if int(text) < 1:
            raise argparse.ArgumentTypeError("at least one round is needed")
        return int(text)

    parser.add_argument("--only", "--rows", metavar="PREFIX,…", dest="rows", type=lambda text: text.split(","),
                        default=[""], help="only rows with these ids, whole or up to one of their slashes")
    parser.add_argument("--threads", metavar="N,…", type=numbers, default=[1, 2], help="default: 1,2")
    parser.add_argument("--table", action="store_true",
                        help="only what the table of floors needs: each row with the number of threads its floor is for")
    parser.add_argument("--rounds", metavar="N", type=count, help="turns of each participant; default: 5")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 0.05 s in place of 5 of 0.15 s")
    parser.add_argument("--all", action="store_true", help="also forms known to be several times slower")
    parser.add_argument("--check", action="store_true", help="only check that all forms compute the same")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every figure")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the table of the article Performance")
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
    differences = check({row.cell for row in rows if row.kind in ("training", "inference", "sequences", "stream")})
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
    models &= MODELS.keys()
    if not models:
        return ""
    print(f"checking that all forms of {', '.join(sorted(models))} compute the same", file=sys.stderr)
    done = subprocess.run([sys.executable, HERE / "check.py", *models], capture_output=True, text=True,
                          env=environment(1))
    return done.stdout if done.returncode < 2 and done.stdout else done.stderr if done.returncode else ""


class Measurement:
    """`results` of the finished rows, `failures` as sentences, `versions` of what ran, and why others are `absent`."""

    def __init__(self, options):
        self.options, self.workers, self.programs, self.folder = options, {}, {}, None
        self.results, self.failures, self.versions, self.absent = [], [], {}, {}

    def run(self, rows, folder):
        self.folder = folder
        self.attempt("ours", lambda: self.versions.update(ours=our_version(self.options.tool)))
        self.programs, absent = rtneural.compile_backends(rows, folder)
        for name, reason in absent.items():
            self.miss(name, reason)
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
        participants, expected = our_forms(self.options.tool, row, threads), None
        for library in LIBRARIES:
            self.attempt(row.id, lambda: participants.extend(self.forms(library, row, threads)))
        participants += rtneural.forms(self.programs, row, self.folder)

        def compute():
            nonlocal expected
            expected = ours.results(self.options.tool, row, self.folder)

        # Without our results to compare with nobody is measured but we.
        if not self.attempt(row.id, compute):
            participants = [one for one in participants if one.library == "ours"]
        figures = {one.name: [] for one in participants
                   if self.attempt(f"{row.id}, {one.name}", lambda: one.prepare(expected))}
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
        """Of the library's workers with the numbers of threads that suit it; they are started, and started anew if they
        ended."""
        forms, counts = [], row.threads_of(library, threads)
        for count in counts:
            if library in self.absent:
                break
            worker = self.workers.get((library, count))
            if worker is None or not worker.runs:
                self.workers[library, count] = worker = Worker(library, count)
                try:
                    versions = worker.ask(versions=True)
                except Failure as failure:
                    versions = {"absent": str(failure)}
                if reason := versions.get("absent"):
                    self.miss(library, reason)
                    break
                self.versions |= versions
            note = "" if len(counts) == 1 else f", {count} thread{'s' if count > 1 else ''}"
            forms += [Form(worker, row, form, note) for form in worker.ask(forms=row.id, all=self.options.all)]
        return forms

    def miss(self, name, reason):
        self.absent[name] = reason
        print(f"{name}: not measured, {reason}", file=sys.stderr)

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
    for name, reason in measurement.absent.items():
        print(f"{name}: not measured, {reason}")
    for failure in measurement.failures:
        print(f"failed: {failure}")
    if options.json:
        found = report.as_json(results, machine, measurement)
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(report.markdown(results, about))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
