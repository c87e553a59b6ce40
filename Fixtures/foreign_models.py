"""Whole models of other frameworks, run by themselves: Fixtures/keras_model, and Fixtures/onnx/unequal_*.

    python foreign_models.py   the same bytes every time

A case of `keras_model` has the model's `to_json()` as its `config`, the arrays of `get_weights()` as "array.0", "array.1", …,
`input` [T, B, I] or `tokens` [T, B], and `output`, time-major. Keras computes in float32.
"""

import json
import os
from pathlib import Path

import numpy as np

os.environ["KERAS_BACKEND"] = "numpy"

FOLDER = Path(__file__).resolve().parent


def write(path, tensors, **metadata):
    from safetensors.numpy import save

    path.parent.mkdir(exist_ok=True)
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    path.write_bytes(save(tensors, metadata={"case": path.stem} | metadata))


def keras_models():
    """Name, model, tokens or 0, numbers or 0, of each."""
    import keras
    from keras import layers

    sequences = keras.Input((5, 3))
    yield "unequal_classes", keras.Sequential([
        sequences, layers.LSTM(6, return_sequences=True), layers.LSTM(4), layers.Dense(7, activation="relu"),
        layers.Dense(2, activation="softmax")])
    yield "tokens_both_ways", keras.Sequential([
        keras.Input((6,), dtype="int32"), layers.Embedding(9, 5),
        layers.Bidirectional(layers.GRU(4, return_sequences=True)), layers.LayerNormalization(),
        layers.SimpleRNN(3, return_sequences=True), layers.Dropout(0.3),
        layers.TimeDistributed(layers.Dense(4, activation="sigmoid"))])
    read = keras.Input((4, 2))
    last = layers.Bidirectional(layers.LSTM(3))(read)
    yield "functional_last_of_both", keras.Model(read, layers.Dense(5, activation="tanh", use_bias=False)(last))
    yield "mean", keras.Sequential([
        keras.Input((4, 2)), layers.GRU(3, return_sequences=True, use_bias=False), layers.GlobalAveragePooling1D(),
        layers.Dense(2)])


def write_keras():
    import keras

    for place, (name, model) in enumerate(keras_models()):
        random = np.random.default_rng(place)
        arrays = [random.uniform(-0.6, 0.6, weight.shape).astype("float32") for weight in model.weights]
        model.set_weights(arrays)
        sizes = model.input_shape[1:]
        tensors = {f"array.{i}": array for i, array in enumerate(model.get_weights())}
        if len(sizes) == 1:
            x = random.integers(0, arrays[0].shape[0], (3, *sizes))
            tensors["tokens"] = x.T
        else:
            x = random.normal(size=(4, *sizes)).astype("float32")
            tensors["input"] = x.transpose(1, 0, 2)
        y = np.asarray(model(x))
        tensors["output"] = y.transpose(1, 0, 2) if y.ndim == 3 else y
        write(FOLDER / "keras_model" / f"{name}.safetensors", tensors, kind="keras_model", config=model.to_json(),
              generator=f"keras {keras.__version__} with its numpy backend, float32")


def write_onnx():
    """Two nodes of unequal sizes, an LSTM below another, in both directions and in one."""
    import onnx
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    for name, directions in ("unequal", 1), ("unequal_bidirectional", 2):
        random, tensors, finals = np.random.default_rng(directions), {}, []
        x = tensors["input"] = random.normal(size=(5, 3, 2)).astype("float32").astype("float64")
        for layer, hidden in enumerate((4, 3)):
            shapes = {"W": (directions, 4 * hidden, x.shape[2]), "R": (directions, 4 * hidden, hidden),
                      "B": (directions, 8 * hidden)}
            arrays = {key: random.uniform(-0.5, 0.5, shape).astype("float32").astype("float64")
                      for key, shape in shapes.items()}
            node = helper.make_node("LSTM", ["X", *arrays], ["Y", "Y_h", "Y_c"], hidden_size=hidden,
                                    direction="bidirectional" if directions == 2 else "forward")
            values = [[helper.make_tensor_value_info(key, TensorProto.DOUBLE, None) for key in keys]
                      for keys in (["X", *arrays], ["Y", "Y_h", "Y_c"])]
            model = helper.make_model(helper.make_graph([node], "layer", *values),
                                      opset_imports=[helper.make_opsetid("", 14)])
            y, *last = ReferenceEvaluator(model).run(None, {"X": x} | arrays)
            tensors |= {f"{key}.{layer}": array for key, array in arrays.items()}
            x = y.transpose(0, 2, 1, 3).reshape(*x.shape[:2], -1)
            finals.append(last)
        tensors["output"] = x
        # Of layers that are not alike each has its own state.
        for layer, last in enumerate(finals):
            for letter, array in zip("hc", last):
                for direction in range(directions):
                    suffix = "_reverse" if direction else ""
                    tensors[f"final.{layer}.{letter}_l0{suffix}"] = array[direction:direction + 1]
        write(FOLDER / "onnx" / f"{name}.safetensors", tensors, kind="onnx", config=json.dumps({"cell": {"cell": "lstm"}}),
              generator=f"onnx {onnx.__version__}, its reference evaluator, float64")


def write_all():
    write_keras()
    write_onnx()


if __name__ == "__main__":
    write_all()
