"""PyTorch: modules of torch.nn, fast weights as a list or as a matrix, steps of one sequence, products, functions."""

import contextlib
import itertools

import torch
from torch import nn
from torch.nn import functional

import kernels_numpy
import problem
from rows import ELEMENTS, SEQUENCE_CLASSES, SEQUENCE_INPUT, SEQUENCE_LAYERS, VIDEO_KERNEL, VIDEO_MAPS

SEQUENCES = {
    "irnn": ["nn.RNN"], "lstm": ["nn.LSTM oneDNN", "nn.LSTM ATen"], "gru": ["nn.GRU"],
    "fast-weights": ["list", "list compiled", "matrix"]}
STREAMS = {
    "irnn": ["RNNCell", "rnn_relu_cell"], "lstm": ["LSTMCell", "lstm_cell"], "gru": ["GRUCell", "gru_cell"],
    "lstm-dense": ["LSTMCell", "lstm_cell"], "gru-dense": ["GRUCell", "gru_cell"],
    "fast-weights": ["matrix", "matrix traced"]}


def forms(row, everything):
    """The forms to time; unless everything is asked for, without those known to be several times slower."""
    match row.kind:
        case "product":
            return ["mm"]
        case "function":
            return [row.model]
        case "stream":
            return STREAMS[row.model]
        case "sequences" | "sequence" | "batch":
            return SEQUENCES[row.model]
        case "video":
            return ["contiguous", "channels_last"]
    # Compiling the unrolled list takes most of a minute at T = 11 and many minutes at T = 63.
    slow = {"list compiled"} if row.pairs > 4 else set()
    if not everything:
        slow |= {"matrix"} if row.hidden > 20 else {"list compiled"}
    return [form for form in SEQUENCES[row.model] if form not in slow]


def prepare(row, form):
    """A function that does the row's work once, one that waits until it is done, and of some rows one that gives what
    it left, by the names of ours.py."""
    match row.kind:
        case "product":
            a, b = (torch.from_numpy(operand) for operand in kernels_numpy.operands(row))
            c = torch.empty(row.shape[:2])
            return lambda: torch.mm(a, b, out=c), kernels_numpy.nothing
        case "function":
            x, y, evaluate = torch.from_numpy(kernels_numpy.numbers()), torch.empty(ELEMENTS), getattr(torch, row.model)
            return lambda: evaluate(x, out=y), kernels_numpy.nothing
        case "training" | "sequences" | "video":
            return training(row, form), kernels_numpy.nothing
        case "inference":
            call, left = inference(row, form)
            return call, kernels_numpy.nothing, left
        case "sequence" | "batch":
            call, left = run(row, form)
            return call, kernels_numpy.nothing, left
        case "stream":
            step, left = stream(row, form)
            return step, kernels_numpy.nothing, lambda: dict(zip(("h", "y"), left()))


def context(row):
    return contextlib.nullcontext() if row.kind in ("training", "sequences", "video") else torch.inference_mode()


def versions():
    return {"torch": f"{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}"}


class Library(nn.Module):
    """nn.RNN, nn.LSTM or nn.GRU; the LSTM also with ATen's own kernels in place of oneDNN's."""

    def __init__(self, model, form, parameters):
        super().__init__()
        kinds = {"irnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
        options = {"nonlinearity": "relu"} if model == "irnn" else {}
        hidden, inputs = parameters["weight_hh"].shape[1], parameters["weight_ih"].shape[1]
        self.module = kinds[model](inputs, hidden, **options)
        self.module.load_state_dict({f"{name}_l0": value for name, value in parameters.items()})
        self.native = form.endswith("ATen")

    def states(self, numbers):
        with torch.backends.mkldnn.flags(enabled=False) if self.native else contextlib.nullcontext():
            return self.module(numbers)[0]

    def forward(self, tokens, embedding):
        return self.states(functional.embedding(tokens, embedding))[-1]


class FastWeights(nn.Module):
    """The fast-weights cell by the list of earlier states (equation 4 of the paper) or the matrix A (equation 1)."""

    def __init__(self, form, parameters):
        super().__init__()
        for name, value in parameters.items():
            self.register_parameter(name, nn.Parameter(value))
        self.run = self.by_matrix if form == "matrix" else self.by_list

    def forward(self, tokens, embedding):
        # As a table: the projection of each of the 37 tokens, looked up.
        return self.run(functional.embedding(tokens, functional.linear(embedding, self.weight_ih, self.bias_ih)))

    def by_list(self, projected):
        h = torch.zeros_like(projected[0])
        ages = torch.arange(len(projected) - 1, -1, -1, dtype=torch.float32)
        weights, states = problem.RATE * problem.DECAY**ages, []
        for t in range(len(projected)):
            total = z = torch.addmm(projected[t], h, self.weight_hh.t())
            if states:
                past = torch.stack(states, 1)
                scores = torch.bmm(torch.relu(z).unsqueeze(1), past.transpose(1, 2)) * weights[-t:]
                total = z + torch.bmm(scores, past).squeeze(1)
            h = self.activate(total)
            states.append(h)
        return h

    def by_matrix(self, projected):
        h, matrix = torch.zeros_like(projected[0]), None
        for t in range(len(projected)):
            total = z = torch.addmm(projected[t], h, self.weight_hh.t())
            if t:
                written = problem.RATE * (h.unsqueeze(2) * h.unsqueeze(1))
                matrix = written if t == 1 else problem.DECAY * matrix + written
                total = z + torch.bmm(matrix, torch.relu(z).unsqueeze(2)).squeeze(2)
            h = self.activate(total)
        return h

    def activate(self, total):
        return torch.relu(functional.layer_norm(
            total, total.shape[-1:], self.norm_weight, self.norm_bias, problem.EPSILON))


class Network(nn.Module):
    def __init__(self, model, form, parameters):
        super().__init__()
        p = {name: torch.from_numpy(value) for name, value in parameters.items()}
        cell = {name.removeprefix("cell."): value for name, value in p.items() if name.startswith("cell.")}
        self.cell = FastWeights(form, cell) if model == "fast-weights" else Library(model, form, cell)
        self.embedding = nn.Embedding.from_pretrained(p["embedding.weight"], freeze=False)
        self.hidden, self.output = (nn.Linear(*p[f"{name}.weight"].shape[::-1]) for name in ("hidden", "output"))
        self.load_state_dict({n: v for n, v in p.items() if n.startswith(("hidden.", "output."))}, strict=False)

    def forward(self, tokens):
        return self.output(torch.relu(self.hidden(self.cell(tokens, self.embedding.weight))))


class Stack(nn.Module):
    """Layers of nn.LSTM or nn.GRU over sequences of numbers, and a dense layer on the last h."""

    def __init__(self, row, form):
        super().__init__()
        torch.manual_seed(1)
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[row.model]
        self.module = kind(SEQUENCE_INPUT, row.hidden, num_layers=SEQUENCE_LAYERS)
        self.head = nn.Linear(row.hidden, SEQUENCE_CLASSES)
        self.native = form.endswith("ATen")

    def forward(self, numbers):
        with torch.backends.mkldnn.flags(enabled=False) if self.native else contextlib.nullcontext():
            return self.head(self.module(numbers)[0][-1])


class ConvolutionalLSTM(nn.Module):
    """One convolution of [x, h] for all four gates."""

    def __init__(self, inputs, channels):
        super().__init__()
        self.channels = channels
        self.gates = nn.Conv2d(inputs + channels, 4 * channels, VIDEO_KERNEL, padding=VIDEO_KERNEL // 2)

    def forward(self, x, state):
        h, c = state
        i, f, g, o = self.gates(torch.cat([x, h], 1)).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class Video(nn.Module):
    """Two of them over clips [T, B, C, H, W], and a convolution by filters of one number at every step."""

    def __init__(self, channels):
        super().__init__()
        torch.manual_seed(1)
        self.cells = nn.ModuleList(ConvolutionalLSTM(inputs, channels) for inputs in (VIDEO_MAPS, channels))
        self.out = nn.Conv2d(channels, VIDEO_MAPS, 1)

    def forward(self, frames):
        states = [(zero, zero) for zero in
                  (frames.new_zeros(frames.shape[1], cell.channels, *frames.shape[3:]) for cell in self.cells)]
        outputs = []
        for x in frames:
            for layer, cell in enumerate(self.cells):
                states[layer] = cell(x, states[layer])
                x = states[layer][0]
            outputs.append(self.out(x))
        return torch.stack(outputs)


def network(row, form):
    if row.kind == "sequences":
        return Stack(row, form)
    if row.kind == "video":
        return Video(row.channels).to(
            memory_format=torch.channels_last if form == "channels_last" else torch.contiguous_format)
    net = Network(row.model, form, problem.network(row.model, row.hidden))
    if not form.endswith("compiled"):
        return net
    torch.compiler.reset()
    return torch.compile(net, dynamic=False)


def batches(row):
    if row.kind == "video":
        clips = [torch.from_numpy(clips) for clips in problem.videos(row.batch)]
        return [(clip[:-1], clip[1:]) for clip in clips]
    data = problem.sequences(row.steps) if row.kind == "sequences" else problem.batches(row.pairs)
    return [(torch.from_numpy(inputs), torch.from_numpy(labels)) for inputs, labels in data]


def training(row, form):
    net, data = network(row, form), itertools.cycle(batches(row))
    loss = functional.mse_loss if row.kind == "video" else functional.cross_entropy
    parameters = list(net.parameters())
    adam = torch.optim.Adam(parameters, problem.LEARNING_RATE, problem.BETAS, problem.ADAM_EPSILON, fused=True)

    def step():
        inputs, labels = next(data)
        adam.zero_grad(set_to_none=True)
        loss(net(inputs), labels).backward()
        nn.utils.clip_grad_norm_(parameters, problem.CLIP)
        adam.step()

    return step


def inference(row, form):
    """A function that classifies a batch, and one that gives its logits."""
    net, data, logits = network(row, form).eval(), itertools.cycle(batches(row)), None

    def call():
        nonlocal logits
        logits = net(next(data)[0])

    return call, lambda: {"logits": logits.numpy()}


def run(row, form):
    """A function that applies the layer to its sequences, and one that gives the states that came out."""
    parameters, numbers = problem.run(row)
    layer = Library(row.model, form, {name: torch.from_numpy(value) for name, value in parameters.items()}).eval()
    numbers, states = torch.from_numpy(numbers), None

    def call():
        nonlocal states
        states = layer.states(numbers)

    return call, lambda: {"states": states.numpy()}


def losses_and_gradients(row, form):
    """Of each batch: the loss and the gradient of every parameter, by its name."""
    net, results = network(row, form), []
    for inputs, labels in batches(row):
        net.zero_grad()
        loss = functional.cross_entropy(net(inputs), labels)
        loss.backward()
        named = {name.removeprefix("_orig_mod.").replace("cell.module.", "cell.").removesuffix("_l0"): p.grad
                 for name, p in net.named_parameters()}
        results.append({name: tensor.detach().numpy().copy() for name, tensor in ({"loss": loss} | named).items()})
    return results


class FastWeightsStep(nn.Module):
    """One step of one sequence; A is updated in place."""

    def __init__(self, p):
        super().__init__()
        for name, value in p.items():
            self.register_buffer(name, value)
        self.register_buffer("of_input", p["weight_ih"][:, 0].clone())

    def forward(self, x, state):
        h, matrix = state
        z = torch.addmv(torch.addcmul(self.bias_ih, self.of_input, x), self.weight_hh, h)
        total = torch.addmv(z, matrix, torch.relu(z))
        h = torch.relu_(functional.layer_norm(total, h.shape, self.norm_weight, self.norm_bias, problem.EPSILON))
        return h, matrix.addr_(h, h, beta=problem.DECAY, alpha=problem.RATE)


def stream(row, form):
    """A function that makes one step, and one that gives what it left: h, and the dense output if there is one."""
    p = {name: torch.from_numpy(value) for name, value in problem.stream(row.model, row.hidden).items()}
    r = row.hidden
    if row.model == "fast-weights":
        x, state = torch.full((1,), problem.INPUT), (torch.zeros(r), torch.zeros(r, r))
        advance = FastWeightsStep(p).eval()
        if form.endswith("traced"):
            example = x, tuple(tensor.clone() for tensor in state)
            advance = torch.jit.freeze(torch.jit.trace(advance, example, check_trace=False))
    else:
        x, h = torch.full((1, 1), problem.INPUT), torch.zeros(1, r)
        state = (h, h) if row.cell == "lstm" else h
        advance = cell(form, r, [p[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")])
    y = None

    def step():
        nonlocal state
        state = advance(x, state)

    def step_with_dense():
        nonlocal state, y
        state = advance(x, state)
        y = functional.linear(state[0], p["dense_weight"], p["dense_bias"])

    def left():
        return [t.numpy().ravel() for t in (state[0] if isinstance(state, tuple) else state, y) if t is not None]

    return step_with_dense if row.model.endswith("-dense") else step, left


def cell(form, hidden, weights):
    """A cell of torch.nn, or the function beneath it, which checks less."""
    if form.endswith("_cell"):
        function = getattr(torch, form)
        return lambda x, state: function(x, state, *weights)
    options = {"nonlinearity": "relu"} if form == "RNNCell" else {}
    module = getattr(nn, form)(1, hidden, **options)
    module.load_state_dict(dict(zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), weights)))
    return module
