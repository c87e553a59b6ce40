"""Files of torch.save, and beside each in an .npz what a reader must find in it: Fixtures/torch.

    python torch_files.py   the same bytes every time

x(i) = (i - 11) / 4 in floating point, i - 11 in integers, i % 3 == 0 for truth values, as in files.py. Models have random
parameters, and the .npz what they compute: input, output, h_n, c_n.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import nn

FOLDER = Path(__file__).resolve().parent / "torch"
TYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "uint64",
         "uint32", "uint16")


def numbers(dtype, *shape):
    i = torch.arange(torch.Size(shape).numel())
    if dtype == torch.bool:
        return (i % 3 == 0).reshape(shape)
    return (((i - 11) / 4) if dtype.is_floating_point else i if "uint" in str(dtype) else i - 11).to(dtype).reshape(shape)


def saved(content, **options):
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def expected(tensors):
    """The numbers as NumPy has them, row by row."""
    file = io.BytesIO()
    np.savez(file, **{name: np.ascontiguousarray((tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy())
                      .reshape(tensor.shape) for name, tensor in tensors.items()})
    return file.getvalue()


def types():
    return {name: numbers(getattr(torch, name), 2, 3) for name in TYPES}


def layouts():
    """Every way in which a tensor's numbers may lie in a storage, several tensors in one."""
    base = numbers(torch.float32, 4, 6)
    return {
        "base": base,
        "transposed": base.T,
        "row": base[2],
        "column": base[:, 3],
        "block": base[1:3, 2:5],
        "every_second": base[::2, 1::2],
        "permuted": numbers(torch.float64, 2, 3, 4).permute(2, 0, 1),
        "expanded": numbers(torch.float32, 3, 1).expand(3, 4),
        "repeated": torch.tensor(2.5).expand(2, 3),
        "windows": numbers(torch.float16, 6).unfold(0, 3, 1),
        "scalar": torch.tensor(-1.25),
        "empty": torch.empty(0, 3),
        "none_of_many": base[4:],
        "channels_last": numbers(torch.float32, 2, 3, 2, 2).contiguous(memory_format=torch.channels_last),
        "tied": base,
        "parameter": nn.Parameter(numbers(torch.bfloat16, 3)),
    }


class Tagger(nn.Module):
    """An embedding, a bidirectional GRU, a dense layer."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding(7, 3)
        self.rnn = nn.GRU(3, 4, bidirectional=True)
        self.decoder = nn.Linear(8, 5)

    def forward(self, tokens):
        return self.decoder(self.rnn(self.encoder(tokens))[0])


class Tied(nn.Module):
    """A language model whose dense layer has the matrix of its embedding, under weight norm in its recurrence."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding(7, 4)
        self.rnn = nn.utils.parametrizations.weight_norm(nn.LSTM(4, 4), "weight_hh_l0")
        self.decoder = nn.Linear(4, 7)
        self.decoder.weight = self.encoder.weight

    def forward(self, tokens):
        return self.decoder(self.rnn(self.encoder(tokens))[0])


class Unequal(nn.Module):
    """Layers of unequal kinds and sizes, in order but no `nn.Sequential`, as those of PyTorch give more than one result."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 4)
        self.first = nn.LSTM(4, 6)
        self.second = nn.GRU(6, 5, bidirectional=True)
        self.norm = nn.LayerNorm(10)
        self.top = nn.Sequential(nn.Linear(10, 7), nn.Tanh(), nn.Linear(7, 3, bias=False))

    def forward(self, tokens):
        return self.top(self.norm(self.second(self.first(self.words(tokens))[0])[0]))


def lstm():
    module, x = nn.LSTM(3, 4, 2), torch.randn(5, 2, 3)
    with torch.no_grad():
        output, (h, c) = module(x)
    return module, {"input": x, "output": output, "h_n": h, "c_n": c}


def tagged(module):
    tokens = torch.arange(12).reshape(6, 2) * 5 % 7
    with torch.no_grad():
        return {"input": tokens, "output": module(tokens)}


def checkpoint(module):
    """What a training keeps: the state after one step of Adam, and numbers and texts of other kinds."""
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    module(torch.zeros(2, 1, dtype=torch.int64)).square().sum().backward()
    optimizer.step()
    return {
        "epoch": 3, "model": module.state_dict(), "optimizer": optimizer.state_dict(), "best": 0.25, "name": "tagger",
        "losses": [1.5, 0.75], "resumed": False, "seed": 2**70, "scheduler": None, "config": OrderedDict(
            shape=torch.Size([2, 3]), device=torch.device("cuda", 0), dtype=torch.bfloat16, tags=("a", "b")),
        "samples": [torch.ones(2), {"deep": (torch.zeros(1), 4)}],
    }


def big_endian(content):
    """The archive as a big-endian machine writes it; all its storages are of float32."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries:
            if name.endswith("/byteorder"):
                data = b"big"
            elif "/data/" in name:
                data = np.frombuffer(data, "<f4").astype(">f4").tobytes()
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return file.getvalue()


class Command:
    """What runs a command where it is unpickled."""

    def __reduce__(self):
        import os
        return os.system, ("echo this must not be run",)


def files():
    torch.manual_seed(15)
    module, results = lstm()
    yield "lstm.pt", saved(module.state_dict())
    yield "lstm.npz", expected(results)
    for protocol in (3, 4, 5):
        yield f"protocol_{protocol}.pt", saved(module.state_dict(), pickle_protocol=protocol)
    yield "big_endian.pt", big_endian(saved(module.state_dict()))
    for name, tensors in {"types": types(), "layouts": layouts()}.items():
        yield f"{name}.pt", saved(tensors)
        yield f"{name}.npz", expected({name: tensor.detach() for name, tensor in tensors.items()})
    tagger = Tagger()
    content = checkpoint(tagger)
    yield "checkpoint.pt", saved(content)
    yield "checkpoint.npz", expected(tagged(tagger))
    tied = Tied()
    yield "tied.pt", saved(tied.state_dict())
    yield "tied.npz", expected(tagged(tied))

    yield "module.pt", saved(nn.LSTM(1, 1))
    yield "command.pt", saved({"weight": torch.ones(2), "note": Command()})
    # Without tensors, whose addresses would stand in it.
    yield "legacy.pt", saved({"epoch": 3}, _use_new_zipfile_serialization=False)
    yield "legacy_4.pt", saved({"epoch": 3}, _use_new_zipfile_serialization=False, pickle_protocol=4)

    unequal, tokens = Unequal(), torch.arange(15).reshape(5, 3) * 4 % 11
    with torch.no_grad():
        yield "unequal.pt", saved(unequal.state_dict())
        yield "unequal.npz", expected({"input": tokens, "output": unequal(tokens)})


def write_all():
    FOLDER.mkdir(exist_ok=True)
    written = dict(files())
    for name, content in written.items():
        (FOLDER / name).write_bytes(content)
    for path in FOLDER.iterdir():
        if path.name not in written:
            path.unlink()  # of a file that was renamed or dropped
    print(f"{len(written)} files of torch.save, {sum(map(len, written.values())):,} bytes")


if __name__ == "__main__":
    write_all()
