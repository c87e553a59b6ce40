"""OpenVINO on the CPU: compiled for latency in single precision, with inputs and outputs in our memory.

With the batch before the steps its LSTM and GRU are transposed on the way, as they are here they are not. Of ONNX's
option for that order, layout = 1, it takes the steps for the batch.
"""

import contextlib
import itertools

import numpy as np
import openvino

import models_onnx
import problem
from kernels_numpy import nothing

# The worker says how many.
threads = 1
core = openvino.Core()


def forms(row, everything):
    return ["latency"] if models_onnx.has(row) else []


def context(row):
    return contextlib.nullcontext()


def versions():
    return {"openvino": openvino.__version__.split("-")[0]}


def prepare(row, form):
    """A function that does the row's work once, one that waits, and one that gives what the work left."""
    compiled = load(row)
    if row.kind == "stream":
        step, left = stream(compiled, row)
        return step, nothing, left
    is_inference = row.kind == "inference"
    name, result = ("tokens", "logits") if is_inference else ("x", "y")
    batches = [tokens for tokens, _ in problem.batches(row.pairs)] if is_inference else [problem.run(row)[1]]
    found = np.empty(compiled.output(result).shape, np.float32)
    requests = itertools.cycle([Request(compiled, {name: batch, result: found}) for batch in batches])
    return lambda: next(requests).infer(), nothing, lambda: {"logits" if is_inference else "states": found}


def load(row):
    # Pinned threads wait for a core that others use.
    return core.compile_model(core.read_model(models_onnx.model(row)), "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False})


class Request:
    """A request that reads and writes these arrays, and keeps them alive."""

    def __init__(self, compiled, arrays):
        self.arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        self.request = compiled.create_infer_request()
        for name, array in self.arrays.items():
            self.request.set_tensor(name, openvino.Tensor(array, shared_memory=True))

    def infer(self):
        self.request.infer(share_outputs=True, decode_strings=False)


def stream(compiled, row):
    """Steps from one of two states into the other and back, each way a request."""
    names, r = models_onnx.STATES[row.cell], row.hidden
    states = [{name: np.zeros((1, 1, r), np.float32) for name in names} for _ in range(2)]
    x = np.full((1, 1, 1), problem.INPUT, np.float32)
    outputs = {"y": np.zeros((1, 1), np.float32)} if row.model.endswith("-dense") else {}
    requests = [Request(compiled, {"x": x} | states[i] | outputs
                        | {f"next_{name}": array for name, array in states[1 - i].items()}) for i in range(2)]
    current = 0

    def step():
        nonlocal current
        requests[current].infer()
        current = 1 - current

    return step, lambda: {"h": states[current]["h"]} | outputs
