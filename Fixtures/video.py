"""Video prediction after Finn, Goodfellow and Levine 2016 (arXiv 1605.07157): seven convolutional LSTMs look at a frame and
say how its pixels move, given an action; the next frame is this one, moved in several ways and blended by masks.

    x ─ conv0 ─ lstm1 ─ lstm2 ─ conv1 ─ lstm3 ─ lstm4 ─ conv2 ─ conv3 ─ lstm5 ─ convt1 ─ lstm6 ─ convt2 ─ lstm7 ─ convt3 ─ head
          │                       │                      action, state   │                  │               │         │
          │                       └──────────────────────────────────────│──────────────────┘               │         │
          └──────────────────────────────────────────────────────────────│──────────────────────────────────┘         │
                                                                         └────────────────────────────────────────────┘

T frames of B clips, [T, B, C, H, W], H and W multiples of 8; A numbers of an action and S of a state, either may be 0.
`head` is one of

    cdna   M kernels of the whole frame, which move everything they see alike, and a painted frame
    dna    a kernel of its own for every pixel
    stp    M affine maps of the whole frame, and a painted frame
    paint  the next frame as it is painted, of which nothing moves

`parity` is "clean", or "release" for what the authors' program does: a ReLU on the logits of masks, of pixels' kernels and
of the painted frame, one mask and thus one kernel or map fewer, and another ε in the layer norms.

The operators stand in `Plain` as their definitions read, and in `Torch` once more by PyTorch's own; `generate.py` compares.
"""

import torch
from torch.nn import functional

from cells import Guard
from kinds import gradients, leaves, named, under

EPSILON = {"clean": 1e-5, "release": 1e-12}  # of layer norms
LEAST = 1e-12  # weight of a pixel in a kernel before they are made to sum to 1
STATE_WEIGHT = 1e-4  # of the state's error in the loss
HIDDEN = 100  # numbers between lstm5 and the affine maps


class Plain:
    """Every operator by its definition."""

    @staticmethod
    def convolution(x, weight, bias=None, stride=1):
        """TensorFlow's SAME: ⌈n / stride⌉ places along an axis; of the zeros around, the greater half stands behind."""
        sizes = [-(-n // stride) for n in x.shape[2:]]
        padded = functional.pad(x, same_padding(x.shape[2:], weight.shape[2:], stride))
        total = torch.zeros(len(x), len(weight), *sizes, dtype=x.dtype)
        for u in range(weight.shape[2]):
            for v in range(weight.shape[3]):
                seen = padded[:, :, u:u + stride * sizes[0]:stride, v:v + stride * sizes[1]:stride]
                total = total + torch.einsum("fc,bchw->bfhw", weight[:, :, u, v], seen)
        return total if bias is None else total + bias[:, None, None]

    @staticmethod
    def transposed(x, weight, bias=None):
        """What takes the gradient of a convolution by two back: every place adds its filters, and twice the size is kept."""
        height, width = x.shape[2:]
        total = 0
        for u in range(weight.shape[2]):
            for v in range(weight.shape[3]):
                spread = x.new_zeros(len(x), weight.shape[1], 2 * height + 2, 2 * width + 2)
                spread[:, :, u:u + 2 * height:2, v:v + 2 * width:2] = torch.einsum("cf,bchw->bfhw", weight[:, :, u, v], x)
                total = total + spread
        first = (weight.shape[2] - 2) // 2  # of 3 by 3: nothing goes before the first place, one behind the last
        total = total[:, :, first:first + 2 * height, first:first + 2 * width]
        return total if bias is None else total + bias[:, None, None]

    @staticmethod
    def layer_norm(x, gain, bias, epsilon):
        """Moments over all maps of a clip; gain and bias a channel."""
        centred = x - x.mean((1, 2, 3), keepdim=True)
        variance = centred.square().mean((1, 2, 3), keepdim=True)
        return centred / (variance + epsilon).sqrt() * gain[:, None, None] + bias[:, None, None]

    @staticmethod
    def moved(x, kernels):
        """Σ_uv w[u,v]·x[·, y+u-k/2, x+v-k/2], with zeros around x; kernels [B, k, k, 1, 1] or, of every pixel, [B, k, k, H, W]."""
        height, width, size = *x.shape[2:], kernels.shape[1]
        padded = functional.pad(x, 4 * [size // 2])
        return sum(kernels[:, None, u, v] * padded[:, :, u:u + height, v:v + width]
                   for u in range(size) for v in range(size))

    @staticmethod
    def sampled(x, theta, guard):
        """x at (x_s, y_s) = θ·(x_t, y_t, 1), bilinear between four pixels, with zeros around x.

        Coordinates go from -1, the middle of the first pixel, to 1, the middle of the last.
        """
        height, width = x.shape[2:]
        target = [torch.linspace(-1, 1, n, dtype=x.dtype) for n in (width, height)]
        columns, rows = ((theta[:, i, 0, None, None] * target[0] + theta[:, i, 1, None, None] * target[1][:, None]
                          + theta[:, i, 2, None, None] + 1) * (n - 1) / 2 for i, n in enumerate((width, height)))
        for z in (columns, rows):
            guard.relu(z - z.round())  # between two pixels and the next two the derivative jumps
        total = 0
        for down in (0, 1):
            for right in (0, 1):
                row, column = rows.detach().floor() + down, columns.detach().floor() + right
                share = (1 - (rows - row).abs()) * (1 - (columns - column).abs())
                inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
                place = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).long().flatten(1)
                pixels = x.flatten(2).gather(2, place[:, None].expand(-1, x.shape[1], -1)).reshape(x.shape)
                total = total + (share * inside)[:, None] * pixels
        return total

    @staticmethod
    def softmax(z):
        """Over the channels of every pixel."""
        powers = (z - z.detach().amax(1, keepdim=True)).exp()
        return powers / powers.sum(1, keepdim=True)


class Torch:
    """The same by PyTorch's own operators."""

    @staticmethod
    def convolution(x, weight, bias=None, stride=1):
        return functional.conv2d(functional.pad(x, same_padding(x.shape[2:], weight.shape[2:], stride)), weight, bias, stride)

    @staticmethod
    def transposed(x, weight, bias=None):
        return functional.conv_transpose2d(x, weight, bias, stride=2)[:, :, :2 * x.shape[2], :2 * x.shape[3]]

    @staticmethod
    def layer_norm(x, gain, bias, epsilon):
        return functional.group_norm(x, 1, gain, bias, epsilon)

    @staticmethod
    def moved(x, kernels):
        size = kernels.shape[1]
        if kernels.shape[3:] == (1, 1):
            by_clip = x.transpose(0, 1)  # a group is a clip, its images the channels
            filters = kernels.reshape(-1, 1, size, size)
            return functional.conv2d(by_clip, filters, padding=size // 2, groups=len(x)).transpose(0, 1)
        columns = functional.unfold(x, size, padding=size // 2).unflatten(1, (x.shape[1], -1))  # [B, C, k·k, H·W]
        return torch.einsum("bckp,bkp->bcp", columns, kernels.flatten(3).flatten(1, 2)).reshape(x.shape)

    @staticmethod
    def sampled(x, theta, guard):
        grid = functional.affine_grid(theta, x.shape, align_corners=True)
        return functional.grid_sample(x, grid, "bilinear", "zeros", align_corners=True)

    @staticmethod
    def softmax(z):
        return torch.softmax(z, 1)


def same_padding(sizes, filters, stride):
    """Zeros left, right, above and below, as `functional.pad` wants them."""
    zeros = [max((-(-n // stride) - 1) * stride + k - n, 0) for n, k in zip(sizes, filters)]
    return [zeros[1] // 2, zeros[1] - zeros[1] // 2, zeros[0] // 2, zeros[0] - zeros[0] // 2]


# A step


def step(config, p, frame, action, state, memory, ops, guard):
    """The next frame and the next state, and h and c of the LSTMs; `memory` is theirs of the step before."""
    carried = {}

    def relu(z):
        guard.relu(z)
        return torch.relu(z)

    def norm(name, z):
        return ops.layer_norm(z, p[f"{name}.weight"], p[f"{name}.bias"], EPSILON[config["parity"]])

    def convolution(name, z, stride=1):
        return ops.convolution(z, p[f"{name}.weight"], p.get(f"{name}.bias"), stride)

    def transposed(name, z):
        return ops.transposed(z, p[f"{name}.weight"], p.get(f"{name}.bias"))

    def lstm(place, z):
        """Its h goes on normalized, and is carried to the next step as it is."""
        channels = config["widths"][place - 1]
        zero = z.new_zeros(len(z), channels, *z.shape[2:])
        h, c = memory.get(f"h{place}", zero), memory.get(f"c{place}", zero)
        i, j, f, o = convolution(f"lstm{place}", torch.cat([z, h], 1)).split(channels, 1)
        c = torch.sigmoid(f + 1) * c + torch.sigmoid(i) * torch.tanh(j)
        h = torch.sigmoid(o) * torch.tanh(c)
        carried.update({f"h{place}": h, f"c{place}": c})
        return norm(f"norm{place}", h)

    e0 = relu(norm("conv0.norm", convolution("conv0", frame, 2)))
    e1 = relu(convolution("conv1", lstm(2, lstm(1, e0)), 2))
    e2 = relu(convolution("conv2", lstm(4, lstm(3, e1)), 2))
    told = torch.cat([action, state], 1)
    tiled = told[:, :, None, None].expand(-1, -1, *e2.shape[2:])
    n5 = lstm(5, relu(convolution("conv3", torch.cat([e2, tiled], 1))))
    n6 = lstm(6, relu(transposed("convt1", n5)))
    n7 = lstm(7, relu(transposed("convt2", torch.cat([n6, e1], 1))))
    d3 = relu(norm("convt3.norm", transposed("convt3", torch.cat([n7, e0], 1))))
    next_state = told @ p["state.weight"].T + p["state.bias"] if config["states"] else state
    return head(config, p, frame, n5.flatten(1), d3, ops, relu, guard), next_state, carried


def head(config, p, frame, low, high, ops, relu, guard):
    """The next frame, of lstm5's numbers [B, F] and the last maps [B, D, H, W]."""
    kind, size, is_release = config["head"], config["kernel_size"], config["parity"] == "release"

    def logits(name):
        z = ops.convolution(high, p[f"{name}.weight"], p[f"{name}.bias"])
        return relu(z) if is_release and name != "stp" else z

    def dense(name, z):
        return z @ p[f"{name}.weight"].T + p[f"{name}.bias"]

    def kernels(z):
        """Positive numbers that sum to 1, of [B, k, k, …]."""
        guard.relu(z[z != 0])  # a logit that a ReLU has made zero stays where it is
        positive = torch.relu(z - LEAST) + LEAST
        return positive / positive.sum((1, 2), keepdim=True)

    if kind == "paint":
        return torch.sigmoid(logits("paint"))
    if kind == "dna":
        images = [frame, ops.moved(frame, kernels(logits("taps").unflatten(1, (size, size))))]
    else:
        images = [frame, torch.sigmoid(logits("paint"))]
    if kind == "cdna":
        for z in dense("kernels", low).unflatten(1, (-1, size, size, 1, 1)).unbind(1)[:moving_images(config)]:
            images.append(ops.moved(frame, kernels(z)))
    if kind == "stp":
        identity = torch.eye(2, 3, dtype=frame.dtype)
        for z in dense("stp2", relu(dense("stp1", low))).unflatten(1, (-1, 2, 3)).unbind(1):
            images.append(ops.sampled(frame, z + identity, guard))
    masks = ops.softmax(logits("masks"))
    assert masks.shape[1] == len(images)
    return sum(mask * image for mask, image in zip(masks.split(1, 1), images))


def moving_images(config):
    """How many moved frames get a mask: the release has one too few, and its last kernel moves nothing that is seen."""
    return config["kernels"] - (config["parity"] == "release" and config["head"] != "dna")


# A clip


def rollout(config, p, given, frames, ops=Plain, guard=Guard()):
    """Frames and states 1 … T-1 as they are predicted, and h and c behind the last step.

    A step reads the true frame as long as there are `context` of them, or where `sampled` says so, and otherwise what the
    step before predicted. Of states it reads but the first true one.
    """
    clips = frames.shape[1]
    actions, states = (given.get(name, frames.new_zeros(len(frames), clips, 0)).to(frames.dtype)
                       for name in ("actions", "states"))
    frame, state, memory = None, states[0], under("initial", p)
    predicted, predicted_states = [], []
    for t in range(len(frames) - 1):
        is_true = given["sampled"][t] == 1 if "sampled" in given else torch.full((clips,), t < config["context"])
        read = frames[t] if frame is None else torch.where(is_true[:, None, None, None], frames[t], frame)
        frame, state, memory = step(config, p, read, actions[t], state, memory, ops, guard)
        predicted.append(frame)
        predicted_states.append(state)
    return torch.stack(predicted), torch.stack(predicted_states), memory


def loss_of(config, given, frames, predicted, predicted_states):
    """Squared errors of the frames behind the context, and a little of the states'."""
    first = config["context"]
    total = (predicted[first - 1:] - frames[first:]).square().mean()
    if config["states"]:
        true = given["states"].to(frames.dtype)
        total = total + STATE_WEIGHT * (predicted_states[first - 1:] - true[first:]).square().mean()
    return total


def parameter_shapes(config):
    channels, height, width = config["frame"]
    w, told, gate = config["widths"], config["actions"] + config["states"], config["gate_size"]
    size, count, head = config["kernel_size"], config["kernels"], config["head"]
    last, low = w[6] + w[0], w[4] * (height // 8) * (width // 8)
    shapes = {"conv0.weight": (w[0], channels, 5, 5), "conv0.norm.weight": (w[0],), "conv0.norm.bias": (w[0],)}
    for name, side, z, outputs in (("conv1", 3, w[1], w[1]), ("conv2", 3, w[3], w[3]), ("conv3", 1, w[3] + told, w[3])):
        shapes |= {f"{name}.weight": (outputs, z, side, side), f"{name}.bias": (outputs,)}
    for name, z in (("convt1", w[4]), ("convt2", w[5] + w[1])):
        shapes |= {f"{name}.weight": (z, z, 3, 3), f"{name}.bias": (z,)}
    shapes |= {"convt3.weight": (last, last, 3, 3), "convt3.norm.weight": (last,), "convt3.norm.bias": (last,)}
    for place, (z, h) in enumerate(zip((w[0], w[0], w[1], w[2], w[3], w[4], w[5] + w[1]), w), 1):
        shapes |= {f"lstm{place}.weight": (4 * h, z + h, gate, gate), f"lstm{place}.bias": (4 * h,)}
        shapes |= {f"norm{place}.weight": (h,), f"norm{place}.bias": (h,)}
    if config["states"]:
        shapes |= {"state.weight": (config["states"], told), "state.bias": (config["states"],)}
    if head != "paint":
        masks = 2 if head == "dna" else 2 + moving_images(config)
        shapes |= {"masks.weight": (masks, last, 1, 1), "masks.bias": (masks,)}
    if head != "dna":
        shapes |= {"paint.weight": (channels, last, 1, 1), "paint.bias": (channels,)}
    else:
        shapes |= {"taps.weight": (size ** 2, last, 1, 1), "taps.bias": (size ** 2,)}
    if head == "cdna":
        shapes |= {"kernels.weight": (count * size ** 2, low), "kernels.bias": (count * size ** 2,)}
    if head == "stp":
        maps = 6 * moving_images(config)
        shapes |= {"stp1.weight": (HIDDEN, low), "stp1.bias": (HIDDEN,), "stp2.weight": (maps, HIDDEN), "stp2.bias": (maps,)}
    return shapes


def memory_shapes(config, clips):
    """h and c of the seven LSTMs."""
    _, height, width = config["frame"]
    return {f"{letter}{place}": (clips, channels, height // scale, width // scale)
            for place, (channels, scale) in enumerate(zip(config["widths"], (2, 2, 4, 4, 8, 4, 2)), 1) for letter in "hc"}


# The fixture


class VideoModel:
    """Predicted frames and states, the loss, and the gradients of all parameters and of the context's frames.

    With `initial` the LSTMs begin with h and c as they are given, and what they end with is there in place of gradients.
    """

    gradient_range = (1e-6, 2e2)  # errors are means over a frame
    kink = 1e-5  # there are tens of thousands of ReLUs

    @staticmethod
    def draw(config, source, frames=4, clips=2, sampled=False, initial=False, dead=False, training=0):
        given = {"frames": draw_frames(config, source, frames, clips)}
        for name in ("actions", "states"):
            if config[name]:
                given[name] = source.uniform((frames, clips, config[name]), 1.0)
        for name, shape in parameter_shapes(config).items():
            given[f"parameter.{name}"] = draw_parameter(name, shape, source)
        if dead:
            # No number of the first kernel is positive, which makes it uniform.
            given["parameter.kernels.bias"][:config["kernel_size"] ** 2] = source.uniform((config["kernel_size"] ** 2,), 1.0, -16)
        if sampled:
            given["sampled"] = source.integers((frames - 1, clips), 2)
            given["sampled"][:config["context"]] = 1
        if initial:
            given |= named("initial", {name: source.uniform(shape, 0.5) for name, shape in memory_shapes(config, clips).items()})
        if training:
            given["training"] = torch.tensor(training)
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard(), ops=Plain):
        guard.kink = VideoModel.kink
        p = leaves(under("parameter", given) | named("initial", under("initial", given)), dtype)
        frames = leaves({"frames": given["frames"]}, dtype)
        predicted, states, memory = rollout(config, p, given, frames["frames"], ops, guard)
        loss = loss_of(config, given, frames["frames"], predicted, states)
        loss.backward()
        results = {"predicted": predicted, "loss": loss}
        if config["states"]:
            results["predicted_states"] = states
        if "initial.h1" in given:
            return results | named("final", memory)
        read = frames["frames"].grad[:config["context"]]
        results |= named("gradient", gradients(p) | {"frames": read.clone()})
        return results | (trained(config, given, p, dtype, ops) if "training" in given else {})

    @staticmethod
    def parts(config, name, tensor):
        """What of a tensor can be wrong alone: gates, kernels, affine maps."""
        if not name.startswith(("gradient.", "trained.")):
            return [tensor]
        layer = name.split(".")[1]
        rows = {"kernels": config["kernel_size"] ** 2, "stp2": 6}.get(layer, len(tensor))
        return tensor.split(len(tensor) // 4 if layer.startswith("lstm") else rows)


def draw_frames(config, source, frames, clips):
    """Noise; for affine maps blurred, as their gradient, of differences between neighbours, would else be a sum that cancels."""
    channels, height, width = config["frame"]
    if config["head"] != "stp":
        return source.uniform((frames, clips, channels, height, width), 0.5, 0.5)
    coarse = source.uniform((frames * clips, channels, height // 4, width // 4), 0.5, 0.5)
    fine = functional.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=True)
    return fine.float().double().unflatten(0, (frames, clips))


def draw_parameter(name, shape, source):
    """Uniform, so wide that numbers keep their size from layer to layer."""
    layer, kind = name.split(".")[0], name.split(".")[-1]
    if ".norm" in name or layer.startswith("norm"):
        return source.uniform(shape, 0.3, 1.0 if kind == "weight" else 0.0)
    if kind == "bias":
        return source.uniform(shape, 0.3, {"kernels": 0.3, "taps": 0.8}.get(layer, 0.0))
    inputs = shape[0] if layer.startswith("convt") else torch.Size(shape[1:]).numel()
    return source.uniform(shape, {"stp2": 0.25, "kernels": 1.0, "taps": 1.0}.get(layer, 2.0) * inputs ** -0.5)


def trained(config, given, p, dtype, ops):
    """The parameters after so many steps of Adam on the same clips; their first gradients are there."""
    optimizer = torch.optim.Adam(p.values(), 1e-3, foreach=False)
    frames = given["frames"].to(dtype)
    for turn in range(given["training"]):
        if turn:
            optimizer.zero_grad()
            predicted, states, _ = rollout(config, p, given, frames, ops)
            loss_of(config, given, frames, predicted, states).backward()
        optimizer.step()
    return named("trained", p)


def check_split(config, given, expected):
    """How far the clip in two pieces is from that in one: the second begins with what the first ended with."""
    p, frames = under("parameter", given) | named("initial", under("initial", given)), given["frames"]
    cut = config["context"]
    ahead, states, memory = rollout(config, p, given, frames[:cut + 1])
    rest = given | {"frames": torch.cat([ahead[-1:], frames[cut + 1:]]), "actions": given["actions"][cut:],
                    "states": torch.cat([states[-1:], given["states"][cut + 1:]])}
    p |= named("initial", memory)
    behind, _, last = rollout(config | {"context": 1}, p, rest, rest["frames"])
    pairs = [(torch.cat([ahead, behind]), expected["predicted"])] + [(last[k], expected[f"final.{k}"]) for k in last]
    return max((found - wanted).abs().max().item() for found, wanted in pairs)


def check_gradient(config, given):
    """torch.autograd.gradcheck of the loss against all parameters and frames, along random directions."""
    values = named("parameter", under("parameter", given)) | named("initial", under("initial", given))
    values["frames"] = given["frames"]

    def function(*numbers):
        now = dict(zip(values, numbers))
        p = under("parameter", now) | named("initial", under("initial", now))
        predicted, states, _ = rollout(config, p, given, now["frames"])
        return loss_of(config, given, now["frames"], predicted, states)

    torch.autograd.gradcheck(function, list(leaves(values, torch.float64).values()), eps=1e-7, fast_mode=True)


KINDS = {"video_model": VideoModel}
