"""Video prediction by a stack of convolutional LSTMs over patches, in two forms. This is the definition of both.

Frames [T, B, C, H, W] become patches [T, B, p·p·C, H/p, W/p]: the pixel in row r and column s of a patch, channel c, stands in
map (r·p + s)·C + c. What comes out is put together the other way. A layer l = 0 … L-1 has `widths[l]` maps and is the layer
`convolutional_lstm` of layers.py, filters k by l, with h and c zero at first:

    i f g o = W_ih ∗ x + b_ih + W_hh ∗ h
    c'      = σ(f + w_cf·c + forget_offset)·c + σ(i + w_ci·c)·tanh(g)           w_ci, w_cf, w_co with "peepholes" alone
    h'      = σ(o + w_co·c')·tanh(c')                                           b_ih with "bias" alone

`form` "one" (as OpenSTL's): one network reads and goes on. At step t = 0 … T-2 layer 0 reads the patches of frame t, the true
one for t < context or where `sampled` [T-1, B] is 1, else of the frame predicted by the step before; layer l reads h of layer
l-1 of the same step. Frame t + 1 is `output` of h of layer L-1. The loss is over all T-1 frames.
Parameters: lstm.<l>.<of the layer>, output.weight [p·p·C, widths[L-1], 1, 1].

`form` "forecaster" (as Shi et al. 2015, arXiv 1506.04214): an encoder reads the `context` true frames; h and c of its layer l
are where layer l of the forecaster, which has weights of its own, begins. The forecaster runs T - context steps: its layer 0
reads nothing, so has no W_ih, only W_hh ∗ h + b_ih; layer l reads h of layer l-1 of the same step. Frame context + t is
`output` of h of all layers of the forecaster, one behind the other from layer 0 on. The loss is over these T - context frames.
Parameters: encoder.<l>.<of the layer>, forecaster.<l>.<of the layer>, output.weight [p·p·C, Σ widths, 1, 1].

Where "output_bias", output.bias is added. `loss` "mean_squares": what comes out is the frame, and the loss the mean of squared
errors; "cross_entropy": the frame is σ of what comes out, and the loss the mean of -y·log ŷ - (1-y)·log(1-ŷ). Gradients flow
through predicted frames that are read, and from the forecaster into the encoder.

Operators: `Plain` and `Torch` of video.py.
"""

import torch
from torch.nn import functional

import layers
from cells import Guard
from kinds import gradients, leaves, named, under
from video import Plain, Torch

OF_CELL = ("kernel_size", "bias", "peepholes", "forget_offset")


def patches(config, frames):
    """[…, C, H, W] as […, p·p·C, H/p, W/p]."""
    p = config["patch"]
    cut = frames.unflatten(-1, (-1, p)).unflatten(-3, (-1, p))  # […, C, H/p, r, W/p, s]
    c, h, r, w, s = range(-5, 0)
    return cut.movedim((r, s, c, h, w), (-5, -4, -3, -2, -1)).flatten(-5, -3)


def frames_of(config, maps):
    """The other way."""
    p = config["patch"]
    cut = maps.unflatten(-3, (p, p, -1))  # […, r, s, C, H/p, W/p]
    r, s, c, h, w = range(-5, 0)
    return cut.movedim((c, h, r, w, s), (-5, -4, -3, -2, -1)).flatten(-2).flatten(-3, -2)


def cell_step(config, p, x, h, c, ops):
    """h and c of the next step, of x or of nothing."""
    bias = p.get("bias_ih_l0")
    z = ops.convolution(h, p["weight_hh_l0"])
    if x is not None:
        z = z + ops.convolution(x, p["weight_ih_l0"], bias)
    elif bias is not None:
        z = z + bias[:, None, None]
    i, f, g, o = z.chunk(4, 1)
    f = f + config["forget_offset"]
    if config["peepholes"]:
        i, f = i + p["weight_ci_l0"] * c, f + p["weight_cf_l0"] * c
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    if config["peepholes"]:
        o = o + p["weight_co_l0"] * c
    return torch.sigmoid(o) * torch.tanh(c), c


def stack_step(config, p, name, x, state, ops):
    """One step of all layers below a name; `state` is h and c of each."""
    result = []
    for place, (h, c) in enumerate(state):
        x, c = cell_step(config, under(f"{name}.{place}", p), x, h, c, ops)
        result.append((x, c))
    return result


def logits(config, p, z, ops):
    return frames_of(config, ops.convolution(z, p["output.weight"], p.get("output.bias")))


def shown(config, z):
    """The frame that comes of what the last convolution gives."""
    return torch.sigmoid(z) if config["loss"] == "cross_entropy" else z


def rollout(config, p, given, frames, ops=Plain):
    """What comes out of each step, before the σ."""
    (_, height, width), patch = config["frame"], config["patch"]
    state = [2 * (frames.new_zeros(frames.shape[1], n, height // patch, width // patch),) for n in config["widths"]]
    outputs, context = [], config["context"]
    if config["form"] == "forecaster":
        for t in range(context):
            state = stack_step(config, p, "encoder", patches(config, frames[t]), state, ops)
        for t in range(context, len(frames)):
            state = stack_step(config, p, "forecaster", None, state, ops)
            outputs.append(logits(config, p, torch.cat([h for h, _ in state], 1), ops))
        return torch.stack(outputs)
    for t in range(len(frames) - 1):
        read = frames[t]
        if t >= context:
            own = shown(config, outputs[-1])
            is_true = given["sampled"][t, :, None, None, None] == 1 if "sampled" in given else torch.tensor(False)
            read = torch.where(is_true, read, own)
        state = stack_step(config, p, "lstm", patches(config, read), state, ops)
        outputs.append(logits(config, p, state[-1][0], ops))
    return torch.stack(outputs)


def loss_of(config, frames, outputs):
    true = frames[len(frames) - len(outputs):]
    if config["loss"] == "cross_entropy":
        return functional.binary_cross_entropy_with_logits(outputs, true)
    return (outputs - true).square().mean()


def parameter_shapes(config):
    channels, height, width = config["frame"]
    patch, widths, kernel = config["patch"], config["widths"], layers.pair(config["kernel_size"])
    maps, sizes = patch ** 2 * channels, (height // patch, width // patch)
    shapes = {}
    for name in ("encoder", "forecaster") if config["form"] == "forecaster" else ("lstm",):
        for place, h in enumerate(widths):
            own = {"weight_hh": (4 * h, h, *kernel)}
            x = widths[place - 1] if place else maps
            if place or name != "forecaster":
                own["weight_ih"] = (4 * h, x, *kernel)
            if config["bias"]:
                own["bias_ih"] = (4 * h,)
            if config["peepholes"]:
                own |= {f"weight_{letters}": (h, *sizes) for letters in ("ci", "cf", "co")}
            shapes |= named(f"{name}.{place}", {f"{part}_l0": shape for part, shape in own.items()})
    shapes["output.weight"] = (maps, sum(widths) if config["form"] == "forecaster" else widths[-1], 1, 1)
    if config["output_bias"]:
        shapes["output.bias"] = (maps,)
    return shapes


class VideoConvLSTM:
    """Predicted frames, the loss, and the gradients of all parameters and of the frames of the context."""

    gradient_range = (1e-6, 2e2)

    @staticmethod
    def draw(config, source, frames=6, clips=2, sampled=False):
        given = {"frames": source.uniform((frames, clips, *config["frame"]), 0.5, 0.5)}
        for name, shape in parameter_shapes(config).items():
            if "bias" in name or "weight_c" in name:
                parameter = source.uniform(shape, 0.5)
            else:
                parameter = source.uniform(shape, 2.0 * torch.Size(shape[1:]).numel() ** -0.5)
            given[f"parameter.{name}"] = parameter
        if sampled:
            given["sampled"] = source.integers((frames - 1, clips), 2)
            given["sampled"][0] = 1
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard(), ops=Plain):
        p, frames = leaves(under("parameter", given), dtype), leaves({"frames": given["frames"]}, dtype)
        outputs = rollout(config, p, given, frames["frames"], ops)
        # Of the frames as what is read: what they are to be is held fixed.
        loss = loss_of(config, given["frames"].to(dtype), outputs)
        loss.backward()
        read = frames["frames"].grad[:config["context"]]
        return {"predicted": shown(config, outputs), "loss": loss} | named("gradient", gradients(p) | {"frames": read.clone()})

    @staticmethod
    def parts(config, name, tensor):
        """What of a tensor can be wrong alone: the gates."""
        is_gates = name.startswith("gradient.") and ("_ih_" in name or "_hh_" in name)
        return tensor.chunk(4) if is_gates else [tensor]


def check_layers(config, given):
    """How far `cell_step` is from the layer of layers.py, over the frames as they are given."""
    p, x = under("parameter", given), patches(config, given["frames"])
    name = "lstm" if config["form"] == "one" else "encoder"
    state = [2 * (x.new_zeros(x.shape[1], n, *x.shape[3:]),) for n in config["widths"]]
    steps = [state := stack_step(config, p, name, one, state, Plain) for one in x]
    of_layers = [{"layer": "convolutional_lstm", "channels": n, "size": config["kernel_size"], "name": f"{name}.{place}."}
                 | {key: config[key] for key in OF_CELL[1:]} for place, n in enumerate(config["widths"])]
    y = layers.apply(layers.Numbers(None, x.shape[1], parameters=dict(p)), of_layers, x)
    return (torch.stack([step[-1][0] for step in steps]) - y).abs().max().item()


def check_patches(config, frames):
    """Whether patches are those of PyTorch's `pixel_unshuffle`, whose channels go before rows and columns."""
    p, channels = config["patch"], config["frame"][0]
    other = functional.pixel_unshuffle(frames, p).unflatten(2, (channels, p * p)).transpose(2, 3).flatten(2, 3)
    return torch.equal(patches(config, frames), other) and torch.equal(frames_of(config, other), frames)


def check_gradient(config, given):
    """torch.autograd.gradcheck of the loss against all parameters and the frames that are read, along random directions."""
    values = named("parameter", under("parameter", given)) | {"frames": given["frames"]}

    def function(*numbers):
        now = dict(zip(values, numbers))
        return loss_of(config, given["frames"], rollout(config, under("parameter", now), given, now["frames"]))

    torch.autograd.gradcheck(function, list(leaves(values, torch.float64).values()), fast_mode=True)


KINDS = {"video_convlstm": VideoConvLSTM}
