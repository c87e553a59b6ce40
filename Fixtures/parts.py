"""The parts of a training loop: optimizers along given gradients, schedules of the learning rate, losses."""

import torch
from torch.nn import functional
from torch.optim import lr_scheduler

from cells import Guard
from kinds import gradients, leaves, make_optimizer, named, under


class Optimizer:
    """An optimizer's steps along given gradients, clipped where the configuration says so."""

    @staticmethod
    def draw(config, source, steps):
        shapes = {"a": (3,), "b": (4, 5)}
        given = named("parameter", {name: source.normal(shape) for name, shape in shapes.items()})
        return given | named("gradient", {name: source.normal((steps, *shape)) for name, shape in shapes.items()})

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = leaves(under("parameter", given), dtype)
        optimizer = make_optimizer(config["optimizer"], p.values())
        ways = {name: [] for name in p}
        for step in range(len(given["gradient.a"])):
            for name, tensor in p.items():
                tensor.grad = given[f"gradient.{name}"][step].to(dtype).clone()
            if config["clip"] is not None:
                torch.nn.utils.clip_grad_norm_(p.values(), config["clip"], foreach=False)
            optimizer.step()
            for name, tensor in p.items():
                ways[name].append(tensor.detach().clone())
        return named("parameters", {name: torch.stack(way) for name, way in ways.items()})


class Schedule:
    """The factor on the learning rate at every step."""

    @staticmethod
    def draw(config, source):
        return {}

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        optimizer = torch.optim.SGD([torch.zeros(1, dtype=dtype, requires_grad=True)], 1.0)
        scheduler = make_scheduler(config["scheduler"], optimizer, config["steps"])
        factors = []
        for _ in range(config["steps"]):
            factors.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return {"factors": torch.tensor(factors, dtype=dtype)}


def make_scheduler(config, optimizer, steps):
    """The scheduler of a training of so many steps; a list is of a warm-up and what follows it."""
    if isinstance(config, list):
        before, after = config
        length = before["total_iters"]
        return lr_scheduler.SequentialLR(
            optimizer, [make_scheduler(before, optimizer, length), make_scheduler(after, optimizer, steps - length)],
            [length])
    options = {key: value for key, value in config.items() if key != "name"}
    match config["name"]:
        case "constant":
            return lr_scheduler.ConstantLR(optimizer, factor=1.0)
        case "linear":
            return lr_scheduler.LinearLR(optimizer, **{"total_iters": steps} | options)
        case "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizer, steps, **options)
        case "step":
            return lr_scheduler.StepLR(optimizer, **options)
        case "one_cycle":
            return lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=steps, cycle_momentum=False, **options)


class Loss:
    """A loss of rows of outputs, and its gradient."""

    @staticmethod
    def draw(config, source, rows, outputs, scale=2.0, missing=False):
        given = {"outputs": source.normal((rows, outputs), scale)}
        if config["loss"] == "cross_entropy":
            given["targets"] = source.integers((rows,), outputs)
            if missing:
                given["targets"][source.integers((rows,), 3) == 0] = config["ignoring"]
        else:
            shape = (rows, outputs)
            if config["loss"] == "mean_squares":
                given["targets"] = source.normal(shape)
            else:
                given["targets"] = binary_targets(source, shape)
            if missing:
                given["targets"][source.integers(shape, 3) == 0] = torch.nan
        if config["weighted"]:
            given["weights"] = loss_weights(source, outputs)
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = leaves({"outputs": given["outputs"]}, dtype)
        value = loss_value(config, p["outputs"], given["targets"], given.get("weights"), config["reduction"])
        value.backward()
        return {"value": value} | named("gradient", gradients(p))


def binary_targets(source, shape):
    """Zeros, ones and numbers between."""
    kind = source.integers(shape, 3)
    between = source.uniform(shape, 0.5, 0.5)
    return torch.where(kind == 2, between, kind.double())


def loss_weights(source, outputs):
    """Of classes, or of positive targets."""
    return source.uniform((outputs,), 1.0, 1.25)


def loss_value(config, y, targets, weights, reduction="mean"):
    """The loss that the configuration names, of rows y; numbers that are NaN do not count."""
    weights = None if weights is None else weights.to(y.dtype)
    if config["loss"] == "cross_entropy":
        return functional.cross_entropy(
            y, targets, weights, ignore_index=config["ignoring"], reduction=reduction,
            label_smoothing=config["smoothing"])
    counts = ~targets.isnan()
    wanted = targets.to(y.dtype)
    if config["loss"] == "mean_squares":
        return functional.mse_loss(y[counts], wanted[counts], reduction=reduction)
    all_weights = torch.ones_like(y) if weights is None else weights.expand_as(y)
    return functional.binary_cross_entropy_with_logits(
        y[counts], wanted[counts], reduction=reduction, pos_weight=all_weights[counts])


KINDS = {"optimizer": Optimizer, "schedule": Schedule, "loss": Loss}
