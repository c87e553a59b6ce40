"""The networks as ONNX models, which ONNX Runtime and OpenVINO load."""

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

import problem

OPERATORS, FORMAT = 17, 9
# PyTorch's blocks of gates i f g o and r z n in the order of ONNX, i o f c and z r h.
ORDERS = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}
STATES = {"lstm": ("h", "c"), "gru": ("h",)}


def has(row):
    """Whether there is a model of this row."""
    return row.kind in ("inference", "sequence", "batch", "stream") and row.cell in ORDERS


def model(row):
    """The model, serialized.

    `sequence` and `batch`: x [T, B, I] to y [T, 1, B, R]. `inference`: tokens [T, B] to logits [B, 10]. `stream`: x
    [1, 1, 1], h and, of an LSTM, c [1, 1, R] to next_h, next_c and, with a dense output, y.
    """
    graph = Graph(row)
    {"inference": graph.classifier, "stream": graph.step}.get(row.kind, graph.layer)()
    made = helper.make_model(
        helper.make_graph(graph.nodes, row.id, graph.inputs, graph.outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPERATORS)])
    made.ir_version = FORMAT
    checker.check_model(made)
    return made.SerializeToString()


class Graph:
    def __init__(self, row):
        self.row, self.nodes, self.inputs, self.outputs, self.constants = row, [], [], [], []

    def layer(self):
        parameters, numbers = problem.run(self.row)
        self.input("x", numbers.shape)
        self.cell(parameters, "x", ["y"])
        self.output("y", [self.row.steps, 1, self.row.batch, self.row.hidden])

    def step(self):
        parameters, states = problem.stream(self.row.model, self.row.hidden), STATES[self.row.cell]
        self.input("x", [1, 1, 1])
        for name in states:
            self.input(name, [1, 1, self.row.hidden])
        self.cell(parameters, "x", ["", *(f"next_{name}" for name in states)], ["", *states])
        for name in states:
            self.output(f"next_{name}", [1, 1, self.row.hidden])
        if "dense_weight" in parameters:
            self.dense("next_h", parameters["dense_weight"], parameters["dense_bias"], "y")
            self.output("y", [1, 1])

    def classifier(self):
        named = problem.network(self.row.model, self.row.hidden)
        self.input("tokens", [2 * self.row.pairs + 3, self.row.batch], TensorProto.INT64)
        self.node("Gather", [self.constant("embedding", named["embedding.weight"]), "tokens"], ["x"])
        self.cell({name.removeprefix("cell."): value for name, value in named.items() if name.startswith("cell.")},
                  "x", ["", "h"])
        self.dense("h", named["hidden.weight"], named["hidden.bias"], "hidden")
        self.node("Relu", ["hidden"], ["activated"])
        self.dense("activated", named["output.weight"], named["output.bias"], "logits")
        self.output("logits", [self.row.batch, problem.CLASSES])

    def cell(self, p, x, outputs, states=()):
        """An LSTM or GRU node, whose outputs are all states, the last h and, of an LSTM, the last c."""
        weights = [self.constant("W", self.ordered(p["weight_ih"])[None]),
                   self.constant("R", self.ordered(p["weight_hh"])[None]),
                   self.constant("B", np.concatenate([self.ordered(p["bias_ih"]), self.ordered(p["bias_hh"])])[None])]
        # PyTorch multiplies with the reset gate after the product.
        options = {"linear_before_reset": 1} if self.row.cell == "gru" else {}
        self.node(self.row.cell.upper(), [x, *weights, *states], outputs, hidden_size=self.row.hidden, **options)

    def ordered(self, rows):
        blocks = rows.reshape(problem.GATES[self.row.cell], self.row.hidden, *rows.shape[1:])
        return blocks[list(ORDERS[self.row.cell])].reshape(rows.shape)

    def dense(self, x, weight, bias, y):
        """W x + b of the rows of x, however many axes it has."""
        rows = self.constant(f"{y}_shape", np.array([-1, weight.shape[1]]))
        self.node("Reshape", [x, rows], [f"{y}_rows"])
        self.node("Gemm", [f"{y}_rows", self.constant(f"{y}_weight", weight), self.constant(f"{y}_bias", bias)], [y],
                  transB=1)

    def node(self, kind, inputs, outputs, **options):
        self.nodes.append(helper.make_node(kind, inputs, outputs, **options))

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def input(self, name, shape, kind=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))

    def output(self, name, shape):
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
