"""Networks of Keras and of ONNX, run by themselves: by Keras with the NumPy backend, and by ONNX's reference evaluator.

The arrays are as those frameworks keep them: "array.0", "array.1", … in the order
of Keras' `get_weights()`; "W.k", "R.k", "B.k" of the ONNX node of layer k.
"""

import os

import numpy as np
import torch

from cells import Guard
from kinds import under
from stacks import directions_of

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def layer_inputs(config, layer):
    return config["cell"]["hidden"] * directions_of(config) if layer else config["cell"]["input"]


class Keras:
    """Layers SimpleRNN, LSTM or GRU, alone or in Bidirectional: the outputs and the last states.

    Keras multiplies matrices in float32 even where asked for float64.
    """

    exact = 2e-6

    @staticmethod
    def draw(config, source, steps, sequences):
        hidden, gates = config["cell"]["hidden"], GATES[config["cell"]["cell"]]
        given, count = {"input": source.normal((steps, sequences, config["cell"]["input"]))}, 0
        for layer in range(config["layers"]):
            for _ in range(directions_of(config)):
                shapes = [(layer_inputs(config, layer), gates * hidden), (hidden, gates * hidden)]
                if config["bias"]:
                    shapes.append((2, 3 * hidden) if gates == 3 else (gates * hidden,))
                for shape in shapes:
                    given[f"array.{count}"] = source.uniform(shape, hidden ** -0.5)
                    count += 1
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        os.environ["KERAS_BACKEND"] = "numpy"
        from keras import layers

        cell = config["cell"]
        options = dict(use_bias=config["bias"], return_sequences=True, return_state=True)
        if cell["cell"] == "rnn":
            options["activation"] = cell["activation"]
        kind = {"rnn": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}[cell["cell"]]
        arrays = [given[f"array.{i}"].float().numpy() for i in range(len(under("array", given)))]
        x = given["input"].float().numpy().transpose(1, 0, 2)
        states = []
        for _ in range(config["layers"]):
            layer = kind(cell["hidden"], **options)
            if config["bidirectional"]:
                layer = layers.Bidirectional(layer)
            layer.build(x.shape)
            count = len(layer.get_weights())
            layer.set_weights(arrays[:count])
            arrays = arrays[count:]
            x, *last = layer(x)
            states += last
        per_cell = 2 if cell["cell"] == "lstm" else 1
        results = {"output": x.transpose(1, 0, 2), "final.h": np.stack(states[::per_cell])}
        if per_cell == 2:
            results["final.c"] = np.stack(states[1::2])
        return {name: torch.from_numpy(np.ascontiguousarray(array)).double() for name, array in results.items()}

    @staticmethod
    def to_torch(config, given):
        """The parameters as a PyTorch state dict."""
        arrays = [given[f"array.{i}"] for i in range(len(under("array", given)))]
        order = [1, 0, 2] if config["cell"]["cell"] == "gru" else range(GATES[config["cell"]["cell"]])
        result = {}
        for layer in range(config["layers"]):
            for suffix in ("", "_reverse")[:directions_of(config)]:
                kernel, recurrent = arrays.pop(0), arrays.pop(0)
                result[f"weight_ih_l{layer}{suffix}"] = reorder(kernel.T, order)
                result[f"weight_hh_l{layer}{suffix}"] = reorder(recurrent.T, order)
                if config["bias"]:
                    bias = arrays.pop(0)
                    both = bias if bias.ndim == 2 else torch.stack([bias, torch.zeros_like(bias)])
                    result[f"bias_ih_l{layer}{suffix}"] = reorder(both[0], order)
                    result[f"bias_hh_l{layer}{suffix}"] = reorder(both[1], order)
        return result

    @staticmethod
    def made_by():
        os.environ["KERAS_BACKEND"] = "numpy"
        import keras
        return f"keras {keras.__version__} with its numpy backend, float32"


class ONNX:
    """Nodes RNN, LSTM or GRU, one a layer: the outputs and the last states. The evaluator has no RNN with ReLU."""

    @staticmethod
    def draw(config, source, steps, sequences):
        hidden, gates, directions = config["cell"]["hidden"], GATES[config["cell"]["cell"]], directions_of(config)
        given = {"input": source.normal((steps, sequences, config["cell"]["input"]))}
        for layer in range(config["layers"]):
            shapes = {"W": (directions, gates * hidden, layer_inputs(config, layer)),
                      "R": (directions, gates * hidden, hidden)}
            if config["bias"]:
                shapes["B"] = (directions, 2 * gates * hidden)
            for name, shape in shapes.items():
                given[f"{name}.{layer}"] = source.uniform(shape, hidden ** -0.5)
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        from onnx import TensorProto, helper
        from onnx.reference import ReferenceEvaluator

        cell, directions = config["cell"], directions_of(config)
        element = TensorProto.DOUBLE if dtype == torch.float64 else TensorProto.FLOAT
        inputs = ["X", "W", "R"] + (["B"] if config["bias"] else [])
        outputs = ["Y", "Y_h"] + (["Y_c"] if cell["cell"] == "lstm" else [])
        options = dict(hidden_size=cell["hidden"], direction="bidirectional" if directions == 2 else "forward")
        if cell["cell"] == "gru":
            options["linear_before_reset"] = 1
        node = helper.make_node(cell["cell"].upper(), inputs, outputs, **options)
        values = [[helper.make_tensor_value_info(name, element, None) for name in names] for names in (inputs, outputs)]
        model = helper.make_model(helper.make_graph([node], "layer", *values),
                                  opset_imports=[helper.make_opsetid("", 14)])
        evaluator = ReferenceEvaluator(model)
        x, finals = given["input"].to(dtype).numpy(), []
        for layer in range(config["layers"]):
            arrays = {name: given[f"{name}.{layer}"].to(dtype).numpy() for name in inputs[1:]}
            y, *last = evaluator.run(None, {"X": x} | arrays)
            steps, _, sequences, _ = y.shape
            x = np.ascontiguousarray(y.transpose(0, 2, 1, 3)).reshape(steps, sequences, -1)
            finals.append(last)
        results = {"output": x} | {f"final.{name}": np.concatenate(part) for name, part in zip("hc", zip(*finals))}
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in results.items()}

    @staticmethod
    def to_torch(config, given):
        order = {1: [0], 3: [1, 0, 2], 4: [0, 2, 3, 1]}[GATES[config["cell"]["cell"]]]
        result = {}
        for layer in range(config["layers"]):
            for direction in range(directions_of(config)):
                suffix = f"_l{layer}" + ("_reverse" if direction else "")
                result["weight_ih" + suffix] = reorder(given[f"W.{layer}"][direction], order)
                result["weight_hh" + suffix] = reorder(given[f"R.{layer}"][direction], order)
                if config["bias"]:
                    for name, bias in zip(("bias_ih", "bias_hh"), given[f"B.{layer}"][direction].chunk(2)):
                        result[name + suffix] = reorder(bias, order)
        return result

    @staticmethod
    def made_by():
        import onnx
        return f"onnx {onnx.__version__}, reference evaluator, float64"


def reorder(tensor, order):
    blocks = tensor.chunk(len(order))
    return torch.cat([blocks[i] for i in order])


KINDS = {"keras": Keras, "onnx": ONNX}
