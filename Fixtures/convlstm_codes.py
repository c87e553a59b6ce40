"""Convolutional LSTMs as several codes name and order their weights: modules with those names, written here.

A class below has the tensors of a code, as its state dict lists them, and its equations with the gates in its order. A case
holds them as "weights.<name>", with `input` [T, B, I, H, W], `output` [T, B, C, H, W] and the last h and c of each layer.
Of Keras it is the arrays of `get_weights()`, "array.0", "array.1", …, and Keras itself computes, in float32.

| code | gates | what is its own |
| --- | --- | --- |
| `ndrplz` | i f o g | cell_list.<l>.conv of x and h, bias or none |
| `automan000` | by name | cell<l>.Wxi, Whi, … eight convolutions, biases of x, peepholes Wci, Wcf, Wco [1, C, H, W] or none |
| `openstl` | i f g o | cell_list.<l>.conv_x.0, conv_h.0, no bias, layer norms conv_x.1, conv_h.1 or none, conv_last on top; a cell's conv_o and conv_last are not used |
| `xiaohui9607` | i j f o | <name>.conv of x and h, with bias, 1 added to f; a cell alone |
| `tensorflow` | i j f o | <scope>/Gates/weights [k, l, I + C, 4·C], biases, 1 added to f; a cell alone |
| `keras` | i f c o | kernel [k, l, I, 4·C], recurrent kernel [k, l, C, 4·C], bias or none |
"""

import os

import numpy as np
import torch
from torch import nn

import layers
from cells import Guard
from kinds import named, under


def convolution(x, h, size, has_bias=True):
    """Of x and h one behind the other, to the maps of four gates."""
    return nn.Conv2d(x + h, 4 * h, size, padding=[n // 2 for n in layers.pair(size)], bias=has_bias, dtype=torch.float64)


def own(inputs, outputs, size, has_bias):
    return nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=has_bias, dtype=torch.float64)


def step(i, f, g, o, c):
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


class NdrplzCell(nn.Module):
    def __init__(self, config, x, h):
        super().__init__()
        self.conv = convolution(x, h, config["kernel_size"], config["bias"])

    def forward(self, x, h, c):
        i, f, o, g = self.conv(torch.cat([x, h], 1)).chunk(4, 1)
        return step(i, f, g, o, c)


class AutomanCell(nn.Module):
    def __init__(self, config, x, h):
        super().__init__()
        for gate in "ifco":
            setattr(self, "Wx" + gate, own(x, h, config["kernel_size"], True))
            setattr(self, "Wh" + gate, own(h, h, config["kernel_size"], False))
        for name in ("Wci", "Wcf", "Wco"):
            holes = torch.zeros(1, h, *config["sizes"], dtype=torch.float64)
            setattr(self, name, nn.Parameter(holes) if config["peepholes"] else None)

    def forward(self, x, h, c):
        holes = [0 if hole is None else hole for hole in (self.Wci, self.Wcf, self.Wco)]
        i, f, g, o = (getattr(self, "Wx" + gate)(x) + getattr(self, "Wh" + gate)(h) for gate in "ifco")
        c_next = torch.sigmoid(f + holes[1] * c) * c + torch.sigmoid(i + holes[0] * c) * torch.tanh(g)
        return torch.sigmoid(o + holes[2] * c_next) * torch.tanh(c_next), c_next


class OpenSTLCell(nn.Module):
    def __init__(self, config, x, h):
        super().__init__()

        def part(inputs, outputs):
            norm = [nn.LayerNorm([outputs, *config["sizes"]], dtype=torch.float64)] if config["layer_norm"] else []
            return nn.Sequential(own(inputs, outputs, config["kernel_size"], False), *norm)

        self.conv_x, self.conv_h, self.conv_o = part(x, 4 * h), part(h, 4 * h), part(2 * h, h)
        self.conv_last = own(2 * h, h, 1, False)

    def forward(self, x, h, c):
        i, f, g, o = (self.conv_x(x) + self.conv_h(h)).chunk(4, 1)
        return step(i, f, g, o, c)


class XiaohuiCell(nn.Module):
    def __init__(self, config, x, h):
        super().__init__()
        self.conv = convolution(x, h, config["kernel_size"])

    def forward(self, x, h, c):
        i, j, f, o = self.conv(torch.cat([x, h], 1)).chunk(4, 1)
        return step(i, f + 1, j, o, c)


class Model(nn.Module):
    """Layers of cells under the names that the code gives them; `names` has those of the cells."""

    CELLS = {"ndrplz": NdrplzCell, "automan000": AutomanCell, "openstl": OpenSTLCell, "xiaohui9607": XiaohuiCell,
             "tensorflow": XiaohuiCell}

    def __init__(self, config):
        super().__init__()
        widths = [config["inputs"], *config["widths"]]
        cells = [self.CELLS[config["code"]](config, x, h) for x, h in zip(widths, widths[1:])]
        match config["code"]:
            case "automan000":
                for place, cell in enumerate(cells):
                    setattr(self, f"cell{place}", cell)
            case "xiaohui9607" | "tensorflow":
                self.lstm1, = cells
            case _:
                self.cell_list = nn.ModuleList(cells)
        if config["code"] == "openstl":
            self.conv_last = own(widths[-1], config["inputs"], 1, False)
        self.cells = lambda: cells  # hidden from the state dict

    def forward(self, x):
        finals = []
        for cell in self.cells():
            h = c = x.new_zeros(x.shape[1], self.width(cell, x), *x.shape[3:])
            outputs = []
            for one in x:
                h, c = cell(one, h, c)
                outputs.append(h)
            x = torch.stack(outputs)
            finals.append((h, c))
        if hasattr(self, "conv_last"):
            x = torch.stack([self.conv_last(one) for one in x])
        return x, finals

    @staticmethod
    def width(cell, x):
        filters = dict(cell.named_parameters())
        rows = {"Wxi.weight": 1, "conv.weight": 4, "conv_x.0.weight": 4}
        return next(len(filters[name]) // rows[name] for name in rows if name in filters)


def to_code(config, tensors):
    """The names and layouts of the file: those of PyTorch, but TensorFlow has filters the other way about."""
    if config["code"] != "tensorflow":
        return {config["prefix"] + name: tensor for name, tensor in tensors.items()}
    return {config["prefix"] + "Gates/weights": tensors["lstm1.conv.weight"].permute(2, 3, 1, 0).contiguous(),
            config["prefix"] + "Gates/biases": tensors["lstm1.conv.bias"]}


def from_code(config, tensors):
    if config["code"] != "tensorflow":
        return {name.removeprefix(config["prefix"]): tensor for name, tensor in tensors.items()}
    return {"lstm1.conv.weight": tensors[config["prefix"] + "Gates/weights"].permute(3, 2, 0, 1).contiguous(),
            "lstm1.conv.bias": tensors[config["prefix"] + "Gates/biases"]}


class ConvLSTMCode:
    """The outputs and the last states of a code's layers."""

    @staticmethod
    def draw(config, source, steps, sequences):
        model = Model(config)
        tensors = {}
        for name, parameter in model.state_dict().items():
            is_gain = parameter.dim() == 3 and name.endswith("weight")  # of a layer norm
            bound = 0.5 if parameter.dim() in (1, 3) else 2 * parameter[0].numel() ** -0.5
            tensors[name] = source.uniform(tuple(parameter.shape), bound, 1.0 if is_gain else 0.0)
        given = named("weights", to_code(config, tensors))
        given["input"] = source.normal((steps, sequences, config["inputs"], *config["sizes"]))
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        model = Model(config)
        model.load_state_dict(from_code(config, under("weights", given)), strict=True)
        with torch.no_grad():
            return results(*model.to(dtype)(given["input"].to(dtype)))


class KerasConvLSTM:
    """The same of Keras' ConvLSTM2D with padding "same"."""

    exact = 2e-6

    @staticmethod
    def draw(config, source, steps, sequences):
        (k, l), given, x, count = layers.pair(config["kernel_size"]), {}, config["inputs"], 0
        for h in config["widths"]:
            for shape in [(k, l, x, 4 * h), (k, l, h, 4 * h)] + ([(4 * h,)] if config["bias"] else []):
                given[f"array.{count}"] = source.uniform(shape, 0.5 if len(shape) == 1 else 2 * (k * l * shape[2]) ** -0.5)
                count += 1
            x = h
        given["input"] = source.normal((steps, sequences, config["inputs"], *config["sizes"]))
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        os.environ["KERAS_BACKEND"] = "numpy"
        from keras import layers as keras_layers

        arrays = [given[f"array.{i}"].float().numpy() for i in range(len(under("array", given)))]
        x, finals = given["input"].float().numpy().transpose(1, 0, 3, 4, 2), []  # [B, T, H, W, I]
        for h in config["widths"]:
            layer = keras_layers.ConvLSTM2D(h, tuple(layers.pair(config["kernel_size"])), padding="same",
                                            use_bias=config["bias"], return_sequences=True, return_state=True)
            layer.build(x.shape)
            count = len(layer.get_weights())
            layer.set_weights(arrays[:count])
            arrays = arrays[count:]
            x, *last = (np.asarray(array) for array in layer(x))
            finals.append([torch.from_numpy(array.transpose(0, 3, 1, 2).copy()) for array in last])
        found = results(torch.from_numpy(x.transpose(1, 0, 4, 2, 3).copy()), finals)
        return {name: tensor.double() for name, tensor in found.items()}

    @staticmethod
    def made_by():
        os.environ["KERAS_BACKEND"] = "numpy"
        import keras
        return f"keras {keras.__version__} with its numpy backend, float32"


def results(output, finals):
    last = {f"{place}.{letter}_l0": value for place, pair in enumerate(finals) for letter, value in zip("hc", pair)}
    return {"output": output} | named("final", layers.packed(last))


# The same by the layer of layers.py, whose gates are i f g o


def layer_parameters(config, given):
    """Each layer's parameters, and of "openstl" those of the convolution on top."""
    weights, arrays = under("weights", given), under("array", given)
    found, x, turn = {}, config["inputs"], 0
    for place, h in enumerate(config["widths"]):
        p = {}
        match config["code"]:
            case "ndrplz" | "xiaohui9607" | "tensorflow":
                tensors = from_code(config, weights)
                name = f"cell_list.{place}.conv" if config["code"] == "ndrplz" else "lstm1.conv"
                order = [0, 1, 3, 2] if config["code"] == "ndrplz" else [0, 2, 1, 3]
                both = blocks(tensors[f"{name}.weight"], order)
                p = {"weight_ih": both[:, :x], "weight_hh": both[:, x:]}
                if f"{name}.bias" in tensors:
                    p["bias_ih"] = blocks(tensors[f"{name}.bias"], order)
            case "automan000":
                tensors = {name.removeprefix(f"{config['prefix']}cell{place}."): t for name, t in weights.items()}
                p = {f"weight_{side}h": torch.cat([tensors[f"W{letter}{gate}.weight"] for gate in "ifco"])
                     for side, letter in zip("ih", "xh")}
                p["bias_ih"] = torch.cat([tensors[f"Wx{gate}.bias"] for gate in "ifco"])
                if config["peepholes"]:
                    p |= {f"weight_{letters}": tensors["W" + letters][0] for letters in ("ci", "cf", "co")}
            case "openstl":
                for side, letter in zip("ih", "xh"):
                    name = f"{config['prefix']}cell_list.{place}.conv_{letter}"
                    p[f"weight_{side}h"] = weights[f"{name}.0.weight"]
                    if config["layer_norm"]:
                        p |= {f"norm_{side}h_{part}": weights[f"{name}.1.{part}"] for part in ("weight", "bias")}
            case "keras":
                p = {f"weight_{side}h": arrays[f"{turn + i}"].permute(3, 2, 0, 1) for i, side in enumerate("ih")}
                turn += 3 if config["bias"] else 2
                if config["bias"]:
                    p["bias_ih"] = arrays[f"{turn - 1}"]
        found |= {f"{place}.{name}_l0": tensor for name, tensor in p.items()}
        x = h
    if config["code"] == "openstl":
        found[f"{len(config['widths'])}.weight"] = weights[config["prefix"] + "conv_last.weight"]
    return found


def blocks(tensor, order):
    """Block i of four from block order[i]."""
    parts = tensor.chunk(4)
    return torch.cat([parts[i] for i in order])


def by_layers(config, given):
    """What the layers of layers.py make of these weights."""
    p = layer_parameters(config, given)
    stack = [{"layer": "convolutional_lstm", "channels": h, "size": config["kernel_size"], "bias": f"{place}.bias_ih_l0" in p,
              "peepholes": config["peepholes"], "layer_norm": config["layer_norm"],
              "forget_offset": 1 if config["code"] in ("xiaohui9607", "tensorflow") else 0}
             for place, h in enumerate(config["widths"])]
    if config["code"] == "openstl":
        stack.append({"layer": "convolution", "features": config["inputs"], "size": 1, "bias": False})
    net = layers.Numbers(None, given["input"].shape[1], parameters=p)
    output = layers.apply(net, stack, given["input"])
    return {"output": output} | named("final", layers.packed(net.finals))


KINDS = {"convlstm_code": ConvLSTMCode, "convlstm_keras": KerasConvLSTM}
