"""Writes the golden fixtures beside this file. README.md says what is in them.

    python generate.py          writes every fixture, the same bytes every time
    python generate.py --check  reads them back and checks them in other ways
"""

import argparse
import json
import zlib
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save

import associative
import cells
import convlstm_codes
import convolutions
import episodes
import files
import foreign
import foreign_models
import kinds
import layer_modules
import layers
import metrics
import models
import parts as training_parts
import stacks
import torch_files
import trainings
import video
import video_convlstm
import video_heads
from cases import all_cases
from cells import Guard, StrictGuard, Unsuitable
from kinds import Source, initial_state, leaves, under

KINDS = kinds.KINDS | stacks.KINDS | models.KINDS | foreign.KINDS | trainings.KINDS | convolutions.KINDS \
    | episodes.KINDS | training_parts.KINDS | layers.KINDS | metrics.KINDS | video.KINDS \
    | video_convlstm.KINDS | video_heads.KINDS | convlstm_codes.KINDS
DIFFERENTIATED = ("cell", "stack", "network", "training", "convolution", "episodes", "optimizer", "loss", "layers",
                  "video_model", "video_convlstm", "video_head", "video_operator")
HERE = Path(__file__).resolve().parent
GENERATOR = f"torch {torch.__version__.split('+')[0]}, float64"
SEARCH = 20_000  # seeds to try before giving a case up
EXACT = 1e-12
GRADIENT_RANGE = (1e-3, 2e2)
ROUNDING = 2.0**-24
ENLARGEMENT = 25
SINGLE = 4e-6  # that float32 may be off where many layers stand one behind the other
FLOOR = 1e-2


def generate(case):
    """The case's tensors, from the first seed that passes the guard.

    The search begins at a hash of the name, so a case does not change when others
    come or go.
    """
    kind = KINDS[case.kind]
    first = zlib.crc32(case.path.encode())
    for offset in range(SEARCH):
        seed = (first + offset) % 2**32
        given = kind.draw(case.config, Source(seed), **case.drawing)
        try:
            expected = kind.evaluate(case.config, given, guard=StrictGuard())
            refuse_extremes(case, expected)
            refuse_fragile(case, given, expected)
        except Unsuitable:
            continue
        return seed, given, {name: tensor.detach() for name, tensor in expected.items()}
    raise SystemExit(f"{case.path}: no suitable seed")


def refuse_extremes(case, expected):
    """Gradients that vanish hide errors, and those that explode enlarge rounding."""
    if case.kind not in DIFFERENTIATED:
        return
    least, most = getattr(KINDS[case.kind], "gradient_range", GRADIENT_RANGE)
    for name, gradient in under("gradient", expected).items():
        if not least <= gradient.abs().max() <= most:
            raise Unsuitable(f"the gradient of {name} is out of range")


def refuse_fragile(case, given, expected):
    """Moves every given number by what rounding to Float might, and refuses what that enlarges a lot.

    Some recurrences are chaotic; a test of one would have to be too lenient to see an error. Where another framework gives
    the values, PyTorch moves in its stead: Keras rounds to Float itself, which nothing further down could tell from this.
    """
    is_foreign = case.kind in foreign.KINDS
    if case.kind not in DIFFERENTIATED and not is_foreign:
        return
    if case.kind in ("video_model", "video_convlstm"):
        for ops in (video.Torch, video.Plain):
            single = KINDS[case.kind].evaluate(case.config, given, dtype=torch.float32, ops=ops)
            if any(deviation(case.config, name, expected[name].detach(), single[name].detach()) > SINGLE for name in expected):
                raise Unsuitable("PyTorch's float32 is too far off for another's to be near")
    noise = np.random.RandomState(0)
    nudged = {name: tensor * (1 + ROUNDING * torch.from_numpy(noise.uniform(-1, 1, tensor.shape)))
              if tensor.is_floating_point() else tensor for name, tensor in given.items()}
    if is_foreign:
        expected, moved = evaluate_in_torch(case, given), evaluate_in_torch(case, nudged)
    else:
        moved = KINDS[case.kind].evaluate(case.config, nudged)
    if max(deviation(case.config, name, expected[name].detach(), moved[name].detach()) for name in expected) \
            > ENLARGEMENT * ROUNDING:
        raise Unsuitable("a rounding error grows too much")


def encode(case, seed, tensors):
    metadata = {
        "kind": case.kind,
        "config": json.dumps(case.config, separators=(",", ":")),
        "case": case.name,
        "seed": str(seed),
        "generator": getattr(KINDS[case.kind], "made_by", lambda: GENERATOR)(),
    }
    data = save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)
    # The library writes the metadata in the order of a randomised hash. The same
    # header in a fixed order is as long, so the rest of the file stays in place.
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    header["__metadata__"] = metadata
    ordered = json.dumps(header, separators=(",", ":")).encode().ljust(length)
    assert len(ordered) == length
    return data[:8] + ordered + data[8 + length:]


def write_all(only=""):
    """Writes the cases whose path begins with `only`; of all, what is no case any more goes."""
    written = set()
    for case in all_cases():
        if not case.path.startswith(only):
            continue
        seed, given, expected = generate(case)
        verify(case, given, expected)
        path = HERE / f"{case.path}.safetensors"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode(case, seed, given | expected))
        written.add(path)
    for path in set() if only else set(HERE.glob("*/*.safetensors")) - written:
        path.unlink()  # of a case that was renamed or dropped
    print(f"{len(written)} fixtures, {sum(path.stat().st_size for path in written):,} bytes")
    if not only:
        files.write_all()
        torch_files.write_all()
        foreign_models.write_all()


def verify(case, given, expected):
    """Second opinions on the equations: PyTorch's own modules, and the list form of fast weights."""
    for name, tensor in given.items():
        exact = tensor.dtype == torch.int64 or tensor.allclose(tensor.float().double(), rtol=0, atol=0, equal_nan=True)
        assert exact, f"{case.path}: Float cannot hold {name}"
    for name, tensor in expected.items():
        assert tensor.isfinite().all(), f"{case.path}: {name} is not finite"
    if case.kind == "layer_norm":
        same(case, "output", expected["output"], torch.nn.functional.layer_norm(
            given["input"], given["input"].shape[1:], given["weight"], given["bias"], case.config["epsilon"]))
    if case.kind == "stack" and case.config["cell"]["cell"] in ("rnn", "lstm", "gru") and not case.config["cell"]["layer_norm"]:
        same_all(case, expected, stacks.evaluate_with_module(case.config, given))
    if case.kind == "layers" and layer_modules.has_module(case.config["layers"]):
        same_all(case, expected, layer_modules.evaluate(case.config, given))
    if case.kind == "video_head":
        same_all(case, expected, video_heads.evaluate_with_operators(case.config, given))
    if case.kind == "model":
        same_all(case, expected, models.evaluate_with_module(case.config, given))
    if case.kind in foreign.KINDS:
        same_all(case, expected, evaluate_in_torch(case, given))
    if case.kind in convlstm_codes.KINDS:
        same_all(case, expected, convlstm_codes.by_layers(case.config, given))
    if case.kind == "video_model":
        same_all(case, expected, video.VideoModel.evaluate(case.config, given, ops=video.Torch))
        if "initial.h1" in given:
            assert video.check_split(case.config, given, expected) < EXACT, f"{case.path}: two pieces differ from the whole"
    if case.kind == "video_convlstm":
        same_all(case, expected, video_convlstm.VideoConvLSTM.evaluate(case.config, given, ops=video.Torch))
        assert video_convlstm.check_patches(case.config, given["frames"]), f"{case.path}: patches are not pixel_unshuffle's"
        assert video_convlstm.check_layers(case.config, given) < EXACT, f"{case.path}: the cell is not that of layers.py"
    if case.kind != "cell":
        return
    if case.config["cell"] == "fast_weights":
        state = initial_state(case.config, given, under("state", given))
        listed = cells.fast_weights_from_list(case.config, under("parameter", given), given["input"], state)
        same(case, "output", expected["output"], listed)
    elif case.config["cell"] == "associative_lstm":
        state = initial_state(case.config, given, under("state", given))
        summed = associative.outputs_from_sums(case.config, under("parameter", given), given["input"], state)
        same(case, "output", expected["output"], summed)
    elif not case.config.get("layer_norm"):
        verify_with_module(case, given, expected)


def verify_with_module(case, given, expected):
    """Compares output, last state, loss and all gradients with torch.nn.RNN, LSTM or GRU."""
    config = case.config
    options = {"nonlinearity": config["activation"]} if config["cell"] == "rnn" else {}
    module = getattr(torch.nn, config["cell"].upper())(config["input"], config["hidden"], **options).double()
    module.load_state_dict({f"{name}_l0": tensor for name, tensor in under("parameter", given).items()})
    inputs = given["input"].clone().requires_grad_()
    state = leaves(under("state", given), torch.float64)
    start = [tensor.unsqueeze(0) for tensor in state.values()]
    output, final = module(inputs, None if not start else start[0] if len(start) == 1 else tuple(start))
    final = final if isinstance(final, tuple) else (final,)
    results = {"output": output} | {f"final.{name}": tensor[0] for name, tensor in zip("hc", final)}
    loss = sum((tensor * given[f"cotangent.{name}"]).sum() for name, tensor in results.items())
    loss.backward()
    results |= {"loss": loss, "gradient.input": inputs.grad}
    results |= {f"gradient.{name.removesuffix('_l0')}": p.grad for name, p in module.named_parameters()}
    results |= {f"gradient.state.{name}": tensor.grad for name, tensor in state.items()}
    same_all(case, expected, results)


def evaluate_in_torch(case, given):
    """What torch.nn.RNN, LSTM or GRU gives, which takes another framework's converted weights with strict=True."""
    network = stacks.module(case.config)
    network.load_state_dict(KINDS[case.kind].to_torch(case.config, given), strict=True)
    output, final = network(given["input"])
    final = final if isinstance(final, tuple) else (final,)
    results = {"output": output} | {f"final.{name}": tensor for name, tensor in zip("hc", final)}
    return {name: tensor.detach() for name, tensor in results.items()}


def same_all(case, expected, others):
    assert others.keys() == expected.keys(), case.path
    for name, tensor in others.items():
        same(case, name, expected[name], tensor.detach())


def same(case, name, expected, other):
    error = deviation(case.config, name, expected, other)
    assert error < getattr(KINDS[case.kind], "exact", EXACT), f"{case.path}: {name} differs by {error:.1e}"


def deviation(config, name, expected, other):
    """The largest difference in a part of a tensor, relative to the largest number expected there.

    A part that is nearly zero throughout is measured by FLOOR of the tensor's largest number; where all are zero, the
    difference is absolute.
    """
    least = FLOOR * expected.abs().max().item()
    return max(
        (part - same.double()).abs().max().item() / (max(part.abs().max().item(), least) or 1.0)
        for part, same in zip(parts(config, name, expected), parts(config, name, other)))


def parts(config, name, tensor):
    """What of a tensor can be wrong alone: each gate's rows of a cell's parameters, each set of a layer norm, each
    layer's and direction's state, and of an agent's head the logits and the value."""
    if isinstance(config.get("input"), dict):
        return layers.Layers.parts(config, name, tensor)
    if "parity" in config:
        return video.VideoModel.parts(config, name, tensor)
    if "patch" in config:
        return video_convlstm.VideoConvLSTM.parts(config, name, tensor)
    if "operator" in config or "head" in config:
        return video_heads.parts(config, name, tensor)
    words = name.split(".")
    cell = config["cell"] if isinstance(config.get("cell"), dict) else config
    if words[0] not in ("gradient", "final") or "hidden" not in cell:
        return [tensor]
    hidden = cell["hidden"]
    if words[-1] in ("h", "c", "A"):
        return tensor.split(1) if "layers" in config else [tensor]
    if words[-2] == "head" and "discount" in config:
        return tensor.split([len(tensor) - 1, 1])
    if words[-1].startswith("norm_"):
        return tensor.reshape(-1, hidden).split(1)
    if not words[-1].startswith(("weight_", "bias_")):
        return [tensor]
    if cell["cell"] == "associative_lstm":
        sizes = 3 * [hidden // 2] + (2 * cell["keys"] + 1) * [hidden]
        return tensor.split(sizes if len(tensor) == sum(sizes) else sizes[:-1])
    return tensor.split(hidden)


def check_all(only=""):
    """Reads every file back, evaluates it again in float32, and differentiates the cells numerically."""
    for case in all_cases():
        if not case.path.startswith(only):
            continue
        with safe_open(HERE / f"{case.path}.safetensors", "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            metadata = file.metadata()
        config = json.loads(metadata["config"])
        assert (config, metadata["kind"], metadata["case"]) == (case.config, case.kind, case.name)
        repeated = KINDS[case.kind].evaluate(config, tensors)
        for name, tensor in repeated.items():
            same(case, name, tensors[name], tensor.detach())
        single = KINDS[case.kind].evaluate(config, tensors, dtype=torch.float32)
        errors = {name: deviation(config, name, tensors[name], tensor.detach()) for name, tensor in single.items()}
        worst = max(errors, key=errors.get)
        print(f"{case.path:60} seed {metadata['seed']:>10}  float32 is off by {errors[worst]:.0e} in {worst}")
        if case.kind == "cell":
            thorough = is_small(case)
            check_gradient(config, tensors, thorough)
            print(f"{'':60} gradcheck passed{'' if thorough else ', along random directions'}")
        elif case.kind in ("layers", "video_head", "video_operator"):
            (layers if case.kind == "layers" else video_heads).check_gradient(config, tensors)
            print(f"{'':60} gradcheck passed, along random directions")
        elif case.kind in ("video_model", "video_convlstm"):
            (video if case.kind == "video_model" else video_convlstm).check_gradient(config, tensors)
            print(f"{'':60} gradcheck passed, along random directions")


def is_small(case):
    """Whether differentiating by every single number takes no more than a moment."""
    return case.drawing["steps"] * case.drawing["sequences"] * case.config["hidden"] ** 2 <= 7 * 6**2


def check_gradient(config, tensors, thorough):
    """torch.autograd.gradcheck of outputs and last state against everything given."""
    given = under("parameter", tensors) | {"input": tensors["input"]}
    given |= initial_state(config, tensors, under("state", tensors))
    states = cells.state_shapes(config, tensors["input"].shape[1])

    def function(*values):
        p = dict(zip(given, values))
        output, final = cells.run(config, p, p["input"], {name: p[name] for name in states}, Guard())
        return output, *final.values()

    torch.autograd.gradcheck(function, list(leaves(given, torch.float64).values()), fast_mode=not thorough)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="check the fixtures there are instead of writing them")
    parser.add_argument("--only", default="", metavar="PREFIX", help="the cases whose folder/name begins so")
    torch.set_num_threads(1)
    arguments = parser.parse_args()
    (check_all if arguments.check else write_all)(arguments.only)
