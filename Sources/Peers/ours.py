"""What our tool makes of a row's weights and input, and whether a peer makes the same: a wrong peer is no peer."""

import json
from pathlib import Path

import numpy as np

import problem
from commands import run

# Of a tensor's largest number.
TOLERANCE = 1e-4
# So many steps of a stream are compared.
STEPS = 8


def error(found, wanted):
    """The largest difference, relative to the largest number."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    if found.size != wanted.size:
        return np.inf
    return np.abs(found.ravel() - wanted.ravel()).max() / np.abs(wanted).max()


def differences(found, path):
    """A sentence for each array of a peer that differs from ours of the same name in that file."""
    with np.load(path) as ours:
        errors = {name: error(found[name], ours[name]) for name in ours.files}
    return [f"{name} differs from ours by {value:.1e}" for name, value in errors.items() if not value < TOLERANCE]


def results(tool, row, folder):
    """A file of what our tool computes for a row, whose peers are compared with it; None where it is not known.

    Of a stream `h` and, with a dense output, `y`, after STEPS steps; of "sequence" and "batch" every state, and of
    "inference" the logits of the first batch.
    """
    if row.kind not in ("stream", "sequence", "batch", "inference") or row.cell not in ("lstm", "gru", "irnn"):
        return None
    folder, arrays = Path(folder), {}
    if row.kind == "stream":
        parameters = problem.stream(row.model, row.hidden)
        states = apply(tool, row, folder, parameters, np.full((STEPS, 1, 1), problem.INPUT, np.float32))
        arrays["h"] = states[-1, 0]
        if "dense_weight" in parameters:
            arrays["y"] = parameters["dense_weight"] @ arrays["h"] + parameters["dense_bias"]
    elif row.kind == "inference":
        named, tokens = problem.network(row.model, row.hidden), problem.batches(row.pairs)[0][0]
        cell = {name.removeprefix("cell."): value for name, value in named.items() if name.startswith("cell.")}
        last = apply(tool, row, folder, cell, tokens, named["embedding.weight"])[-1]
        hidden = np.maximum(last @ named["hidden.weight"].T + named["hidden.bias"], 0)
        arrays["logits"] = hidden @ named["output.weight"].T + named["output.bias"]
    else:
        parameters, numbers = problem.run(row)
        arrays["states"] = apply(tool, row, folder, parameters, numbers)
    np.savez(folder / "results.npz", **arrays)
    return folder / "results.npz"


def apply(tool, row, folder, cell, sequences, embedding=None):
    """All states [T, B, R] of a cell over sequences [T, B, I] or, with an embedding, tokens [T, B], by our tool."""
    tensors = {f"{name}_l0": value for name, value in cell.items() if not name.startswith("dense_")}
    options = []
    if row.cell == "irnn":
        options = ["--activation", "relu"]
    if embedding is not None:
        tensors["embedding.weight"] = embedding
        options += ["--embedding", "embedding"]
    model, given, states = folder / "model.safetensors", folder / "input.npy", folder / "states.npy"
    write_safetensors(model, tensors)
    np.save(given, sequences)
    run(tool, "run", "--model", model, "--input", given, "--output", states, *options)
    return np.load(states)


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": value.shape, "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(value.tobytes() for value in tensors.values()))
