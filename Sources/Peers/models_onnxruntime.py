"""ONNX Runtime: every optimization of the graph, and inputs and outputs bound to their memory beforehand."""

import contextlib
import itertools

import numpy as np
import onnxruntime

import models_onnx
import problem
from kernels_numpy import nothing

# The worker says how many.
threads = 1


def forms(row, everything):
    return (["bound", "run"] if everything and row.kind != "stream" else ["bound"]) if models_onnx.has(row) else []


def context(row):
    return contextlib.nullcontext()


def versions():
    return {"onnxruntime": onnxruntime.__version__}


def prepare(row, form):
    """A function that does the row's work once, one that waits, and one that gives what the work left."""
    session = load(row)
    if row.kind == "stream":
        step, left = stream(session, row)
        return step, nothing, left
    if row.kind == "inference":
        name, batches = "tokens", [tokens for tokens, _ in problem.batches(row.pairs)]
        result, shape = "logits", (row.batch, problem.CLASSES)
    else:
        name, batches = "x", [problem.run(row)[1]]
        result, shape = "y", (row.steps, 1, row.batch, row.hidden)
    found = value(np.empty(shape, np.float32))
    bindings = itertools.cycle([bind(session, {name: value(batch)}, {result: found}) for batch in batches])
    arrays = itertools.cycle(batches)

    def unbound():
        nonlocal found
        found = onnxruntime.OrtValue.ortvalue_from_numpy(session.run([result], {name: next(arrays)})[0])

    def left():
        return {"logits" if row.kind == "inference" else "states": found.numpy()}

    call = unbound if form == "run" else lambda: session.run_with_iobinding(next(bindings))
    return call, nothing, left


def load(row):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(models_onnx.model(row), options, providers=["CPUExecutionProvider"])


def value(array):
    return onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array))


def bind(session, inputs, outputs):
    binding = session.io_binding()
    for name, tensor in inputs.items():
        binding.bind_ortvalue_input(name, tensor)
    for name, tensor in outputs.items():
        binding.bind_ortvalue_output(name, tensor)
    return binding


def stream(session, row):
    """Steps from one of two states into the other and back."""
    names, r = models_onnx.STATES[row.cell], row.hidden
    states = [{name: value(np.zeros((1, 1, r), np.float32)) for name in names} for _ in range(2)]
    x = value(np.full((1, 1, 1), problem.INPUT, np.float32))
    outputs = {"y": value(np.zeros((1, 1), np.float32))} if row.model.endswith("-dense") else {}
    bindings = [bind(session, {"x": x} | states[i],
                     outputs | {f"next_{name}": tensor for name, tensor in states[1 - i].items()}) for i in range(2)]
    current = 0

    def step():
        nonlocal current
        session.run_with_iobinding(bindings[current])
        current = 1 - current

    def left():
        return {name: tensor.numpy() for name, tensor in ({"h": states[current]["h"]} | outputs).items()}

    return step, left
