"""Networks made of layers. A kind of layer is one function here and one line in LAYERS.

A function is given the network's numbers, the layer as its configuration has it, and
what the layer reads of sequences of one length: x [T, B, N], of maps [T, B, C, H, W],
once a sequence without the first axis, or tokens [T, B]. It asks for its parameters
and states by name and shape, says what its last states are, and returns what it gives.

`one_by_one` is the definition of a network: every sequence by itself, cut to its length.
`layer_modules.py` has the other way, PyTorch's own modules over padded batches, and
`generate.py` compares the two.
"""

from contextlib import contextmanager

import torch
from torch.nn import functional

import cells
from cells import Guard, StrictGuard, activate
from convolutions import refuse_ties
from kinds import gradients, leaves, named, under

NOT_DIFFERENTIATED = ("steps",)  # a number of steps


class Numbers:
    """Parameters and states by their names in files; with a source they are drawn when first asked for."""

    def __init__(self, vocabulary, sequences, dtype=torch.float64, parameters=None, states=None, source=None,
                 guard=Guard()):
        self.vocabulary, self.sequences, self.dtype, self.guard, self.source = vocabulary, sequences, dtype, guard, source
        self.parameters = parameters or {}
        self.states = states or {}
        self.finals = {}
        self.prefix, self.suffix = "", ""
        self.reversed = 0  # how many of the last numbers of x come of a layer that reads backwards

    @contextmanager
    def within(self, prefix, suffix):
        """What stands before all names, and behind those of cells."""
        outer = self.prefix, self.suffix
        self.prefix, self.suffix = self.prefix + prefix, suffix
        yield
        self.prefix, self.suffix = outer

    def parameter(self, name, shape, bound, centre=0.0):
        """That of the name, drawn uniform within the bound around the centre."""
        name = self.prefix + name
        if self.source:
            self.parameters[name] = self.source.uniform(shape, bound, centre)
        assert tuple(self.parameters[name].shape) == tuple(shape), name
        return self.parameters[name]

    def state(self, letter, sizes, bound=1.0):
        """What a sequence begins with [B, …]; without a state given it is zero."""
        name = self.prefix + letter
        if self.source:
            shape = (self.sequences, *sizes)
            whole = letter in NOT_DIFFERENTIATED
            self.states[name] = 1 + self.source.integers(shape, 5).double() if whole else self.source.uniform(shape, bound)
        if name not in self.states:
            return torch.zeros(self.sequences, *sizes, dtype=self.dtype)
        return self.states[name]

    def last(self, letter, value):
        """What a sequence ends with."""
        self.finals[self.prefix + letter] = value


# The layers


def embedding(net, layer, x):
    return net.parameter("weight", (net.vocabulary, layer["size"]), 1.0)[x]


def dense(net, layer, x):
    shape = (layer["outputs"], x.shape[-1])
    z = x @ net.parameter("weight", shape, shape[1] ** -0.5).T
    if layer.get("bias", True):
        z = z + net.parameter("bias", shape[:1], shape[1] ** -0.5)
    return activated(net, layer, z)


def activated(net, layer, z):
    return activate(layer["activation"], z, net.guard) if "activation" in layer else z


CELL_DEFAULTS = {"layer_norm": False, "activation": "tanh", "epsilon": 1e-5, "bias": True}


def cell(net, layer, x):
    """Every recurrent cell, by its equations in `cells.py`; absent biases are zero."""
    config = CELL_DEFAULTS | layer | {"cell": layer["layer"], "input": x.shape[-1]}
    bound = layer["hidden"] ** -0.5
    p = {}
    for name, shape in cells.parameter_shapes(config).items():
        if name.startswith("bias") and not config["bias"]:
            p[name] = torch.zeros(shape, dtype=net.dtype)
        elif name.startswith("norm"):
            p[name] = net.parameter(name + net.suffix, shape, 0.3, 1.0 if name.endswith("weight") else 0.0)
        else:
            p[name] = net.parameter(name + net.suffix, shape, bound)
    start = {letter: net.state(letter + net.suffix, shape[1:], bound / 2 if letter == "A" else 1.0)
             for letter, shape in cells.state_shapes(config, net.sequences).items()}
    y, last = cells.run(config, p, x, start, net.guard)
    for letter, value in last.items():
        net.last(letter + net.suffix, value)
    return y


def recurrent(net, layer, x):
    """The layer within another."""
    return LAYERS[layer["layer"]](net, layer, x)


def min_gru(net, layer, x):
    hidden, bound = layer["hidden"], layer["hidden"] ** -0.5
    weight = net.parameter("weight_ih" + net.suffix, (2 * hidden, x.shape[-1]), bound)
    bias = net.parameter("bias_ih" + net.suffix, (2 * hidden,), bound)
    h = net.state("h" + net.suffix, (hidden,))
    outputs = []
    for z, candidate in zip(*(x @ weight.T + bias).split(hidden, -1)):
        z = torch.sigmoid(z)
        h = (1 - z) * h + z * candidate
        outputs.append(h)
    net.last("h" + net.suffix, h)
    return torch.stack(outputs)


def bidirectional(net, layer, x):
    ahead = recurrent(net, layer["cell"], x)
    with net.within("", net.suffix + "_reverse"):
        back = recurrent(net, layer["cell"], x.flip(0)).flip(0)
    net.reversed = layer["cell"]["hidden"]
    return torch.cat([ahead, back], -1)


def stack(net, layer, x):
    """PyTorch's layers and directions; dropout acts in training alone."""
    net.reversed = 0
    for i in range(layer["layers"]):
        with net.within("", f"_l{i}"):
            x = bidirectional(net, layer, x) if layer.get("bidirectional") else recurrent(net, layer["cell"], x)
    return x


def dropout(net, layer, x):
    return x


def layer_norm(net, layer, x):
    z = rows(x)
    if layer.get("per_channel"):
        x, shape = maps(x), x.shape
        gain, bias = (net.parameter(name, x.shape[-3:-2], 0.3, centre) for name, centre in (("weight", 1.0), ("bias", 0.0)))
        area = x.shape[-2] * x.shape[-1]
        gain, bias = gain.repeat_interleave(area), bias.repeat_interleave(area)
        return cells.layer_norm(z, gain, bias, layer.get("epsilon", 1e-5), net.guard).reshape(shape)
    gain, bias = net.parameter("weight", z.shape[-1:], 0.3, 1.0), net.parameter("bias", z.shape[-1:], 0.3)
    return cells.layer_norm(z, gain, bias, layer.get("epsilon", 1e-5), net.guard).reshape(x.shape)


def rms_norm(net, layer, x):
    z = rows(x)
    square = z.square().mean(-1, keepdim=True)
    net.guard.variance(square)
    gain = net.parameter("weight", z.shape[-1:], 0.3, 1.0)
    return (z / (square + layer.get("epsilon", 1e-6)).sqrt() * gain).reshape(x.shape)


def softmax(net, layer, x):
    return torch.softmax(rows(x), -1).reshape(x.shape)


def residual(net, layer, x):
    return x + apply(net, layer["layers"], x)


def last_step(net, layer, x):
    """Of what reads backwards the last step is the sequence's first."""
    ahead = x.shape[-1] - net.reversed if net.reversed else None
    return x[-1] if ahead is None else torch.cat([x[-1][..., :ahead], x[0][..., ahead:]], -1)


def mean(net, layer, x):
    z = rows(x)
    total = net.state("sum", z.shape[2:]) + z.sum(0)
    count = net.state("steps", (1,)).detach() + len(x)
    net.last("sum", total)
    net.last("steps", count)
    return (total / count).reshape(x.shape[1:])


def convolution(net, layer, x):
    x = maps(x)
    weight, bias = filters(net, layer, x.shape[-3])
    z = functional.conv2d(around(layer, x.reshape(-1, *x.shape[-3:])), weight, bias, pair(layer.get("stride", 1)))
    return numbers(activated(net, layer, z.reshape(*x.shape[:-3], *z.shape[1:])))


def filters(net, layer, channels, is_transposed=False):
    """Weights [F, C, k, l], transposed ones [C, F, k, l], and the bias, of a layer without one None."""
    size = pair(layer["size"])
    bound = (channels * size[0] * size[1]) ** -0.5
    lead = (channels, layer["features"]) if is_transposed else (layer["features"], channels)
    weight = net.parameter("weight", (*lead, *size), 2 * bound)
    return weight, net.parameter("bias", (layer["features"],), bound) if layer.get("bias", True) else None


def transposed_convolution(net, layer, x):
    """The maps spread by the stride, and a convolution with the filters turned about over as much of that as is wanted."""
    x = maps(x)
    weight, bias = filters(net, layer, x.shape[-3], is_transposed=True)
    images = x.reshape(-1, *x.shape[-3:])
    strides, edges = pair(layer.get("stride", 1)), []
    spread = images.new_zeros(*images.shape[:2], *((n - 1) * stride + 1 for n, stride in zip(x.shape[-2:], strides)))
    spread[..., ::strides[0], ::strides[1]] = images
    for axis, (size, stride) in enumerate(zip(pair(layer["size"]), strides)):
        if layer.get("padding") == "same":
            before = max(size - stride, 0) // 2
            edges.append((size - 1 - before, stride - 1 + before))
        else:
            before, behind = sides(layer.get("padding", 0))[axis]
            edges.append((size - 1 - before, size - 1 - behind + pair(layer.get("output_padding", 0))[axis]))
    z = functional.conv2d(functional.pad(spread, (*edges[1], *edges[0])), weight.transpose(0, 1).flip(2, 3), bias)
    return numbers(activated(net, layer, z.reshape(*x.shape[:-3], *z.shape[1:])))


def pair(value):
    """Of rows and of columns."""
    return tuple(value) if isinstance(value, list) else (value, value)


def sides(padding):
    """Zeros before and behind the rows, and the columns."""
    if isinstance(padding, list) and len(padding) == 4:
        return padding[:2], padding[2:]
    return [(size, size) for size in pair(padding)]


def around(layer, images):
    """The maps with the zeros around them; of TensorFlow's SAME the greater half stands behind."""
    edges = sides(layer.get("padding", 0)) if layer.get("padding") != "same" else []
    for size, stride, n in zip(pair(layer["size"]), pair(layer.get("stride", 1)), images.shape[-2:]):
        if layer.get("padding") == "same":
            zeros = max((-(-n // stride) - 1) * stride + size - n, 0)
            edges.append((zeros // 2, zeros - zeros // 2))
    return functional.pad(images, (*edges[1], *edges[0]))


def convolutional_lstm(net, layer, x):
    x = maps(x)
    channels, sizes = layer["channels"], x.shape[-2:]
    project, recur = gate_convolutions(net, layer, x, 4)
    holes = [net.parameter(f"weight_{name}" + net.suffix, (channels, *sizes), 0.8) for name in ("ci", "cf", "co")] \
        if layer.get("peepholes") else [0, 0, 0]
    norms = [[net.parameter(f"norm_{name}_{part}" + net.suffix, (4 * channels, *sizes), 0.3, centre)
              for part, centre in (("weight", 1.0), ("bias", 0.0))] for name in ("ih", "hh")] \
        if layer.get("layer_norm") else None
    h, c = (net.state(letter + net.suffix, (channels, *sizes)) for letter in "hc")
    outputs = []
    for one in x:
        own, other = project(one), recur(h)
        if norms:
            own, other = (normalized(net, layer, z, *norm) for z, norm in zip((own, other), norms))
        i, f, g, o = (own + other).split(channels, 1)
        f = f + layer.get("forget_offset", 0)
        c = torch.sigmoid(f + holes[1] * c) * c + torch.sigmoid(i + holes[0] * c) * torch.tanh(g)
        h = torch.sigmoid(o + holes[2] * c) * torch.tanh(c)
        outputs.append(h)
    net.last("h" + net.suffix, h)
    net.last("c" + net.suffix, c)
    return numbers(torch.stack(outputs))


def convolutional_gru(net, layer, x):
    x = maps(x)
    channels, resets_first = layer["channels"], layer.get("resets_first", False)
    project, recur = gate_convolutions(net, layer, x, 3, has_recurrent_bias=not resets_first)
    h = net.state("h" + net.suffix, (channels, *x.shape[-2:]))
    outputs = []
    for one in x:
        r, z, n = project(one).split(channels, 1)
        r_h, z_h, n_h = recur(h).split(channels, 1)
        r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
        n = torch.tanh(n + (recur(r * h).split(channels, 1)[2] if resets_first else r * n_h))
        h = (1 - z) * n + z * h
        outputs.append(h)
    net.last("h" + net.suffix, h)
    return numbers(torch.stack(outputs))


def gate_convolutions(net, layer, x, gates, has_recurrent_bias=False):
    """What makes the maps of all gates of x, and of h."""
    size, rows = pair(layer["size"]), gates * layer["channels"]
    bound = ((x.shape[-3] + layer["channels"]) * size[0] * size[1]) ** -0.5

    def parameters(name, channels, has_bias):
        return [net.parameter(f"weight_{name}" + net.suffix, (rows, channels, *size), 2 * bound),
                net.parameter(f"bias_{name}" + net.suffix, (rows,), bound) if has_bias and layer.get("bias", True) else None]

    own = parameters("ih", x.shape[-3], True)
    other = parameters("hh", layer["channels"], has_recurrent_bias)
    zeros = tuple(n // 2 for n in size)
    return [lambda z, own=own: functional.conv2d(z, *own, padding=zeros) for own in (own, other)]


def normalized(net, layer, z, gain, bias):
    """A layer norm over all maps of a sequence; of nothing but zeros it is the bias."""
    guard = net.guard if z.detach().any() else Guard()
    return cells.layer_norm(z.flatten(1), gain.flatten(), bias.flatten(), layer.get("epsilon", 1e-5), guard).reshape(z.shape)


def max_pool(net, layer, x):
    x = maps(x)
    images = x.reshape(-1, *x.shape[-3:])
    if isinstance(net.guard, StrictGuard):
        refuse_ties(images, layer["size"])
    y = functional.max_pool2d(images, layer["size"])
    return numbers(y.reshape(*x.shape[:-3], *y.shape[1:]))


def flatten(net, layer, x):
    return rows(x)


def are_maps(x):
    return x.dim() > 3


def maps(x):
    """N numbers are N maps of one number."""
    return x if are_maps(x) else x[..., None, None]


def numbers(x):
    """Maps of one number are as many numbers."""
    return x[..., 0, 0] if x.shape[-2:] == (1, 1) else x


def rows(x):
    """All numbers of a step in a row."""
    return x.flatten(-3) if are_maps(x) else x


LAYERS = {
    "embedding": embedding, "dense": dense, "rnn": cell, "lstm": cell, "gru": cell, "min_gru": min_gru,
    "fast_weights": cell, "associative_lstm": cell, "bidirectional": bidirectional, "stack": stack, "dropout": dropout,
    "layer_norm": layer_norm, "rms_norm": rms_norm, "softmax": softmax, "residual": residual, "last_step": last_step,
    "mean": mean, "convolution": convolution, "transposed_convolution": transposed_convolution,
    "convolutional_lstm": convolutional_lstm, "convolutional_gru": convolutional_gru, "max_pool": max_pool, "flatten": flatten,
}
# What says or keeps which of the numbers come of a layer that reads backwards.
DIRECTED = ("bidirectional", "stack", "dropout", "layer_norm", "rms_norm", "softmax", "residual")


def place_names(layers):
    """Each layer with what stands before its names and behind those of its cell."""
    return [(layer, layer.get("name", f"{place}."), layer.get("cell_suffix", "_l0")) for place, layer in enumerate(layers)]


def apply(net, layers, x):
    """One layer after the other. Tokens are one-hot for all but an embedding."""
    for layer, prefix, suffix in place_names(layers):
        if not x.is_floating_point() and layer["layer"] != "embedding":
            x = functional.one_hot(x, net.vocabulary).to(net.dtype)
        with net.within(prefix, suffix):
            x = LAYERS[layer["layer"]](net, layer, x)
        if layer["layer"] not in DIRECTED:
            net.reversed = 0
    return x


# A network


def packed(states):
    """States as files have them: those of one letter and size in one tensor [parts, B, …], otherwise each in its own."""
    letters = {}
    for name in states:
        letters.setdefault(name.rsplit(".", 1)[-1].split("_")[0], []).append(name)
    tensors = {}
    for letter, names in letters.items():
        if len({states[name].shape for name in names}) == 1:
            tensors[letter] = torch.stack([states[name] for name in names])
        else:
            tensors |= {name: states[name].unsqueeze(0) for name in names}
    return tensors


def unpacked(tensors, names):
    """The other way about; `names` are those of all parts in their order."""
    turns, states = {}, {}
    for name in names:
        letter = name.rsplit(".", 1)[-1].split("_")[0]
        if letter in tensors:
            turns[letter] = turns.get(letter, -1) + 1
            states[name] = tensors[letter][turns[letter]]
        elif name in tensors:
            states[name] = tensors[name][0]
    return states


def state_names(config, x):
    """The names of the states' parts, found by drawing a network of its own."""
    net = Numbers(config["input"].get("tokens"), 1, source=Zeros())
    first = x[:1, :1].detach()
    apply(net, config["layers"], first.double() if first.is_floating_point() else first)
    return list(net.states)


class Zeros:
    """A source without a choice, for who wants names and shapes."""

    def uniform(self, shape, bound, centre=0.0):
        return torch.full(tuple(shape), centre, dtype=torch.float64)

    def integers(self, shape, below):
        return torch.zeros(shape, dtype=torch.int64)


def one_by_one(config, p, x, lengths, states, guard):
    """Outputs, zero behind the ends, and the last states, each at its sequence's own end."""
    outputs, finals = [], []
    for b, length in enumerate(lengths):
        dtype = next(iter(p.values())).dtype if p else x.dtype
        net = Numbers(config["input"].get("tokens"), 1, dtype, p, {k: v[b:b + 1] for k, v in states.items()}, guard=guard)
        y = apply(net, config["layers"], x[:length, b:b + 1])
        if is_per_step(config["layers"]):
            y = torch.cat([y, y.new_zeros(len(x) - length, *y.shape[1:])])
        outputs.append(y)
        finals.append(net.finals)
    final = {name: torch.cat([one[name] for one in finals]) for name in finals[0]}
    return torch.cat(outputs, 1 if is_per_step(config["layers"]) else 0), final


def is_per_step(layers):
    return not any(layer["layer"] in ("last_step", "mean") for layer in layers)


class Layers:
    """A network of layers: outputs, last states, and the gradient of everything given."""

    @staticmethod
    def draw(config, source, steps, sequences, state=False, ragged=False):
        kind, given = config["input"], {}
        if "tokens" in kind:
            given["tokens"] = x = source.integers((steps, sequences), kind["tokens"])
        else:
            sizes = [kind["numbers"]] if "numbers" in kind else [kind[name] for name in ("channels", "height", "width")]
            given["input"] = x = source.normal((steps, sequences, *sizes))
        net = Numbers(kind.get("tokens"), sequences, source=source)
        output = apply(net, config["layers"], x)
        given |= named("parameter", net.parameters)
        if ragged:
            # One of every length there may be, the first neither the shortest nor the longest.
            given["lengths"] = 1 + (torch.arange(sequences) + steps // 2) % steps
        if state:
            given |= named("state", packed(net.states))
        given["cotangent.output"] = source.normal(tuple(output.shape))
        for name, tensor in packed(net.finals).items():
            if name.split(".")[-1] not in NOT_DIFFERENTIATED:
                given[f"cotangent.final.{name}"] = source.normal(tuple(tensor.shape))
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard(), forward=one_by_one):
        p, states = leaves(under("parameter", given), dtype), leaves(under("state", given), dtype)
        inputs = leaves({"input": given["input"]}, dtype) if "input" in given else {}
        results = run(config, given, p, inputs.get("input"), states, guard, forward)
        loss = sum((results[name] * tensor.to(dtype)).sum() for name, tensor in under("cotangent", given).items())
        loss.backward()
        states = {name: tensor for name, tensor in states.items() if name.split(".")[-1] not in NOT_DIFFERENTIATED}
        return results | named("gradient", gradients(p | inputs | named("state", states)))

    @staticmethod
    def parts(config, name, tensor):
        """What of a tensor can be wrong alone, as `parts` in generate.py."""
        words = name.split(".")
        if words[0] == "final" or words[:2] == ["gradient", "state"]:
            return tensor.split(1)
        layer = layer_of(config["layers"], name.removeprefix("gradient."))
        if layer is None or not words[-1].startswith(("weight_", "bias_", "norm_")):
            return [tensor]
        if "channels" in layer:
            return tensor.split(layer["channels"])
        if words[-1].startswith("norm_"):
            return tensor.reshape(-1, layer["hidden"]).split(1)
        if layer["layer"] != "associative_lstm":
            return tensor.split(layer["hidden"])
        sizes = 3 * [layer["hidden"] // 2] + (2 * layer["keys"] + 1) * [layer["hidden"]]
        return tensor.split(sizes if len(tensor) == sum(sizes) else sizes[:-1])


def layer_of(layers, name):
    """The cell that a parameter belongs to; None of other layers."""
    for layer, prefix, _ in place_names(layers):
        if not name.startswith(prefix):
            continue
        if layer["layer"] == "residual":
            return layer_of(layer["layers"], name.removeprefix(prefix))
        layer = layer.get("cell", layer)
        return layer if "hidden" in layer or "channels" in layer else None
    return None


def run(config, given, p, inputs, states, guard=Guard(), forward=one_by_one):
    """Outputs and last states by their names in files, of the numbers given."""
    x = given["tokens"] if inputs is None else inputs
    steps, sequences = x.shape[:2]
    lengths = given["lengths"].tolist() if "lengths" in given else [steps] * sequences
    parts = unpacked(states, state_names(config, x))
    output, final = forward(config, p, x, lengths, parts, guard)
    return {"output": output} | named("final", packed(final))


def check_gradient(config, tensors):
    """torch.autograd.gradcheck of outputs and last states against everything given, along random directions."""
    given = named("parameter", under("parameter", tensors)) | named("state", under("state", tensors))
    given |= {"input": tensors["input"]} if "input" in tensors else {}
    given = {name: tensor for name, tensor in given.items() if name.split(".")[-1] not in NOT_DIFFERENTIATED}
    fixed = {name: tensor for name, tensor in under("state", tensors).items() if name.split(".")[-1] in NOT_DIFFERENTIATED}

    def function(*values):
        values = dict(zip(given, values))
        results = run(config, tensors, under("parameter", values), values.get("input"), under("state", values) | fixed)
        return tuple(tensor for name, tensor in results.items() if name.split(".")[-1] not in NOT_DIFFERENTIATED)

    torch.autograd.gradcheck(function, list(leaves(given, torch.float64).values()), fast_mode=True)


KINDS = {"layers": Layers}
