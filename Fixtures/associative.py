"""The associative LSTM of Danihelka et al. 2016 (arXiv 1602.03032), with complex numbers.

A vector [..., H] of real numbers is one of H/2 complex numbers, its real parts
first. The state is "h" [B, H] and "c" [B, S, H], the S copies of the memory.
Rows of the parameters: the gates i f o (H/2 each), the input keys, the output
keys, the candidate u (H each).
"""

import torch


def complexes(vectors):
    return torch.complex(*vectors.chunk(2, -1))


def numbers(vectors):
    return torch.cat([vectors.real, vectors.imag], -1)


def bound(z, guard):
    """z / max(1, |z|), one by one. At |z| = 1 the derivative is that of z."""
    modulus = z.abs()
    guard.modulus(modulus)
    return z / modulus.clamp(min=1)


def pieces(config, p, x, h, guard):
    """The gates i f o, the sums of the input and of the output keys, and u."""
    n, half = config["keys"], config["hidden"] // 2
    from_x = x @ p["weight_ih"].T + p["bias_ih"]
    from_h = h @ p["weight_hh"].T
    # Without a recurrent term the candidate's rows, the last ones, have only x.
    rows = from_h.shape[-1]
    z = torch.cat([from_x[:, :rows] + from_h, from_x[:, rows:]], -1)
    i, f, o = torch.sigmoid(z[:, :3 * half]).chunk(3, -1)
    vectors = bound(complexes(z[:, 3 * half:].unflatten(-1, (2 * n + 1, 2 * half))), guard)
    return i, f, o, vectors[:, :n].sum(1), vectors[:, n:2 * n].sum(1), vectors[:, 2 * n]


def step(config, p, x, state, guard):
    """c_s(t) = f c_s(t-1) + P_s r_in ⊛ (i u), h(t) = o bound(mean_s P_s r_out ⊛ c_s(t)); a key r is the sum of all."""
    i, f, o, write, read, u = pieces(config, p, x, state["h"], guard)
    orders = permutations(config)
    c = f.unsqueeze(1) * complexes(state["c"]) + write[:, orders] * (i * u).unsqueeze(1)
    h = o * bound((read[:, orders] * c).mean(1), guard)
    return {"h": numbers(h), "c": numbers(c)}


def outputs_from_sums(config, p, inputs, state):
    """The output with a memory that is never built, from real and imaginary parts.

    What is read is a sum over all that was ever written, each faded by the forget
    gates since, and over the copies.
    """
    half = config["hidden"] // 2
    orders, initial, h = permutations(config), state["c"], state["h"]
    written, faded, output = [], torch.ones(len(h), half, dtype=h.dtype), []
    for x in inputs:
        i, f, o, write, read, u = pieces(config, p, x, h, Silent())
        written = [(fade * f, *rest) for fade, *rest in written]
        faded = faded * f
        written.append((torch.ones_like(f), write, i * u))
        real = torch.zeros_like(f)
        imaginary = torch.zeros_like(f)
        for s, order in enumerate(orders):
            stored = [(faded, initial[:, s, :half], initial[:, s, half:])]
            for fade, key, value in written:
                a, b, x_, y = key.real[:, order], key.imag[:, order], value.real, value.imag
                stored.append((fade, a * x_ - b * y, a * y + b * x_))
            a, b = read.real[:, order], read.imag[:, order]
            for fade, x_, y in stored:
                real = real + fade * (a * x_ - b * y) / len(orders)
                imaginary = imaginary + fade * (a * y + b * x_) / len(orders)
        length = (real.square() + imaginary.square()).sqrt().clamp(min=1)
        h = torch.cat([o * real / length, o * imaginary / length], -1)
        output.append(h)
    return torch.stack(output)


class Silent:
    def modulus(self, modulus):
        """Lets everything pass."""


def parameter_shapes(config):
    hidden = config["hidden"]
    rows = 3 * hidden // 2 + (2 * config["keys"] + 1) * hidden
    recurrent = rows if config["recurrent_candidate"] else rows - hidden
    return {"weight_ih": (rows, config["input"]), "weight_hh": (recurrent, hidden), "bias_ih": (rows,)}


def permutations(config):
    """The orders of the copies [S, H/2], by the rule of the Swift module: the first as it is, then shuffles."""
    half = config["hidden"] // 2
    orders = [list(range(half))]
    for s in range(1, config["copies"]):
        random = Xoshiro(config["permutation_seed"], s)
        order = list(range(half))
        for last in range(half - 1, 0, -1):  # Fisher and Yates
            other = random.below(last + 1)
            order[last], order[other] = order[other], order[last]
        orders.append(order)
    return torch.tensor(orders)


MASK = 2**64 - 1


class Xoshiro:
    """xoshiro256++ seeded by SplitMix64, as the Swift module's `Random`."""

    def __init__(self, seed, stream):
        state = (seed + stream * 0xD1B54A32D192ED03) & MASK
        self.words = []
        for _ in range(4):
            state = (state + 0x9E3779B97F4A7C15) & MASK
            z = state
            z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
            z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
            self.words.append(z ^ z >> 31)

    def next(self):
        def rotate(x, k):
            return (x << k | x >> 64 - k) & MASK

        s = self.words
        result = (rotate((s[0] + s[3]) & MASK, 23) + s[0]) & MASK
        t = s[1] << 17 & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)
        return result

    def below(self, bound):
        """Lemire's multiplication with rejection."""
        while True:
            product = self.next() * bound
            if product & MASK >= 2**64 % bound:
                return product >> 64
