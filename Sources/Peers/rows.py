"""The rows: what is timed, by the ids of `fastweights bench`."""

from dataclasses import dataclass

# What measures training as well, and what only runs what was trained.
FRAMEWORKS, DEPLOYMENT = ("numpy", "torch", "jax"), ("onnxruntime", "openvino")
FORMS = ("NN", "TN", "NT")
RECURRENT_SHAPES = ("128x50x50", "128x100x100", "128x256x256", "128x400x100")
LARGE_SHAPES = ("512x512x512", "1024x1024x1024", "2048x2048x2048")
FUNCTIONS = ("exp", "sigmoid", "tanh")
ELEMENTS = 4096
MODELS = {"fast-weights": "fast weights", "lstm": "LSTM", "gru": "GRU", "irnn": "IRNN"}
SIZES = {4: (20, 50, 100), 30: (20, 50, 100, 256)}
SEQUENCES = {"lstm": "LSTM", "gru": "GRU"}
STREAM_SIZES = (8, 16, 20, 40, 50, 64, 100, 256)
# Of the rows "sequence" and "batch": one layer of these models, and every state of its sequences comes out.
RUNS = {"lstm": "LSTM", "gru": "GRU"}
RUN_STEPS, RUN_INPUTS = {"sequence": 1000, "batch": 63}, {"sequence": 1, "batch": 20}
BATCH = 128
# Of the rows "sequences": networks of two layers on sequences of numbers.
SEQUENCE_BATCH, SEQUENCE_INPUT, SEQUENCE_LAYERS, SEQUENCE_CLASSES = 64, 20, 2, 10
# Of the rows "video": two convolutional LSTMs, C and B are in the id.
VIDEO_CHANNELS, VIDEO_BATCHES = (32, 64), (4, 16)
VIDEO_MAPS, VIDEO_SIDE, VIDEO_STEPS, VIDEO_KERNEL = 8, 16, 10, 5


@dataclass(frozen=True)
class Row:
    """A row of its id. `model`, `hidden` (R), `pairs` (K) and `steps` (T) are of networks, `form` and `shape` of products."""

    id: str

    @property
    def kind(self):
        return self.id.split("/")[0]

    @property
    def model(self):
        """Or the function's name."""
        return self.id.split("/")[1]

    form = model

    @property
    def shape(self):
        return tuple(int(size) for size in self.id.split("/")[2].split("x"))

    @property
    def hidden(self):
        return self.parameter("R")

    @property
    def pairs(self):
        return self.parameter("K")

    @property
    def steps(self):
        return self.parameter("T")

    @property
    def batch(self):
        return 1 if self.kind in ("sequence", "stream") else self.parameter("B") if self.kind == "video" else BATCH

    @property
    def channels(self):
        return self.parameter("C")

    @property
    def cell(self):
        """The model without what stands on top of it."""
        return self.model.removesuffix("-dense")

    @property
    def by_stream(self):
        """Of a row "sequence": the row of our bench that does the same step by step."""
        return Row(self.id.replace(f"/{self.model}/", f"/{self.model}-stream/"))

    def parameter(self, name):
        return int(dict(part.split("=") for part in self.id.split("/") if "=" in part)[name])

    @property
    def unit(self):
        return {"product": "GFLOP/s", "function": "G/s", "training": "ms", "sequences": "ms", "video": "ms", "inference": "/s",
                "sequence": "ns", "batch": "/s", "stream": "ns"}[self.kind]

    @property
    def is_rate(self):
        """Whether more is better."""
        return self.unit.endswith("/s")

    def figure(self, seconds):
        """The figure in the row's unit of the seconds of one call."""
        match self.kind:
            case "product":
                m, n, k = self.shape
                return 2e-9 * m * n * k / seconds
            case "function":
                return 1e-9 * ELEMENTS / seconds
            case "training" | "sequences" | "video":
                return 1e3 * seconds
            case "inference" | "batch":
                return BATCH / seconds
            case "sequence":
                return 1e9 * seconds / self.steps
            case "stream":
                return 1e9 * seconds

    def ratio(self, ours, peer):
        """How many times as fast as the peer ours is."""
        return ours / peer if self.is_rate else peer / ours

    def threads(self, asked):
        """The numbers of threads to measure with, of those asked for.

        4,096 numbers are work for one thread. One sequence is measured once, each peer with as many threads as suit it:
        JAX dispatches on one core and computes on the other, NumPy gains up to 5 % by a second.
        """
        match self.kind:
            case "function":
                return [1]
            case "stream" | "sequence":
                return [max(asked)]
        return asked

    def threads_of(self, library, threads):
        """The numbers of threads that a library takes part with.

        PyTorch's steps of one sequence are up to three times slower with a second thread, and the steps of ONNX Runtime
        and OpenVINO are a call each. A whole sequence they run with one thread and with all.
        """
        if self.kind == "stream" and library in ("torch", *DEPLOYMENT):
            return [1]
        if self.kind == "sequence" and library in ("torch", *DEPLOYMENT):
            return sorted({1, threads})
        return [threads]
