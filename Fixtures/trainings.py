"""Stacks with a head, trained for some steps: a class or numbers, a sequence or a step, sequences of unequal length."""

import torch
from torch.nn import functional

import cells
import parts
import stacks
from cells import Guard
from kinds import Source, gradients, leaves, make_optimizer, named, under

STEPS = 4
IGNORED = -1
PLAIN = {"classes": {"loss": "cross_entropy", "ignoring": IGNORED, "smoothing": 0.0}, "numbers": {"loss": "mean_squares"}}


class Training:
    """A network of `stacks.py` with a dense layer on top: losses, the first gradient, the last parameters."""

    @staticmethod
    def draw(config, source, steps, sequences, tokens=False, missing=False):
        bound = config["cell"]["hidden"] ** -0.5
        given = {}
        for name, shape in stacks.parameter_shapes(config).items():
            is_norm = name.startswith("norm")
            given[f"parameter.{name}"] = source.uniform(
                shape, 0.3 if is_norm else bound, 1.0 if is_norm and "weight" in name else 0.0)
        outputs, per = config["head"]["outputs"], config["head"]["per"]
        features = config["cell"]["hidden"] * stacks.directions_of(config)
        given["parameter.head.weight"] = source.uniform((outputs, features), features ** -0.5)
        given["parameter.head.bias"] = source.uniform((outputs,), features ** -0.5)
        inputs = config["cell"]["input"]
        if tokens:
            given["tokens"] = source.integers((STEPS, sequences, steps), inputs)
        else:
            given["input"] = source.normal((STEPS, sequences, steps, inputs))
        # One of every length there may be, in another order in every batch.
        given["lengths"] = torch.stack(
            [1 + (torch.arange(sequences) * (2 * n + 1) + steps // 2) % steps for n in range(STEPS)])
        places = (STEPS, sequences) + ((steps,) if per == "step" else ())
        loss = loss_of(config)
        if loss["loss"] != "cross_entropy":
            is_binary = loss["loss"] == "binary_cross_entropy"
            given["targets"] = (parts.binary_targets if is_binary else Source.normal)(source, (*places, outputs))
            if missing:  # numbers without a target, a third of them
                given["targets"][source.integers((*places, outputs), 3) == 0] = torch.nan
        else:
            labels = source.integers(places, outputs + (per == "step"))
            given["targets"] = torch.where(labels == outputs, torch.tensor(loss["ignoring"]), labels)
        if config.get("weighted"):
            given["weights"] = parts.loss_weights(source, outputs)
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = leaves(under("parameter", given), dtype)
        optimizer = make_optimizer(config["optimizer"], p.values())
        losses, first = [], None
        for n in range(STEPS):
            optimizer.zero_grad()
            loss = batch_loss(config, p, batch(config, given, n, dtype), given["lengths"][n].tolist(),
                              given["targets"][n], given.get("weights"), guard)
            loss.backward()
            losses.append(loss.detach())
            first = first or gradients(p)
            optimizer.step()
            guard.trained([], None)
        return {"losses": torch.stack(losses)} | named("gradient", first) | named("final", p)


def batch(config, given, n, dtype):
    """The inputs of a batch, [T, B, I]; tokens one-hot."""
    if "tokens" in given:
        return functional.one_hot(given["tokens"][n].T, config["cell"]["input"]).to(dtype)
    return given["input"][n].transpose(0, 1).to(dtype)


def loss_of(config):
    """What `parts.loss_value` needs of the loss."""
    return PLAIN.get(config["loss"], config)


def batch_loss(config, p, inputs, lengths, targets, weights, guard):
    """The mean over all that counts: not what stands behind a sequence's end."""
    shapes = stacks.state_shapes(config, len(lengths))
    state = {name: torch.zeros(shape, dtype=inputs.dtype) for name, shape in shapes.items()}
    output, _ = stacks.run(config, p, inputs, lengths, state, guard)
    if config["head"]["per"] == "sequence":
        # The last h of each direction, before what a schedule clears.
        hidden = config["cell"]["hidden"]
        last = output[torch.tensor(lengths) - 1, torch.arange(len(lengths))]
        x = torch.cat([last[:, :hidden], output[0, :, hidden:]], -1)
    else:
        counts = torch.arange(len(inputs))[None] < torch.tensor(lengths)[:, None]  # [B, T]
        x, targets = output.transpose(0, 1)[counts], targets[counts]
    y = x @ p["head.weight"].T + p["head.bias"]
    return parts.loss_value(loss_of(config), y, targets, weights)


KINDS = {"training": Training}
