"""Records adapters written by hand in PyTorch, beside a small network of a convolution and dense layers and a GPT-2 of two blocks:
test/fixtures/train/adapters.json.

Outputs, gradients of the adapters' tensors, and these tensors after 3 steps of Adam, for LoRA (Hu et al. 2021), rsLoRA (Kalajdzievski 2023), DoRA
with norms that count as constants (Liu et al. 2024, sec. 4.3), QLoRA (Dettmers et al. 2023) on weights rounded to 4 bits, and (IA)3 (Liu et al.
2022), all in float64. Initial values follow from names (scripts/recording.py), so that the file has results alone.

Run from the repository's root with Debian's PyTorch: /usr/bin/python3 scripts/record-adapter-fixtures.py
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F
from recording import filled, integers, signed

RANK, ALPHA = 4, 8


def rounded_to_4_bits(w, longest=32):
    """Blocks of a row, each with the scale max |w| / 7, as src/nn/packed.ts has them."""
    rows = w.reshape(w.shape[0], -1)
    columns = rows.shape[1]
    block = min(longest, columns + columns % 2)
    result = torch.zeros_like(rows)
    for start in range(0, columns, block):
        part = rows[:, start : start + block]
        scale = (part.abs().amax(1, keepdim=True).double() / 7).float()
        steps = torch.floor(part.double() / scale.double() + 0.5).clamp(-7, 7)
        result[:, start : start + block] = (steps * scale.double()).float()
    return result.reshape(w.shape)


class Model:
    """Parameters by name, and the tensors that an adapter has beside them."""

    def __init__(self, shapes, kind, targets):
        self.base = {name: filled(name, shape) for name, shape in shapes.items()}
        self.kind = kind
        self.targets = targets
        if kind == "qlora":
            self.base = {name: rounded_to_4_bits(w) if w.ndim > 1 else w for name, w in self.base.items()}
        self.base = {name: w.double() for name, w in self.base.items()}
        self.scale = ALPHA / (math.sqrt(RANK) if kind == "rslora" else RANK)
        self.adapter = {}

    def own(self, name, shape):
        """A tensor of the adapter, made where it is first read; matrices are small beside those of the base."""
        if name not in self.adapter:
            value = filled(name, shape) * (0.25 if len(shape) > 1 else 1)
            self.adapter[name] = torch.nn.Parameter(value.double())
        return self.adapter[name]

    def dense(self, path, x, in_first=False):
        w, bias = self.base[f"{path}.weight"], self.base.get(f"{path}.bias")
        w = w.T if in_first else w
        if path not in self.targets:
            return F.linear(x, w, bias)
        if self.kind == "ia3":
            if self.targets[path] == "inputs":
                return F.linear(x * self.own(f"{path}.ia3_l", [w.shape[1]]), w, bias)
            return F.linear(x, w, bias) * self.own(f"{path}.ia3_l", [w.shape[0]])
        a, b = self.own(f"{path}.lora_A.weight", [RANK, w.shape[1]]), self.own(f"{path}.lora_B.weight", [w.shape[0], RANK])
        narrow = F.linear(F.linear(x, a), b) * self.scale
        if self.kind != "dora":
            return F.linear(x, w, bias) + narrow
        norms = (w + self.scale * b @ a).norm(dim=1).detach()
        factor = self.own(f"{path}.lora_magnitude_vector", [w.shape[0]]) / norms
        y = factor * (F.linear(x, w) + narrow)
        return y if bias is None else y + bias

    def convolution(self, path, x):
        w, bias = self.base[f"{path}.weight"], self.base[f"{path}.bias"]
        filters = w.shape[0]
        if path not in self.targets:
            return F.conv2d(x, w, bias)
        if self.kind == "ia3":
            return F.conv2d(x, w, bias) * self.own(f"{path}.ia3_l", [filters]).view(1, -1, 1, 1)
        a = self.own(f"{path}.lora_A.weight", [RANK, *w.shape[1:]])
        b = self.own(f"{path}.lora_B.weight", [filters, RANK, 1, 1])
        narrow = F.conv2d(F.conv2d(x, a), b) * self.scale
        if self.kind != "dora":
            return F.conv2d(x, w, bias) + narrow
        delta = (b.flatten(1) @ a.flatten(1)).reshape(w.shape)
        norms = (w + self.scale * delta).flatten(1).norm(dim=1).detach()
        factor = (self.own(f"{path}.lora_magnitude_vector", [filters]) / norms).view(1, -1, 1, 1)
        return factor * (F.conv2d(x, w) + narrow) + bias.view(1, -1, 1, 1)

    def embedding(self, path, ids):
        w = self.base[f"{path}.weight"]
        if path not in self.targets:
            return F.embedding(ids, w)
        a = self.own(f"{path}.lora_embedding_A", [RANK, w.shape[0]])
        b = self.own(f"{path}.lora_embedding_B", [w.shape[1], RANK])
        narrow = F.embedding(ids, a.T) @ b.T * self.scale
        if self.kind != "dora":
            return F.embedding(ids, w) + narrow
        norms = (w + self.scale * (b @ a).T).norm(dim=0).detach()
        return self.own(f"{path}.lora_magnitude_vector", [w.shape[1]]) / norms * (F.embedding(ids, w) + narrow)


class Images(Model):
    shapes = {
        "layers.0.weight": [6, 1, 3, 3],
        "layers.0.bias": [6],
        "layers.2.weight": [8, 96],
        "layers.2.bias": [8],
        "layers.3.weight": [3, 8],
        "layers.3.bias": [3],
    }

    def __call__(self):
        x = torch.relu(self.convolution("layers.0", signed("x", [5, 1, 6, 6]).double()))
        return self.dense("layers.3", torch.tanh(self.dense("layers.2", x.flatten(1))))

    def loss(self, outputs):
        return F.cross_entropy(outputs, integers("y", [5], 3))


width, heads, inner, vocabulary, positions, length = 16, 4, 24, 20, 24, 6


class Gpt2(Model):
    shapes = {
        "transformer.wte.weight": [vocabulary, width],
        "transformer.wpe.weight": [positions, width],
        **{
            f"transformer.h.{i}.{name}": shape
            for i in range(2)
            for name, shape in {
                "ln_1.weight": [width],
                "ln_1.bias": [width],
                "attn.c_attn.weight": [width, 3 * width],
                "attn.c_attn.bias": [3 * width],
                "attn.c_proj.weight": [width, width],
                "attn.c_proj.bias": [width],
                "ln_2.weight": [width],
                "ln_2.bias": [width],
                "mlp.c_fc.weight": [width, inner],
                "mlp.c_fc.bias": [inner],
                "mlp.c_proj.weight": [inner, width],
                "mlp.c_proj.bias": [width],
            }.items()
        },
        "transformer.ln_f.weight": [width],
        "transformer.ln_f.bias": [width],
    }

    def norm(self, path, x):
        return F.layer_norm(x, [width], self.base[f"{path}.weight"], self.base[f"{path}.bias"])

    def attention(self, path, x):
        parts = self.dense(f"{path}.c_attn", x, in_first=True).split(width, -1)
        q, k, v = (part.reshape(*x.shape[:2], heads, -1).transpose(1, 2) for part in parts)
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        mixed = scores.masked_fill(later, -math.inf).softmax(-1) @ v
        return self.dense(f"{path}.c_proj", mixed.transpose(1, 2).reshape(x.shape), in_first=True)

    def __call__(self):
        ids = integers("ids", [2, length], vocabulary)
        x = self.embedding("transformer.wte", ids) + self.base["transformer.wpe.weight"][: length]
        for i in range(2):
            path = f"transformer.h.{i}"
            x = x + self.attention(f"{path}.attn", self.norm(f"{path}.ln_1", x))
            hidden = self.dense(f"{path}.mlp.c_fc", self.norm(f"{path}.ln_2", x), in_first=True)
            x = x + self.dense(f"{path}.mlp.c_proj", F.gelu(hidden, approximate="tanh"), in_first=True)
        return self.norm("transformer.ln_f", x) @ self.base["transformer.wte.weight"].T

    def loss(self, outputs):
        return F.cross_entropy(outputs.flatten(0, 1), integers("labels", [2, length], vocabulary).flatten())


images = {"layers.0": "outputs", "layers.2": "outputs"}
text = {f"transformer.h.{i}.{name}": "outputs" for i in range(2) for name in ("attn.c_attn", "mlp.c_proj")}
factors = {path: "inputs" if path.endswith("mlp.c_proj") else "outputs" for path in text}
cases = {
    "lora images": (Images, "lora", images),
    "dora images": (Images, "dora", images),
    "ia3 images": (Images, "ia3", {"layers.0": "outputs", "layers.2": "inputs"}),
    "lora text": (Gpt2, "lora", text),
    "rslora text": (Gpt2, "rslora", text),
    "dora text": (Gpt2, "dora", text),
    "qlora text": (Gpt2, "qlora", text),
    "lora embedding": (Gpt2, "lora", {"transformer.wte": "outputs"}),
    "dora embedding": (Gpt2, "dora", {"transformer.wte": "outputs"}),
    "ia3 text": (Gpt2, "ia3", factors),
}


def plain(tensors):
    return {name: [float(f"{x:.7g}") for x in tensor.flatten().tolist()] for name, tensor in tensors.items()}


def record(make, kind, targets):
    model = make(make.shapes, kind, targets)
    outputs = model()
    loss = model.loss(outputs)
    parameters = list(model.adapter.values())
    optimizer = torch.optim.Adam(parameters, lr=0.01)
    gradients = dict(zip(model.adapter, torch.autograd.grad(loss, parameters)))
    for _ in range(3):
        optimizer.zero_grad()
        model.loss(model()).backward()
        optimizer.step()
    return {
        **plain({"outputs": outputs}),
        "loss": float(f"{loss.item():.7g}"),
        "gradients": plain(gradients),
        "after": plain(model.adapter),
    }


fixture = {
    "about": f"scripts/record-adapter-fixtures.py, PyTorch {torch.__version__}",
    "cases": {name: record(*case) for name, case in cases.items()},
}
path = pathlib.Path(__file__).parent.parent / "test/fixtures/train/adapters.json"
path.write_text(json.dumps(fixture, separators=(",", ":")).replace('},"', '},\n"') + "\n")
