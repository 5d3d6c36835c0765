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
    "adam with weight decay": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1),
    "adam with amsgrad": lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
    "rmsprop with weight decay": lambda p: torch.optim.RMSprop(p, lr=0.01, weight_decay=0.1),
    "adagrad with weight decay": lambda p: torch.optim.Adagrad(p, lr=0.1, weight_decay=0.1),
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


class Lamb(torch.optim.Optimizer):
    """You et al. 2020, algorithm 2, with bias corrections."""

    def __init__(self, parameters, lr, weight_decay):
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                t = state["t"] = state.get("t", 0) + 1
                m = state["m"] = 0.9 * state.get("m", torch.zeros_like(p)) + 0.1 * p.grad
                v = state["v"] = 0.999 * state.get("v", torch.zeros_like(p)) + 0.001 * p.grad**2
                r = (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-6) + group["weight_decay"] * p
                weight, change = p.norm(), r.norm()
                trust = weight / change if weight > 0 and change > 0 else 1.0
                p -= group["lr"] * trust * r


class Muon(torch.optim.Optimizer):
    """Jordan et al. 2024, in float32, with the factor of Liu et al. 2025, eq. 4."""

    def __init__(self, parameters, lr, weight_decay):
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                v = state["v"] = 0.95 * state.get("v", torch.zeros_like(p)) + p.grad
                x = (p.grad + 0.95 * v).reshape(p.shape[0], -1)
                tall = x.shape[0] > x.shape[1]
                x = x.T if tall else x
                x = x / (x.norm() + 1e-7)
                for _ in range(5):
                    a = x @ x.T
                    x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
                x = x.T if tall else x
                p *= 1 - group["lr"] * group["weight_decay"]
                p -= group["lr"] * 0.2 * max(x.shape) ** 0.5 * x.reshape(p.shape)


shapes = [[4, 3], [2, 2, 1, 3], [3]]
matrix_cases = {
    "lamb": lambda p: Lamb(p, lr=0.01, weight_decay=0.1),
    # Vectors by AdamW, as the optimizer itself does.
    "muon": lambda p: [
        Muon([x for x in p if x.ndim > 1], lr=0.01, weight_decay=0.1),
        torch.optim.AdamW([x for x in p if x.ndim < 2], lr=0.01, weight_decay=0.1),
    ],
}
torch.manual_seed(0)
matrix_start = [torch.randn(shape) for shape in shapes]
matrix_gradients = [[torch.randn(shape) for shape in shapes] for _ in range(3)]


def rounded(tensors):
    return [[float(f"{x:.9g}") for x in tensor.flatten().tolist()] for tensor in tensors]


def matrix_trajectory(make):
    parameters = [torch.nn.Parameter(tensor.clone()) for tensor in matrix_start]
    made = make(parameters)
    steps = []
    for gradients_of_step in matrix_gradients:
        for parameter, gradient in zip(parameters, gradients_of_step):
            parameter.grad = gradient.clone()
        for optimizer in made if isinstance(made, list) else [made]:
            optimizer.step()
        steps.append(rounded(parameters))
    return steps


fixture = {
    "about": f"scripts/record-optimizer-fixtures.py, PyTorch {torch.__version__}",
    "start": start,
    "gradients": gradients,
    "cases": {name: trajectory(make) for name, make in cases.items()},
    "matrices": {
        "shapes": shapes,
        "start": rounded(matrix_start),
        "gradients": [rounded(step) for step in matrix_gradients],
        "cases": {name: matrix_trajectory(make) for name, make in matrix_cases.items()},
    },
}
path = pathlib.Path(__file__).parent.parent / "test/fixtures/train/optimizers.json"
path.write_text(json.dumps(fixture, indent=1) + "\n")
