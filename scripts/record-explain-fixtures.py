"""Records saliency, integrated gradients and Grad-CAM of a small network by PyTorch: test/fixtures/explain.json (recorded with 1.13)."""
import json
import pathlib

import torch
from torch import nn

from recording import filled, signed

steps = 64
target = 2
network = nn.Sequential(
    nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(96, 3)
)
# Under the names that parameters have here, where activations are no layers.
places = {"0": "layers.0", "3": "layers.2", "6": "layers.4"}
names = {name: f"{places[name.split('.')[0]]}.{name.split('.')[1]}" for name, _ in network.named_parameters()}
with torch.no_grad():
    for name, parameter in network.named_parameters():
        parameter.copy_(filled(names[name], list(parameter.shape)))
x = signed("x", [1, 2, 8, 8])


def gradient(inputs):
    inputs = inputs.clone().requires_grad_()
    network(inputs)[:, target].sum().backward()
    return inputs.grad


middles = (torch.arange(steps) + 0.5) / steps
integrated = x * gradient(x * middles.reshape(-1, 1, 1, 1)).mean(0, keepdim=True)

features = network[:5](x).detach().requires_grad_()
network[5:](features)[0, target].backward()
weights = features.grad.mean((2, 3), keepdim=True)
map_ = torch.relu((weights * features.detach()).sum(1, keepdim=True))
map_ = nn.functional.interpolate(map_, size=(8, 8), mode="bilinear", align_corners=False)

numbers = lambda tensor: [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]
recorded = {
    "steps": steps,
    "target": target,
    "x": numbers(x),
    "parameters": {names[name]: {"shape": list(p.shape), "values": numbers(p)} for name, p in network.named_parameters()},
    "scores": numbers(network(x)),
    "saliency": numbers(gradient(x).abs()),
    "integratedGradients": numbers(integrated),
    "gradCam": numbers(map_),
}
path = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "explain.json"
path.write_text(json.dumps(recorded) + "\n")
