"""One framework with one number of threads, in a process of its own.

    python worker.py numpy|torch|jax|onnxruntime|openvino THREADS

Each line of the standard input is a request, each line of the output its answer, both JSON:

    {"forms": ROW, "all": BOOL}         the names of the forms to time
    {"prepare": ROW, "form": FORM, "expected": FILE}
                                        builds, compiles, compares with that file of ours.py or null, warms up; true
    {"time": FORM, "seconds": S}        seconds of one call, of as many as fill S
    {"forget": true}                    drops what was prepared; true
    {"versions": true}                  what runs, or {"absent": REASON}
"""

import gc
import importlib
import json
import math
import os
import sys
import time
import traceback

import ours
from rows import Row

MODULES = {"numpy": "kernels_numpy", "torch": "models_torch", "jax": "models_jax",
           "onnxruntime": "models_onnxruntime", "openvino": "models_openvino"}
WARM_UP = 3


def load(library, threads):
    """The library's module, limited to so many threads where the environment cannot say it."""
    if library == "jax" and hasattr(os, "sched_setaffinity"):
        # XLA makes as many threads as it may use cores.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    peer = importlib.import_module(MODULES[library])
    if library == "torch":
        peer.torch.set_num_threads(threads)
    if library in ("onnxruntime", "openvino"):
        peer.threads = threads
    return peer


class Prepared:
    def __init__(self, peer, row, form, expected):
        self.context = lambda: peer.context(row)
        with self.context():
            self.call, self.wait, *left = peer.prepare(row, form)
            if expected and left:
                self.compare(row, left[0], expected)
            self.run(WARM_UP)
        self.estimate = self.run_in_context(1)

    def compare(self, row, left, expected):
        self.run(ours.STEPS if row.kind == "stream" else 1)
        if found := ours.differences(left(), expected):
            raise ValueError("; ".join(found))

    def run(self, calls):
        start = time.perf_counter()
        for _ in range(calls):
            self.call()
        self.wait()
        return (time.perf_counter() - start) / calls

    def run_in_context(self, calls):
        with self.context():
            return self.run(calls)

    def seconds(self, least):
        """Seconds of one call, of as many calls as take `least` seconds, after one that is not counted."""
        if self.estimate < least:
            self.run_in_context(1)
        while True:
            calls = max(1, math.ceil(least / self.estimate))
            self.estimate = self.run_in_context(calls)
            if self.estimate * calls >= 0.9 * least:
                return self.estimate


def answer(peer, prepared, request):
    match request:
        case {"forms": row, "all": everything}:
            return peer.forms(Row(row), everything)
        case {"prepare": row, "form": form, "expected": file}:
            prepared[form] = Prepared(peer, Row(row), form, file)
            return True
        case {"time": form, "seconds": seconds}:
            return prepared[form].seconds(seconds)
        case {"forget": _}:
            prepared.clear()
            gc.collect()
            return True
        case {"versions": _}:
            return peer.versions()


def sentence(error):
    return "".join(traceback.format_exception_only(error)).strip()


def main(library, threads):
    # Frameworks may print; only answers go to the output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    prepared = {}
    try:
        peer = load(library, threads)
    except (ImportError, OSError) as error:
        sys.stdin.readline()
        print(json.dumps({"ok": {"absent": sentence(error)}}), file=answers, flush=True)
        return
    gc.disable()
    for line in sys.stdin:
        try:
            reply = {"ok": answer(peer, prepared, json.loads(line))}
        except Exception as error:
            reply = {"error": sentence(error)}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
