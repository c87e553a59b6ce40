"""Checks that all forms of a model compute the same: loss, every gradient, and what the steps of a stream leave.

    python check.py [MODEL ...]

Runs before a measurement; `bench.py --check` runs it alone. Exit status 1 if two forms differ.
"""

import sys
import warnings

import numpy as np
import torch

import kernels_numpy
import models_jax
import models_torch
from rows import MODELS, SEQUENCES, Row

TOLERANCE = 1e-4
STEPS = 8


def check(model):
    """What differs by more than the tolerance, a line each."""
    lines = []
    for pairs in (4, 30):
        row = Row(f"training/{model}/R=50/K={pairs}")
        lines += compare(row, {f"{name} {form}": peer.losses_and_gradients(row, form)
                               for name, peer in (("torch", models_torch), ("jax", models_jax))
                               for form in peer.forms(row, True)})
    if model in SEQUENCES:
        row = Row(f"sequences/{model}/R=64/T=50")
        lines += compare(row, {f"torch {form}": models_torch.losses_and_gradients(row, form)
                               for form in models_torch.forms(row, True)})
    for name in (model, "lstm-dense") if model == "lstm" else (model,):
        row = Row(f"stream/{name}/R=50")
        lines += compare(row, streams(row))
    return lines


def streams(row):
    """Of each form: h and the dense output after some steps."""
    step, left = kernels_numpy.stream(row)
    results = {"numpy": after_steps(step, lambda: left)}
    with models_torch.context(row):
        for form in models_torch.forms(row, True):
            results[f"torch {form}"] = after_steps(*models_torch.stream(row, form))
    step, _, left = models_jax.stream(row)
    return results | {"jax": after_steps(step, left)}


def after_steps(step, left):
    for _ in range(STEPS):
        step()
    return [dict(zip(("h", "y"), left()))]


def compare(row, results):
    """Each form against the first, relative to a tensor's largest number.

    The batch that agrees best decides: now and then a number lies so close to a ReLU's kink that rounding puts it on
    different sides, and the gradients of that batch differ by a sample. An error would show in every batch.
    """
    (first, expected), *others = results.items()
    lines = []
    for name, batches in others:
        errors = [{key: np.abs(tensor - wanted[key]).max() / np.abs(wanted[key]).max() for key, tensor in found.items()}
                  for found, wanted in zip(batches, expected, strict=True)]
        least = min(errors, key=lambda batch: max(batch.values()))
        if least.keys() != expected[0].keys():
            lines.append(f"{row.id}: {name} has other tensors than {first}")
        lines += [f"{row.id}: {key} of {name} differs from {first} by {error:.1e}"
                  for key, error in least.items() if not error < TOLERANCE]
    return lines


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    differences = [line for model in sys.argv[1:] or MODELS for line in check(model)]
    print("\n".join(differences), end="\n" if differences else "")
    sys.exit(1 if differences else 0)
