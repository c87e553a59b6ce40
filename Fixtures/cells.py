"""The recurrent cells, written one step at a time as their equations read.

Shapes: T steps, B sequences, I inputs, H hidden units. A step takes a row of
input a sequence, [B, I], and a state: "h" [B, H], for the LSTM also "c" [B, H],
for fast weights also "A" [B, H, H]. It returns the next state. Everything is
differentiated by autograd, and nothing is detached.
"""

import torch

import associative

TRAINING_STEPS = 10  # in a network fixture


class Unsuitable(Exception):
    """The drawn numbers sit where Float and float64 may rightly disagree."""


class Guard:
    """Watches the numbers on their way through a case, and lets everything pass."""

    def relu(self, z):
        """A ReLU is about to be applied to z."""

    def variance(self, variance):
        """A layer norm is about to divide by the root of this."""

    def modulus(self, modulus):
        """Complex numbers of these moduli are about to be bounded."""

    def trained(self, norms, limit):
        """A training step is over; norms holds the gradient's before clipping, so far."""


class StrictGuard(Guard):
    """Refuses numbers too close to a kink or to a singularity.

    A pre-activation that rounding can carry across zero flips a ReLU's
    derivative, and a layer norm divides by the deviation it sees: a test that
    meets either measures luck.
    """

    def __init__(self):
        self.kink = 1e-3

    def relu(self, z):
        if z.detach().abs().min() < self.kink:
            raise Unsuitable("a ReLU is asked for its derivative near zero")

    def variance(self, variance):
        if variance.detach().min() < 1e-2:
            raise Unsuitable("a layer norm is given a nearly constant vector")

    def modulus(self, modulus):
        if (modulus.detach() - 1).abs().min() < self.kink:
            raise Unsuitable("a bound is asked for its derivative near a modulus of 1")

    def trained(self, norms, limit):
        self.kink = 1e-5  # ten steps see too many numbers for a wider berth
        if limit is None or len(norms) < TRAINING_STEPS:
            return
        if sum(norm > 2 * limit for norm in norms) < 2 or min(norms) > 0.95 * limit:
            raise Unsuitable("clipping must bite in some steps, and leave some alone")


def layer_norm(z, gain, bias, epsilon, guard):
    """(z - mean) / sqrt(variance + epsilon) * gain + bias over the last axis, with the biased variance."""
    centred = z - z.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    guard.variance(variance)
    return centred / (variance + epsilon).sqrt() * gain + bias


def activate(name, z, guard):
    if name == "tanh":
        return torch.tanh(z)
    if name == "sigmoid":
        return torch.sigmoid(z)
    guard.relu(z)
    return torch.relu(z)


def rnn_step(config, p, x, state, guard):
    """h(t) = f(LN(W_ih x + b_ih + W_hh h(t-1) + b_hh)); LN only if asked for."""
    z = x @ p["weight_ih"].T + p["bias_ih"] + state["h"] @ p["weight_hh"].T + p["bias_hh"]
    if config["layer_norm"]:
        z = layer_norm(z, p["norm_weight"], p["norm_bias"], config["epsilon"], guard)
    return {"h": activate(config["activation"], z, guard)}


def lstm_step(config, p, x, state, guard):
    """c(t) = σ(f) c(t-1) + σ(i) tanh(g), h(t) = σ(o) tanh(c(t)), gates in the order i f g o.

    With layer norm every gate is normalised by itself, and so is the cell on its
    way to the output; the cell that is carried on is not.
    """
    hidden = config["hidden"]
    z = x @ p["weight_ih"].T + p["bias_ih"] + state["h"] @ p["weight_hh"].T + p["bias_hh"]
    z = z.unflatten(-1, (4, hidden))
    if config["layer_norm"]:
        gain, bias = (p[name].view(4, hidden) for name in ("norm_weight", "norm_bias"))
        z = layer_norm(z, gain, bias, config["epsilon"], guard)
    i, f, g, o = z.unbind(-2)
    c = torch.sigmoid(f) * state["c"] + torch.sigmoid(i) * torch.tanh(g)
    shown = c
    if config["layer_norm"]:
        shown = layer_norm(c, p["norm_cell_weight"], p["norm_cell_bias"], config["epsilon"], guard)
    return {"h": torch.sigmoid(o) * torch.tanh(shown), "c": c}


def gru_step(config, p, x, state, guard):
    """h(t) = (1 - z) n + z h(t-1), gates in the order r z n; r multiplies W_hn h + b_hn, bias included."""
    h = state["h"]
    from_x = (x @ p["weight_ih"].T + p["bias_ih"]).chunk(3, -1)
    from_h = (h @ p["weight_hh"].T + p["bias_hh"]).chunk(3, -1)
    r = torch.sigmoid(from_x[0] + from_h[0])
    z = torch.sigmoid(from_x[1] + from_h[1])
    n = torch.tanh(from_x[2] + r * from_h[2])
    return {"h": (1 - z) * n + z * h}


def settle(config, p, x, h, recall, guard, reads=True):
    """The inner loop of fast weights: from h(t-1) to h(t), where recall(q) is A q; a step that does not read has h_0.

    b = W h(t-1) + C x(t) + bias is computed once. h_0 = f(b), or f(LN(b)) with
    normalise_first; then S times h_{s+1} = f(LN(b + A h_s)).
    """
    sets = norm_sets(config) if config["separate_norms"] else 0
    uses = 0

    def squash(z, normalise):
        nonlocal uses
        if normalise:
            gain, bias = p["norm_weight"], p["norm_bias"]
            if sets:
                gain, bias = gain[uses], bias[uses]
            uses += 1
            z = layer_norm(z, gain, bias, config["epsilon"], guard)
        return activate(config["activation"], z, guard)

    b = h @ p["weight_hh"].T + x @ p["weight_ih"].T + p["bias_ih"]
    q = squash(b, config["normalise_first"])
    for _ in range(config["inner_steps"] if reads else 0):
        q = squash(b + recall(q), config["layer_norm"])
    assert not sets or not reads or uses == sets
    return q


def fast_weights_step(config, p, x, state, guard, events=("read", "write")):
    """h(t) from A, then A <- λ A + η w wᵀ with w = h(t), or w = h(t-1) if lagged.

    A step whose events are without "read" has h(t) = h_0, one without "write" leaves A as it is.
    """
    h, A = state["h"], state["A"]
    new = settle(config, p, x, h, lambda q: torch.einsum("brk,bk->br", A, q), guard, "read" in events)
    if "write" in events:
        written = h if config["lagged"] else new
        outer = written.unsqueeze(-1) * written.unsqueeze(-2)
        A = config["lambda"] * A + config["eta"] * outer
    return {"h": new, "A": A}


def scheduled(config, t):
    """What step t of fast weights does; see `schedule` in README.md."""
    schedule = config.get("schedule", ["read write"])
    return schedule[t % len(schedule)].split()


def fast_weights_from_list(config, p, inputs, state):
    """The output of fast weights in the form of Eq. 4, which never builds A.

    A q = λ^n A(0) q + η Σ_i λ^(n-1-i) w_i (w_i · q) over the n vectors written so far.
    """
    h, initial, written, output = state["h"], state["A"], [], []
    for t, x in enumerate(inputs):
        events = scheduled(config, t)

        def recall(q):
            n = len(written)
            total = config["lambda"] ** n * (initial @ q.unsqueeze(-1)).squeeze(-1)
            for i, w in enumerate(written):
                share = config["eta"] * config["lambda"] ** (n - 1 - i)
                total = total + share * w * (w * q).sum(-1, keepdim=True)
            return total

        new = settle(config, p, x, h, recall, Guard(), "read" in events)
        if "write" in events:
            written.append(h if config["lagged"] else new)
        h = torch.zeros_like(new) if "clear" in events else new
        output.append(new)
    return torch.stack(output)


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step, "fast_weights": fast_weights_step,
         "associative_lstm": associative.step}


def run(config, p, inputs, state, guard):
    """Folds the cell over inputs [T, B, I]. Returns h at every step [T, B, H] and the last state.

    A step of fast weights that clears gives its h, and the state goes on with zero.
    """
    output = []
    for t, x in enumerate(inputs):
        if "schedule" in config:
            state = fast_weights_step(config, p, x, state, guard, scheduled(config, t))
        else:
            state = STEPS[config["cell"]](config, p, x, state, guard)
        output.append(state["h"])
        if "schedule" in config and "clear" in scheduled(config, t):
            state = state | {"h": torch.zeros_like(state["h"])}
    return torch.stack(output), state


def norm_sets(config):
    """How many times a step of fast weights applies layer norm."""
    return config["inner_steps"] + config["normalise_first"] if config["layer_norm"] else 0


def state_shapes(config, sequences):
    hidden = config["hidden"]
    shapes = {"h": (sequences, hidden)}
    if config["cell"] == "lstm":
        shapes["c"] = (sequences, hidden)
    if config["cell"] == "fast_weights":
        shapes["A"] = (sequences, hidden, hidden)
    if config["cell"] == "associative_lstm":
        shapes["c"] = (sequences, config["copies"], hidden)
    return shapes


def parameter_shapes(config):
    cell, inputs, hidden = config["cell"], config["input"], config["hidden"]
    if cell == "associative_lstm":
        return associative.parameter_shapes(config)
    rows = {"rnn": 1, "lstm": 4, "gru": 3, "fast_weights": 1}[cell] * hidden
    shapes = {"weight_ih": (rows, inputs), "weight_hh": (rows, hidden), "bias_ih": (rows,)}
    if cell != "fast_weights":
        shapes["bias_hh"] = (rows,)
    if config.get("layer_norm"):
        norm = (rows,)
        if config.get("separate_norms"):
            norm = (norm_sets(config), hidden)
        shapes["norm_weight"] = shapes["norm_bias"] = norm
        if cell == "lstm":
            shapes["norm_cell_weight"] = shapes["norm_cell_bias"] = (hidden,)
    return shapes
