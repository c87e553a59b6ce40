"""Runs the tool on state dicts that PyTorch has just made, and compares what both compute;
then PyTorch loads what the tool has saved, name by name and bit by bit.

    python round_trip.py --tool ../.build/release/fastweights
"""

import argparse
import itertools
import subprocess
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

TOLERANCE = 1e-5  # of a tensor's largest number


def largest_error(found, expected):
    return ((found - expected).abs().max() / expected.abs().max().clamp_min(1e-30)).item()


def modules():
    """Every kind with one and two layers and directions, with and without biases."""
    kinds = [(torch.nn.RNN, {"nonlinearity": "tanh"}), (torch.nn.RNN, {"nonlinearity": "relu"}),
             (torch.nn.LSTM, {}), (torch.nn.GRU, {})]
    for (kind, options), layers, both, bias in itertools.product(kinds, (1, 2), (False, True), (False, True)):
        yield kind(7, 20, layers, bidirectional=both, bias=bias, **options), options, layers * (1 + both)


def check(tool, folder, module, options, cells, batch_first, prefix):
    model, source, target = (folder / name for name in ("model", "input", "output"))
    tensors = {prefix + name: tensor for name, tensor in module.state_dict().items()}
    if isinstance(module, torch.nn.GRU) or batch_first:
        torch.save({"model": tensors, "epoch": 3} if batch_first else tensors, model)
    else:
        save_file(tensors, model)
    inputs, state = torch.randn(33, 18, 7), torch.randn(cells, 18, 20)
    memory = torch.randn(cells, 18, 20)
    is_lstm = isinstance(module, torch.nn.LSTM)
    given = inputs.transpose(0, 1).contiguous() if batch_first else inputs
    save_file({"input": given, "h0": state} | ({"c0": memory} if is_lstm else {}), source)
    arguments = [tool, "run", "--model", model, "--input", source, "--output", target]
    arguments += ["--activation", options["nonlinearity"]] if options else []
    arguments += ["--save", folder / "saved"]
    subprocess.run(arguments + ["--batch-first"] * batch_first, check=True)
    saved = load_file(folder / "saved")
    assert all(torch.equal(saved[name], tensor) for name, tensor in module.state_dict().items())
    module.load_state_dict(saved, strict=True)
    found = load_file(target)
    with torch.no_grad():
        output, final = module(inputs, (state, memory) if is_lstm else state)
    expected = {"output": output.transpose(0, 1) if batch_first else output}
    expected |= dict(zip(("h_n", "c_n"), final if is_lstm else (final,)))
    assert found.keys() == expected.keys(), (found.keys(), expected.keys())
    return max(largest_error(found[name], tensor) for name, tensor in expected.items())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default=Path(__file__).resolve().parent.parent / ".build/release/fastweights")
    tool = parser.parse_args().tool
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        errors = []
        for i, (module, options, cells) in enumerate(modules()):
            error = check(tool, Path(folder), module, options, cells, i % 2 == 1, ["", "encoder.rnn."][i // 2 % 2])
            print(f"{str(module):70} {error:.1e}")
            assert error <= TOLERANCE
            errors.append(error)
    print(f"{len(errors)} modules of PyTorch, there and back: largest difference {max(errors):.1e}")
