"""JAX's forms of the network: scans, and fast weights as a list or as a matrix.

`projected` is what the cells see of the input: W_ih x + b of every step, [T, B, G R]. In forms of the name "table" the
projection is made once for each of the 37 tokens and looked up, in the others it is made of the embedded sequence.
"""

import contextlib
import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import problem


def zero_state(projected, gates=1):
    return jnp.zeros((projected.shape[1], projected.shape[2] // gates))


def scanned(cell, gates, states, unroll=1):
    """The last h of a scan of the cell, whose state is h and `states` - 1 others of its size."""
    def run(p, projected):
        start = (zero_state(projected, gates),) * states
        return lax.scan(lambda state, x: (cell(p, x, *state), None), start, projected, unroll=unroll)[0][0]

    return run


def irnn_cell(p, x, h):
    return (jax.nn.relu(x + p["bias_hh"] + h @ p["weight_hh"].T),)


def lstm_cell(p, x, h, c):
    i, f, g, o = jnp.split(x + p["bias_hh"] + h @ p["weight_hh"].T, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru_cell(p, x, h):
    r, z, n = jnp.split(x, 3, axis=1)
    hr, hz, hn = jnp.split(p["bias_hh"] + h @ p["weight_hh"].T, 3, axis=1)
    r, z = jax.nn.sigmoid(r + hr), jax.nn.sigmoid(z + hz)
    n = jnp.tanh(n + r * hn)
    return ((1 - z) * n + z * h,)


def activated(total, gain, shift):
    """ReLU of the layer norm."""
    centred = total - total.mean(1, keepdims=True)
    scale = lax.rsqrt((centred * centred).mean(1, keepdims=True) + problem.EPSILON)
    return jax.nn.relu(gain * centred * scale + shift)


def scores(past, h, weights):
    """η λ^(t-1-τ) h(τ)·h of the states past [B, T, R], an order of dimensions twice as fast as [T, B, R]."""
    return jnp.einsum("btr,br->bt", past, h) * weights


def mixture(scores, past):
    return jnp.einsum("bt,btr->br", scores, past)


def list_weights(steps):
    """Row t: the weight at step t of each state, 0 for those to come."""
    ages = np.arange(steps)[:, None] - 1 - np.arange(steps)
    return jnp.asarray(np.where(ages >= 0, problem.RATE * problem.DECAY ** np.maximum(ages, 0), 0), jnp.float32)


def by_matrix(p, projected):
    def step(carry, x):
        h, matrix = matrix_cell(p, x, *carry)
        return (h, matrix), None

    h = zero_state(projected)
    return lax.scan(step, (h, jnp.zeros(h.shape + h.shape[1:])), projected)[0][0]


def matrix_cell(p, x, h, matrix):
    """h(t) and A(t) of h(t-1) and A(t-1)."""
    z = x + h @ p["weight_hh"].T
    read = jnp.einsum("bij,bj->bi", matrix, jax.nn.relu(z))
    h = activated(z + read, p["norm_weight"], p["norm_bias"])
    return h, problem.DECAY * matrix + problem.RATE * h[:, :, None] * h[:, None, :]


def parts(steps, length):
    """The sequence in parts: a scan works on arrays of one size, so the steps of a part read as far as its end."""
    return [(first, min(first + length, steps)) for first in range(0, steps, length)]


def states_by_list(projected, recurrent, gain, shift, length):
    """The states [B, T, R] by the list form, in parts of `length` steps; with parts of one step it is unrolled."""
    steps, batch, hidden = projected.shape
    h, states, weights = zero_state(projected), jnp.zeros((batch, steps, hidden)), list_weights(steps)
    for first, end in parts(steps, length):
        def step(carry, given):
            h, states = carry
            t, x, w = given
            z, past = x + h @ recurrent.T, states[:, :end]
            h = activated(z + mixture(scores(past, jax.nn.relu(z), w), past), gain, shift)
            return (h, states.at[:, t].set(h)), None

        given = (jnp.arange(first, end), projected[first:end], weights[first:end, :end])
        (h, states), _ = lax.scan(step, (h, states), given)
    return states


def by_list(p, projected, unrolled=False):
    given = projected, p["weight_hh"], p["norm_weight"], p["norm_bias"]
    return states_by_list(*given, 1 if unrolled else len(projected))[:, -1]


def by_hand(p, projected):
    return reversed_by_hand(projected, p["weight_hh"], p["norm_weight"], p["norm_bias"])


@jax.custom_vjp
def reversed_by_hand(*given):
    """The list form with a reverse pass written by hand: it keeps only the states and computes each step anew."""
    return forward_by_hand(*given)[0]


def forward_by_hand(projected, *weights):
    states = states_by_list(projected, *weights, quarter(len(projected)))
    return states[:, -1], (projected, *weights, states)


def quarter(steps):
    return math.ceil(steps / 4)


def backward_by_hand(kept, d_last):
    projected, recurrent, gain, shift, states = kept
    steps, batch, hidden = projected.shape
    weights = list_weights(steps)
    before = jnp.concatenate([jnp.zeros((1, batch, hidden)), states.transpose(1, 0, 2)[:-1]])
    d_states, d_gain, d_shift = jnp.zeros_like(states).at[:, -1].set(d_last), 0 * gain, 0 * shift
    d_projected = []
    for first, end in reversed(parts(steps, quarter(steps))):
        past = states[:, :end]

        def step(carry, given):
            d_states, d_gain, d_shift = carry
            t, x, h, w = given
            z = x + h @ recurrent.T
            inner = jax.nn.relu(z)
            s = scores(past, inner, w)
            _, pull = jax.vjp(activated, z + mixture(s, past), gain, shift)
            d_total, d_g, d_b = pull(d_states[:, t])
            d_s = scores(past, d_total, w)
            d_z = d_total + jnp.where(z > 0, mixture(d_s, past), 0)
            d_states += s[:, :, None] * d_total[:, None] + d_s[:, :, None] * inner[:, None]
            # At t = 0 this adds to the part's last row, which no step reads any more.
            d_states = d_states.at[:, t - 1].add(d_z @ recurrent)
            return (d_states, d_gain + d_g, d_shift + d_b), d_z

        given = (jnp.arange(first, end), projected[first:end], before[first:end], weights[first:end, :end])
        carry = (d_states[:, :end], d_gain, d_shift)
        (d_states, d_gain, d_shift), d_z = lax.scan(step, carry, given, reverse=True)
        d_projected.insert(0, d_z)
    d_projected = jnp.concatenate(d_projected)
    return d_projected, jnp.einsum("tbi,tbj->ij", d_projected, before), d_gain, d_shift


reversed_by_hand.defvjp(forward_by_hand, backward_by_hand)

CELLS = {"irnn": irnn_cell, "lstm": lstm_cell, "gru": gru_cell, "fast-weights": matrix_cell}
SEQUENCES = {
    model: {"scan": scanned(*cell), "scan, table": scanned(*cell), "unrolled, table": scanned(*cell, unroll=True)}
    for model, cell in (("irnn", (irnn_cell, 1, 1)), ("lstm", (lstm_cell, 4, 2)), ("gru", (gru_cell, 3, 1)))}
SEQUENCES["fast-weights"] = {
    "list by hand": by_hand, "list by hand, table": by_hand, "list": by_list,
    "list unrolled": functools.partial(by_list, unrolled=True), "matrix, table": by_matrix}


def forms(row, everything):
    """The forms to time; unless everything is asked for, without those known to be several times slower."""
    if row.kind == "stream":
        return ["jit"]
    if row.kind in ("sequence", "batch"):
        return ["scan"]
    if row.kind not in ("training", "inference"):
        return []
    # Unrolled, T = 63 takes minutes to compile.
    slow = {"list unrolled", "unrolled, table"} if row.pairs > 4 else set()
    if not everything:
        slow |= {"list", "list unrolled"} if row.pairs > 4 or row.kind == "inference" else set()
        slow |= {"matrix, table"} if row.hidden > 50 else set()
    return [form for form in SEQUENCES[row.model] if form not in slow]


def prepare(row, form):
    """A function that does the row's work once, one that waits until it is done, and of a layer alone one that gives
    what it left."""
    match row.kind:
        case "training":
            return training(row, form)
        case "inference":
            return inference(row, form)
        case "sequence" | "batch":
            return run(row)
        case "stream":
            step, wait, left = stream(row)
            return step, wait, lambda: dict(zip(("h", "y"), left()))


def context(row):
    return contextlib.nullcontext()


def versions():
    return {"jax": jax.__version__}


def logits(row, form, p, tokens):
    cell = {name.removeprefix("cell."): value for name, value in p.items() if name.startswith("cell.")}
    if form.endswith("table"):
        projected = (p["embedding.weight"] @ cell["weight_ih"].T + cell["bias_ih"])[tokens]
    else:
        projected = p["embedding.weight"][tokens] @ cell["weight_ih"].T + cell["bias_ih"]
    h = jax.nn.relu(SEQUENCES[row.model][form](cell, projected) @ p["hidden.weight"].T + p["hidden.bias"])
    return h @ p["output.weight"].T + p["output.bias"]


def loss(row, form, p, tokens, labels):
    log_probabilities = jax.nn.log_softmax(logits(row, form, p, tokens))
    return -jnp.take_along_axis(log_probabilities, labels[:, None], 1).mean()


def parameters(row):
    return {name: jnp.asarray(value) for name, value in problem.network(row.model, row.hidden).items()}


def batches(row):
    return [tuple(jnp.asarray(array, jnp.int32) for array in batch) for batch in problem.batches(row.pairs)]


def training(row, form):
    beta1, beta2 = problem.BETAS

    @functools.partial(jax.jit, donate_argnums=0)
    def update(state, tokens, labels):
        p, m, v, t = state
        g = jax.grad(functools.partial(loss, row, form))(p, tokens, labels)
        norm = jnp.sqrt(sum((d * d).sum() for d in g.values()))
        clip = jnp.minimum(1, problem.CLIP / (norm + 1e-6))
        t += 1
        rate, correction = problem.LEARNING_RATE / (1 - beta1**t), jnp.sqrt(1 - beta2**t)
        m = {n: beta1 * m[n] + (1 - beta1) * clip * g[n] for n in p}
        v = {n: beta2 * v[n] + (1 - beta2) * (clip * g[n]) ** 2 for n in p}
        p = {n: p[n] - rate * m[n] / (jnp.sqrt(v[n]) / correction + problem.ADAM_EPSILON) for n in p}
        return p, m, v, t

    p, data = parameters(row), itertools.cycle(batches(row))
    state = (p, jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p), jnp.zeros(()))

    def step():
        nonlocal state
        state = update(state, *next(data))

    return step, lambda: jax.block_until_ready(state)


def inference(row, form):
    p, data = parameters(row), itertools.cycle(batches(row))
    evaluate = jax.jit(functools.partial(logits, row, form))
    last = None

    def forward():
        nonlocal last
        last = evaluate(p, next(data)[0])

    return forward, lambda: jax.block_until_ready(last)


def losses_and_gradients(row, form):
    """Of each batch: the loss and the gradient of every parameter, by its name."""
    function = jax.jit(jax.value_and_grad(functools.partial(loss, row, form)))
    values = [function(parameters(row), *batch) for batch in batches(row)]
    return [{name: np.asarray(tensor) for name, tensor in ({"loss": value} | gradients).items()}
            for value, gradients in values]


def run(row):
    """A function that applies the layer to its sequences, one that waits, and one that gives all states."""
    p, numbers = problem.run(row)
    start = (jnp.zeros((row.batch, row.hidden)),) * (2 if row.cell == "lstm" else 1)

    def advance(state, x):
        state = CELLS[row.cell](p, x, *state)
        return state, state[0]

    apply = jax.jit(lambda numbers: lax.scan(advance, start, numbers @ p["weight_ih"].T + p["bias_ih"])[1])
    numbers, states = jnp.asarray(numbers), None

    def call():
        nonlocal states
        states = apply(numbers)

    return call, lambda: jax.block_until_ready(states), lambda: {"states": np.asarray(states)}


def stream(row):
    """A function that makes one step, one that waits, and one that gives h and, if there is one, the dense output."""
    # The weights are constants of the compiled step: passing them takes up to three times as long.
    p, x = problem.stream(row.model, row.hidden), jnp.full((1, 1), problem.INPUT)
    cell = CELLS[row.cell]

    @functools.partial(jax.jit, donate_argnums=0)
    def advance(state, x):
        state = cell(p, x @ p["weight_ih"].T + p["bias_ih"], *state)
        return state, state[0] @ p["dense_weight"].T + p["dense_bias"] if "dense_weight" in p else None

    r = row.hidden
    shapes = {"lstm": [(1, r), (1, r)], "fast-weights": [(1, r), (1, r, r)]}
    state, y = tuple(map(jnp.zeros, shapes.get(row.cell, [(1, r)]))), None

    def step():
        nonlocal state, y
        state, y = advance(state, x)

    return (step, lambda: jax.block_until_ready((state, y)),
            lambda: [np.asarray(a).ravel() for a in (state[0], y) if a is not None])
