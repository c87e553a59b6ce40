"""Stacks of recurrent layers: layers, directions, sequences of unequal length.

`run` is the definition: every sequence by itself, cut to its length, through the
cells of `cells.py`. `module` is PyTorch's, over packed sequences; `generate.py`
compares the two.
"""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import cells
from cells import Guard
from kinds import gradients, leaves, named, under


def directions_of(config):
    return 2 if config["bidirectional"] else 1


def suffixes(config):
    """What stands behind the parameters' names, in PyTorch's order of layers and directions."""
    directions = ("", "_reverse") if config["bidirectional"] else ("",)
    return [f"_l{layer}{direction}" for layer in range(config["layers"]) for direction in directions]


def layer_config(config, layer):
    directions = directions_of(config)
    return config["cell"] | ({"input": config["cell"]["hidden"] * directions} if layer else {})


def parameter_shapes(config):
    shapes = {}
    per_layer = directions_of(config)
    for i, suffix in enumerate(suffixes(config)):
        for name, shape in cells.parameter_shapes(layer_config(config, i // per_layer)).items():
            if config["bias"] or not name.startswith("bias"):
                shapes[name + suffix] = shape
    return shapes


def state_shapes(config, sequences):
    count = len(suffixes(config))
    return {name: (count, *shape) for name, shape in cells.state_shapes(config["cell"], sequences).items()}


def cell_parameters(config, p, i):
    """Parameters of cell i by the names without a suffix; absent biases are zero."""
    per_layer = directions_of(config)
    shapes = cells.parameter_shapes(layer_config(config, i // per_layer))
    dtype = p["weight_ih_l0"].dtype
    suffix = suffixes(config)[i]
    return {name: p.get(name + suffix, torch.zeros(shape, dtype=dtype)) for name, shape in shapes.items()}


def run(config, p, inputs, lengths, state, guard):
    """Outputs [T, B, H·directions], zero behind the ends, and the last states, each at its sequence's own end."""
    steps, sequences, _ = inputs.shape
    directions = directions_of(config)
    outputs, finals = [], []
    for b, length in enumerate(lengths):
        x = inputs[:length, b:b + 1]
        final = []
        for layer in range(config["layers"]):
            parts = []
            for direction in range(directions):
                i = layer * directions + direction
                turned = x.flip(0) if direction else x
                start = {name: tensor[i, b:b + 1] for name, tensor in state.items()}
                y, last = cells.run(layer_config(config, layer), cell_parameters(config, p, i), turned, start, guard)
                parts.append(y.flip(0) if direction else y)
                final.append(last)
            x = torch.cat(parts, -1)
        outputs.append(torch.cat([x, x.new_zeros(steps - length, *x.shape[1:])]))
        finals.append({name: torch.stack([last[name] for last in final]) for name in state})
    return torch.cat(outputs, 1), {name: torch.cat([final[name] for final in finals], 1) for name in state}


class Stack:
    """A stack of layers: outputs, last states, and the gradient of everything given."""

    @staticmethod
    def draw(config, source, steps, sequences, state, ragged):
        bound = config["cell"]["hidden"] ** -0.5
        given = {}
        for name, shape in parameter_shapes(config).items():
            is_norm = name.startswith("norm")
            centre = 1.0 if is_norm and "weight" in name else 0.0
            given[f"parameter.{name}"] = source.uniform(shape, 0.3 if is_norm else bound, centre)
        given["input"] = source.normal((steps, sequences, config["cell"]["input"]))
        if ragged:
            # One of every length there may be, the first neither the shortest nor the longest.
            given["lengths"] = 1 + (torch.arange(sequences) + steps // 2) % steps
        shapes = state_shapes(config, sequences)
        if state:
            for name, shape in shapes.items():
                given[f"state.{name}"] = source.uniform(shape, bound / 2 if name == "A" else 1.0)
        given["cotangent.output"] = source.normal((steps, sequences, config["cell"]["hidden"] * directions_of(config)))
        for name, shape in shapes.items():
            given[f"cotangent.final.{name}"] = source.normal(shape)
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        def forward(p, inputs, state):
            return run(config, p, inputs, lengths(given), state, guard)

        return differentiate(config, given, dtype, forward)


def lengths(given):
    steps, sequences, _ = given["input"].shape
    return given["lengths"].tolist() if "lengths" in given else [steps] * sequences


def differentiate(config, given, dtype, forward):
    """Outputs, last states, the loss of the cotangents, and its gradients, through `forward`."""
    p = leaves(under("parameter", given), dtype)
    inputs = leaves({"input": given["input"]}, dtype)
    state = leaves(under("state", given), dtype)
    shapes = state_shapes(config, given["input"].shape[1])
    start = {name: state.get(name, torch.zeros(shape, dtype=dtype)) for name, shape in shapes.items()}
    output, final = forward(p, inputs["input"], start)
    results = {"output": output} | named("final", final)
    loss = sum((results[name] * given[f"cotangent.{name}"].to(dtype)).sum() for name in results)
    loss.backward()
    return results | {"loss": loss} | named("gradient", gradients(p | inputs | named("state", state)))


def module(config):
    """torch.nn.RNN, LSTM or GRU of the configuration, in float64."""
    cell = config["cell"]
    options = {"nonlinearity": cell["activation"]} if cell["cell"] == "rnn" else {}
    return getattr(torch.nn, cell["cell"].upper())(
        cell["input"], cell["hidden"], config["layers"], bias=config["bias"],
        bidirectional=config["bidirectional"], **options).double()


def evaluate_with_module(config, given):
    """The same results from PyTorch's own module, its sequences packed where their lengths differ."""
    network = module(config)
    network.load_state_dict(under("parameter", given), strict=True)

    def forward(p, inputs, state):
        start = tuple(state.values()) if len(state) > 1 else state["h"]
        packed = inputs
        if "lengths" in given:
            packed = pack_padded_sequence(inputs, given["lengths"], enforce_sorted=False)
        output, final = torch.func.functional_call(network, p, (packed, start))
        if "lengths" in given:
            output, _ = pad_packed_sequence(output, total_length=len(inputs))
        return output, dict(zip(state, final if isinstance(final, tuple) else (final,)))

    return differentiate(config, given, torch.float64, forward)


KINDS = {"stack": Stack}
