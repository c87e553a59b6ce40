"""RTNeural's LSTM or GRU with a dense output, in the programs that rtneural.cpp becomes with each of its backends."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import ours
import problem
from commands import Failure, run

HERE = Path(__file__).resolve().parent
# Alignments of 64 bytes are not known to the Eigen backend, and needed by the others where vectors are as wide.
BACKENDS = {"Eigen": ("EIGEN", 32), "xsimd": ("XSIMD", 64), "STL": ("STL", 64)}


class RTNeural:
    library = "RTNeural"

    def __init__(self, backend, program, row, folder):
        self.name, self.row = f"RTNeural {backend}", row
        self.command = program, row.cell, row.hidden, Path(folder) / "rtneural.f32"

    def prepare(self, expected):
        """Hands over the weights, in PyTorch's order, and compares the last of some outputs."""
        with open(self.command[-1], "wb") as file:
            for value in problem.stream(self.row.model, self.row.hidden).values():
                file.write(value.tobytes())
        y = [float(number) for number in run(*self.command, "outputs", ours.STEPS).split()]
        with np.load(expected) as results:
            error = ours.error(y[-1:], results["y"])
        if not error < ours.TOLERANCE:
            raise Failure(f"y differs from ours by {error:.1e}")

    def figure(self, seconds):
        return float(run(*self.command, "time", seconds))


def is_measured(row):
    return row.kind == "stream" and row.model in ("lstm-dense", "gru-dense")


def compile_backends(rows, folder):
    """The programs by backend for the sizes of these rows, and why others are not there, by their names.

    RTNEURAL_DIR names RTNeural's sources. Eigen, xsimd and the JSON header are those of the sources unless EIGEN_DIR,
    XSIMD_DIR and JSON_DIR name others, folders that are searched for headers.
    """
    sizes = sorted({row.hidden for row in rows if is_measured(row)})
    if not sizes:
        return {}, {}
    sources = os.environ.get("RTNEURAL_DIR")
    if not sources:
        return {}, {"RTNeural": "RTNEURAL_DIR is not set"}
    sources = Path(sources).resolve()
    if not (sources / "RTNeural" / "RTNeural.h").is_file():
        return {}, {"RTNeural": f"RTNEURAL_DIR, {sources}, has no RTNeural/RTNeural.h"}
    headers = {"Eigen": os.environ.get("EIGEN_DIR") or sources / "modules" / "Eigen",
               "xsimd": os.environ.get("XSIMD_DIR") or sources / "modules" / "xsimd" / "include"}
    options = ["-std=c++17", "-O3", "-march=native", "-ffast-math", "-DNDEBUG", "-w", f"-I{sources}",
               f"-DSIZES={','.join(map(str, sizes))}"]
    if not (sources / "modules" / "json" / "json.hpp").is_file():
        options += json_header(folder)

    def build(backend):
        name, alignment = BACKENDS[backend]
        program = Path(folder) / f"rtneural-{name}"
        run(os.environ.get("CXX", "c++"), *options, f"-DRTNEURAL_USE_{name}=1",
            f"-DRTNEURAL_DEFAULT_ALIGNMENT={alignment}", "-DEIGEN_STACK_ALLOCATION_LIMIT=0",
            *([f"-I{headers[backend]}"] if backend in headers else []), HERE / "rtneural.cpp", "-o", program)
        return program

    print("compiling RTNeural", file=sys.stderr)
    programs, absent = {}, {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for backend, program in [(backend, pool.submit(build, backend)) for backend in BACKENDS]:
            try:
                programs[backend] = program.result()
            except Failure as failure:
                lines = [line for line in str(failure).splitlines() if "error" in line] or [str(failure)]
                absent[f"RTNeural {backend}"] = f"it does not compile: {lines[0].strip()}"
    return programs, absent


def json_header(folder):
    """Options with which the header that RTNeural includes is Debian's, or JSON_DIR's."""
    place = Path(folder) / "modules" / "json"
    place.mkdir(parents=True)
    (place / "json.hpp").write_text("#include <nlohmann/json.hpp>\n")
    # RTNeural looks for it beside a folder of its own.
    beside = Path(folder) / "RTNeural"
    beside.mkdir()
    return [f"-I{beside}"] + ([f"-I{given}"] if (given := os.environ.get("JSON_DIR")) else [])


def forms(programs, row, folder):
    return [RTNeural(backend, program, row, folder) for backend, program in programs.items() if is_measured(row)]
