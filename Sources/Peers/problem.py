"""The network and the task that every peer runs: sizes, first parameters and batches, as NumPy arrays.

B batch, T steps, E embedding, R recurrent units. Parameters have PyTorch's names, shapes and gate orders.
"""

import numpy as np

from rows import (
    BATCH, RUN_INPUTS, SEQUENCE_BATCH, SEQUENCE_CLASSES, SEQUENCE_INPUT, VIDEO_MAPS, VIDEO_SIDE, VIDEO_STEPS)

VOCABULARY, EMBEDDING, HEAD, CLASSES = 37, 100, 100, 10
DECAY, RATE, EPSILON = 0.95, 0.5, 1e-5
LEARNING_RATE, BETAS, ADAM_EPSILON, CLIP = 1e-3, (0.9, 0.999), 1e-8, 5.0
GATES = {"irnn": 1, "lstm": 4, "gru": 3, "fast-weights": 1}
# The number that goes into every step of a stream.
INPUT = 0.5


def cell(model, hidden, inputs, random):
    """First values of a cell: uniform in ±1/√R, but for the IRNN and fast weights, whose W_hh is diagonal."""
    rows, limit = GATES[model] * hidden, hidden**-0.5
    parameters = {"weight_ih": uniform(random, limit, rows, inputs), "weight_hh": uniform(random, limit, rows, hidden),
                  "bias_ih": uniform(random, limit, rows)}
    if model == "irnn":
        parameters["weight_hh"] = np.eye(hidden, dtype=np.float32)
    if model == "fast-weights":
        parameters["weight_hh"] = np.eye(hidden, dtype=np.float32) * np.float32(0.05)
        return parameters | {"norm_weight": np.ones(hidden, np.float32), "norm_bias": np.zeros(hidden, np.float32)}
    return parameters | {"bias_hh": uniform(random, limit, rows)}


def network(model, hidden):
    """First values of the classifier: embedding, cell, ReLU layer, logits."""
    random = np.random.default_rng(1)
    named = {f"cell.{name}": value for name, value in cell(model, hidden, EMBEDDING, random).items()}
    return named | {
        "embedding.weight": random.standard_normal((VOCABULARY, EMBEDDING), np.float32),
        "hidden.weight": uniform(random, hidden**-0.5, HEAD, hidden),
        "hidden.bias": uniform(random, hidden**-0.5, HEAD),
        "output.weight": uniform(random, HEAD**-0.5, CLASSES, HEAD),
        "output.bias": uniform(random, HEAD**-0.5, CLASSES)}


def stream(model, hidden):
    """First values of a cell whose input is one number; of "lstm-dense" also those of its dense output."""
    random = np.random.default_rng(1)
    parameters = cell(model.removesuffix("-dense"), hidden, 1, random)
    if model.endswith("-dense"):
        parameters["dense_weight"] = uniform(random, hidden**-0.5, 1, hidden)
        parameters["dense_bias"] = uniform(random, hidden**-0.5, 1)
    return parameters


def run(row):
    """First values of the layer of a row "sequence" or "batch", and its sequences [T, B, I]."""
    random, inputs = np.random.default_rng(1), RUN_INPUTS[row.kind]
    return cell(row.model, row.hidden, inputs, random), uniform(random, 1, row.steps, row.batch, inputs)


def sequences(steps):
    """Eight batches of random numbers [T, B, I] with a class for each sequence [B]."""
    random = np.random.default_rng(1)
    return [(uniform(random, 1, steps, SEQUENCE_BATCH, SEQUENCE_INPUT),
             random.integers(0, SEQUENCE_CLASSES, SEQUENCE_BATCH)) for _ in range(8)]


def videos(batch):
    """Two batches of clips of random numbers, one frame longer than what is read: [T + 1, B, C, H, W]."""
    random = np.random.default_rng(1)
    return [uniform(random, 1, VIDEO_STEPS + 1, batch, VIDEO_MAPS, VIDEO_SIDE, VIDEO_SIDE) for _ in range(2)]


def uniform(random, limit, *shape):
    return random.uniform(-limit, limit, shape).astype(np.float32)


def batches(pairs):
    """Eight batches of associative retrieval: tokens [T, B] with T = 2 pairs + 3, and the digits asked for [B].

    Keys are drawn with replacement where the alphabet does not last.
    """
    random = np.random.default_rng(1)
    result = []
    for _ in range(8):
        keys = np.stack([random.choice(26, pairs, replace=pairs > 26) for _ in range(BATCH)])
        digits = random.integers(0, 10, (BATCH, pairs))
        asked = np.arange(BATCH), random.integers(0, pairs, BATCH)
        tokens = np.full((2 * pairs + 3, BATCH), VOCABULARY - 1)
        tokens[0:2 * pairs:2], tokens[1:2 * pairs:2], tokens[-1] = keys.T, 26 + digits.T, keys[asked]
        result.append((tokens, digits[asked]))
    return result
