"""Every fixture by folder and name. The name says what the case is there to catch."""

from dataclasses import dataclass, field

from layer_cases import all_layer_cases


@dataclass(frozen=True)
class Case:
    folder: str
    name: str
    kind: str
    config: dict
    drawing: dict = field(default_factory=dict)  # what the kind's `draw` needs besides the configuration

    @property
    def path(self):
        return f"{self.folder}/{self.name}"


# T steps, B sequences, I inputs, H hidden units, and whether an initial state is given.
# The four sizes differ wherever they can, so that no axis passes for another.
SHAPES = {
    "general": (7, 3, 5, 6, True),
    "no_state": (7, 3, 5, 6, False),
    "one_step": (1, 3, 5, 6, True),
    "one_sequence": (7, 1, 5, 6, True),
    "many_sequences": (5, 19, 3, 7, True),  # more than 16, not a multiple of 8
    "one_input": (7, 3, 1, 6, True),
    "one_unit": (7, 3, 5, 1, True),
    "odd_width": (5, 3, 7, 17, True),
    "wide": (5, 3, 7, 33, True),
    "long": (40, 3, 2, 5, True),
}
# A single unit has no variance to normalise, and the wide cases are the large files.
PLAIN = [name for name in SHAPES if name != "odd_width"]
NORMALISED = [name for name in SHAPES if name not in ("one_unit", "wide")]


def cell_case(folder, name, shape, cell, **drawing):
    steps, sequences, inputs, hidden, state = SHAPES[shape]
    config = cell | {"input": inputs, "hidden": hidden}
    return Case(folder, name, "cell", config, dict(steps=steps, sequences=sequences, state=state) | drawing)


def rnn(activation="tanh", layer_norm=False):
    return {"cell": "rnn", "activation": activation, "layer_norm": layer_norm, "epsilon": 1e-5}


def lstm(layer_norm=False):
    return {"cell": "lstm", "layer_norm": layer_norm, "epsilon": 1e-5}


def gru():
    return {"cell": "gru"}


def fast_weights(activation="relu", layer_norm=True, decay=0.95, rate=None, inner_steps=1,
                 normalise_first=False, separate_norms=False, lagged=False, schedule=None):
    """The paper's η of 0.5 needs layer norm; without it the hidden state would run away."""
    if rate is None:
        rate = 0.5 if layer_norm else 0.1
    return {"cell": "fast_weights", "activation": activation, "layer_norm": layer_norm, "epsilon": 1e-5,
            "lambda": decay, "eta": rate, "inner_steps": inner_steps, "normalise_first": normalise_first,
            "separate_norms": separate_norms, "lagged": lagged} | (
                {"schedule": schedule} if schedule else {})


# What section 4.2 of the paper does: a coarse view is written, four details follow, and the coarse view reads.
GLIMPSES = ["write clear", "", "", "", "", "read"]


def rnn_cases():
    yield from (cell_case("rnn", f"tanh_{shape}", shape, rnn()) for shape in PLAIN)
    yield from (cell_case("rnn", f"relu_{shape}", shape, rnn("relu"))
                for shape in ("general", "no_state", "one_unit", "many_sequences"))
    yield cell_case("rnn", "irnn_general", "general", rnn("relu"), identity=True)
    yield cell_case("rnn", "irnn_no_state", "no_state", rnn("relu"), identity=True)
    yield from (cell_case("rnn", f"tanh_layer_norm_{shape}", shape, rnn("tanh", True))
                for shape in ("general", "no_state", "many_sequences"))
    yield from (cell_case("rnn", f"relu_layer_norm_{shape}", shape, rnn("relu", True)) for shape in NORMALISED)


def lstm_cases():
    yield from (cell_case("lstm", f"plain_{shape}", shape, lstm()) for shape in PLAIN)
    yield from (cell_case("lstm", f"layer_norm_{shape}", shape, lstm(True)) for shape in NORMALISED)


def gru_cases():
    yield from (cell_case("gru", shape, shape, gru()) for shape in PLAIN)


def fast_weights_cases():
    def case(name, shape="general", steps=None, **options):
        drawing = {"steps": steps} if steps else {}
        return cell_case("fast_weights", name, shape, fast_weights(**options), **drawing)

    yield from (case(f"layer_norm_{shape}", shape) for shape in NORMALISED)
    for shape in PLAIN:
        # Forty steps of writing at 0.1 would add up to an A that amplifies.
        yield case(f"plain_{shape}", shape, layer_norm=False, rate=0.02 if shape == "long" else 0.1)

    # One step of one sequence, the smallest there is.
    sizes = dict(steps=1, sequences=1)
    yield cell_case("fast_weights", "one_step_one_sequence", "general", fast_weights(), **sizes)

    for count, word in ((2, "two"), (3, "three")):
        yield case(f"{word}_inner_steps", inner_steps=count)
        yield case(f"{word}_inner_steps_no_state", "no_state", inner_steps=count)
        yield case(f"{word}_inner_steps_plain", inner_steps=count, layer_norm=False)
    yield case("three_inner_steps_many_sequences", "many_sequences", inner_steps=3)

    yield case("normalise_first", normalise_first=True)
    yield case("normalise_first_no_state", "no_state", normalise_first=True)
    yield case("normalise_first_two_inner_steps", normalise_first=True, inner_steps=2)
    yield case("separate_norms_one_inner_step", separate_norms=True)
    yield case("separate_norms_three_inner_steps", separate_norms=True, inner_steps=3)
    yield case("separate_norms_normalise_first", separate_norms=True, normalise_first=True)
    yield case("separate_norms_normalise_first_two_inner_steps", separate_norms=True, normalise_first=True,
               inner_steps=2)

    yield case("lagged", lagged=True)
    yield case("lagged_no_state", "no_state", lagged=True)
    yield case("lagged_one_step", "one_step", lagged=True)
    yield case("lagged_many_sequences", "many_sequences", lagged=True)
    yield case("lagged_three_inner_steps", lagged=True, inner_steps=3)
    yield case("lagged_three_inner_steps_no_state", "no_state", lagged=True, inner_steps=3)
    yield case("lagged_plain", lagged=True, layer_norm=False)
    yield case("lagged_long", "long", lagged=True)

    yield case("tanh", activation="tanh")
    yield case("tanh_no_state", "no_state", activation="tanh")
    yield case("tanh_plain", activation="tanh", layer_norm=False)
    yield case("everything", activation="tanh", inner_steps=3, normalise_first=True, separate_norms=True, lagged=True)

    yield case("eta_0", rate=0.0)  # the control: an inner step, but nothing is ever written
    yield case("eta_0_no_state", "no_state", rate=0.0)
    yield case("lambda_0", decay=0.0)
    yield case("lambda_0.9", decay=0.9)
    yield case("lambda_1", decay=1.0)

    # Steps are never a multiple of the period, nor half of them, so that the parts of a split begin elsewhere in it.
    yield case("schedule_glimpses", schedule=GLIMPSES, normalise_first=True, steps=15)
    yield case("schedule_plain", schedule=["write clear", "", "write", "read"], layer_norm=False, rate=0.3)
    yield case("schedule_ends_with_clear", schedule=["write clear", "", "read"])
    yield case("schedule_no_state", "no_state", schedule=["write clear", "", "read"])
    yield case("schedule_two_inner_steps", schedule=["write", "read clear", "", "read write"], inner_steps=2,
               normalise_first=True, separate_norms=True, steps=11)
    yield case("schedule_clears_without_write", schedule=["read write", "read clear"], decay=0.8)
    yield case("schedule_many_sequences", "many_sequences", schedule=["write", "", "read clear"], inner_steps=2)
    yield case("schedule_never_writes", schedule=["read", "", ""])
    yield case("schedule_never_reads", schedule=["write", "clear"], layer_norm=False)
    yield case("schedule_longer_than_steps", "one_step", schedule=["write clear", "read", "read"], layer_norm=False)


def associative_lstm(copies=1, keys=1, seed=0, recurrent=True):
    return {"cell": "associative_lstm", "copies": copies, "keys": keys, "permutation_seed": seed,
            "recurrent_candidate": recurrent}


# As SHAPES, but H is even; H/2 is odd in some, and no multiple of 8.
EVEN_SHAPES = {
    "general": (7, 3, 5, 6, True),
    "no_state": (7, 3, 5, 6, False),
    "one_step": (1, 3, 5, 6, True),
    "one_step_one_sequence": (1, 1, 5, 6, True),
    "one_sequence": (7, 1, 5, 6, True),
    "many_sequences": (5, 19, 3, 8, True),
    "one_input": (7, 3, 1, 6, True),
    "one_number": (7, 3, 5, 2, True),
    "wide": (5, 3, 7, 34, True),
    "long": (40, 3, 2, 4, True),
}


def associative_lstm_cases():
    def case(name, shape, **options):
        steps, sequences, inputs, hidden, state = EVEN_SHAPES[shape]
        config = associative_lstm(**options) | {"input": inputs, "hidden": hidden}
        return Case("associative_lstm", name, "cell", config, dict(steps=steps, sequences=sequences, state=state))

    yield from (case(f"one_copy_{shape}", shape) for shape in EVEN_SHAPES)
    yield from (case(f"three_copies_{shape}", shape, copies=3, seed=1)
                for shape in ("general", "no_state", "one_step", "many_sequences", "wide"))
    yield from (case(f"two_keys_{shape}", shape, keys=2)
                for shape in ("general", "no_state", "one_step", "one_sequence", "wide"))
    yield case("three_copies_two_keys", "general", copies=3, keys=2, seed=2)
    yield case("largest_permutation_seed", "wide", copies=2, seed=2**32 - 1)
    yield case("candidate_without_state", "general", recurrent=False)
    yield case("everything", "many_sequences", copies=3, keys=2, seed=3, recurrent=False)


def associative_lstm_network_cases():
    def stack(name, cell, steps, sequences, inputs, hidden, **options):
        config = {"cell": {"layer_norm": False} | cell | {"input": inputs, "hidden": hidden}, "layers": 2,
                  "bidirectional": False, "bias": True} | options
        return Case("stack", f"associative_lstm_{name}", "stack", config,
                    dict(steps=steps, sequences=sequences, state=True, ragged=True))

    yield stack("lengths", associative_lstm(copies=3), 6, 5, 3, 4)
    yield stack("bidirectional_lengths", associative_lstm(keys=2), 7, 17, 3, 6, bidirectional=True)
    yield stack("no_bias", associative_lstm(copies=2, recurrent=False), 5, 4, 6, 2, bias=False)
    for name, cell in (("", associative_lstm()), ("_three_copies_two_keys", associative_lstm(copies=3, keys=2))):
        config = {"vocabulary": 11, "embedding": 5, "cell": cell | {"input": 5, "hidden": 6}, "head": 100,
                  "classes": 4, "optimizer": ADAM, "clip": None}
        yield Case("network", f"adam_associative_lstm{name}", "network", config, dict(steps=7, sequences=19))
    for per in ("sequence", "step"):
        config = {"cell": {"layer_norm": False} | associative_lstm(copies=2) | {"input": 5, "hidden": 4}, "layers": 1,
                  "bidirectional": False, "bias": True, "head": {"outputs": 3, "per": per}, "loss": "classes",
                  "optimizer": ADAM}
        yield Case("training", f"associative_lstm_classes_per_{per}", "training", config,
                   dict(steps=6, sequences=7))


def bound_cases():
    yield Case("bound", "19_by_8", "bound", {"rows": 19, "hidden": 8})
    # Moduli of exactly 1, where PyTorch takes the derivative of z; beside it; zero; and squares beyond Float.
    numbers = [[1.0, 0.0, 0.0, -1.0], [-1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0], [0.5, 0.25, 0.25, -0.5],
               [0.75, 3.0, -0.75, 4.0], [2.0**-20, 0.0, 1 - 2.0**-20, 1 + 2.0**-20]]
    yield Case("bound", "edges", "bound", {"rows": 6, "hidden": 4}, dict(numbers=numbers))
    huge = [[2.0**80, 0.0, 2.0**79, 2.0**100], [0.0, -2.0**126, 2.0**126, -2.0**126]]
    yield Case("bound", "huge", "bound", {"rows": 2, "hidden": 4}, dict(numbers=huge))


ADAM = {"name": "adam", "learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
SGD = {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9}
RMSPROP = {"name": "rmsprop", "learning_rate": 0.002, "alpha": 0.99, "epsilon": 1e-8, "momentum": 0.0}


def network_cases():
    def case(name, cell, optimizer, clip=None, sequences=19, **drawing):
        config = {"vocabulary": 11, "embedding": 5, "cell": cell | {"input": 5, "hidden": 6},
                  "head": 100, "classes": 4, "optimizer": optimizer, "clip": clip}
        return Case("network", name, "network", config, dict(steps=7, sequences=sequences) | drawing)

    yield case("adam_rnn_tanh", rnn(), ADAM)
    yield case("adam_rnn_relu", rnn("relu"), ADAM)
    yield case("adam_irnn", rnn("relu"), ADAM, identity=True)
    yield case("adam_rnn_layer_norm", rnn("relu", True), ADAM)
    yield case("adam_lstm", lstm(), ADAM)
    yield case("adam_lstm_layer_norm", lstm(True), ADAM)
    yield case("adam_gru", gru(), ADAM)
    yield case("adam_fast_weights", fast_weights(), ADAM)
    yield case("adam_fast_weights_three_sequences", fast_weights(), ADAM, sequences=3)
    yield case("adamw_lstm", lstm(), ADAM | {"decay": 0.5})
    yield case("sgd_lstm", lstm(), SGD)
    yield case("sgd_fast_weights", fast_weights(), SGD)
    yield case("rmsprop_lstm", lstm(), RMSPROP)
    yield case("rmsprop_fast_weights", fast_weights(), RMSPROP | {"momentum": 0.9})
    yield case("clip_sgd_lstm", lstm(), SGD, clip=0.75, sequences=3)
    yield case("clip_adam_fast_weights", fast_weights(), ADAM, clip=2.0, sequences=3)


def stack_cases():
    def case(name, cell, steps, sequences, inputs, hidden, layers=1, bidirectional=False, bias=True, state=True,
             ragged=False):
        config = {"cell": {"layer_norm": False} | cell | {"input": inputs, "hidden": hidden}, "layers": layers,
                  "bidirectional": bidirectional, "bias": bias}
        return Case("stack", name, "stack", config,
                    dict(steps=steps, sequences=sequences, state=state, ragged=ragged))

    cells = {"rnn_tanh": rnn(), "rnn_relu": rnn("relu"), "lstm": lstm(), "gru": gru()}
    for name, cell in cells.items():
        yield case(f"{name}_two_layers", cell, 6, 3, 4, 5, layers=2)
        yield case(f"{name}_three_layers_no_state", cell, 4, 2, 3, 5, layers=3, state=False)
        yield case(f"{name}_bidirectional", cell, 6, 3, 4, 5, bidirectional=True)
        yield case(f"{name}_lengths", cell, 6, 4, 3, 5, ragged=True)
        yield case(f"{name}_bidirectional_lengths", cell, 7, 5, 3, 4, layers=2, bidirectional=True, ragged=True)
        yield case(f"{name}_no_bias", cell, 5, 4, 6, 3, layers=2, bidirectional=True, bias=False, ragged=True,
                   state=False)
        yield case(f"{name}_one_step", cell, 1, 1, 3, 4, layers=2, bidirectional=True)
        yield case(f"{name}_many_sequences", cell, 5, 17, 2, 3, layers=2, bidirectional=True, ragged=True)
    yield case("lstm_layer_norm_lengths", lstm(True), 6, 5, 3, 7, layers=2, bidirectional=True, ragged=True)
    yield case("rnn_layer_norm_no_bias", rnn("tanh", True), 6, 5, 3, 7, layers=2, bias=False, ragged=True)
    yield case("fast_weights_lengths", fast_weights(), 6, 5, 3, 7, layers=2, bidirectional=True, ragged=True)
    yield case("fast_weights_no_bias", fast_weights(), 6, 3, 4, 7, layers=2, bias=False)
    # More steps than a window of `run` has.
    yield case("fast_weights_schedule", fast_weights(schedule=["write clear", "", "", "", "read"]), 38, 3, 4, 5, layers=2)


def foreign_cases():
    def case(folder, name, cell, steps=6, sequences=3, inputs=4, hidden=5, layers=1, bidirectional=False, bias=True):
        config = {"cell": {"layer_norm": False} | cell | {"input": inputs, "hidden": hidden}, "layers": layers,
                  "bidirectional": bidirectional, "bias": bias}
        return Case(folder, name, folder, config, dict(steps=steps, sequences=sequences))

    cells = {"rnn_tanh": rnn(), "rnn_relu": rnn("relu"), "lstm": lstm(), "gru": gru()}
    for folder in ("keras", "onnx"):
        for name, cell in cells.items():
            if (folder, name) == ("onnx", "rnn_relu"):
                continue  # the reference evaluator does not know it
            yield case(folder, name, cell)
            yield case(folder, f"{name}_stacked_bidirectional", cell, steps=5, sequences=17, inputs=3, hidden=2,
                       layers=2, bidirectional=True)
            yield case(folder, f"{name}_no_bias", cell, steps=1, sequences=1, layers=2, bias=False)


def training_cases():
    def case(name, cell, per, loss, layers=1, bidirectional=False, bias=True, optimizer=ADAM, sequences=19, steps=6,
             inputs=4, outputs=3, **drawing):
        config = {"cell": {"layer_norm": False} | cell | {"input": inputs, "hidden": 5}, "layers": layers,
                  "bidirectional": bidirectional, "bias": bias, "head": {"outputs": outputs, "per": per}, "loss": loss,
                  "optimizer": optimizer}
        return Case("training", name, "training", config, dict(steps=steps, sequences=sequences) | drawing)

    for per in ("sequence", "step"):
        for loss in ("classes", "numbers"):
            yield case(f"lstm_two_layers_{loss}_per_{per}", lstm(), per, loss, layers=2)
            yield case(f"gru_bidirectional_{loss}_per_{per}", gru(), per, loss, bidirectional=True)
            yield case(f"fast_weights_{loss}_per_{per}", fast_weights(), per, loss)
        yield case(f"lstm_bidirectional_tokens_per_{per}", lstm(), per, "classes", layers=2, bidirectional=True,
                   inputs=11, tokens=True)
        yield case(f"rnn_no_bias_one_sequence_per_{per}", rnn(), per, "classes", layers=2, bias=False, sequences=1,
                   optimizer=SGD)
    yield case("fast_weights_tokens_per_step", fast_weights(), "step", "classes", layers=2, inputs=7, tokens=True)
    for per in ("sequence", "step"):
        yield case(f"lstm_numbers_missing_per_{per}", lstm(), per, "numbers", layers=2, missing=True)
        yield case(f"gru_bidirectional_numbers_missing_per_{per}", gru(), per, "numbers", bidirectional=True,
                   missing=True)
        yield case(f"fast_weights_schedule_per_{per}", fast_weights(schedule=["write clear", "", "read"]), per,
                   "classes", layers=2, bidirectional=per == "step", steps=7)
    # The last step reads after every write there is.
    yield case("fast_weights_schedule_ends_with_read", fast_weights(schedule=["write clear", "", "read"]), "sequence",
               "classes", steps=9)

    def loss_case(name, cell, per, loss, ignoring=-1, smoothing=0.0, weighted=False, **options):
        made = case(f"{name}_per_{per}", cell, per, loss, **options)
        made.config.update({"ignoring": ignoring, "smoothing": smoothing} if loss == "cross_entropy" else {},
                           weighted=weighted)
        return made

    for per in ("sequence", "step"):
        yield loss_case("lstm_class_weights", lstm(), per, "cross_entropy", weighted=True, layers=2)
        yield loss_case("gru_bidirectional_label_smoothing", gru(), per, "cross_entropy", smoothing=0.1,
                        bidirectional=True)
        yield loss_case("fast_weights_class_weights_label_smoothing", fast_weights(), per, "cross_entropy",
                        smoothing=0.25, weighted=True, outputs=5)
        yield loss_case("lstm_binary", lstm(), per, "binary_cross_entropy", layers=2)
        yield loss_case("gru_bidirectional_binary_weights_missing", gru(), per, "binary_cross_entropy", weighted=True,
                        bidirectional=True, missing=True)
        # One of the network's own classes, and one that it has not, in the place of -1.
        yield loss_case("rnn_ignored_class", rnn(), per, "cross_entropy", ignoring=1 if per == "sequence" else 255,
                        weighted=True)


def model_cases():
    def case(name, cell, per, layers=1, bidirectional=False, bias=True, inputs=4, vocabulary=11):
        config = {"cell": {"layer_norm": False} | cell | {"input": vocabulary, "hidden": 5}, "layers": layers,
                  "bidirectional": bidirectional, "bias": bias, "head": {"outputs": 3, "per": per}}
        return Case("model", name, "model", config, dict(steps=6, sequences=19, columns=inputs))

    yield case("lstm_two_layers_per_step", lstm(), "step", layers=2)
    yield case("lstm_bidirectional_per_sequence", lstm(), "sequence", layers=2, bidirectional=True)
    yield case("gru_bidirectional_per_step", gru(), "step", bidirectional=True, vocabulary=4, inputs=7)
    yield case("gru_per_sequence", gru(), "sequence", inputs=1)
    yield case("rnn_no_bias_per_sequence", rnn("relu"), "sequence", layers=2, bias=False)


def convolution_cases():
    def case(name, layers, images=3, channels=2, height=7, width=6, classes=4):
        config = {"channels": channels, "height": height, "width": width, "classes": classes, "layers": layers}
        return Case("convolution", name, "convolution", config, dict(images=images))

    def filters(features, size, stride=1, padding=0):
        return {"layer": "convolution", "features": features, "size": size, "stride": stride, "padding": padding}

    def pool(size):
        return {"layer": "max_pool", "size": size}

    yield case("one", [filters(5, 3)])
    yield case("padded", [filters(5, 3, padding=1)])
    yield case("strided", [filters(3, 3, stride=2, padding=2)], height=8, width=5)
    yield case("patches", [filters(5, 4, stride=4), filters(3, 2, stride=2)], channels=1, height=8, width=16)
    yield case("pool", [pool(2)])
    yield case("pool_leaves_edges", [filters(3, 2), pool(3)], height=8, width=9)
    yield case("deep", [filters(4, 3, padding=1), pool(2), filters(7, 2), filters(3, 1)], height=9, width=7)
    yield case("many_images", [filters(3, 3, stride=2), pool(2), filters(17, 1)], images=37, height=9, width=9)
    yield case("no_layers", [], images=2)
    yield case("one_pixel", [filters(5, 1)], images=1, channels=3, height=1, width=1)


def episode_cases():
    def case(name, cell, size, visible, episodes, discount=1.0, value=0.5, entropy=0.01, hidden=6):
        config = {"cell": {"layer_norm": False} | cell | {"input": size * size, "hidden": hidden}, "layers": 1,
                  "bidirectional": False, "bias": True, "head": {"outputs": 4, "per": "step"}, "size": size,
                  "visible_frames": visible, "discount": discount, "value_weight": value, "entropy_weight": entropy}
        return Case("episodes", name, "episodes", config, dict(episodes=episodes))

    yield case("fast_weights", fast_weights(), 7, 2, 19)
    yield case("fast_weights_discount", fast_weights(), 5, 3, 4, discount=0.75, entropy=0.5)
    yield case("lstm", lstm(), 6, 2, 19, value=0.25)
    yield case("lstm_all_frames", lstm(), 4, 4, 3, entropy=0.0)
    yield case("rnn_relu", rnn("relu"), 5, 2, 17)
    yield case("gru_one_episode", gru(), 5, 1, 1, discount=0.5, hidden=5)


def layer_norm_cases():
    for rows, hidden in ((19, 7), (1, 1), (3, 33)):
        yield Case("layer_norm", f"{rows}_by_{hidden}", "layer_norm", {"epsilon": 1e-5, "rows": rows, "hidden": hidden})


def softmax_cases():
    def case(name, rows, classes, **drawing):
        return Case("softmax", name, "softmax", {"rows": rows, "classes": classes},
                    dict(rows=rows, classes=classes) | drawing)

    yield case("ordinary", 5, 4)
    yield case("one_class", 3, 1)
    yield case("many_classes", 19, 37)

    high, low = 1e4, -1e4
    rows = [
        [high, high, high, high, high],
        [low, low, low, low, low],
        [low, low, high, low, low],
        [high, high, low, high, high],
        [high, low, 0, 1, -1],
        [low, 0.5, -1.5, 2, 0],
        [0, 0, 0, 0, high],
    ]
    yield case("extreme_and_right", 7, 5, logits=rows, targets=[0, 4, 2, 1, 0, 3, 4])
    yield case("extreme_and_wrong", 7, 5, logits=rows, targets=[3, 2, 0, 2, 1, 0, 1])


def clip_cases():
    def case(name, limit, size, scale):
        return Case("clip", name, "clip", {"max_norm": limit}, dict(size=size, scale=scale))

    yield case("active", 5.0, 37, 3.0)
    yield case("inactive", 5.0, 37, 0.1)
    yield case("zero", 5.0, 19, 0.0)


def layers_cases():
    yield from (Case("layers", name, "layers", config, drawing) for name, config, drawing in all_layer_cases())


def optimizer_cases():
    def case(name, optimizer, clip=None, steps=8, **options):
        return Case("optimizer", name, "optimizer", {"optimizer": optimizer | options, "clip": clip}, dict(steps=steps))

    plain = SGD | {"momentum": 0.0}
    yield case("sgd", plain)
    yield case("sgd_l2", plain, l2=0.25)
    yield case("sgd_momentum", SGD)
    yield case("sgd_dampening", SGD, dampening=0.5)
    yield case("sgd_dampening_l2", SGD, dampening=0.25, l2=0.125)
    yield case("sgd_nesterov", SGD, nesterov=True)
    yield case("sgd_nesterov_l2_clip", SGD, clip=1.0, nesterov=True, l2=0.25)
    yield case("adam", ADAM)
    yield case("adam_amsgrad", ADAM, amsgrad=True, beta2=0.75, steps=12)
    yield case("adamw", ADAM, decay=0.25)
    yield case("adamw_amsgrad_clip", ADAM, clip=1.0, amsgrad=True, beta2=0.75, decay=0.25, steps=12)
    yield case("rmsprop", RMSPROP)
    yield case("rmsprop_momentum_l2", RMSPROP, alpha=0.75, momentum=0.9, l2=0.25)
    yield case("rmsprop_centered", RMSPROP, alpha=0.75, centered=True)
    yield case("rmsprop_centered_momentum_clip", RMSPROP, clip=1.0, alpha=0.9, momentum=0.5, centered=True)


def schedule_cases():
    def case(name, words, scheduler, steps=23):
        return Case("schedule", name, "schedule", {"schedule": words, "scheduler": scheduler, "steps": steps})

    warm_up = {"name": "linear", "start_factor": 0.25, "end_factor": 1.0, "total_iters": 5}
    yield case("constant", "constant", {"name": "constant"})
    yield case("linear", "linear", {"name": "linear", "start_factor": 1.0, "end_factor": 0.0})
    yield case("linear_to", "linear to 0.25", {"name": "linear", "start_factor": 1.0, "end_factor": 0.25})
    yield case("cosine", "cosine", {"name": "cosine"})
    yield case("cosine_to", "cosine to 0.1", {"name": "cosine", "eta_min": 0.1})
    yield case("cosine_one_step", "cosine", {"name": "cosine"}, steps=1)
    yield case("step", "step every 7", {"name": "step", "step_size": 7})
    yield case("step_by", "step every 4 by 0.5", {"name": "step", "step_size": 4, "gamma": 0.5})
    yield case("one_cycle", "one-cycle", {"name": "one_cycle"})
    yield case("one_cycle_long", "one-cycle", {"name": "one_cycle"}, steps=200)
    yield case("one_cycle_short", "one-cycle", {"name": "one_cycle"}, steps=3)
    yield case("one_cycle_options", "one-cycle rise 0.5 from 0.1 to 0.01",
               {"name": "one_cycle", "pct_start": 0.5, "div_factor": 10.0, "final_div_factor": 10.0})
    yield case("warm_up_constant", "warm-up 5 from 0.25 then constant", [warm_up, {"name": "constant"}])
    yield case("warm_up_cosine", "warm-up 5 from 0.25 then cosine", [warm_up, {"name": "cosine"}])
    yield case("warm_up_step", "warm-up 5 from 0.25 then step every 6 by 0.3",
               [warm_up, {"name": "step", "step_size": 6, "gamma": 0.3}])
    yield case("warm_up_linear_to", "warm-up 5 from 0.25 then linear to 0.5",
               [warm_up, {"name": "linear", "start_factor": 1.0, "end_factor": 0.5, "total_iters": 18}])


def loss_cases():
    def case(name, loss, rows=19, outputs=5, weighted=False, smoothing=0.0, ignoring=-1, reduction="mean", **drawing):
        config = {"loss": loss, "weighted": weighted, "reduction": reduction}
        if loss == "cross_entropy":
            config |= {"smoothing": smoothing, "ignoring": ignoring}
        return Case("loss", name, "loss", config, dict(rows=rows, outputs=outputs) | drawing)

    for reduction in ("mean", "sum"):
        yield case(f"cross_entropy_{reduction}", "cross_entropy", reduction=reduction)
        yield case(f"cross_entropy_weights_{reduction}", "cross_entropy", weighted=True, reduction=reduction)
        yield case(f"cross_entropy_all_options_{reduction}", "cross_entropy", weighted=True, smoothing=0.3, ignoring=-100,
                   missing=True, reduction=reduction)
        yield case(f"mean_squares_{reduction}", "mean_squares", reduction=reduction)
        yield case(f"binary_cross_entropy_{reduction}", "binary_cross_entropy", reduction=reduction)
        yield case(f"binary_cross_entropy_weights_missing_{reduction}", "binary_cross_entropy", weighted=True,
                   missing=True, reduction=reduction)
    yield case("cross_entropy_smoothing", "cross_entropy", smoothing=0.1)
    yield case("cross_entropy_smoothing_only", "cross_entropy", smoothing=1.0)
    yield case("cross_entropy_ignored_class", "cross_entropy", rows=37, outputs=3, ignoring=1)
    yield case("cross_entropy_one_row", "cross_entropy", rows=1, outputs=33, weighted=True, smoothing=0.25)
    yield case("cross_entropy_extreme", "cross_entropy", scale=300.0, weighted=True, smoothing=0.1)
    yield case("mean_squares_missing", "mean_squares", missing=True)
    yield case("binary_cross_entropy_extreme", "binary_cross_entropy", scale=60.0)
    yield case("binary_cross_entropy_one_output", "binary_cross_entropy", rows=40, outputs=1, weighted=True)


def video_metrics_cases():
    def case(name, channels, height, width, window="box", sample=True, range=1):
        return Case("video_metrics", name, "video_metrics", {"window": window, "sample": sample, "range": range},
                    dict(channels=channels, height=height, width=width))

    yield case("box", 1, 16, 13)
    yield case("box_color", 3, 12, 18)
    yield case("box_one_window", 2, 7, 7)
    yield case("box_population", 1, 16, 13, sample=False)
    yield case("box_range_2", 3, 12, 18, range=2)
    yield case("box_bytes", 3, 12, 18, range=255)
    yield case("gaussian", 1, 16, 13, "gaussian", sample=False)
    yield case("gaussian_color", 3, 14, 18, "gaussian", sample=False)
    yield case("gaussian_sample", 2, 11, 11, "gaussian")


def video_head_cases():
    """C, H, W, N: all different, rows below and above a vector of sixteen, and whole ones."""
    def case(name, head, frame, samples, kernels, size=5, release=False, align_corners=True, **drawing):
        config = {"head": head, "frame": frame, "kernels": kernels, "kernel_size": size, "release": release}
        config |= {"align_corners": align_corners} if head == "stp" else {}
        return Case("video_heads", name, "video_head", config, dict(samples=samples) | drawing)

    general = [3, 9, 13]
    for release, suffix in ((False, ""), (True, "_release")):
        yield case(f"cdna{suffix}", "cdna", general, 2, 4, release=release)
        yield case(f"dna{suffix}", "dna", general, 2, 1, release=release)
        yield case(f"stp{suffix}", "stp", general, 2, 4, release=release)
        yield case(f"paint{suffix}", "paint", general, 2, 1, release=release)
        yield case(f"cdna_dead{suffix}", "cdna", [1, 6, 16], 2, 5, 3, release=release, dead=True)
        yield case(f"dna_dead{suffix}", "dna", [1, 5, 16], 2, 1, 3, release=release, dead=True)
    yield case("cdna_wide", "cdna", [1, 4, 37], 2, 10, 3)
    yield case("cdna_size_7", "cdna", [2, 5, 16], 3, 2, 7)
    yield case("cdna_many_kernels", "cdna", [1, 4, 6], 2, 18, 3)
    yield case("cdna_one_kernel", "cdna", [3, 2, 3], 1, 1)
    yield case("dna_wide", "dna", [2, 4, 35], 2, 1, 3)
    yield case("dna_size_7", "dna", [2, 5, 6], 1, 1, 7)
    yield case("stp_wide", "stp", [1, 4, 37], 3, 2)
    yield case("stp_far", "stp", [2, 7, 16], 2, 3, spread=1.5)
    yield case("stp_edges", "stp", [3, 6, 13], 2, 2, align_corners=False)


def video_operator_cases():
    def case(name, operator, size=5, options=None, **drawing):
        return Case("video_heads", name, "video_operator", {"operator": operator, "size": size} | (options or {}), drawing)

    yield case("normalized_kernels", "normalized_kernels", kernels=19)
    yield case("normalized_kernels_size_3", "normalized_kernels", 3, kernels=7)
    # Numbers as small as what is least: that it is subtracted, and added.
    yield case("normalized_kernels_small", "normalized_kernels", kernels=6, scale=2e-12)
    for size, width in ((3, 37), (5, 13), (7, 16)):
        yield case(f"advection_size_{size}", "advection", size, height=6, width=width)
        yield case(f"kernel_mixing_size_{size}", "kernel_mixing", size, width=width, kernels=size + 3)
    yield case("kernel_mixing_sixteen", "kernel_mixing", 3, width=21, kernels=16)
    for align_corners, name in ((True, "middles"), (False, "edges")):
        yield case(f"affine_sampling_{name}", "affine_sampling", 1, {"align_corners": align_corners}, scale=0.3)
        yield case(f"affine_sampling_far_{name}", "affine_sampling", 1, {"align_corners": align_corners}, width=35,
                   scale=0.8)
    yield case("mask_softmax", "mask_softmax", 1, {"rectified": False}, width=37)
    yield case("mask_softmax_rectified", "mask_softmax", 1, {"rectified": True}, width=37)


# Channels of the seven LSTMs; neighbors differ, so that none passes for another.
WIDTHS = [2, 3, 2, 3, 4, 3, 2]


def video_model_cases():
    def case(name, head, parity, frame, actions=0, states=0, kernels=1, kernel_size=3, widths=WIDTHS, gate_size=3, context=2,
             **drawing):
        config = {"frame": frame, "actions": actions, "states": states, "head": head, "kernels": kernels,
                  "kernel_size": kernel_size, "widths": widths, "gate_size": gate_size, "context": context, "parity": parity}
        return Case("video_model", name, "video_model", config, drawing)

    gray, color, high, wide = [1, 16, 16], [3, 16, 16], [1, 24, 16], [1, 16, 24]
    yield case("cdna_clean_actions", "cdna", "clean", color, 3, 2, 4, kernel_size=5, training=3)
    yield case("cdna_clean", "cdna", "clean", high, kernels=3, widths=[2, 1, 2, 1, 2, 3, 1], gate_size=5, dead=True)
    yield case("cdna_release_actions", "cdna", "release", gray, 4, 3, 3, kernel_size=5)
    yield case("cdna_release", "cdna", "release", color, kernels=3, context=1, frames=3)
    yield case("dna_clean_actions", "dna", "clean", color, 2, 3, kernel_size=5, context=1, frames=3)
    yield case("dna_clean", "dna", "clean", wide)
    yield case("dna_release_actions_only", "dna", "release", gray, 3, 0)
    yield case("dna_release", "dna", "release", gray, kernel_size=5)
    yield case("stp_clean_actions", "stp", "clean", color, 3, 2, 3, context=1, frames=3)
    yield case("stp_clean", "stp", "clean", high, kernels=2)
    yield case("stp_release_states_only", "stp", "release", gray, 0, 3, 4)
    yield case("stp_release", "stp", "release", wide, kernels=2)
    yield case("paint_clean_actions", "paint", "clean", color, 3, 2, context=1, frames=3)
    yield case("paint_clean", "paint", "clean", wide, training=3)
    yield case("paint_release_actions", "paint", "release", gray, 3, 2)
    yield case("paint_release", "paint", "release", gray)
    yield case("cdna_one_step", "cdna", "clean", gray, 3, 2, 2, kernel_size=5, context=1, frames=2, clips=1)
    yield case("cdna_sampled", "cdna", "clean", gray, 3, 2, 2, frames=5, sampled=True)
    yield case("cdna_state", "cdna", "clean", gray, 3, 2, 2, initial=True)


def video_convlstm_cases():
    def case(name, form, frame, patch, widths, kernel_size=3, bias=False, peepholes=False, forget_offset=0,
             output_bias=False, loss="mean_squares", context=3, **drawing):
        config = {"form": form, "frame": frame, "patch": patch, "widths": widths, "kernel_size": kernel_size, "bias": bias,
                  "peepholes": peepholes, "forget_offset": forget_offset, "output_bias": output_bias, "loss": loss,
                  "context": context}
        return Case("video_convlstm", name, "video_convlstm", config, drawing)

    shi = dict(bias=True, peepholes=True, output_bias=True, loss="cross_entropy")
    yield case("one", "one", [1, 16, 16], 4, [3, 2])
    yield case("one_sampled", "one", [3, 8, 12], 2, [3, 2], [3, 5], bias=True, forget_offset=1, sampled=True)
    yield case("one_no_patches", "one", [2, 6, 5], 1, [3], bias=True, output_bias=True, frames=4, clips=3, context=1)
    yield case("one_peepholes", "one", [1, 6, 8], 2, [2, 3, 4], peepholes=True, loss="cross_entropy")
    yield case("forecaster", "forecaster", [1, 12, 8], 2, [3, 2], **shi)
    yield case("forecaster_one_layer", "forecaster", [1, 8, 8], 4, [4], 5, **shi, frames=4, clips=1, context=2)
    yield case("forecaster_plain", "forecaster", [3, 8, 12], 4, [2, 3, 2], context=2)


def convlstm_code_cases():
    def case(name, code, widths=(2, 4), kernel_size=3, bias=True, peepholes=False, layer_norm=False, prefix=""):
        config = {"code": code, "inputs": 3, "widths": list(widths), "sizes": [4, 5], "kernel_size": kernel_size, "bias": bias,
                  "peepholes": peepholes, "layer_norm": layer_norm, "prefix": prefix}
        return Case("convlstm_codes", name, "convlstm_keras" if code == "keras" else "convlstm_code", config,
                    dict(steps=3, sequences=2))

    yield case("ndrplz", "ndrplz", kernel_size=[3, 5], prefix="encoder.")
    yield case("ndrplz_no_bias", "ndrplz", bias=False)
    yield case("automan000", "automan000", peepholes=True)
    yield case("automan000_no_peepholes", "automan000", prefix="net.")
    yield case("openstl", "openstl", bias=False, prefix="model.")
    yield case("openstl_layer_norm", "openstl", bias=False, layer_norm=True)
    yield case("xiaohui9607", "xiaohui9607", widths=[4], kernel_size=5)
    yield case("tensorflow", "tensorflow", widths=[4], kernel_size=[5, 3], prefix="model/state1/")
    yield case("keras", "keras", kernel_size=[3, 5])
    yield case("keras_no_bias", "keras", bias=False)


def all_cases():
    for cases in (rnn_cases, lstm_cases, gru_cases, fast_weights_cases, associative_lstm_cases,
                  associative_lstm_network_cases, bound_cases, network_cases, stack_cases,
                  model_cases, foreign_cases, training_cases, convolution_cases, episode_cases, layers_cases,
                  layer_norm_cases, softmax_cases, clip_cases, optimizer_cases, schedule_cases, loss_cases,
                  video_metrics_cases, video_head_cases, video_operator_cases, video_model_cases,
                  video_convlstm_cases, convlstm_code_cases):
        yield from cases()
