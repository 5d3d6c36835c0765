"""Records what PyTorch's optimizers make of a fixed sequence of gradients: test/fixtures/train/optimizers.json."""
import json
import pathlib

import torch

start = [0.5, -1.0, 2.0, 0.0]
gradients = [[0.1, -0.2, 0.3, 0.0], [-0.4, 0.5, 0.1, 1e-4], [0.2, 0.2, -3.0, 0.0], [0.0, -0.1, 0.4, -2.0]]
cases = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd with momentum and decay": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "sgd with nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "rmsprop with momentum": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.9),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
}


def trajectory(make):
    parameter = torch.nn.Parameter(torch.tensor(start))
    optimizer = make([parameter])
    steps = []
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        steps.append([float(f"{x:.9g}") for x in parameter.tolist()])
    return steps


fixture = {
    "about": f"scripts/record-optimizer-fixtures.py, PyTorch {torch.__version__}",
    "start": start,
    "gradients": gradients,
    "cases": {name: trajectory(make) for name, make in cases.items()},
}
path = pathlib.Path(__file__).parent.parent / "test/fixtures/train/optimizers.json"
path.write_text(json.dumps(fixture, indent=1) + "\n")
