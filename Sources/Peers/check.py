"""Checks that all forms of a model compute the same: loss, every gradient, and what the steps of a stream leave.

    python check.py [MODEL ...]

Runs before a measurement; `bench.py --check` runs it alone. Exit status 1 if two forms differ. A framework that cannot
be imported has no forms.
"""

import contextlib
import importlib
import sys
import warnings

import kernels_numpy
import ours
from rows import MODELS, SEQUENCES, Row

FRAMEWORKS = {}
for name in ("torch", "jax"):
    with contextlib.suppress(ImportError, OSError):
        FRAMEWORKS[name] = importlib.import_module(f"models_{name}")


def check(model):
    """What differs by more than the tolerance, a line each."""
    lines = []
    for pairs in (4, 30):
        row = Row(f"training/{model}/R=50/K={pairs}")
        lines += compare(row, {f"{name} {form}": peer.losses_and_gradients(row, form)
                               for name, peer in FRAMEWORKS.items()
                               for form in peer.forms(row, True)})
    if model in SEQUENCES and (torch := FRAMEWORKS.get("torch")):
        row = Row(f"sequences/{model}/R=64/T=50")
        lines += compare(row, {f"torch {form}": torch.losses_and_gradients(row, form)
                               for form in torch.forms(row, True)})
    for name in (model, f"{model}-dense") if model in ("lstm", "gru") else (model,):
        row = Row(f"stream/{name}/R=50")
        lines += compare(row, streams(row))
    return lines


def streams(row):
    """Of each form: h and the dense output after some steps."""
    results = {}
    for name, peer in {"numpy": kernels_numpy, **FRAMEWORKS}.items():
        with peer.context(row):
            for form in peer.forms(row, True):
                step, _, left = peer.prepare(row, form)
                for _ in range(ours.STEPS):
                    step()
                results[f"{name} {form}"] = [left()]
    return results


def compare(row, results):
    """Each form against the first, relative to a tensor's largest number.

    The batch that agrees best decides: now and then a number lies so close to a ReLU's kink that rounding puts it on
    different sides, and the gradients of that batch differ by a sample. An error would show in every batch.
    """
    if not results:
        return []
    (first, expected), *others = results.items()
    lines = []
    for name, batches in others:
        errors = [{key: ours.error(tensor, wanted[key]) for key, tensor in found.items()}
                  for found, wanted in zip(batches, expected, strict=True)]
        least = min(errors, key=lambda batch: max(batch.values()))
        if least.keys() != expected[0].keys():
            lines.append(f"{row.id}: {name} has other tensors than {first}")
        lines += [f"{row.id}: {key} of {name} differs from {first} by {error:.1e}"
                  for key, error in least.items() if not error < ours.TOLERANCE]
    return lines


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    differences = [line for model in sys.argv[1:] or MODELS for line in check(model)]
    print("\n".join(differences), end="\n" if differences else "")
    sys.exit(1 if differences else 0)
