"""The kinds of fixture of cells and of what stands around them. Each draws what is given and evaluates what is expected.

`draw` returns the given tensors, all float64 numbers that Float holds exactly
(or int64). `evaluate` needs nothing but these and the configuration, so that it
can be run again from a file, in another precision for instance.
"""

import numpy as np
import torch
from torch.nn import functional

import associative
import cells
from cells import TRAINING_STEPS, Guard


class Source:
    """Random tensors rounded to Float. RandomState, because NumPy promises its stream never changes."""

    def __init__(self, seed):
        self.state = np.random.RandomState(seed)

    def uniform(self, shape, bound, centre=0.0):
        return self._rounded(self.state.uniform(centre - bound, centre + bound, shape))

    def normal(self, shape, scale=1.0, centre=0.0):
        return self._rounded(self.state.normal(centre, scale, shape))

    def integers(self, shape, below):
        return torch.from_numpy(self.state.randint(0, below, shape, dtype=np.int64))

    @staticmethod
    def _rounded(numbers):
        return torch.from_numpy(np.asarray(numbers, np.float32).astype(np.float64))


def named(prefix, tensors):
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def under(prefix, tensors):
    """The tensors below a prefix, by the rest of their names."""
    return {k[len(prefix) + 1:]: v for k, v in tensors.items() if k.startswith(prefix + ".")}


def leaves(tensors, dtype):
    return {k: v.detach().to(dtype).clone().requires_grad_() for k, v in tensors.items()}


def gradients(tensors):
    """Gradients by name; zero where the loss does not depend on the tensor."""
    return {k: torch.zeros_like(v) if v.grad is None else v.grad.clone() for k, v in tensors.items()}


def draw_cell_parameters(config, source, identity=False):
    """Weights and biases uniform within 1/√H, gains 1 ± 0.3, norm biases ± 0.3.

    With identity, weight_hh is the unit matrix and a little noise, as in the IRNN.
    """
    bound = config["hidden"] ** -0.5
    parameters = {}
    for name, shape in cells.parameter_shapes(config).items():
        if name.startswith("norm"):
            centre = 1.0 if name.endswith("weight") else 0.0
            parameters[name] = source.uniform(shape, 0.3, centre)
        elif identity and name == "weight_hh":
            unit = torch.eye(config["hidden"], dtype=torch.float64)
            parameters[name] = (unit + source.normal(shape, 0.05)).float().double()
        else:
            parameters[name] = source.uniform(shape, bound)
    return parameters


class Cell:
    """A cell over a sequence: outputs, last state, and the gradient of everything given."""

    @staticmethod
    def draw(config, source, steps, sequences, state, identity=False):
        shapes = cells.state_shapes(config, sequences)
        given = named("parameter", draw_cell_parameters(config, source, identity))
        given["input"] = source.normal((steps, sequences, config["input"]))
        if state:
            for name, shape in shapes.items():
                bound = config["hidden"] ** -0.5 if name == "A" else 1.0
                given[f"state.{name}"] = source.uniform(shape, bound)
        given["cotangent.output"] = source.normal((steps, sequences, config["hidden"]))
        for name, shape in shapes.items():
            given[f"cotangent.final.{name}"] = source.normal(shape)
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = leaves(under("parameter", given), dtype)
        inputs = leaves({"input": given["input"]}, dtype)
        state = leaves(under("state", given), dtype)
        cotangents = {k: v.to(dtype) for k, v in under("cotangent", given).items()}
        output, final = cells.run(config, p, inputs["input"], initial_state(config, given, state, dtype), guard)
        results = {"output": output} | named("final", final)
        loss = sum((results[name] * cotangents[name]).sum() for name in results)
        loss.backward()
        return results | {"loss": loss} | named("gradient", gradients(p | inputs | named("state", state)))


def initial_state(config, given, state, dtype=torch.float64):
    """The state given, or zeros."""
    shapes = cells.state_shapes(config, given["input"].shape[1])
    return {name: state.get(name, torch.zeros(shape, dtype=dtype)) for name, shape in shapes.items()}


class Network:
    """Embedding, cell, last hidden state, ReLU layer, softmax; trained for ten steps."""

    @staticmethod
    def draw(config, source, steps, sequences, identity=False):
        cell = config["cell"]
        parameters = {"embedding.weight": source.normal((config["vocabulary"], config["embedding"]))}
        parameters |= named("cell", draw_cell_parameters(cell, source, identity))
        sizes = {"hidden": (cell["hidden"], config["head"]), "output": (config["head"], config["classes"])}
        for layer, (width, height) in sizes.items():
            parameters[f"{layer}.weight"] = source.uniform((height, width), width ** -0.5)
            parameters[f"{layer}.bias"] = source.uniform((height,), width ** -0.5)
        return named("parameter", parameters) | {
            "tokens": source.integers((TRAINING_STEPS, sequences, steps), config["vocabulary"]),
            "targets": source.integers((TRAINING_STEPS, sequences), config["classes"]),
        }

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = leaves(under("parameter", given), dtype)
        optimizer = make_optimizer(config["optimizer"], p.values())
        losses, norms, first = [], [], None
        for tokens, targets in zip(given["tokens"], given["targets"]):
            optimizer.zero_grad()
            loss = functional.cross_entropy(logits(config, p, tokens, guard), targets)
            loss.backward()
            losses.append(loss.detach())
            first = first or gradients(p)
            if config["clip"] is not None:
                norms.append(torch.nn.utils.clip_grad_norm_(p.values(), config["clip"], foreach=False).item())
            optimizer.step()
            guard.trained(norms, config["clip"])
        return {"losses": torch.stack(losses)} | named("gradient", first) | named("final", p)


def logits(config, p, tokens, guard):
    embedded = p["embedding.weight"][tokens.T]  # [T, B, E]
    cell = config["cell"]
    shapes = cells.state_shapes(cell, len(tokens))
    state = {name: torch.zeros(shape, dtype=embedded.dtype) for name, shape in shapes.items()}
    _, final = cells.run(cell, under("cell", p), embedded, state, guard)
    z = final["h"] @ p["hidden.weight"].T + p["hidden.bias"]
    return cells.activate("relu", z, guard) @ p["output.weight"].T + p["output.bias"]


def make_optimizer(config, parameters):
    rate = config["learning_rate"]
    match config["name"]:
        case "adam":
            betas = (config["beta1"], config["beta2"])
            options = {"amsgrad": config.get("amsgrad", False), "foreach": False}
            if "decay" in config:
                return torch.optim.AdamW(parameters, rate, betas, config["epsilon"], config["decay"], **options)
            return torch.optim.Adam(parameters, rate, betas, config["epsilon"], **options)
        case "sgd":
            return torch.optim.SGD(parameters, rate, config["momentum"], config.get("dampening", 0.0),
                                   config.get("l2", 0.0), config.get("nesterov", False), foreach=False)
        case "rmsprop":
            return torch.optim.RMSprop(parameters, rate, config["alpha"], config["epsilon"], config.get("l2", 0.0),
                                       config["momentum"], config.get("centered", False), foreach=False)


class LayerNorm:
    @staticmethod
    def draw(config, source):
        shape = (config["rows"], config["hidden"])
        return {
            "input": source.normal(shape, 2.0, centre=0.5),
            "weight": source.uniform(shape[1:], 0.3, 1.0),
            "bias": source.uniform(shape[1:], 0.3),
            "cotangent.output": source.normal(shape),
        }

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = leaves({name: given[name] for name in ("input", "weight", "bias")}, dtype)
        if config["hidden"] == 1:
            guard = Guard()  # a single number has no variance, and must still do no harm
        output = cells.layer_norm(p["input"], p["weight"], p["bias"], config["epsilon"], guard)
        (output * given["cotangent.output"].to(dtype)).sum().backward()
        return {"output": output} | named("gradient", gradients(p))


class Bound:
    @staticmethod
    def draw(config, source, numbers=None):
        if numbers is not None:
            given = torch.tensor(numbers, dtype=torch.float64)
        else:
            given = source.normal((config["rows"], config["hidden"]))
        return {"input": given, "cotangent.output": source.normal(tuple(given.shape))}

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = leaves({"input": given["input"]}, dtype)
        output = associative.numbers(associative.bound(associative.complexes(p["input"]), Guard()))
        (output * given["cotangent.output"].to(dtype)).sum().backward()
        return {"output": output} | named("gradient", gradients(p))


class Softmax:
    @staticmethod
    def draw(config, source, rows, classes, logits=None, targets=None):
        if logits is not None:
            return {"logits": torch.tensor(logits, dtype=torch.float64), "targets": torch.tensor(targets)}
        return {"logits": source.normal((rows, classes), 2.0), "targets": source.integers((rows,), classes)}

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = leaves({"logits": given["logits"]}, dtype)
        log_probabilities = torch.log_softmax(p["logits"], -1)
        loss = functional.nll_loss(log_probabilities, given["targets"])
        loss.backward()
        probabilities = torch.softmax(p["logits"], -1)
        return {"probabilities": probabilities, "log_probabilities": log_probabilities,
                "loss": loss} | named("gradient", gradients(p))


class Clip:
    @staticmethod
    def draw(config, source, size, scale):
        return {"gradient": source.normal((size,), scale)}

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        parameter = torch.zeros_like(given["gradient"], dtype=dtype)
        parameter.grad = given["gradient"].to(dtype).clone()
        norm = torch.nn.utils.clip_grad_norm_([parameter], config["max_norm"], foreach=False)
        return {"clipped": parameter.grad, "norm": norm}


KINDS = {"cell": Cell, "network": Network, "layer_norm": LayerNorm, "bound": Bound, "softmax": Softmax, "clip": Clip}
