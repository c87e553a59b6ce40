"""Networks of convolutions: logits, the loss, and the gradient of everything given."""

import torch
from torch.nn import functional

from cells import Guard, Unsuitable, StrictGuard
from kinds import gradients, leaves, named, under


class Convolution:
    """Convolutions with ReLU and max pools, a dense layer over all they give, cross-entropy averaged over the batch."""

    @staticmethod
    def draw(config, source, images):
        channels, height, width = (config[name] for name in ("channels", "height", "width"))
        given = {"input": source.normal((images, channels, height, width))}
        x = given["input"]
        for i, layer in enumerate(config["layers"]):
            if layer["layer"] == "convolution":
                shape = (layer["features"], channels, layer["size"], layer["size"])
                bound = (channels * layer["size"] ** 2) ** -0.5
                given[f"parameter.layers.{i}.weight"] = source.uniform(shape, 2 * bound)
                given[f"parameter.layers.{i}.bias"] = source.uniform(shape[:1], bound)
                channels = layer["features"]
            x = apply(layer, i, under("parameter", given), x, Guard())
        numbers = x[0].numel()
        given["parameter.head.weight"] = source.uniform((config["classes"], numbers), numbers ** -0.5)
        given["parameter.head.bias"] = source.uniform((config["classes"],), numbers ** -0.5)
        given["targets"] = source.integers((images,), config["classes"])
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = leaves(under("parameter", given) | {"input": given["input"]}, dtype)
        x = p["input"]
        for i, layer in enumerate(config["layers"]):
            x = apply(layer, i, p, x, guard)
        logits = x.flatten(1) @ p["head.weight"].T + p["head.bias"]
        loss = functional.cross_entropy(logits, given["targets"])
        loss.backward()
        return {"logits": logits, "loss": loss} | named("gradient", gradients(p))


def apply(layer, i, p, x, guard):
    if layer["layer"] == "max_pool":
        if isinstance(guard, StrictGuard):
            refuse_ties(x, layer["size"])
        return functional.max_pool2d(x, layer["size"])
    z = functional.conv2d(x, p[f"layers.{i}.weight"], p[f"layers.{i}.bias"], layer["stride"], layer["padding"])
    guard.relu(z)
    return torch.relu(z)


def refuse_ties(x, size):
    """Two numbers of a window that rounding may exchange; zeros behind a ReLU are alike and pass nothing on."""
    windows = x.detach().unfold(2, size, size).unfold(3, size, size).flatten(4)
    if windows.shape[-1] < 2:
        return
    first, second = windows.topk(2).values.unbind(-1)
    if ((first - second < 1e-4) & ~((first == 0) & (second == 0))).any():
        raise Unsuitable("a pool cannot tell which number is the largest")


KINDS = {"convolution": Convolution}
