"""Owns the PyTorch contender: each work as its users write it, eagerly, with torch.optim.Adam.

The file cannot be called torch.py: Python would import it in place of the library.
"""

import json
import os
import resource
import statistics
import sys
import time

WARM_UP_SECONDS = 1
ENOUGH_SECONDS = 3
ENOUGH_REPETITIONS = 5
LONGEST_SECONDS = 20

THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))


def measure(step):
    """Median milliseconds and repetitions, by the rule that measure.mjs states."""

    def repeat():
        start = time.perf_counter()
        step()
        return time.perf_counter() - start

    spent = 0.0
    while spent < WARM_UP_SECONDS:
        spent += repeat()

    times = []
    spent = 0.0
    while spent < LONGEST_SECONDS and (spent < ENOUGH_SECONDS or len(times) < ENOUGH_REPETITIONS):
        times.append(repeat())
        spent += times[-1]
    return {"milliseconds": statistics.median(times) * 1e3, "repetitions": len(times)}


def training_step(torch, model, input_shape):
    """One step of training on a batch: forward, backward, Adam, and the loss read back."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    inputs = torch.rand(input_shape)
    targets = torch.arange(input_shape[0]) % 10

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def lenet(torch):
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),  # [64, 32, 13, 13]
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),  # [64, 64, 5, 5]
        nn.Flatten(),
        nn.Linear(1600, 128), nn.ReLU(),
        nn.Linear(128, 10),
    )
    return training_step(torch, model, (64, 1, 28, 28))


def mlp(torch):
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(),
        nn.Linear(512, 512), nn.ReLU(),
        nn.Linear(512, 10),
    )
    return training_step(torch, model, (128, 784))


def cnn(torch):
    nn = torch.nn

    def block(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]

    model = nn.Sequential(
        *block(3, 32), *block(32, 32), nn.MaxPool2d(2),  # [64, 32, 16, 16]
        *block(32, 64), *block(64, 64), nn.MaxPool2d(2),  # [64, 64, 8, 8]
        nn.Flatten(),
        nn.Linear(4096, 128), nn.ReLU(),
        nn.Linear(128, 10),
    )
    return training_step(torch, model, (64, 3, 32, 32))


with open(os.path.join(os.path.dirname(__file__), "..", "networks.json"), encoding="utf-8") as file:
    NETWORKS = json.load(file)


def published(name, shape):
    """A step of one of torchvision's networks."""

    def build(torch):
        import torchvision

        return training_step(torch, getattr(torchvision.models, name)(num_classes=10), shape)

    return build


def deconvolution(torch):
    nn = torch.nn

    def block(inputs, outputs):
        return [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

    model = nn.Sequential(
        nn.Linear(64, 4096), nn.Unflatten(1, (256, 4, 4)),
        *block(256, 128), *block(128, 64),  # [32, 64, 16, 16]
        nn.ConvTranspose2d(64, 3, 4, 2, 1), nn.Tanh(),  # [32, 3, 32, 32]
    )
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    inputs, targets = torch.rand(32, 64), torch.rand(32, 3, 32, 32)

    def step():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def lstm(torch):
    layer = torch.nn.LSTM(128, 128, batch_first=True)
    inputs, targets = torch.rand(32, 120, 128), torch.rand(32, 120, 128)
    optimizer = torch.optim.SGD(layer.parameters(), 0.01)

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(layer(inputs)[0], targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


TOKENS, VOCABULARY = 256, 96
SMALL_GPT = {"width": 384, "heads": 6, "layers": 6, "vocabulary": VOCABULARY}
GPT2 = {"width": 768, "heads": 12, "layers": 12, "vocabulary": 50_257}


def gpt(torch, width, heads, layers, vocabulary, positions=TOKENS):
    """GPT-2 as nanoGPT writes it: pre-normalized blocks, one projection for all heads, tied scores, no dropout."""
    nn, functional = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
            self.projected, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            self.register_buffer("seen", torch.ones(positions, positions).tril()[None, None].bool())

        def forward(self, x, kept=None):
            batch, time, _ = x.shape
            q, k, v = (
                part.view(batch, time, heads, -1).transpose(1, 2)
                for part in self.projected(self.before(x)).split(width, dim=2)
            )
            if kept is not None:
                k, v = torch.cat([kept[0], k], 2), torch.cat([kept[1], v], 2)
            scores = q @ k.transpose(-2, -1) / (width // heads) ** 0.5
            past = k.shape[2] - time
            scores = scores.masked_fill(~self.seen[:, :, past : past + time, : k.shape[2]], float("-inf"))
            found = (functional.softmax(scores, -1) @ v).transpose(1, 2).reshape(batch, time, width)
            x = x + self.joined(found)
            x = x + self.narrow(functional.gelu(self.wide(self.between(x))))
            return x, (k, v)

    class Gpt(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(positions, width)
            self.blocks = nn.ModuleList(Block() for _ in range(layers))
            self.last = nn.LayerNorm(width)

        def forward(self, ids, kept=None):
            past = 0 if kept is None else kept[0][0].shape[2]
            x = self.tokens(ids) + self.positions(torch.arange(past, past + ids.shape[1]))
            memories = []
            for i, block in enumerate(self.blocks):
                x, memory = block(x, None if kept is None else kept[i])
                memories.append(memory)
            return self.last(x) @ self.tokens.weight.T, memories

    return Gpt()


def gpt_step(sizes, texts, tokens):
    """A step on so many texts of so many tokens."""

    def build(torch):
        model = gpt(torch, **sizes, positions=tokens)
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        ids = (torch.arange(texts * tokens) % 10).view(texts, tokens)

        def step():
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(ids)[0].view(-1, sizes["vocabulary"]), ids.view(-1))
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    return build


def bert_step(torch):
    """BERT-base (Devlin et al. 2019) with a head for two classes: post-normalized blocks, a pooler, no dropout."""
    nn, functional = torch.nn, torch.nn.functional
    width, heads, texts, tokens = 768, 12, 8, 128

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v, self.joined = (nn.Linear(width, width) for _ in range(4))
            self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            self.between, self.after = nn.LayerNorm(width), nn.LayerNorm(width)

        def forward(self, x):
            q, k, v = (layer(x).view(texts, tokens, heads, -1).transpose(1, 2) for layer in (self.q, self.k, self.v))
            weights = functional.softmax(q @ k.transpose(-2, -1) / (width // heads) ** 0.5, -1)
            x = self.between(x + self.joined((weights @ v).transpose(1, 2).reshape(texts, tokens, width)))
            return self.after(x + self.narrow(functional.gelu(self.wide(x))))

    class Bert(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places, self.kinds = nn.Embedding(30_522, width), nn.Embedding(512, width), nn.Embedding(2, width)
            self.first = nn.LayerNorm(width)
            self.blocks = nn.Sequential(*(Block() for _ in range(12)))
            self.pooler, self.head = nn.Linear(width, width), nn.Linear(width, 2)

        def forward(self, ids):
            x = self.words(ids) + self.places(torch.arange(tokens)) + self.kinds(torch.zeros_like(ids))
            return self.head(torch.tanh(self.pooler(self.blocks(self.first(x))[:, 0])))

    model = Bert()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    ids, targets = (torch.arange(texts * tokens) % 10).view(texts, tokens), torch.arange(texts) % 2

    def step():
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(ids), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def gpt_generate(sizes, texts=1):
    """One further token of so many texts at a time, whose keys and values are kept; the room is that of 256 tokens."""

    def build(torch):
        model = gpt(torch, **sizes).eval()
        prompt = (torch.arange(TOKENS // 2) % 10).expand(texts, -1)
        one = torch.full((texts, 1), 7)
        kept = []

        def token():
            with torch.no_grad():
                if not kept or kept[0][0][0].shape[2] == TOKENS:
                    kept[:] = [model(prompt)[1]]
                logits, kept[0] = model(one, kept[0])
                return logits[:, -1].argmax(-1).tolist()

        def step():
            for _ in range(16):
                token()

        return step

    return build


def matmul(torch):
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)

    def step():
        for _ in range(4):
            (a @ b)[0, 0].item()

    return step


def adam(torch):
    parameter = torch.nn.Parameter(torch.rand(32 * 1024 * 1024))
    parameter.grad = torch.rand(32 * 1024 * 1024)
    return torch.optim.Adam([parameter], 1e-3).step


def blas_library():
    """The name of the BLAS that this process has loaded, because Debian lets it be swapped under PyTorch."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        paths = {line.split()[-1] for line in maps}
    names = sorted("/".join(path.split("/")[-2:]) for path in paths if "blas.so" in path or "libmkl" in path)
    return names[0] if names else "its own BLAS"


STEPS = {
    "lenet-step": lenet,
    "mlp-step": mlp,
    "cnn-step": cnn,
    **{work: published(**network) for work, network in NETWORKS.items()},
    "deconvolution-step": deconvolution,
    "lstm-step": lstm,
    "gpt-step": gpt_step(SMALL_GPT, 8, TOKENS),
    "gpt2-step": gpt_step(GPT2, 1, 512),
    "bert-step": bert_step,
    "gpt-generate": gpt_generate(SMALL_GPT),
    "gpt2-generate": gpt_generate(GPT2),
    "gpt2-generate-8": gpt_generate(GPT2, texts=8),
    "matmul": matmul,
    "adam-32m": adam,
}
# How many times a step does what one measurement is.
CALLS = {"gpt-generate": 16, "gpt2-generate": 16, "gpt2-generate-8": 16, "matmul": 4}


def main():
    work = sys.argv[1]
    result = {"contender": "torch", "work": work}
    if work not in STEPS:
        return {**result, "skipped": f"torch has no program for the work '{work}'."}
    try:
        import torch
    except ImportError as error:
        return {**result, "skipped": f"PyTorch cannot be imported: {error}."}

    torch.manual_seed(0)
    torch.set_num_threads(THREADS)
    measured = measure(STEPS[work](torch))
    result.update(measured, milliseconds=measured["milliseconds"] / CALLS.get(work, 1))
    return {
        **result,
        # Linux counts the peak of the resident set in KiB.
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "version": f"PyTorch {torch.__version__}",
        "note": f"{blas_library()} for products, oneDNN for convolutions."
        if torch.backends.mkldnn.is_available()
        else f"{blas_library()} for products, without oneDNN.",
    }


print(json.dumps(main()))
