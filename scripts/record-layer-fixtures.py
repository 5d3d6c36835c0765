"""Records values and gradients of PyTorch's layers and losses into test/fixtures/layers/*.json.

Run from the repository's root with Debian's PyTorch: /usr/bin/python3 scripts/record-layer-fixtures.py
"""
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

FOLDER = Path(__file__).parent.parent / "test" / "fixtures" / "layers"
DTYPES = {torch.float32: "float32", torch.int64: "int64", torch.int32: "int32"}


def rounded(number):
    if number != number or abs(number) == float("inf"):
        return str(number)
    return number if isinstance(number, int) else float(f"{number:.9g}")


def plain(tensor):
    tensor = tensor.detach()
    return {
        "dtype": DTYPES[tensor.dtype],
        "shape": list(tensor.shape),
        "data": [rounded(number) for number in tensor.flatten().tolist()],
    }


def write(name, cases):
    header = {"script": "scripts/record-layer-fixtures.py", "torch": torch.__version__}
    lines = ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in cases.items())
    (FOLDER / f"{name}.json").write_text(
        f'{{\n  "header": {json.dumps(header)},\n  "cases": {{\n{lines}\n  }}\n}}\n'
    )


def layer(module, x, training=False, rename=lambda path: path):
    """One call of a layer: sum(direction * output) is differentiated. Buffers are recorded before and after."""
    module.train(training)
    tracked = lambda: {
        rename(path): plain(value)
        for path, value in module.state_dict().items()
        if not path.endswith("num_batches_tracked")
    }
    before = tracked()
    x = x.clone().requires_grad_(x.is_floating_point())
    output = module(x)
    direction = torch.randn(output.shape)
    (output * direction).sum().backward()
    record = {
        "input": plain(x),
        "training": training,
        "parameters": before,
        "direction": plain(direction),
        "output": plain(output),
        "gradients": {rename(path): plain(p.grad) for path, p in module.named_parameters()},
        "updates": {
            key: value
            for key, value in tracked().items()
            if training and key.split(".")[-1] in ("running_mean", "running_var")
        },
    }
    if x.grad is not None:
        record["inputGradient"] = plain(x.grad)
    return record


class Fn(nn.Module):
    """A module around a function, with the parameters of `inner` under their own names."""

    def __init__(self, function, inner=None):
        super().__init__()
        self.function = function
        self.inner = inner

    def forward(self, x):
        return self.function(x) if self.inner is None else self.function(self.inner, x)


def unwrap(path):
    return path.removeprefix("inner.")


def dense():
    return {
        "relu": layer(Fn(lambda f, x: F.relu(f(x)), nn.Linear(5, 4)), torch.randn(3, 5), rename=unwrap),
        "tokens": layer(nn.Linear(5, 4, bias=False), torch.randn(2, 3, 5)),
    }


def conv():
    asymmetric = Fn(lambda f, x: f(F.pad(x, (2, 1, 1, 0))), nn.Conv2d(2, 3, (2, 3)))
    return {
        "conv1d": layer(nn.Conv1d(2, 3, 3, stride=2, padding=1, dilation=2), torch.randn(2, 2, 9)),
        "conv2d": layer(nn.Conv2d(2, 4, 3, stride=(1, 2), padding=1), torch.randn(2, 2, 5, 6)),
        "asymmetric": layer(asymmetric, torch.randn(2, 2, 4, 4), rename=unwrap),
        "groups": layer(nn.Conv2d(4, 6, 2, groups=2, bias=False), torch.randn(2, 4, 4, 3)),
        "same": layer(nn.Conv2d(1, 2, (2, 3), padding="same"), torch.randn(2, 1, 4, 4)),
    }


def conv_transpose():
    return {
        "convTranspose1d": layer(nn.ConvTranspose1d(2, 3, 3, dilation=2), torch.randn(2, 2, 4)),
        "convTranspose2d": layer(
            nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=1), torch.randn(2, 3, 3, 4)
        ),
    }


def pool():
    image = lambda *shape: torch.randn(*shape)
    return {
        "maxPool1d": layer(nn.MaxPool1d(3), image(2, 2, 8)),
        "maxPool2d": layer(nn.MaxPool2d(2), image(2, 2, 4, 5)),
        "overlapping": layer(nn.MaxPool2d(3, stride=2, padding=1), image(2, 2, 5, 6)),
        "maxCeil": layer(nn.MaxPool2d(2, ceil_mode=True), image(2, 2, 5, 3)),
        "averagePool1d": layer(nn.AvgPool1d(2), image(2, 2, 7)),
        "averagePool2d": layer(nn.AvgPool2d(2), image(2, 2, 4, 6)),
        "averagePadded": layer(nn.AvgPool2d(3, stride=2, padding=1), image(2, 2, 5, 5)),
        "averageUncounted": layer(nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), image(2, 2, 5, 5)),
        "averageCeil": layer(nn.AvgPool2d(2, ceil_mode=True), image(2, 2, 5, 3)),
        "averageCeilPadded": layer(nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), image(2, 2, 6, 4)),
        "globalAveragePool": layer(Fn(lambda x: x.mean((2, 3))), image(2, 3, 3, 4)),
        "globalMaxPool": layer(Fn(lambda x: x.amax((2, 3))), image(2, 3, 3, 4)),
    }


def adaptive_pool():
    image = lambda *shape: torch.randn(*shape)
    return {
        "divides": layer(nn.AdaptiveAvgPool2d(2), image(2, 2, 4, 6)),
        "overlaps": layer(nn.AdaptiveAvgPool2d((3, 2)), image(2, 2, 7, 5)),
        "repeats": layer(nn.AdaptiveAvgPool2d(3), image(2, 2, 1, 2)),
        "same": layer(nn.AdaptiveAvgPool2d((3, 2)), image(2, 2, 3, 2)),
        "whole": layer(nn.AdaptiveAvgPool2d(1), image(2, 3, 3, 4)),
    }


def normalization():
    trained = nn.BatchNorm2d(3)
    with torch.no_grad():
        trained.weight.copy_(torch.tensor([0.5, 1.5, -1.0]))
        trained.bias.copy_(torch.tensor([0.1, -0.2, 0.3]))
    cases = {}
    # Three steps one after the other: the buffers of each begin where the one before ended.
    for step in range(3):
        trained.zero_grad()
        x = torch.randn(4, 3, 2, 2) * (step + 1) + step
        cases[f"batchNormStep{step}"] = layer(trained, x, training=True)
    trained.zero_grad()
    cases["batchNormEvaluation"] = layer(trained, torch.randn(4, 3, 2, 2))
    cases["batchNorm1d"] = layer(nn.BatchNorm1d(3, eps=1e-3, momentum=0.3), torch.randn(5, 3), training=True)
    one, two = nn.LayerNorm(4), nn.LayerNorm((2, 4), eps=1e-3)
    with torch.no_grad():
        for norm in (one, two):
            norm.weight.copy_(torch.randn(norm.weight.shape))
            norm.bias.copy_(torch.randn(norm.bias.shape))
    cases["layerNorm"] = layer(one, torch.randn(3, 2, 4))
    cases["layerNormTwoAxes"] = layer(two, torch.randn(3, 2, 4))
    return cases


def embedding():
    return {"embedding": layer(nn.Embedding(5, 3), torch.tensor([[0, 4, 4], [1, 0, 4]]))}


class LstmClassifier(nn.Module):
    """Embedded words, an LSTM, and scores from its last state."""

    def __init__(self, vocabulary, width, classes):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.classifier = nn.Linear(width, classes)

    def forward(self, ids):
        return self.classifier(self.lstm(self.embedding(ids))[1][0][-1])


def recurrent():
    def every_step(network, x):
        return layer(Fn(lambda f, x: f(x)[0], network), x, rename=unwrap)

    def last_state(network, x):
        """The last layer's state, both directions side by side."""
        directions = 2 if network.bidirectional else 1

        def function(f, x):
            state = f(x)[1]
            state = state[0] if isinstance(state, tuple) else state
            return torch.cat(list(state[-directions:]), -1)

        return layer(Fn(function, network), x, rename=unwrap)

    def packed(network, x, lengths, last=False, initial=None):
        """Sequences of their own lengths, padded again, or the last states; their steps behind the end are never read."""
        directions = 2 if network.bidirectional else 1

        def function(f, x):
            sequences = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), True, enforce_sorted=False)
            output, state = f(sequences, initial)
            state = state[0] if isinstance(state, tuple) else state
            if last:
                return torch.cat(list(state[-directions:]), -1)
            return nn.utils.rnn.pad_packed_sequence(output, True, total_length=x.shape[1])[0]

        return layer(Fn(function, network), x, rename=lambda path: path.replace("inner.", "layer."))

    sizes = {"batch_first": True}
    return {
        "rnn": every_step(nn.RNN(3, 4, **sizes), torch.randn(2, 5, 3)),
        "rnnBothLast": last_state(nn.RNN(2, 3, bidirectional=True, bias=False, **sizes), torch.randn(2, 4, 2)),
        "lstm": every_step(nn.LSTM(3, 4, **sizes), torch.randn(2, 5, 3)),
        "lstmLast": last_state(nn.LSTM(2, 3, **sizes), torch.randn(3, 4, 2)),
        "lstmDeep": every_step(nn.LSTM(3, 2, num_layers=2, bidirectional=True, **sizes), torch.randn(2, 4, 3)),
        "gru": every_step(nn.GRU(3, 4, **sizes), torch.randn(2, 5, 3)),
        "gruLast": last_state(nn.GRU(2, 3, num_layers=2, **sizes), torch.randn(2, 4, 2)),
        "classifier": layer(LstmClassifier(10, 4, 3), torch.tensor([[1, 2, 3, 4, 9], [0, 2, 5, 5, 6], [7, 1, 8, 0, 2]])),
        "rnnPacked": packed(nn.RNN(2, 3, **sizes), torch.randn(3, 4, 2), [4, 2, 3], last=True),
        "lstmPacked": packed(nn.LSTM(2, 2, 2, bidirectional=True, **sizes), torch.randn(3, 5, 2), [3, 5, 1]),
        "lstmPackedLast": packed(nn.LSTM(2, 3, bidirectional=True, **sizes), torch.randn(3, 4, 2), [2, 4, 1], last=True),
        "gruPacked": packed(
            nn.GRU(2, 3, 2, **sizes), torch.randn(2, 4, 2), [4, 3], initial=torch.arange(12.0).reshape(2, 2, 3) / 12
        ),
    }


class RmsNorm(nn.Module):
    """nn.RMSNorm, which PyTorch 1.13 lacks."""

    def __init__(self, width, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width))
        self.epsilon = epsilon

    def forward(self, x):
        return x * (x.square().mean(-1, keepdim=True) + self.epsilon).rsqrt() * self.weight


def rms_norm():
    return {"rmsNorm": layer(RmsNorm(4, 1e-6), torch.randn(3, 2, 4)), "epsilon": layer(RmsNorm(4, 0.1), torch.randn(3, 4))}


def group_norm():
    return {
        "groupNorm": layer(nn.GroupNorm(2, 4), torch.randn(2, 4, 3, 2)),
        "plain": layer(nn.GroupNorm(3, 3, eps=0.1, affine=False), torch.randn(2, 3, 5)),
    }


class SelfAttention(nn.MultiheadAttention):
    """Tokens that attend to themselves; `causal` leaves the later ones out."""

    causal = False

    def forward(self, x):
        length = x.shape[1]
        later = torch.ones(length, length, dtype=torch.bool).triu(1) if self.causal else None
        return super().forward(x, x, x, need_weights=False, attn_mask=later)[0]


def multi_head_attention():
    cases = {}
    for name, causal in (("attention", False), ("causal", True)):
        module = SelfAttention(6, 2, batch_first=True)
        module.causal = causal
        nn.init.normal_(module.in_proj_bias)
        nn.init.normal_(module.out_proj.bias)
        cases[name] = layer(module, torch.randn(2, 4, 6))
    return cases


class SequenceAttention(nn.Module):
    """Bahdanau's or Luong's attention of x to itself, the last token of it masked."""

    def __init__(self, features, units=None):
        super().__init__()
        if units:
            self.query = nn.Linear(features, units)
            self.key = nn.Linear(features, units, bias=False)
            self.energy = nn.Linear(units, 1, bias=False)
        self.additive = units is not None

    def forward(self, x):
        if self.additive:
            scores = self.energy(torch.tanh(self.query(x)[:, :, None] + self.key(x)[:, None]))[..., 0]
        else:
            scores = x @ x.transpose(1, 2)
        scores[:, :, -1] = float("-inf")
        return scores.softmax(-1) @ x


def sequence_attention():
    rename = lambda path: f"layer.{path}"
    return {
        "additive": layer(SequenceAttention(3, 5), torch.randn(2, 4, 3), rename=rename),
        "dot": layer(SequenceAttention(3), torch.randn(2, 4, 3), rename=rename),
    }


def activations():
    x = torch.tensor([[-6.0, -2.5, -1.0, -0.1], [0.1, 0.7, 2.0, 5.0]])
    functions = {
        "linear": lambda x: x * 1,
        "relu": F.relu,
        "leakyRelu": F.leaky_relu,
        "elu": F.elu,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "gelu": F.gelu,
        "geluTanh": lambda x: F.gelu(x, approximate="tanh"),
        "quickGelu": lambda x: x * torch.sigmoid(1.702 * x),
        "squaredRelu": lambda x: F.relu(x) ** 2,
        "silu": F.silu,
        "softplus": F.softplus,
        "softmax": lambda x: F.softmax(x, -1),
        "logSoftmax": lambda x: F.log_softmax(x, -1),
    }
    cases = {name: layer(Fn(function), x) for name, function in functions.items()}
    # Twice x reaches past 6.
    return {**cases, "relu6": layer(Fn(F.relu6), 2 * x)}


def sequential():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)
    )
    return {
        "network": layer(network, torch.randn(3, 1, 6, 6), training=True, rename=lambda path: f"layers.{path}"),
    }


def loss(function, output, target):
    output = output.clone().requires_grad_()
    value = function(output, target)
    value.backward()
    return {
        "output": plain(output),
        "target": plain(target),
        "value": rounded(value.item()),
        "gradient": plain(output.grad),
    }


def by_class(function):
    """PyTorch puts classes second: [N, T, C] -> [N, C, T]."""
    return lambda output, target: function(output.transpose(1, 2), target)


def probabilities_by_class(function):
    return lambda output, target: function(output.transpose(1, 2), target.transpose(1, 2))


def ctc(blank=0):
    def function(logits, target):
        lengths = (target >= 0).sum(1)
        return F.ctc_loss(
            F.log_softmax(logits, -1).transpose(0, 1),
            target.clamp(min=0) if blank != 0 else target.clamp(min=1),
            torch.full((logits.shape[0],), logits.shape[1], dtype=torch.long),
            lengths,
            blank=blank,
        )

    return function


def losses():
    weights = torch.tensor([0.5, 2.0, 1.0, 0.0])
    logits, labels = torch.randn(5, 4) * 3, torch.tensor([0, 3, 1, 1, 2])
    sequences, tokens = torch.randn(2, 3, 4), torch.tensor([[0, 1, 2], [3, 1, 0]])
    soft, soft_sequences = F.softmax(torch.randn(5, 4), -1), F.softmax(torch.randn(2, 3, 4), -1)
    binary, bits = torch.tensor([[-90.0], [-1.5], [0.3], [2.0], [90.0]]), torch.tensor([[1.0], [0.0], [1.0], [0.25], [0.0]])
    prediction, truth = torch.randn(4, 3) * 2, torch.randn(4, 3) * 2
    sparse_probabilities = torch.tensor([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]])
    ctc_logits = torch.randn(4, 8, 5) * 2
    # Repeated labels, a full row, padding, and an empty target.
    ctc_labels = torch.tensor([[1, 1, 2], [3, 4, 1], [2, -1, -1], [-1, -1, -1]])
    return {
        "crossEntropy": loss(F.cross_entropy, logits, labels),
        "crossEntropySequences": loss(by_class(F.cross_entropy), sequences, tokens),
        "crossEntropyWeighted": loss(lambda x, y: F.cross_entropy(x, y, weight=weights), logits, labels),
        "crossEntropySmooth": loss(lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1), logits, labels),
        "crossEntropyBoth": loss(
            by_class(lambda x, y: F.cross_entropy(x, y, weight=weights, label_smoothing=0.2)), sequences, tokens
        ),
        "categoricalCrossEntropy": loss(F.cross_entropy, logits, soft),
        "categoricalSequences": loss(probabilities_by_class(F.cross_entropy), sequences, soft_sequences),
        "categoricalBoth": loss(
            lambda x, y: F.cross_entropy(x, y, weight=weights, label_smoothing=0.2), logits, soft
        ),
        "binaryCrossEntropy": loss(F.binary_cross_entropy_with_logits, binary, bits),
        "binaryWeighted": loss(
            lambda x, y: F.binary_cross_entropy_with_logits(x, y, pos_weight=torch.tensor(3.0)), binary, bits
        ),
        "meanSquaredError": loss(F.mse_loss, prediction, truth),
        "meanAbsoluteError": loss(F.l1_loss, prediction, truth),
        "huber": loss(F.huber_loss, prediction, truth),
        "huberDelta": loss(lambda x, y: F.huber_loss(x, y, delta=0.5), prediction, truth),
        "klDivergence": loss(
            lambda x, y: F.kl_div(x, y, reduction="batchmean"),
            F.log_softmax(torch.randn(2, 3), -1),
            sparse_probabilities,
        ),
        "ctc": loss(ctc(), ctc_logits, ctc_labels),
        "ctcLastBlank": loss(ctc(blank=4), ctc_logits, torch.tensor([[0, 0, 1], [3, 2, 1], [2, -1, -1], [0, 1, -1]])),
        "ctcLong": loss(ctc(), torch.randn(2, 60, 6) * 3, torch.randint(1, 6, (2, 20))),
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name, record in {
        "dense": dense,
        "conv": conv,
        "conv-transpose": conv_transpose,
        "pool": pool,
        "adaptive-pool": adaptive_pool,
        "normalization": normalization,
        "embedding": embedding,
        "recurrent": recurrent,
        "rms-norm": rms_norm,
        "group-norm": group_norm,
        "multi-head-attention": multi_head_attention,
        "sequence-attention": sequence_attention,
        "activations": activations,
        "sequential": sequential,
        "losses": losses,
    }.items():
        torch.manual_seed(20240917)
        write(name, record())
