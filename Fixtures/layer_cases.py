"""The cases of networks of layers: each kind alone with each of its options, and what is likely to go together.

T steps, B sequences and all widths differ wherever they can, so that no axis passes for another.
"""

from copy import deepcopy


def tokens(count):
    return {"tokens": count}


def numbers(count):
    return {"numbers": count}


def maps(channels, height, width):
    return {"channels": channels, "height": height, "width": width}


def embedding(size):
    return {"layer": "embedding", "size": size}


def dense(outputs, activation=None, **options):
    return {"layer": "dense", "outputs": outputs} | ({"activation": activation} if activation else {}) | options


def rnn(hidden, **options):
    return {"layer": "rnn", "hidden": hidden} | options


def lstm(hidden, **options):
    return {"layer": "lstm", "hidden": hidden} | options


def gru(hidden, **options):
    return {"layer": "gru", "hidden": hidden} | options


def fast_weights(hidden, **options):
    return {"layer": "fast_weights", "hidden": hidden, "activation": "relu", "layer_norm": True, "lambda": 0.95,
            "eta": 0.5, "inner_steps": 1, "normalise_first": False, "separate_norms": False, "lagged": False} | options


def associative(hidden, **options):
    return {"layer": "associative_lstm", "hidden": hidden, "copies": 1, "keys": 1, "permutation_seed": 0,
            "recurrent_candidate": True} | options


def bidirectional(cell):
    return {"layer": "bidirectional", "cell": cell}


def stack(cell, layers, bidirectional=False, **options):
    return {"layer": "stack", "cell": cell, "layers": layers, "bidirectional": bidirectional} | options


def dropout(rate):
    return {"layer": "dropout", "rate": rate}


def layer_norm(**options):
    return {"layer": "layer_norm"} | options


def rms_norm(**options):
    return {"layer": "rms_norm"} | options


SOFTMAX = {"layer": "softmax"}


def residual(*layers):
    return {"layer": "residual", "layers": list(layers)}


def convolution(features, size, activation=None, **options):
    return {"layer": "convolution", "features": features, "size": size} | (
        {"activation": activation} if activation else {}) | options


def transposed_convolution(features, size, activation=None, **options):
    return convolution(features, size, activation, **options) | {"layer": "transposed_convolution"}


def convolutional_lstm(channels, size, **options):
    return {"layer": "convolutional_lstm", "channels": channels, "size": size} | options


def convolutional_gru(channels, size, **options):
    return {"layer": "convolutional_gru", "channels": channels, "size": size} | options


def max_pool(size):
    return {"layer": "max_pool", "size": size}


LAST, MEAN, FLATTEN = {"layer": "last_step"}, {"layer": "mean"}, {"layer": "flatten"}
CELLS = {"rnn": rnn(4), "rnn_relu": rnn(4, activation="relu"), "rnn_layer_norm": rnn(5, layer_norm=True),
         "rnn_sigmoid": rnn(3, activation="sigmoid"), "lstm": lstm(4), "lstm_layer_norm": lstm(5, layer_norm=True), "gru": gru(4), "fast_weights": fast_weights(5),
         "associative_lstm": associative(4, copies=2)}


def case(name, input, *layers, steps=5, sequences=3, state=False, ragged=False):
    config = deepcopy({"input": input, "layers": list(layers)})
    return name, config, dict(steps=steps, sequences=sequences, state=state, ragged=ragged)


def single_cases():
    """A layer alone."""
    for name, drawing in {"": {}, "_lengths": dict(sequences=4, ragged=True), "_many_sequences": dict(sequences=19),
                          "_one_step_one_sequence": dict(steps=1, sequences=1)}.items():
        yield case(f"embedding{name}", tokens(7), embedding(2), **drawing)
        yield case(f"dense{name}", numbers(4), dense(2), **drawing)
        yield case(f"layer_norm{name}", numbers(6), layer_norm(), **drawing)
        yield case(f"rms_norm{name}", numbers(6), rms_norm(), **drawing)
        yield case(f"dropout{name}", numbers(4), dropout(0.5), dense(2), **drawing)
        yield case(f"last_step{name}", numbers(4), LAST, **drawing)
        yield case(f"mean{name}", numbers(4), MEAN, **drawing)
        yield case(f"residual{name}", numbers(4), residual(dense(2, "tanh"), dense(4)), **drawing)
        yield case(f"softmax{name}", numbers(4), SOFTMAX, **drawing)
        drawing = dict(steps=3) | drawing
        yield case(f"convolution{name}", maps(2, 4, 3), convolution(3, 2), **drawing)
        yield case(f"max_pool{name}", maps(2, 4, 3), max_pool(2), **drawing)
        yield case(f"flatten{name}", maps(2, 3, 4), FLATTEN, **drawing)
    yield case("embedding_one_token", tokens(1), embedding(3))
    yield case("dense_one_to_one", numbers(1), dense(1))
    yield case("dense_wide", numbers(17), dense(33))
    for activation in ("relu", "tanh", "sigmoid"):
        yield case(f"dense_{activation}", numbers(4), dense(3, activation))
        yield case(f"convolution_{activation}", maps(2, 4, 5), convolution(3, 2, activation), sequences=2)
    yield case("dense_no_bias", numbers(4), dense(2, bias=False))
    yield case("dense_tanh_no_bias_lengths", numbers(4), dense(3, "tanh", bias=False), sequences=4, ragged=True)
    yield case("layer_norm_epsilon", numbers(6), layer_norm(epsilon=0.25))
    yield case("rms_norm_epsilon", numbers(6), rms_norm(epsilon=0.25))
    yield case("layer_norm_maps", maps(2, 2, 3), layer_norm())
    yield case("rms_norm_maps", maps(2, 2, 3), rms_norm())
    yield case("softmax_maps", maps(2, 2, 3), SOFTMAX)
    yield case("mean_state", numbers(4), MEAN, state=True)
    yield case("mean_state_lengths", numbers(4), MEAN, sequences=17, state=True, ragged=True)
    yield case("mean_maps", maps(2, 2, 3), MEAN, sequences=4, state=True, ragged=True)
    yield case("last_step_maps", maps(2, 2, 3), LAST, sequences=4, ragged=True)
    yield case("convolution_stride", maps(2, 6, 5), convolution(3, 2, stride=2), sequences=2)
    yield case("convolution_stride_leaves_an_edge", maps(1, 6, 7), convolution(2, 3, stride=2), sequences=2)
    yield case("convolution_padding", maps(2, 3, 4), convolution(3, 3, padding=2), steps=3, sequences=2)
    yield case("convolution_everything", maps(2, 5, 7), convolution(3, 3, "tanh", stride=2, padding=1), sequences=4,
               ragged=True)
    yield case("convolution_to_one_number", maps(2, 3, 2), convolution(3, 2, stride=2))
    yield case("convolution_of_numbers", numbers(4), convolution(3, 1))
    yield case("max_pool_three_leaves_edges", maps(2, 7, 5), max_pool(3), sequences=2)
    yield case("max_pool_one", maps(2, 2, 3), max_pool(1))


def cell_cases():
    """A cell alone with the options that the folders of the cells do not have, in both directions, and of tokens."""
    state = dict(sequences=4, state=True, ragged=True)
    for name, cell in CELLS.items():
        yield case(f"{name}_lengths", numbers(3), cell, **state)
        yield case(f"{name}_bidirectional", numbers(3), bidirectional(cell), **state)
        yield case(f"{name}_no_bias", numbers(3), cell | {"bias": False}, sequences=2, state=True)
        yield case(f"{name}_tokens", tokens(6), cell, **state)
    for name in ("rnn_layer_norm", "lstm_layer_norm", "fast_weights"):
        yield case(f"{name}_epsilon", numbers(3), CELLS[name] | {"epsilon": 0.25}, sequences=2, state=True)
    for name in ("rnn", "lstm", "gru", "fast_weights"):
        yield case(f"{name}_bidirectional_many_sequences", numbers(2), bidirectional(CELLS[name]), sequences=19,
                   state=True, ragged=True)
        yield case(f"{name}_bidirectional_one_step_one_sequence", numbers(3), bidirectional(CELLS[name]), steps=1,
                   sequences=1, state=True)
        yield case(f"stack_{name}", numbers(3), stack(CELLS[name], 3), **state)
    # Widths that are no multiple of a vector's, which a sigmoid does not keep at zero.
    yield case("fast_weights_sigmoid", numbers(3), fast_weights(5, activation="sigmoid", inner_steps=2), sequences=2, state=True)
    yield case("fast_weights_sigmoid_plain", numbers(3), fast_weights(5, activation="sigmoid", layer_norm=False, eta=0.1,
               normalise_first=False), dense(2, "sigmoid"), sequences=4, state=True, ragged=True)
    yield case("stack_one_layer", numbers(3), stack(gru(4), 1), sequences=2, state=True)
    for name in ("rnn", "lstm", "gru"):
        yield case(f"stack_{name}_bidirectional", numbers(3), stack(CELLS[name], 2, True), **state)
    yield case("stack_dropout", numbers(3), stack(lstm(4), 2, True, dropout=0.5), **state)
    yield case("stack_no_bias", numbers(3), stack(gru(4, bias=False), 2, True), **state)
    min_gru = {"layer": "min_gru", "hidden": 5}
    yield case("min_gru", numbers(3), min_gru, **state)
    yield case("min_gru_tokens", tokens(6), min_gru, **state)
    yield case("min_gru_bidirectional", numbers(3), bidirectional(min_gru), **state)
    yield case("min_gru_many_sequences", tokens(6), embedding(4), min_gru, LAST, dense(2), sequences=19, ragged=True)
    yield case("cell_suffix", numbers(3), lstm(4) | {"name": "cell.", "cell_suffix": ""}, sequences=2, state=True)


def filter_cases():
    """Convolutions with any filters, strides and zeros, transposed ones, and the layer norm of maps."""
    drawings = {"": {}, "_lengths": dict(sequences=8, ragged=True), "_many_sequences": dict(sequences=19),
                "_one_step_one_sequence": dict(steps=1, sequences=1)}
    some, more = dict(steps=5, sequences=6), dict(steps=5, sequences=7)
    for name, drawing in drawings.items():
        drawing = some | drawing
        yield case(f"convolution_same{name}", maps(2, 7, 4), convolution(3, 3, stride=2, padding="same"), **drawing)
        yield case(f"transposed_convolution{name}", maps(2, 3, 4), transposed_convolution(3, 3, stride=2), **drawing)
        yield case(f"layer_norm_per_channel{name}", maps(3, 4, 7), layer_norm(per_channel=True), **drawing)
    yield case("convolution_rectangle", maps(2, 9, 3), convolution(3, [3, 2], "tanh"), **some)
    yield case("convolution_rectangle_strides", maps(3, 7, 8), convolution(2, [4, 3], stride=[2, 3], padding=[1, 2]), **some)
    yield case("convolution_one_sided", maps(2, 4, 7), convolution(4, 3, padding=[1, 0, 0, 2]), **some)
    yield case("convolution_same_five", maps(2, 8, 4), convolution(3, 5, "relu", stride=2, padding="same"), **some)
    yield case("convolution_same_no_stride", maps(2, 4, 7), convolution(3, [2, 5], padding="same"), **some)
    yield case("convolution_same_rectangle", maps(2, 6, 8), convolution(2, [5, 3], "sigmoid", stride=[1, 3], padding="same"),
               steps=5, sequences=4, ragged=True)
    yield case("convolution_same_small_filter", maps(2, 7, 4), convolution(4, 2, stride=3, padding="same"), **some)
    yield case("convolution_same_larger_than_maps", maps(3, 2, 4), convolution(3, [7, 5], padding="same"), **some)
    yield case("convolution_no_bias", maps(2, 4, 10), convolution(3, 3, "tanh", bias=False), **some)
    yield case("convolution_same_image_of_each_sequence", maps(2, 7, 4), LAST, convolution(3, 3, stride=2, padding="same"), **some)
    yield case("transposed_rectangle", maps(2, 3, 4), transposed_convolution(3, [3, 2], "tanh", stride=[2, 3]), **more)
    yield case("transposed_padding", maps(2, 3, 4), transposed_convolution(3, [4, 5], stride=2, padding=[1, 2]), **more)
    yield case("transposed_output_padding", maps(2, 3, 4),
               transposed_convolution(3, 3, "sigmoid", stride=2, padding=1, output_padding=1), **more)
    yield case("transposed_output_padding_alone", maps(3, 2, 4),
               transposed_convolution(2, [2, 1], stride=[3, 4], output_padding=[1, 2]), **more)
    yield case("transposed_one_sided", maps(2, 3, 4), transposed_convolution(3, 3, stride=[2, 1], padding=[0, 1, 2, 0]), **more)
    yield case("transposed_same", maps(2, 3, 4), transposed_convolution(3, 3, "relu", stride=2, padding="same"), **more)
    yield case("transposed_same_five", maps(2, 4, 3), transposed_convolution(3, 5, stride=2, padding="same"),
               ragged=True, **more)
    yield case("transposed_same_small_filter", maps(2, 3, 4), transposed_convolution(3, [1, 2], stride=[2, 3], padding="same"),
               **more)
    yield case("transposed_same_no_stride", maps(2, 3, 4), transposed_convolution(2, [3, 4], padding="same"), **more)
    yield case("transposed_no_bias", maps(2, 3, 4), transposed_convolution(3, 2, "tanh", stride=2, bias=False), **more)
    yield case("transposed_of_numbers", numbers(4), transposed_convolution(4, [2, 3]), steps=6, sequences=5)
    yield case("transposed_image_of_each_sequence", maps(2, 3, 4), LAST, transposed_convolution(3, 3, stride=2, padding="same"),
               **more)
    yield case("there_and_back", maps(2, 6, 4), convolution(3, 5, "tanh", stride=2, padding="same"),
               transposed_convolution(4, 3, "tanh", stride=2, padding="same"), transposed_convolution(1, 1, "sigmoid"),
               steps=7, sequences=5, ragged=True)
    yield case("layer_norm_per_channel_tiny_epsilon", maps(2, 4, 7), convolution(3, 3, stride=2, padding="same", bias=False),
               layer_norm(per_channel=True, epsilon=1e-12), **some)
    yield case("layer_norm_per_channel_epsilon", maps(3, 4, 2), layer_norm(per_channel=True, epsilon=0.25), **some)
    yield case("layer_norm_per_channel_numbers", numbers(6), layer_norm(per_channel=True))
    yield case("layer_norm_per_channel_image_of_each_sequence", maps(3, 4, 7), LAST, layer_norm(per_channel=True), **some)


def convolutional_cell_cases():
    """Recurrent layers of maps, each with each of its options."""
    some = dict(steps=4, sequences=7, state=True)
    norms = dict(layer_norm=True, epsilon=0.05)
    everything = dict(peepholes=True, forget_offset=1) | norms
    for name, cell in {"lstm": convolutional_lstm, "gru": convolutional_gru}.items():
        for kind, drawing in {"": dict(state=False), "_state": {}, "_lengths": dict(sequences=8, ragged=True),
                              "_many_sequences": dict(sequences=17, ragged=True), "_one_step": dict(steps=1),
                              "_one_step_one_sequence": dict(steps=1, sequences=1)}.items():
            yield case(f"convolutional_{name}{kind}", maps(2, 5, 6), cell(3, 3), **some | drawing)
        yield case(f"convolutional_{name}_rows", maps(2, 6, 5), cell(3, [3, 1]), **some)
        yield case(f"convolutional_{name}_columns", maps(3, 5, 6), cell(2, [1, 5]), **some)
        yield case(f"convolutional_{name}_larger_than_maps", maps(2, 1, 3), cell(5, [3, 7]), **some)
        yield case(f"convolutional_{name}_no_bias", maps(2, 5, 6), cell(3, 3, bias=False), **some)
        yield case(f"convolutional_{name}_of_numbers", numbers(4), cell(3, 1), **some)
        yield case(f"convolutional_{name}_last_step", maps(2, 4, 6), cell(3, 3), LAST, FLATTEN, dense(8), steps=5, sequences=7,
                   ragged=True)
        yield case(f"two_convolutional_{name}s", maps(2, 5, 6), cell(3, 3), cell(3, [3, 5]), **some | dict(ragged=True))
        yield case(f"convolutional_{name}s_unequal", maps(1, 6, 5), cell(3, 3), layer_norm(per_channel=True),
                   convolution(2, 3, "relu", stride=2, padding="same"), cell(4, 3), convolution(2, 1, "tanh"), **some)
        yield case(f"residual_convolutional_{name}", maps(2, 3, 5), residual(cell(2, 3), convolution(2, 1)), **some)
        yield case(f"convolutional_{name}_suffix", maps(2, 6, 5), cell(3, 1) | {"name": "cell.", "cell_suffix": ""}, **some)
    for kind, options in {"forget_offset": dict(forget_offset=1), "peepholes": dict(peepholes=True), "layer_norm": norms,
                          "everything": everything}.items():
        yield case(f"convolutional_lstm_{kind}", maps(2, 5, 6), convolutional_lstm(3, 3, **options), **some)
    yield case("convolutional_lstm_peepholes_lengths", maps(2, 4, 6), convolutional_lstm(3, [1, 3], peepholes=True),
               steps=5, sequences=7, state=True, ragged=True)
    yield case("convolutional_lstm_peepholes_no_state", maps(2, 4, 5), convolutional_lstm(3, [1, 3], peepholes=True), steps=6,
               sequences=7)
    yield case("convolutional_lstm_norms_no_bias_no_state", maps(2, 5, 6), convolutional_lstm(3, 3, bias=False, **norms), steps=4,
               sequences=7)
    yield case("convolutional_lstm_everything_lengths", maps(3, 4, 5), convolutional_lstm(2, [3, 1], **everything), steps=6,
               sequences=7, state=True, ragged=True)
    yield case("convolutional_gru_resets_first", maps(2, 5, 6), convolutional_gru(3, 3, resets_first=True), **some)
    yield case("convolutional_gru_resets_first_lengths", maps(2, 4, 6), convolutional_gru(3, [1, 3], resets_first=True),
               steps=5, sequences=7, state=True, ragged=True)
    yield case("convolutional_gru_resets_first_no_bias", maps(3, 4, 5), convolutional_gru(2, [3, 1], resets_first=True, bias=False),
               steps=6, sequences=7)


def combined_cases():
    """Layers one on the other."""
    ragged, many = dict(sequences=4, ragged=True), dict(sequences=19, ragged=True)
    yield case("unequal_lstms", tokens(7), embedding(3), lstm(5), lstm(4), LAST, dense(2), state=True, **ragged)
    yield case("three_cells_unequal", numbers(3), rnn(2), gru(5), lstm(4), state=True, **many)
    yield case("tokens_bidirectional_mean", tokens(6), bidirectional(gru(4)), MEAN, dense(3), state=True, **ragged)
    yield case("bidirectional_last_step", numbers(3), bidirectional(lstm(4)), LAST, dense(2), state=True, **ragged)
    yield case("bidirectional_last_step_many_sequences", numbers(2), bidirectional(gru(3)), LAST, **many)
    yield case("bidirectional_norm_last_step", numbers(3), bidirectional(gru(4)), layer_norm(), dropout(0.5), LAST, **ragged)
    yield case("bidirectional_dense_last_step", numbers(3), bidirectional(gru(4)), dense(4, "tanh"), LAST, **ragged)
    yield case("stack_last_step", numbers(3), stack(rnn(4), 2, True), LAST, dense(2), **ragged)
    yield case("stack_mean", numbers(3), stack(gru(4), 2), MEAN, dense(2), state=True, **ragged)
    yield case("convolution_over_time", maps(1, 5, 4), convolution(2, 2, "relu"), max_pool(2), FLATTEN, lstm(4), dense(3),
               state=True, **ragged)
    yield case("two_convolutions_last_step", maps(2, 6, 5), convolution(3, 2, "tanh"), convolution(2, 3, padding=1),
               max_pool(2), LAST, FLATTEN, dense(2), sequences=2)
    yield case("image_of_each_sequence", maps(1, 5, 6), LAST, convolution(2, 2, "relu"), max_pool(2), rms_norm(), FLATTEN,
               dense(4, "tanh"), dense(3), sequences=19, steps=2)
    yield case("residual_block", numbers(4), residual(layer_norm(), gru(5), dense(4)), state=True, **ragged)
    yield case("residual_first_and_last", numbers(4), residual(rnn(4)), residual(rms_norm(), dense(4)), **many)
    yield case("residual_in_residual", numbers(4), residual(dense(3, "relu"), residual(rnn(3)), dense(4)), LAST, **ragged)
    yield case("residual_of_a_stack", tokens(6), embedding(4), residual(stack(lstm(2), 2, True)), MEAN, state=True, **ragged)
    yield case("residual_per_sequence", numbers(3), gru(4), MEAN, residual(layer_norm(), dense(5, "tanh"), dense(4)), **ragged)
    yield case("residual_convolution", maps(2, 4, 3), residual(convolution(2, 3, "tanh", padding=1)), FLATTEN, gru(3), **ragged)
    yield case("one_embedding_two_tables", tokens(7), embedding(3), stack(lstm(4), 2, True), state=True, **ragged)
    yield case("embedding_bidirectional", tokens(7), embedding(3), bidirectional(gru(4)), dense(2), **many)
    yield case("embedding_norm", tokens(7), embedding(4), layer_norm(), rnn(3), state=True, **ragged)
    yield case("embedding_dense", tokens(7), embedding(3), dense(4, "relu"), gru(2), **ragged)
    yield case("embedding_dropout", tokens(7), embedding(3), dropout(0.25), lstm(4), **ragged)
    yield case("embedding_residual", tokens(7), embedding(4), residual(gru(4)), LAST, **ragged)
    yield case("embedding_mean", tokens(7), embedding(3), MEAN, dense(2), **many)
    yield case("embedding_last_step", tokens(7), embedding(3), LAST, **ragged)
    yield case("norm_fast_weights", numbers(4), rms_norm(), fast_weights(5), LAST, state=True, **ragged)
    yield case("embedding_fast_weights_dense", tokens(7), embedding(3), fast_weights(5), LAST, dense(4, "relu"), dense(2), **many)
    yield case("fast_weights_on_lstm", numbers(3), lstm(4), fast_weights(6, inner_steps=2), state=True, **ragged)
    yield case("fast_weights_bidirectional_mean", numbers(3), bidirectional(fast_weights(5)), MEAN, dense(2), state=True, **ragged)
    yield case("fast_weights_schedule", numbers(3), fast_weights(5, schedule=["write clear", "", "read"]), dense(2), steps=7,
               sequences=2, state=True)
    yield case("two_schedules", numbers(3), fast_weights(5, schedule=["write", "read"]),
               fast_weights(4, schedule=["write", "", "read clear"]), steps=8, sequences=2)
    yield case("associative_dense", numbers(3), associative(4, copies=2), dense(2), state=True, **ragged)
    yield case("associative_last_step", tokens(6), embedding(3), associative(6, keys=2), LAST, dense(2), **many)
    yield case("bidirectional_softmax", tokens(6), embedding(3), bidirectional(lstm(4)), LAST, dense(3), SOFTMAX, **ragged)
    yield case("sigmoids", numbers(3), dense(5, "sigmoid"), rnn(4, activation="sigmoid"), dense(2, "sigmoid"), state=True,
               **ragged)
    yield case("all_cells", numbers(2), rnn(3), lstm(4), gru(5), fast_weights(6), associative(4), steps=4, state=True, **ragged)
    yield case("names", tokens(7), embedding(3) | {"name": "encoder."}, stack(gru(4), 2) | {"name": "rnn."},
               LAST | {"name": ""}, dense(2) | {"name": "decoder."}, state=True, **ragged)
    yield case("long", numbers(2), gru(3), layer_norm(), lstm(2), MEAN, steps=40, sequences=2, state=True)


def all_layer_cases():
    yield from single_cases()
    yield from cell_cases()
    yield from filter_cases()
    yield from convolutional_cell_cases()
    yield from combined_cases()
