"""The second opinion on networks of layers: PyTorch's own modules over padded batches.

A cell that PyTorch does not have is none here; then there is no second opinion.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from layers import Layers, are_maps, is_per_step, maps, numbers, pair, place_names, rows, sides

RECURRENT = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, None: nn.Identity}


def has_module(layers):
    """Whether PyTorch has a module for every layer."""
    def of(layer):
        if layer["layer"] == "residual":
            return has_module(layer["layers"])
        cell = layer.get("cell", layer)
        if cell["layer"].startswith("convolutional_") or cell.get("per_channel"):
            return False
        if "hidden" not in cell:
            return True
        return cell["layer"] in RECURRENT and not cell.get("layer_norm") and cell.get("activation") != "sigmoid"

    return all(of(layer) for layer in layers)


def evaluate(config, given):
    return Layers.evaluate(config, given, forward=all_at_once)


class Batch:
    """What the modules are given beside what they read."""

    def __init__(self, p, lengths, states, vocabulary):
        self.p, self.lengths, self.states, self.vocabulary = p, lengths, states, vocabulary
        self.finals = {}

    def call(self, module, prefix, *arguments, suffix=""):
        """The module with our parameters of a layer, every name of it and no other."""
        own = {name.removeprefix(prefix) + suffix: tensor for name, tensor in self.p.items() if name.startswith(prefix)}
        return torch.func.functional_call(module.double(), own, arguments, strict=True)

    def mask(self, steps):
        return torch.arange(steps)[:, None] < torch.tensor(self.lengths)


def all_at_once(config, p, x, lengths, states, guard):
    batch = Batch(p, lengths, states, config["input"].get("tokens"))
    y = apply(batch, "", config["layers"], x)
    if is_per_step(config["layers"]):
        y = torch.where(batch.mask(len(y)).reshape(*y.shape[:2], *[1] * (y.dim() - 2)), y, 0)
    return y, batch.finals


def apply(batch, outer, layers, x):
    directions = 1
    for layer, name, suffix in place_names(layers):
        prefix, kind = outer + name, layer["layer"]
        if not x.is_floating_point() and kind != "embedding":
            x = nn.functional.one_hot(x, batch.vocabulary).double()
        if layer.get("cell", layer)["layer"] in RECURRENT:
            directions = 2 if kind == "bidirectional" or layer.get("bidirectional") else 1
            x = recurrent(batch, prefix, suffix, layer, directions, x)
        elif kind == "residual":
            x = x + apply(batch, prefix, layer["layers"], x)
        elif kind == "last_step":
            ends = x[torch.tensor(batch.lengths) - 1, torch.arange(x.shape[1])]
            x = ends if directions == 1 else torch.cat([ends.chunk(2, -1)[0], x[0].chunk(2, -1)[1]], -1)
        elif kind == "mean":
            x = mean(batch, prefix, x)
        elif kind == "flatten":
            x = nn.Flatten(-3)(x) if are_maps(x) else x
        else:
            x = single(batch, prefix, layer, x)
            directions = 1 if kind == "dense" else directions
    return x


def recurrent(batch, prefix, suffix, layer, directions, x):
    """torch.nn.RNN, LSTM or GRU over packed sequences."""
    cell, layers = layer.get("cell", layer), layer.get("layers", 1)
    options = {"nonlinearity": cell.get("activation", "tanh")} if cell["layer"] == "rnn" else {}
    module = RECURRENT[cell["layer"]](x.shape[-1], cell["hidden"], layers, bias=cell.get("bias", True),
                                      dropout=layer.get("dropout", 0), bidirectional=directions == 2, **options).eval()
    suffixes = [f"_l{i}" for i in range(layers)] if layer["layer"] == "stack" else [suffix]
    places = [s + turn for s in suffixes for turn in ("", "_reverse")[:directions]]
    letters = "hc" if cell["layer"] == "lstm" else "h"
    zero = torch.zeros(x.shape[1], cell["hidden"], dtype=x.dtype)
    start = tuple(torch.stack([batch.states.get(f"{prefix}{letter}{place}", zero) for place in places])
                  for letter in letters)
    packed = pack_padded_sequence(x, batch.lengths, enforce_sorted=False)
    y, final = batch.call(module, prefix, packed, start if len(start) > 1 else start[0],
                          suffix="" if suffix else "_l0")
    for letter, tensor in zip(letters, final if isinstance(final, tuple) else (final,)):
        batch.finals |= {f"{prefix}{letter}{place}": part for place, part in zip(places, tensor)}
    return pad_packed_sequence(y, total_length=len(x))[0]


def mean(batch, prefix, x):
    z = torch.where(batch.mask(len(x))[..., None], rows(x), 0)
    count = torch.tensor(batch.lengths, dtype=x.dtype)[:, None] + batch.states.get(f"{prefix}steps", 0.0)
    total = z.sum(0) + batch.states.get(f"{prefix}sum", 0.0)
    batch.finals |= {f"{prefix}sum": total, f"{prefix}steps": count}
    return (total / count).reshape(x.shape[1:])


def single(batch, prefix, layer, x):
    """A module that takes the numbers of a step, all steps of all sequences one behind the other."""
    kind = layer["layer"]
    axes = {"embedding": 0, "convolution": 3, "transposed_convolution": 3, "max_pool": 3}.get(kind, 1)
    z = maps(x) if axes == 3 else rows(x)
    lead = z.shape[:z.dim() - axes]
    y = batch.call(module(batch, layer, z), prefix, z.reshape(-1, *z.shape[len(lead):]))
    y = ACTIVATIONS[layer.get("activation")]()(y.reshape(*lead, *y.shape[1:]))
    if axes == 3:
        return numbers(y)
    return y.reshape(x.shape) if kind in ("layer_norm", "rms_norm", "softmax", "dropout") else y


def module(batch, layer, z):
    match layer["layer"]:
        case "embedding":
            return nn.Embedding(batch.vocabulary, layer["size"])
        case "dense":
            return nn.Linear(z.shape[-1], layer["outputs"], bias=layer.get("bias", True))
        case "dropout":
            return nn.Dropout(layer["rate"]).eval()
        case "layer_norm":
            return nn.LayerNorm(z.shape[-1], layer.get("epsilon", 1e-5))
        case "rms_norm":
            return nn.RMSNorm(z.shape[-1], layer.get("epsilon", 1e-6))
        case "softmax":
            return nn.Softmax(-1)
        case "convolution" | "transposed_convolution":
            return filters(layer, z)
        case "max_pool":
            return nn.MaxPool2d(layer["size"])


def filters(layer, z):
    """PyTorch's module where the zeros are as many on both sides; otherwise what is around it is cropped, or put around."""
    padding, stride, size = layer.get("padding", 0), pair(layer.get("stride", 1)), pair(layer["size"])
    is_transposed = layer["layer"] == "transposed_convolution"
    options = dict(bias=layer.get("bias", True))
    if padding != "same" and not (isinstance(padding, list) and len(padding) == 4):
        options |= dict(padding=pair(padding))
        if is_transposed:
            options |= dict(output_padding=pair(layer.get("output_padding", 0)))
        return (nn.ConvTranspose2d if is_transposed else nn.Conv2d)(z.shape[-3], layer["features"], size, stride, **options)
    return (CroppedTransposed if is_transposed else Padded)(z.shape[-3], layer["features"], size, stride, padding, **options)


class Padded(nn.Conv2d):
    """Zeros around the maps that differ from side to side."""

    def __init__(self, channels, features, size, stride, sides, bias):
        super().__init__(channels, features, size, stride, bias=bias)
        self.around = sides

    def forward(self, images):
        edges = []
        for axis in (0, 1):
            n, size, stride = images.shape[2 + axis], self.kernel_size[axis], self.stride[axis]
            if self.around == "same":
                missing = size - stride if n % stride == 0 else size - n % stride
                edges.append((max(missing, 0) // 2, (max(missing, 0) + 1) // 2))
            else:
                edges.append(sides(self.around)[axis])
        return super().forward(nn.ZeroPad2d((*edges[1], *edges[0]))(images))


class CroppedTransposed(nn.ConvTranspose2d):
    """All that the filters give, and what of it is left; where a stride is longer than the filter, zeros between them."""

    def __init__(self, channels, features, size, stride, sides, bias):
        super().__init__(channels, features, size, stride, bias=bias)
        self.around = sides

    def forward(self, images):
        extra, kept = [], []
        for axis in (0, 1):
            n, size, stride = images.shape[2 + axis], self.kernel_size[axis], self.stride[axis]
            before, behind = (max(size - stride, 0) // 2, (max(size - stride, 0) + 1) // 2) if self.around == "same" \
                else sides(self.around)[axis]
            extra.append(max(stride - size, 0) if self.around == "same" else 0)
            kept.append(slice(before, (n - 1) * stride + size + extra[axis] - behind))
        y = nn.functional.conv_transpose2d(images, self.weight, self.bias, self.stride, output_padding=extra)
        return y[..., kept[0], kept[1]]
