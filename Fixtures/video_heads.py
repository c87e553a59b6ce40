"""The heads of a video model (Finn, Goodfellow, Levine 2016), and the operators that they are made of.

Frames are planar, [C, N, H, W]. `evaluate` follows the equations: frames are shifted and added up, pixels are read one corner
after another. `evaluate_with_operators` says the same of a head with torch's convolution, unfold, affine_grid and grid_sample.
"""

import torch
from torch.nn import functional

from cells import Guard, StrictGuard, Unsuitable
from kinds import gradients, leaves, named

EPSILON = 1e-12  # what of a kernel's number is least
EDGE = 1e-4      # how near to a pixel's middle no place may be, where the gradient jumps
GIVEN = ("previous", "kernels", "taps", "transforms", "masks", "paint", "z", "x", "s", "w", "a", "theta")
IDENTITY = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


class VideoHead:
    """The next frame after `previous`, and the gradient of everything given."""

    @staticmethod
    def draw(config, source, samples, dead=False, spread=0.3):
        channels, height, width = config["frame"]
        maps, taps = moved_images(config), config["kernel_size"] ** 2
        plane = (samples, height, width)
        given = {}
        if config["head"] != "paint":
            given["previous"] = source.uniform((channels, *plane), 0.5, 0.5)
        if config["head"] == "cdna":
            z = source.normal((samples, config["kernels"], taps))
            if dead:
                z[0, 1], z[-1, 0] = -z[0, 1].abs(), -z[-1, 0].abs()
            given["kernels"] = away_from_zero(z).flatten(1)
        if config["head"] == "dna":
            z = source.normal((taps, *plane))
            if dead:
                z[:, :, 1::3, ::2] = -z[:, :, 1::3, ::2].abs()
            given["taps"] = away_from_zero(z)
        if config["head"] == "stp":
            given["transforms"] = source.normal((samples, 6 * maps), spread)
        if config["head"] != "paint":
            masks = maps + (1 if config["head"] == "dna" else 2)
            given["masks"] = away_from_zero(source.normal((masks, *plane), 2.0))
        if config["head"] != "dna":
            given["paint"] = away_from_zero(source.normal((channels, *plane), 2.0))
        given["cotangent.next"] = source.normal((channels, *plane))
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard(), images=None):
        p = leaves({name: tensor for name, tensor in given.items() if name in GIVEN}, dtype)
        y = next_frame(config, p, images or MOVED.get(config["head"]), guard)
        (y * given["cotangent.next"].to(dtype)).sum().backward()
        return {"next": y} | named("gradient", gradients(p))


def evaluate_with_operators(config, given):
    return VideoHead.evaluate(config, given, images=MOVED_BY_OPERATORS.get(config["head"]))


def moved_images(config):
    """M, or of the release's reading one less, where there is more than one kind of image."""
    return config["kernels"] - (config["release"] and config["head"] in ("cdna", "stp"))


def next_frame(config, p, images, guard):
    """Σ_i a_i · image_i over the last frame, a painted one, and the moved ones."""
    def rectified(z):
        if config["release"]:
            guard.relu(z)
        return z.relu() if config["release"] else z

    painted = [rectified(p["paint"]).sigmoid()] if "paint" in p else []
    if config["head"] == "paint":
        return painted[0]
    moved = images(config, p["previous"], p, guard)
    masks = rectified(p["masks"]).softmax(0)
    return sum(a * image for a, image in zip(masks, [p["previous"], *painted, *moved], strict=True))


def normalized(z, axis, guard=Guard()):
    """Kernels along an axis: a = max(z - ε, 0) + ε, w = a / Σ a."""
    guard.relu(z)
    a = (z - EPSILON).relu() + EPSILON
    return a / a.sum(axis, keepdim=True)


def shifted(x, size):
    """x[..., v + i - r, u + j - r] for i and j one after another, zero outside: a new first axis of size²."""
    height, width = x.shape[-2:]
    around = functional.pad(x, 4 * [size // 2])
    return torch.stack([around[..., i:i + height, j:j + width] for i in range(size) for j in range(size)])


def advect(s, x, size):
    """y[c, v, u] = Σ_t s[t, v, u] · x shifted."""
    return (s.unsqueeze(1) * shifted(x, size)).sum(0)


def read_at(x, columns, rows):
    """Planar maps [C, H, W] at places, between the four nearest pixels; zero outside."""
    height, width = x.shape[-2:]
    left, top = columns.floor(), rows.floor()
    total = 0
    for j in (0, 1):
        for i in (0, 1):
            u, v = (left + j).long(), (top + i).long()
            inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
            pixel = x[:, v.clamp(0, height - 1), u.clamp(0, width - 1)] * inside
            total = total + pixel * (1 - (columns - left - j).abs()) * (1 - (rows - top - i).abs())
    return total


def sample(x, theta, align_corners, guard=Guard()):
    """(x_s, y_s) = θ·(x_t, y_t, 1), -1 to 1 from middle to middle of the outermost pixels, or from edge to edge."""
    def coordinates(n):
        places = torch.arange(n, dtype=x.dtype)
        return 2 * places / (n - 1) - 1 if align_corners else (2 * places + 1) / n - 1

    def pixels(coordinate, n):
        return (coordinate + 1) * (n - 1) / 2 if align_corners else ((coordinate + 1) * n - 1) / 2

    height, width = x.shape[-2:]
    down, right = torch.meshgrid(coordinates(height), coordinates(width), indexing="ij")
    theta = theta.reshape(2, 3)
    columns, rows = (theta[i, 0] * right + theta[i, 1] * down + theta[i, 2] for i in (0, 1))
    columns, rows = pixels(columns, width), pixels(rows, height)
    if isinstance(guard, StrictGuard):
        for place in (columns, rows):
            if ((place - place.round()).abs() < EDGE).any():
                raise Unsuitable("a place is where the gradient jumps")
    return read_at(x, columns, rows)


def per_sample(images):
    """[N][M] images [C, H, W] as M frames [C, N, H, W]."""
    return [torch.stack(samples, 1) for samples in zip(*images)]


def kernels_of(config, p, n, guard=Guard()):
    size = config["kernel_size"]
    return normalized(p["kernels"][n].reshape(config["kernels"], size * size), 1, guard)[:moved_images(config)]


def moved_by_kernels(config, x, p, guard):
    size = config["kernel_size"]
    return per_sample([
        [(w[:, None, None, None] * shifted(x[:, n], size)).sum(0) for w in kernels_of(config, p, n, guard)]
        for n in range(x.shape[1])])


def moved_by_convolution(config, x, p, guard):
    size = config["kernel_size"]
    return per_sample([
        list(functional.conv2d(
            x[:, n].unsqueeze(1), kernels_of(config, p, n).reshape(-1, 1, size, size), padding=size // 2)
            .transpose(0, 1)) for n in range(x.shape[1])])


def moved_by_pixels(config, x, p, guard):
    return [advect(normalized(p["taps"], 0, guard), x, config["kernel_size"])]


def moved_by_unfold(config, x, p, guard):
    size = config["kernel_size"]
    channels, samples, height, width = x.shape
    windows = functional.unfold(x.transpose(0, 1), size, padding=size // 2)
    windows = windows.reshape(samples, channels, size * size, height, width)
    return [torch.einsum("tnhw,ncthw->cnhw", normalized(p["taps"], 0), windows)]


def transforms_of(config, p, n):
    return (p["transforms"][n].reshape(-1, 6) + torch.tensor(IDENTITY, dtype=p["transforms"].dtype))


def moved_by_maps(config, x, p, guard):
    return per_sample([
        [sample(x[:, n], theta, config["align_corners"], guard) for theta in transforms_of(config, p, n)]
        for n in range(x.shape[1])])


def moved_by_grid(config, x, p, guard):
    def image(n, theta):
        grid = functional.affine_grid(
            theta.reshape(1, 2, 3), x[:, n].unsqueeze(0).shape, align_corners=config["align_corners"])
        return functional.grid_sample(x[:, n].unsqueeze(0), grid, align_corners=config["align_corners"])[0]

    return per_sample([[image(n, theta) for theta in transforms_of(config, p, n)] for n in range(x.shape[1])])


MOVED = {"cdna": moved_by_kernels, "dna": moved_by_pixels, "stp": moved_by_maps}
MOVED_BY_OPERATORS = {"cdna": moved_by_convolution, "dna": moved_by_unfold, "stp": moved_by_grid}


class VideoOperator:
    """One of the operators alone, of one sample: what it gives, and the gradient of everything given."""

    @staticmethod
    def draw(config, source, channels=3, height=9, width=13, kernels=4, scale=1.0):
        taps = config["size"] ** 2
        maps = (height, width)
        match config["operator"]:
            case "normalized_kernels":
                z = source.normal((kernels, taps))
                z[0] = -z[0].abs()
                given, shape = {"z": (scale * away_from_zero(z)).float().double()}, (kernels, taps)
            case "advection":
                given = {"x": source.normal((channels, *maps)), "s": source.normal((taps, *maps))}
                shape = (channels, *maps)
            case "kernel_mixing":
                given = {"w": source.uniform((kernels, taps), 0.5, 0.5), "a": source.uniform((kernels, width), 0.5, 0.5)}
                shape = (taps, width)
            case "affine_sampling":
                theta = torch.tensor(IDENTITY, dtype=torch.float64) + source.normal((6,), scale)
                given = {"x": source.normal((channels, *maps)), "theta": theta.float().double()}
                shape = (channels, *maps)
            case "mask_softmax":
                given, shape = {"z": away_from_zero(source.normal((kernels, width), 2.0))}, (kernels, width)
        # Of a scale as small as that of the kernels, so that their gradients are of an ordinary one.
        cotangent = source.normal(shape)
        if config["operator"] == "normalized_kernels":
            cotangent = (scale * cotangent).float().double()
        return given | {"cotangent.output": cotangent}

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = leaves({name: tensor for name, tensor in given.items() if name in GIVEN}, dtype)
        y = operate(config, p, guard)
        (y * given["cotangent.output"].to(dtype)).sum().backward()
        return {"output": y} | named("gradient", gradients(p))


def operate(config, p, guard=Guard()):
    match config["operator"]:
        case "normalized_kernels":
            return normalized(p["z"], 1)
        case "advection":
            return advect(p["s"], p["x"], config["size"])
        case "kernel_mixing":
            return torch.einsum("mt,mu->tu", p["w"], p["a"])
        case "affine_sampling":
            return sample(p["x"], p["theta"], config["align_corners"], guard)
        case "mask_softmax":
            return (p["z"].relu() if config["rectified"] else p["z"]).softmax(0)


def check_gradient(config, tensors):
    """torch.autograd.gradcheck against everything given, along random directions."""
    given = {name: tensor for name, tensor in tensors.items() if name in GIVEN}

    def function(*values):
        p = dict(zip(given, values))
        return operate(config, p) if "operator" in config else next_frame(config, p, MOVED.get(config["head"]), Guard())

    step = 1e-6 * min(1.0, *(tensor.abs().max().item() for tensor in given.values()))
    torch.autograd.gradcheck(function, list(leaves(given, torch.float64).values()), eps=step, fast_mode=True)


def away_from_zero(z):
    """So far that rounding does not rectify what was not."""
    return (z + 0.01 * z.sign()).float().double()


def parts(config, name, tensor):
    """What of a result can be wrong alone: each map, each kernel, each affine map."""
    if name.endswith("kernels"):
        return tensor.reshape(-1, config["kernel_size"] ** 2).split(1)
    if name.endswith("transforms"):
        return tensor.reshape(-1, 6).split(1)
    return tensor.split(1)


KINDS = {"video_head": VideoHead, "video_operator": VideoOperator}
