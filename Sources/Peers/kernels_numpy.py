"""NumPy: products, functions, and streaming steps written by hand without an allocation."""

import contextlib

import numpy as np
import threadpoolctl

import problem
from rows import ELEMENTS

SIGMOIDS = ("by exp", "by tanh")


def forms(row, everything):
    match row.kind:
        case "product":
            return ["matmul"]
        case "function":
            return list(SIGMOIDS) if row.model == "sigmoid" else [row.model]
        case "stream":
            return ["by hand"]
    return []


def prepare(row, form):
    """A function that does the row's work once, one that waits until it is done, and of a stream one that gives what it
    left."""
    match row.kind:
        case "product":
            return product(row), nothing
        case "function":
            return function(row.model, form), nothing
        case "stream":
            step, left = stream(row)
            return step, nothing, lambda: dict(zip(("h", "y"), left))


def nothing():
    pass


def context(row):
    return contextlib.nullcontext()


def versions():
    kernels = {f"{library['internal_api']} {library['version']}, kernels {library['architecture']}"
               for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"}
    return {"numpy": f"{np.__version__} ({', '.join(kernels)})"}


def operands(row):
    """A and B; TN, NT: A or B is stored as its transpose."""
    random, (m, n, k) = np.random.default_rng(1), row.shape
    a, b = (random.uniform(-1, 1, shape).astype(np.float32) for shape in ((m, k), (k, n)))
    return (np.ascontiguousarray(a.T).T if row.form == "TN" else a,
            np.ascontiguousarray(b.T).T if row.form == "NT" else b)


def product(row):
    a, b = operands(row)
    c = np.empty(row.shape[:2], np.float32)
    return lambda: np.matmul(a, b, out=c)


def numbers():
    return np.random.default_rng(1).uniform(-8, 8, ELEMENTS).astype(np.float32)


def function(name, form):
    x, y = numbers(), np.empty(ELEMENTS, np.float32)
    half, one = np.float32(0.5), np.float32(1)

    def by_exp():
        np.negative(x, out=y)
        np.exp(y, out=y)
        np.add(y, one, out=y)
        np.divide(one, y, out=y)

    def by_tanh():
        np.multiply(x, half, out=y)
        np.tanh(y, out=y)
        np.multiply(y, half, out=y)
        np.add(y, half, out=y)

    if name == "sigmoid":
        return by_exp if form == "by exp" else by_tanh
    evaluate = {"exp": np.exp, "tanh": np.tanh}[name]
    return lambda: evaluate(x, out=y)


def stream(row):
    """A function that makes one step, and the arrays it leaves: h, and the dense output if there is one."""
    p = problem.stream(row.model, row.hidden)
    r = row.hidden
    # The state, the input and 1: one product with [W_hh | W_ih | b] makes all pre-activations.
    state = np.zeros(r + 2, np.float32)
    state[r + 1] = 1
    x, h = np.float32(problem.INPUT), state[:r]
    step = {"irnn": irnn, "lstm": lstm, "gru": gru, "fast-weights": fast_weights}[row.cell](p, state, x, h)
    if not row.model.endswith("-dense"):
        return step, [h]
    weight, bias, y = p["dense_weight"], p["dense_bias"], np.empty(1, np.float32)

    def with_dense():
        step()
        np.dot(weight, h, out=y)
        np.add(y, bias, out=y)

    return with_dense, [h, y]


def joined(recurrent, of_input, bias):
    return np.ascontiguousarray(np.concatenate([recurrent, of_input, bias[:, None]], 1))


def irnn(p, state, x, h):
    r = len(h)
    weight = joined(p["weight_hh"], p["weight_ih"], p["bias_ih"] + p["bias_hh"])
    z, zero = np.empty(r, np.float32), np.float32(0)

    def step():
        state[r] = x
        np.dot(weight, state, out=z)
        np.maximum(z, zero, out=h)

    return step


def lstm(p, state, x, h):
    r = len(h)
    # Rows in the order i f o g, with i, f and o halved: σ(z) = ½ + ½ tanh(½ z), one tanh for all.
    order = np.r_[0:2 * r, 3 * r:4 * r, 2 * r:3 * r]
    weight = joined(p["weight_hh"], p["weight_ih"], p["bias_ih"] + p["bias_hh"])[order]
    weight[:3 * r] *= 0.5
    z, c, t, half = np.empty(4 * r, np.float32), np.zeros(r, np.float32), np.empty(r, np.float32), np.float32(0.5)
    gates, i, f, o, g = z[:3 * r], z[:r], z[r:2 * r], z[2 * r:3 * r], z[3 * r:]

    def step():
        state[r] = x
        np.dot(weight, state, out=z)
        np.tanh(z, out=z)
        np.multiply(gates, half, out=gates)
        np.add(gates, half, out=gates)
        np.multiply(c, f, out=c)
        np.multiply(i, g, out=g)
        np.add(c, g, out=c)
        np.tanh(c, out=t)
        np.multiply(o, t, out=h)

    return step


def gru(p, state, x, h):
    r, nothing_of_it = len(h), np.zeros_like(p["weight_hh"][:len(h)])
    gate_rows = joined(p["weight_hh"], p["weight_ih"], p["bias_ih"] + p["bias_hh"])[:2 * r] * np.float32(0.5)
    of_state = joined(p["weight_hh"][2 * r:], np.zeros((r, 1), np.float32), p["bias_hh"][2 * r:])
    of_input = joined(nothing_of_it, p["weight_ih"][2 * r:], p["bias_ih"][2 * r:])
    weight = np.concatenate([gate_rows, of_state, of_input])
    v, half = np.empty(4 * r, np.float32), np.float32(0.5)
    gates, reset, z, hn, n = v[:2 * r], v[:r], v[r:2 * r], v[2 * r:3 * r], v[3 * r:]

    def step():
        state[r] = x
        np.dot(weight, state, out=v)
        np.tanh(gates, out=gates)
        np.multiply(gates, half, out=gates)
        np.add(gates, half, out=gates)
        np.multiply(hn, reset, out=hn)
        np.add(n, hn, out=n)
        np.tanh(n, out=n)
        # h = (1 - z) n + z h
        np.subtract(h, n, out=h)
        np.multiply(h, z, out=h)
        np.add(h, n, out=h)

    return step


def fast_weights(p, state, x, h):
    r = len(h)
    weight = joined(p["weight_hh"], p["weight_ih"], p["bias_ih"])
    gain, shift = p["norm_weight"], p["norm_bias"]
    matrix, outer = np.zeros((r, r), np.float32), np.empty((r, r), np.float32)
    z, inner, written = (np.empty(r, np.float32) for _ in range(3))
    mean_of, zero = np.full(r, 1 / r, np.float32), np.float32(0)
    decay, rate, column = np.float32(problem.DECAY), np.float32(problem.RATE), h[:, None]

    def step():
        state[r] = x
        np.dot(weight, state, out=z)
        np.maximum(z, zero, out=inner)
        np.add(z, np.dot(matrix, inner, out=written), out=z)
        np.subtract(z, np.dot(z, mean_of), out=z)
        scale = (float(np.dot(z, z)) / r + problem.EPSILON) ** -0.5
        np.multiply(z, np.float32(scale), out=z)
        np.multiply(z, gain, out=z)
        np.add(z, shift, out=z)
        np.maximum(z, zero, out=h)
        np.multiply(matrix, decay, out=matrix)
        np.multiply(h, rate, out=written)
        np.multiply(column, written, out=outer)
        np.add(matrix, outer, out=matrix)

    return step
