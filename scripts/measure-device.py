"""Times the training steps of scripts/measure-device.mjs by PyTorch, eagerly in float32: python3 scripts/measure-device.py [cuda|cpu] [WORK ...].

PyTorch's own defaults hold: convolutions may use TensorFloat-32 on cards that have it, products of matrices do not.
"""

import json
import statistics
import sys
import time

import torch
import torchvision
from transformers import GPT2Config, GPT2LMHeadModel

device, *chosen = sys.argv[1:] or ["cuda"]


def sync():
    if device == "cuda":
        torch.cuda.synchronize()


def timed(call, seconds=6):
    """Median milliseconds of calls, after two that are not counted."""
    times, spent, i = [], 0.0, 0
    while i < 7 or (spent < seconds and i < 60):
        sync()
        began = time.perf_counter()
        call()
        sync()
        took = time.perf_counter() - began
        if i >= 2:
            times.append(took * 1000)
        spent += took
        i += 1
    return statistics.median(times)


def lenet():
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
    )


def images(model, shape):
    x = torch.sin(torch.arange(torch.Size(shape).numel(), dtype=torch.float32)).reshape(shape).to(device)
    y = (torch.arange(shape[0]) % 10).to(device)
    model = model.to(device)
    return model, lambda: torch.nn.functional.cross_entropy(model(x), y)


def gpt2(batch, length):
    config = GPT2Config(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
    model = GPT2LMHeadModel(config).to(device)
    ids = ((torch.arange(batch * length) * 7919) % 50257).reshape(batch, length).to(device)
    return model, lambda: torch.nn.functional.cross_entropy(model(ids).logits.view(-1, 50257), ids.view(-1))


resnet18 = lambda: torchvision.models.resnet18(num_classes=10)
resnet50 = lambda: torchvision.models.resnet50(num_classes=10)
works = {
    "lenet": lambda: images(lenet(), (64, 1, 28, 28)),
    "resnet18-16x96": lambda: images(resnet18(), (16, 3, 96, 96)),
    "resnet50-4x224": lambda: images(resnet50(), (4, 3, 224, 224)),
    "resnet50-32x224": lambda: images(resnet50(), (32, 3, 224, 224)),
    "gpt2-1x512": lambda: gpt2(1, 512),
    "gpt2-8x512": lambda: gpt2(8, 512),
}

if not chosen or "products" in chosen:
    for n in (1024, 4096):
        a, b = torch.full((n, n), 1e-3, device=device), torch.full((n, n), 1e-3, device=device)

        def ten():
            c = a
            for _ in range(10):
                c = c @ b
            return c.sum().item()

        print(json.dumps({"device": device, "work": f"products-{n}", "gflops": round(20 * n**3 / timed(ten) / 1e6)}), flush=True)

for work, build in works.items():
    if chosen and work not in chosen:
        continue
    model, loss_of = build()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)

    def step():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss.item()

    first = step()
    milliseconds = timed(step)
    print(json.dumps({"device": device, "work": work, "milliseconds": milliseconds, "losses": [first, step()]}), flush=True)
    del model, optimizer, loss_of
