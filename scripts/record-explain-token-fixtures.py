"""Records attributions of tokens, attention and its rollout of a small transformer by PyTorch: test/fixtures/explain-tokens.json (recorded with 1.13)."""
import json
import math
import pathlib

import torch

from recording import filled

tokens, width, heads, classes, layers, steps, target = 9, 8, 2, 3, 2, 64, 1
ids = torch.tensor([[4, 1, 7, 7, 2]])
shapes = {"embedding.weight": [tokens, width], "head.weight": [classes, width], "head.bias": [classes]}
for layer in range(layers):
    shapes |= {f"layers.{layer}.{name}.weight": [width, width] for name in "qkvo"}
parameters = {name: filled(name, shape) for name, shape in shapes.items()}


def run(vectors):
    x, maps = vectors, []
    for layer in range(layers):
        q, k, v = (
            (x @ parameters[f"layers.{layer}.{name}.weight"].T).reshape(1, -1, heads, width // heads).transpose(1, 2) for name in "qkv"
        )
        weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(width // heads), -1)
        maps.append(weights)
        x = x + torch.tanh((weights @ v).transpose(1, 2).reshape(1, -1, width) @ parameters[f"layers.{layer}.o.weight"].T)
    return x.mean(1) @ parameters["head.weight"].T + parameters["head.bias"], maps


def gradient(vectors):
    vectors = vectors.clone().requires_grad_()
    run(vectors)[0][:, target].sum().backward()
    return vectors.grad


vectors = parameters["embedding.weight"][ids]
integrated = torch.zeros_like(vectors)
for step in range(steps):
    integrated += vectors * gradient(vectors * (step + 0.5) / steps) / steps
scores, maps = run(vectors)
rollout = torch.eye(ids.shape[1])
for weights in maps:
    rollout = (weights[0].mean(0) + torch.eye(ids.shape[1])) / 2 @ rollout

numbers = lambda tensor: [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]
recorded = {
    "steps": steps,
    "target": target,
    "ids": ids.tolist(),
    "parameters": {name: {"shape": list(p.shape), "values": numbers(p)} for name, p in parameters.items()},
    "scores": numbers(scores),
    "integratedGradients": numbers(integrated.sum(-1)),
    "inputTimesGradient": numbers((vectors * gradient(vectors)).sum(-1)),
    "attention": [numbers(weights) for weights in maps],
    "rollout": numbers(rollout),
}
path = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "explain-tokens.json"
path.write_text(json.dumps(recorded) + "\n")
