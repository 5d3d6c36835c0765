"""Records what is to be known of a small network's layers by PyTorch and numpy: test/fixtures/learning.json (recorded with 1.13)."""
import json
import math
import pathlib

import numpy as np
import torch
from torch import nn

from recording import filled, integers, signed

samples, features, classes = 24, 7, 3
network = nn.Sequential(
    nn.Linear(features, 10), nn.ReLU(), nn.Linear(10, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, classes)
)
# Under the names that parameters have here.
places = {"0": "layers.0", "2": "layers.2", "3": "layers.3", "5": "layers.5"}
with torch.no_grad():
    for name, parameter in network.named_parameters():
        parameter.copy_(filled(f"{places[name.split('.')[0]]}.{name.split('.')[1]}", list(parameter.shape)))
x, y = signed("x", [samples, features]), integers("y", [samples], classes)

given = {}
for place, layer in enumerate(network):
    layer.register_forward_hook(lambda _, __, output, place=place: given.__setitem__(place, output.detach()))
network.train()
loss = nn.functional.cross_entropy(network(x), y)
loss.backward()
norm = lambda tensors: math.sqrt(sum(float((t.double() ** 2).sum()) for t in tensors))
statistics = [
    {
        "path": f"layers.{place}",
        "mean": float(output.double().mean()),
        "deviation": float(output.double().std(unbiased=False)),
        "zeros": float((output == 0).double().mean()),
        "dead": float((output == 0).all(0).double().mean()),
        "norm": norm(network[place].parameters()),
        "gradient": norm([p.grad for p in network[place].parameters()]),
    }
    for place, output in given.items()
]

# Features in evaluation, with the initial running statistics.
network[3].reset_running_stats()
network.eval()
network(x)
outputs = [given[place].double().numpy() for place in range(len(network))]


def ranks(matrix):
    singular = np.linalg.svd(matrix, compute_uv=False)
    share = singular[singular > 0] / singular.sum()
    return {
        "effective": float(np.exp(-(share * np.log(share)).sum())),
        "stable": float((singular**2).sum() / (singular**2).max()),
    }


def hsic(k, l):
    """Song et al. 2012, eq. 5, as it stands there."""
    n = len(k)
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    one = np.ones(n)
    cross = np.trace(k @ l) + one @ k @ one * (one @ l @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * one @ k @ l @ one
    return cross / (n * (n - 3))


def similarity(a, b, batch):
    parts = [slice(first, first + batch) for first in range(0, samples, batch)]
    gram = lambda x: x @ x.T
    pairs = [(gram(a[part]), gram(b[part])) for part in parts]
    both = sum(hsic(k, k) for k, _ in pairs) * sum(hsic(l, l) for _, l in pairs)
    return sum(hsic(k, l) for k, l in pairs) / math.sqrt(both)


recorded = {
    "shape": [samples, features, classes],
    "x": x.flatten().tolist(),
    "y": y.tolist(),
    "loss": float(loss),
    "parameters": {
        f"{places[name.split('.')[0]]}.{name.split('.')[1]}": {"shape": list(p.shape), "values": p.detach().flatten().tolist()}
        for name, p in network.named_parameters()
    },
    "statistics": statistics,
    "ranks": [{"centered": ranks(o - o.mean(0)), "plain": ranks(o)} for o in outputs],
    "similarity": {str(batch): [[similarity(a, b, batch) for b in outputs] for a in outputs] for batch in (24, 8)},
}
path = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "learning.json"
path.write_text(json.dumps(recorded) + "\n")
