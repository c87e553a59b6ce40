"""Who takes turns: our tool, and a form of a framework in its worker process. RTNeural is in rtneural.py."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from commands import Failure, run

HERE = Path(__file__).resolve().parent


def environment(threads):
    """What makes a peer fast here, whatever the user's own environment says.

    Memory that is freed stays with the process: with glibc's defaults the larger networks return and fault in tens of
    megabytes at every step, which cost PyTorch's LSTM at R = 50, K = 30 70 % and JAX up to 100 %. What PyTorch
    compiles is kept beside the virtual environment for the next run. JAX compiles anew: programs out of its cache
    took up to three times as long as fresh ones.
    """
    kept = {name: value for name, value in os.environ.items()
            if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    return kept | {
        "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads),
        "MALLOC_TRIM_THRESHOLD_": str(2**34), "MALLOC_MMAP_THRESHOLD_": str(2**32), "MALLOC_TOP_PAD_": str(2**26),
        "TORCHINDUCTOR_CACHE_DIR": str(Path(sys.prefix) / "inductor"), "TORCHINDUCTOR_COMPILE_THREADS": "1",
        "JAX_PLATFORMS": "cpu"}


class Worker:
    """A process of worker.py. Idle it blocks on its input; nobody else runs while it works."""

    def __init__(self, library, threads):
        self.library = library
        self.errors = tempfile.TemporaryFile("w+")
        # A session of its own: Ctrl-C reaches only this process, which then ends the others.
        self.process = subprocess.Popen(
            [sys.executable, HERE / "worker.py", library, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors, text=True, env=environment(threads), start_new_session=True)

    def ask(self, **request):
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.errors.seek(0)
            raise Failure(f"{self.library} ended with {self.process.wait()}: {self.errors.read().strip()[-400:]}")
        answer = json.loads(answer)
        if "error" in answer:
            raise Failure(answer["error"])
        return answer["ok"]

    @property
    def runs(self):
        return self.process.poll() is None

    def end(self):
        self.process.kill()
        self.process.wait()


class Form:
    """A form of a framework, in its worker; `note` tells it from the same one in another worker."""

    def __init__(self, worker, row, form, note=""):
        self.worker, self.row, self.form = worker, row, form
        self.library, self.name = worker.library, f"{worker.library} {form}{note}"

    def prepare(self, expected):
        self.worker.ask(prepare=self.row.id, form=self.form, expected=expected and str(expected))

    def figure(self, seconds):
        return self.row.figure(self.worker.ask(time=self.form, seconds=seconds))


class Ours:
    """Our tool, started anew at each turn: that takes a twentieth of a second."""

    library = "ours"

    def __init__(self, tool, row, threads, name="ours"):
        self.tool, self.row, self.threads, self.name = tool, row, threads, name

    def prepare(self, expected):
        pass

    def figure(self, seconds):
        arguments = ["bench", "--only", self.row.id, "--threads", str(self.threads), "--repeats", "1", "--seconds",
                     str(seconds), "--json"]
        rows = json.loads(run(self.tool, *arguments))["rows"]
        # What our tool does on one thread at most is measured with one, whatever was asked for.
        row = max((row for row in rows if row["id"] == self.row.id), key=lambda row: row["threads"], default=None)
        if row is None or row["unit"] not in (self.row.unit, "sequences/s"):
            raise Failure(f"{self.tool} has no row {self.row.id} in {self.row.unit}")
        return row["median"]


def our_forms(tool, row, threads):
    """A whole sequence is also run step by step."""
    forms = [Ours(tool, row, threads)]
    return forms + [Ours(tool, row.by_stream, threads, "ours, stream")] if row.kind == "sequence" else forms


def our_version(tool):
    machine = json.loads(run(tool, "bench", "--only", "function/exp", "--quick", "--json"))["machine"]
    return f"{machine['version']}, {machine['instructions']}"
