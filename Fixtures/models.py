"""Models of PyTorch as people keep them: nn.Embedding, then a recurrent module, then nn.Linear, under names of a state dict.

The configuration is that of the network which takes the tokens one-hot: its input is the size of the vocabulary.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import stacks
from cells import Guard
from kinds import under


def embedded(config, columns):
    """The configuration of the recurrent module, which reads rows of the embedding."""
    return config | {"cell": config["cell"] | {"input": columns}}


class Model:
    """What the model makes of tokens: a row a sequence, or one a step of all sequences, one behind the other."""

    @staticmethod
    def draw(config, source, steps, sequences, columns):
        hidden, vocabulary = config["cell"]["hidden"], config["cell"]["input"]
        features, outputs = hidden * stacks.directions_of(config), config["head"]["outputs"]
        given = {"parameter.encoder.weight": source.normal((vocabulary, columns))}
        for name, shape in stacks.parameter_shapes(embedded(config, columns)).items():
            given[f"parameter.rnn.{name}"] = source.uniform(shape, hidden ** -0.5)
        given["parameter.decoder.weight"] = source.uniform((outputs, features), features ** -0.5)
        if config["bias"]:
            given["parameter.decoder.bias"] = source.uniform((outputs,), features ** -0.5)
        given["tokens"] = source.integers((sequences, steps), vocabulary)
        given["lengths"] = 1 + (torch.arange(sequences) + steps // 2) % steps
        return given

    @staticmethod
    def evaluate(config, given, dtype=torch.float64, guard=Guard()):
        p = {name: tensor.to(dtype) for name, tensor in under("parameter", given).items()}
        inner, lengths = embedded(config, p["encoder.weight"].shape[1]), given["lengths"].tolist()
        shapes = stacks.state_shapes(inner, len(lengths))
        state = {name: torch.zeros(shape, dtype=dtype) for name, shape in shapes.items()}
        output, final = stacks.run(
            inner, under("rnn", p), p["encoder.weight"][given["tokens"].T], lengths, state, guard)
        if config["head"]["per"] == "sequence":
            x = torch.cat(list(final["h"][-stacks.directions_of(config):]), -1)
        else:
            x = torch.cat([output[:length, b] for b, length in enumerate(lengths)])
        return {"output": x @ p["decoder.weight"].T + p.get("decoder.bias", 0)}


class Module(nn.Module):
    def __init__(self, config, p):
        super().__init__()
        self.encoder = nn.Embedding(*p["encoder.weight"].shape)
        self.rnn = stacks.module(embedded(config, p["encoder.weight"].shape[1]))
        self.decoder = nn.Linear(*p["decoder.weight"].shape[::-1], bias="decoder.bias" in p)
        self.per = config["head"]["per"]

    def forward(self, tokens, lengths):
        packed = pack_padded_sequence(self.encoder(tokens.T), lengths, enforce_sorted=False)
        output, final = self.rnn(packed)
        if self.per == "sequence":
            h = final[0] if isinstance(final, tuple) else final
            return self.decoder(torch.cat(list(h[-2:] if self.rnn.bidirectional else h[-1:]), -1))
        output = pad_packed_sequence(output)[0]
        return self.decoder(torch.cat([output[:length, b] for b, length in enumerate(lengths.tolist())]))


def evaluate_with_module(config, given):
    """The same from modules of torch.nn, which take the parameters with strict=True."""
    p = under("parameter", given)
    module = Module(config, p).double()
    module.load_state_dict(p, strict=True)
    with torch.no_grad():
        return {"output": module(given["tokens"], given["lengths"])}


KINDS = {"model": Model}
