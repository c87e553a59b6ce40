"""Who takes turns: our tool, a form of a framework in its worker process, RTNeural's program."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Failure(Exception):
    """A sentence on what went wrong with one participant."""


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
    """A form of a framework, in its worker."""

    def __init__(self, worker, row, form):
        self.worker, self.row, self.form = worker, row, form
        self.library, self.name = worker.library, f"{worker.library} {form}"

    def prepare(self):
        self.worker.ask(prepare=self.row.id, form=self.form)

    def figure(self, seconds):
        return self.row.figure(self.worker.ask(time=self.form, seconds=seconds))


class Ours:
    """Our tool, started anew at each turn: that takes a twentieth of a second."""

    library = name = "ours"

    def __init__(self, tool, row, threads):
        self.tool, self.row, self.threads = tool, row, threads

    def prepare(self):
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


def our_version(tool):
    machine = json.loads(run(tool, "bench", "--only", "function/exp", "--quick", "--json"))["machine"]
    return f"{machine['version']}, {machine['instructions']}"


class RTNeural:
    """RTNeural's LSTM with a dense output, in the program that rtneural.cpp becomes with one of its backends."""

    library = "RTNeural"

    def __init__(self, backend, program, row):
        self.name, self.program, self.row = f"RTNeural {backend}", program, row

    def prepare(self):
        pass

    def figure(self, seconds):
        return float(run(self.program, str(self.row.hidden), str(seconds)))


def run(*command):
    try:
        return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}") from None
    except subprocess.CalledProcessError as error:
        raise Failure(f"{command[0]}: {error.stderr.strip()[-400:] or f'exit status {error.returncode}'}") from None


def compile_rtneural(checkout, folder):
    """RTNeural's programs by backend, compiled against a checkout with its submodules."""
    programs = {}
    for backend, flag in (("Eigen", "-DRTNEURAL_USE_EIGEN=1"), ("STL", "-DRTNEURAL_USE_STL=1")):
        programs[backend] = Path(folder) / backend
        run(os.environ.get("CXX", "c++"), "-std=c++17", "-O3", "-march=native", "-ffast-math", "-DNDEBUG", flag,
            "-DRTNEURAL_DEFAULT_ALIGNMENT=32", "-DEIGEN_STACK_ALLOCATION_LIMIT=0", f"-I{checkout}",
            f"-I{checkout}/modules/Eigen", HERE / "rtneural.cpp", "-o", programs[backend])
    return programs


def rtneural_forms(programs, row):
    is_measured = row.id.startswith("stream/lstm-dense/")
    return [RTNeural(backend, program, row) for backend, program in programs.items() if is_measured]
