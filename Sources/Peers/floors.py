"""The ratios to reach."""

from dataclasses import dataclass

from rows import (
    DEPLOYMENT, FORMS, FRAMEWORKS, LARGE_SHAPES, MODELS, RECURRENT_SHAPES, RUN_STEPS, RUNS, SEQUENCES, SIZES,
    STREAM_SIZES, VIDEO_BATCHES, VIDEO_CHANNELS, VIDEO_STEPS, Row)

EVERYONE = FRAMEWORKS + DEPLOYMENT + ("RTNeural",)

TRAINING = {
    "fast-weights": {4: (10, 10, 6), 30: (5, 5, 5, 5)},
    "lstm": {4: (6, 5, 3), 30: (6, 5, 3, 2)},
    "gru": {4: (6, 5, 3), 30: (6, 5, 3, 2)},
    "irnn": {4: (5, 5, 4), 30: (5, 5, 4, 2)},
}
# Of two layers on sequences of numbers.
LAYERS = 3
# Of two convolutional LSTMs on films.
VIDEO = 1.5
INFERENCE = (4, 4, 4, 1.5)
STREAM = 50
# By R: streams with a dense output against RTNeural; a step or a sequence, and batches, against what others deploy.
RTNEURAL = {8: 1.2, 16: 1.2, 20: 1.5, 40: 1.5, 64: 1.3, 100: 1.3}
ONE_SEQUENCE = {20: 2, 50: 2, 100: 1.4, 256: 1.25}
BATCHES = {20: 3, 50: 3, 100: 3, 256: 1.5}


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
    against: tuple = FRAMEWORKS


def groups():
    result = []
    for model, name in MODELS.items():
        for pairs, sizes in SIZES.items():
            result.append(networks("training", f"{name}, training step", model, pairs, sizes, TRAINING[model][pairs]))
    for model, name in SEQUENCES.items():
        result.append(Group(f"two layers of {name} on numbers, training step, T = 50", 2, (
            Floor("R = 64", LAYERS, (Row(f"sequences/{model}/R=64/T=50"),)),)))
    result.append(Group(f"two convolutional LSTMs, 16×16, 5×5, training step, T = {VIDEO_STEPS}", 1, tuple(
        Floor(f"{c} maps, batch {b}", VIDEO, (Row(f"video/convlstm/C={c}/B={b}"),))
        for c in VIDEO_CHANNELS for b in VIDEO_BATCHES)))
    for model, name in MODELS.items():
        for pairs, sizes in SIZES.items():
            result.append(networks("inference", f"{name}, inference", model, pairs, sizes, INFERENCE))
    for model, name in RUNS.items():
        result.append(sized(f"{name}, one sequence of {RUN_STEPS['sequence']} steps, against ONNX Runtime and OpenVINO",
                            f"sequence/{model}/R=%d/T={RUN_STEPS['sequence']}", ONE_SEQUENCE, DEPLOYMENT))
    for model, name in RUNS.items():
        steps = RUN_STEPS["batch"]
        for work, row in ((f"128 sequences of {steps} steps", f"batch/{model}/R=%d/T={steps}"),
                          ("inference, K = 30", f"inference/{model}/R=%d/K=30")):
            result.append(sized(f"{name}, {work}, against ONNX Runtime, OpenVINO and PyTorch", row, BATCHES,
                                DEPLOYMENT + ("torch",)))
    dense = {f"{model}-dense": f"{name} with a dense output" for model, name in RUNS.items()}
    for model, name in (MODELS | dense).items():
        result.append(Group(f"{name}, streaming step", 2, tuple(
            Floor(f"R = {r}", STREAM, (Row(f"stream/{model}/R={r}"),)) for r in STREAM_SIZES)))
    for model, name in RUNS.items():
        result.append(sized(f"{name}, streaming step, against ONNX Runtime and OpenVINO", f"stream/{model}/R=%d",
                            ONE_SEQUENCE, DEPLOYMENT))
    for model, name in dense.items():
        result.append(sized(f"{name}, streaming step, against RTNeural", f"stream/{model}/R=%d", RTNEURAL,
                            ("RTNeural",)))
    result.append(products("matrix product at 512³, 1024³, 2048³, against OpenBLAS", 0.97, LARGE_SHAPES))
    result.append(products("matrix product at the recurrent shapes, against OpenBLAS", 1.1, RECURRENT_SHAPES))
    result.append(Group("functions, against NumPy", 1, tuple(
        Floor(name, least, (Row(f"function/{name}"),)) for name, least in (("exp", 4), ("sigmoid", 4), ("tanh", 2.5))),
        ("numpy",)))
    return result


def networks(kind, work, model, pairs, sizes, floors):
    return Group(f"{work}, K = {pairs}", 2, tuple(
        Floor(f"R = {r}", least, (Row(f"{kind}/{model}/R={r}/K={pairs}"),)) for r, least in zip(sizes, floors)))


def sized(work, row, floors, against):
    """A row for each R, with its floor."""
    return Group(work, 2, tuple(Floor(f"R = {r}", least, (Row(row % r),)) for r, least in floors.items()), against)


def products(work, least, shapes):
    return Group(work, 1, tuple(
        Floor(form, least, tuple(Row(f"product/{form}/{shape}") for shape in shapes)) for form in FORMS), ("numpy",))
