#!/usr/bin/python3
"""Writes small ONNX models with PyTorch's own exporter into test/fixtures/onnx/, and what PyTorch says of them.

Run from the repository: /usr/bin/python3 scripts/make-onnx-fixtures.py
They are narrow twins of published architectures, so that depth is theirs and the files stay small. Beside each model, expected.json
has the number of parameters and buffers that PyTorch counts, and the outputs for an input of evenly spaced numbers.
"""
import json
import math
import pathlib

import torch
from torch import nn

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "test" / "fixtures" / "onnx"


class Bottleneck(nn.Module):
    """The residual block of ResNet-50 (He et al. 2016, fig. 5)."""

    def __init__(self, channels, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU()
        project = stride > 1 or channels != 4 * width
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width))
            if project
            else None
        )

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Module):
    """ResNet-50 with a sixteenth of its width."""

    def __init__(self, width=4, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = width
        for stage, blocks in enumerate([3, 4, 6, 3]):
            inner, layers = width * 2**stage, []
            for block in range(blocks):
                layers.append(Bottleneck(channels, inner, 2 if stage > 0 and block == 0 else 1))
                channels = 4 * inner
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.heads = heads

    def forward(self, x):
        split = lambda y: y.view(y.shape[0], y.shape[1], self.heads, -1).transpose(1, 2)
        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        scores = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)
        return (scores @ v).transpose(1, 2).reshape(x.shape)


class EncoderLayer(nn.Module):
    """A post-norm encoder layer as in BERT."""

    def __init__(self, width, heads):
        super().__init__()
        self.attention = Attention(width, heads)
        self.output = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width)
        self.intermediate = nn.Linear(width, 4 * width)
        self.dense = nn.Linear(4 * width, width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x):
        x = self.norm1(x + self.output(self.attention(x)))
        return self.norm2(x + self.dense(nn.functional.gelu(self.intermediate(x))))


class Encoder(nn.Module):
    """A BERT of two layers, whose output layer shares the word embedding's weight."""

    def __init__(self, vocabulary=50, width=16, heads=2, positions=12):
        super().__init__()
        self.word = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(positions, width)
        self.layer = nn.ModuleList([EncoderLayer(width, heads) for _ in range(2)])

    def forward(self, ids):
        x = self.word(ids) + self.position.weight[: ids.shape[1]]
        for layer in self.layer:
            x = layer(x)
        return x @ self.word.weight.t()


class Recurrent(nn.Module):
    """An embedding, a recurrent network, and a classifier of its last state."""

    def __init__(self, cell, layers, bidirectional):
        super().__init__()
        self.embedding = nn.Embedding(20, 6)
        self.rnn = cell(6, 5, layers, batch_first=True, bidirectional=bidirectional)
        self.fc = nn.Linear(10 if bidirectional else 5, 3)

    def forward(self, ids):
        return self.fc(self.rnn(self.embedding(ids))[0][:, -1])


class Mobile(nn.Module):
    """Depthwise convolution, squeeze and excitation, transposed convolution: what a detector of text is made of."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.depthwise = nn.Conv2d(8, 8, 5, 1, 2, groups=8)
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1))
        self.project = nn.Conv2d(8, 8, 1)
        self.up = nn.ConvTranspose2d(8, 2, 2, 2)

    def forward(self, x):
        x = self.stem(x)
        y = self.depthwise(x)
        y = self.project(y * torch.sigmoid(self.squeeze(y)))
        return torch.sigmoid(self.up(x + y))


def inputs_for(dtype, shape, limit):
    count = math.prod(shape)
    if dtype == torch.int64:
        return (torch.arange(count) % limit).reshape(shape)
    return torch.linspace(-1, 1, count).reshape(shape)


MODELS = {
    "resnet50-narrow": (ResNet50(), inputs_for(torch.float32, (2, 3, 64, 64), 0), ["batch"]),
    "encoder": (Encoder(), inputs_for(torch.int64, (2, 8), 50), ["batch", "sequence"]),
    "lstm": (Recurrent(nn.LSTM, 2, False), inputs_for(torch.int64, (2, 7), 20), ["batch", "sequence"]),
    "gru-bidirectional": (Recurrent(nn.GRU, 1, True), inputs_for(torch.int64, (2, 7), 20), ["batch", "sequence"]),
    "mobile": (Mobile(), inputs_for(torch.float32, (1, 3, 16, 24), 0), ["batch", None, "height", "width"]),
}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    expected = {"script": "scripts/make-onnx-fixtures.py", "torch": torch.__version__, "models": {}}
    for name, (model, x, axes) in MODELS.items():
        torch.manual_seed(1)
        for parameter in model.parameters():
            nn.init.normal_(parameter, 0, 0.3)
        # Equal tensors would become one initializer.
        for name_of_buffer, buffer in model.named_buffers():
            if buffer.is_floating_point():
                nn.init.uniform_(buffer, 0.5, 1.5)
        model.eval()
        torch.onnx.export(
            model,
            x,
            str(FOLDER / f"{name}.onnx"),
            opset_version=16,
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={"input": {i: axis for i, axis in enumerate(axes) if axis}},
            # Batch normalization stays a layer of its own.
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=name != "encoder",
        )
        with torch.no_grad():
            y = model(x)
        expected["models"][name] = {
            "input": list(x.shape),
            "parameters": sum(p.numel() for p in model.parameters()),
            "buffers": sum(b.numel() for n, b in model.named_buffers() if "num_batches" not in n),
            "outputShape": list(y.shape),
            "output": [float(f"{value:.7g}") for value in y.flatten().tolist()[:12]],
        }
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
