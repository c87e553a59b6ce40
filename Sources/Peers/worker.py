"""One framework with one number of threads, in a process of its own.

    python worker.py numpy|torch|jax THREADS

Each line of the standard input is a request, each line of the output its answer, both JSON:

    {"forms": ROW, "all": BOOL}         the names of the forms to time
    {"prepare": ROW, "form": FORM}      builds, compiles and warms up; true
    {"time": FORM, "seconds": S}        seconds of one call, of as many as fill S
    {"forget": true}                    drops what was prepared; true
    {"versions": true}                  what runs
"""

import gc
import importlib
import json
import math
import os
import sys
import time
import traceback

MODULES = {"numpy": "kernels_numpy", "torch": "models_torch", "jax": "models_jax"}
WARM_UP = 3


def limit(library, threads):
    """What the environment cannot say. XLA makes as many threads as it may use cores."""
    if library == "jax" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    if library == "torch":
        import torch
        torch.set_num_threads(threads)


class Prepared:
    def __init__(self, peer, row, form):
        self.context = lambda: peer.context(row)
        with self.context():
            self.call, self.wait = peer.prepare(row, form)
            self.run(WARM_UP)
        self.estimate = self.run_in_context(1)

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
    from rows import Row
    match request:
        case {"forms": row, "all": everything}:
            return peer.forms(Row(row), everything)
        case {"prepare": row, "form": form}:
            prepared[form] = Prepared(peer, Row(row), form)
            return True
        case {"time": form, "seconds": seconds}:
            return prepared[form].seconds(seconds)
        case {"forget": _}:
            prepared.clear()
            gc.collect()
            return True
        case {"versions": _}:
            return peer.versions()


def main(library, threads):
    # Frameworks may print; only answers go to the output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    limit(library, threads)
    peer, prepared = importlib.import_module(MODULES[library]), {}
    gc.disable()
    for line in sys.stdin:
        try:
            reply = {"ok": answer(peer, prepared, json.loads(line))}
        except Exception as error:
            reply = {"error": "".join(traceback.format_exception_only(error)).strip()}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
