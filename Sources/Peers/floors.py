"""The ratios to reach, and RTNeural's published figures."""

from dataclasses import dataclass

from rows import FORMS, LARGE_SHAPES, MODELS, RECURRENT_SHAPES, SEQUENCES, SIZES, STREAM_SIZES, Row

PYTHON = ("numpy", "torch", "jax")

# One LSTM step with one input and a dense output, in ns, the better of RTNeural's Eigen and plain C++ code: measured
# on another machine (Zen 3 with AVX2) with -O3 -march=native -ffast-math.
RTNEURAL = {8: 71, 16: 121, 20: 258, 40: 343, 64: 1300, 100: 3170}

TRAINING = {
    "fast-weights": {4: (10, 10, 6), 30: (5, 5, 5, 5)},
    "lstm": {4: (6, 5, 3), 30: (6, 5, 3, 2)},
    "gru": {4: (6, 5, 3), 30: (6, 5, 3, 2)},
    "irnn": {4: (5, 5, 4), 30: (5, 5, 4, 2)},
}
# Of two layers on sequences of numbers.
LAYERS = 3
INFERENCE = (4, 4, 4, 1.5)
STREAM = 50


@dataclass(frozen=True)
class Floor:
    """At least this many times as fast as the peer; of several rows the lowest ratio counts."""

    label: str
    least: float
    rows: tuple


@dataclass(frozen=True)
class Group:
    """A line of the table: a piece of work, the number of threads the floors are for, and whom they are against."""

    work: str
    threads: int
    floors: tuple
    against: tuple = PYTHON


def groups():
    result = []
    for model, name in MODELS.items():
        for pairs, sizes in SIZES.items():
            result.append(networks("training", f"{name}, training step", model, pairs, sizes, TRAINING[model][pairs]))
    for model, name in SEQUENCES.items():
        result.append(Group(f"two layers of {name} on numbers, training step, T = 50", 2, (
            Floor("R = 64", LAYERS, (Row(f"sequences/{model}/R=64/T=50"),)),)))
    for model, name in MODELS.items():
        for pairs, sizes in SIZES.items():
            result.append(networks("inference", f"{name}, inference", model, pairs, sizes, INFERENCE))
    for model, name in (MODELS | {"lstm-dense": "LSTM with a dense output"}).items():
        result.append(Group(f"{name}, streaming step", 2, tuple(
            Floor(f"R = {r}", STREAM, (Row(f"stream/{model}/R={r}"),)) for r in STREAM_SIZES)))
    result.append(Group("LSTM with a dense output, streaming step, against RTNeural", 2, tuple(
        Floor(f"R = {r}", 1 if r < 20 else 1.5, (Row(f"stream/lstm-dense/R={r}"),)) for r in RTNEURAL), ("RTNeural",)))
    result.append(products("matrix product at 512³, 1024³, 2048³, against OpenBLAS", 0.97, LARGE_SHAPES))
    result.append(products("matrix product at the recurrent shapes, against OpenBLAS", 1.1, RECURRENT_SHAPES))
    result.append(Group("functions, against NumPy", 1, tuple(
        Floor(name, least, (Row(f"function/{name}"),)) for name, least in (("exp", 4), ("sigmoid", 4), ("tanh", 2.5))),
        ("numpy",)))
    return result


def networks(kind, work, model, pairs, sizes, floors):
    return Group(f"{work}, K = {pairs}", 2, tuple(
        Floor(f"R = {r}", least, (Row(f"{kind}/{model}/R={r}/K={pairs}"),)) for r, least in zip(sizes, floors)))


def products(work, least, shapes):
    return Group(work, 1, tuple(
        Floor(form, least, tuple(Row(f"product/{form}/{shape}") for shape in shapes)) for form in FORMS), ("numpy",))
