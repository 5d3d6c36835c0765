"""Records explanations of small networks by PyTorch, and of tables by scikit-learn: test/fixtures/explain.json (recorded with 1.13 and 1.2)."""
import itertools
import json
import pathlib

import numpy
import torch
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import Ridge
from torch import nn
from torch.nn import functional
from torchvision.models import VisionTransformer

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


def enlarged(map_, shape):
    return functional.interpolate(torch.relu(map_), size=shape, mode="bilinear", align_corners=False)


def class_maps(before, behind, x, target):
    """Grad-CAM, Grad-CAM++ (Chattopadhay et al. 2018, eq. 19) and LayerCAM of the features between two parts of a network."""
    features = before(x).detach().requires_grad_()
    behind(features)[0, target].backward()
    g, a = features.grad, features.detach()
    weights = g.mean((2, 3), keepdim=True)
    alpha = torch.where(g != 0, g**2 / (2 * g**2 + g**3 * a.sum((2, 3), keepdim=True)), torch.zeros(()))
    positive = (alpha * torch.relu(g)).sum((2, 3), keepdim=True)
    maps = weights * a, positive * a, torch.relu(g) * a
    return [enlarged(map_.sum(1, keepdim=True), x.shape[2:]) for map_ in maps]


grad_cam, grad_cam_plus_plus, layer_cam = class_maps(network[:5], network[5:], x, target)
early_layer_cam = class_maps(network[:2], network[2:], x, target)[2]


class GuidedRelu(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.relu(x)

    @staticmethod
    def backward(context, g):
        return torch.relu(g) * (context.saved_tensors[0] > 0)


def guided(x):
    x = x.clone().requires_grad_()
    value = x
    for layer in network:
        value = GuidedRelu.apply(value) if isinstance(layer, nn.ReLU) else layer(value)
    value[:, target].sum().backward()
    return x.grad


def relevance(x, epsilon, gamma):
    """LRP: R_i = a_i sum_j w'_ij R_j / (z'_j + epsilon sign z'_j), w' = w + gamma max(w, 0) (Montavon et al. 2019, table 1)."""
    values = [x]
    for layer in network:
        values.append(layer(values[-1]).detach())
    r = values[-1] * nn.functional.one_hot(torch.tensor([target]), 3)
    for layer, a in zip(reversed(network), reversed(values[:-1])):
        a = a.clone().requires_grad_()
        if isinstance(layer, nn.ReLU):
            continue
        if isinstance(layer, (nn.Flatten, nn.MaxPool2d)):
            r = torch.autograd.grad(layer(a), a, r)[0]
            continue
        grown = lambda w: (w + gamma * torch.relu(w)).detach()
        w, b = grown(layer.weight), grown(layer.bias)
        z = functional.conv2d(a, w, b, padding=1) if isinstance(layer, nn.Conv2d) else functional.linear(a, w, b)
        s = (r / (z + epsilon * torch.where(z < 0, -1.0, 1.0))).detach()
        r = (a * torch.autograd.grad(z, a, s)[0]).detach()
    return r


class Rescale(torch.autograd.Function):
    """A function of single elements in a pair of runs, of a sample and a baseline: differences in place of the gradient."""

    @staticmethod
    def forward(context, pair, function):
        context.function = function
        context.save_for_backward(pair)
        return function(pair)

    @staticmethod
    def backward(context, g):
        (pair,) = context.saved_tensors
        with torch.enable_grad():
            own = pair.detach().requires_grad_()
            y = context.function(own)
            (plain,) = torch.autograd.grad(y, own, g)
        before, behind = pair[:1] - pair[1:], (y[:1] - y[1:]).detach()
        ratio = torch.where(before.abs() < 1e-7, plain[:1], g[:1] * behind / before)
        return ratio.repeat(2, *[1] * (pair.dim() - 1)), None


class RescaleMax(torch.autograd.Function):
    """As Captum has a maximum of windows: by the larger of both maxima."""

    @staticmethod
    def forward(context, pair):
        y, places = functional.max_pool2d(pair, 2, return_indices=True)
        context.save_for_backward(pair, y, places)
        return y

    @staticmethod
    def backward(context, g):
        pair, y, places = context.saved_tensors
        larger = torch.maximum(y[:1], y[1:])
        shares = torch.cat([larger - y[1:], y[:1] - larger]) * g[:1]
        back = functional.max_unpool2d(shares, places, 2)
        before = pair[:1] - pair[1:]
        plain = functional.max_unpool2d(g[:1], places[:1], 2)
        ratio = torch.where(before.abs() < 1e-7, plain, (back[:1] + back[1:]) / before)
        return ratio.repeat(2, 1, 1, 1)


class Branches(nn.Module):
    """Normalization, a residual sum, concatenation, and four nonlinearities."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.out = nn.Linear(128, 3)

    def forward(self, pair, element=lambda x, function: function(x), maximum=lambda x: functional.max_pool2d(x, 2)):
        pooled = maximum(element(self.norm(self.first(pair)), lambda x: functional.leaky_relu(x, 0.1)))
        branch = element(self.second(pooled), torch.tanh)
        joined = element(pooled + branch, torch.relu), element(branch, torch.sigmoid)
        return self.out(torch.cat(joined, 1).flatten(1))


branches = Branches().eval()
with torch.no_grad():
    for name, value in branches.state_dict().items():
        if value.is_floating_point():
            value.copy_(filled(name, list(value.shape)))
baseline = 0.5 * signed("baseline", [1, 2, 8, 8])
pair = torch.cat([x, baseline]).requires_grad_()
outputs = branches(pair, Rescale.apply, RescaleMax.apply)
multipliers = torch.autograd.grad(outputs[0, target], pair)[0][:1] + 0
lifted = multipliers * (x - baseline)

transformer = VisionTransformer(12, 4, 2, 4, 16, 24, num_classes=3).eval()
with torch.no_grad():
    for name, parameter in transformer.named_parameters():
        parameter.copy_(filled(name, list(parameter.shape)))
photo = signed("photo", [1, 3, 12, 12])
held = {}


def keep(_, __, output):
    output.retain_grad()
    held["tokens"] = output


transformer.encoder.layers[-1].ln_1.register_forward_hook(keep)
transformer(photo)[0, target].backward()
laid_out = lambda tokens: tokens[:, 1:].transpose(1, 2).reshape(1, 16, 3, 3)
token_weights = laid_out(held["tokens"].grad).mean((2, 3), keepdim=True)
token_cam = enlarged((token_weights * laid_out(held["tokens"].detach())).sum(1, keepdim=True), (12, 12))

# LIME of x1 x2 + 2 x3 at (1, 3, 2) from zeros, of all coalitions.
lime_width, lime_ridge = 0.25, 0.01
present = numpy.array(list(itertools.product([0, 1], repeat=3)), dtype=float)
lime_scores = present[:, 0] * 1 * present[:, 1] * 3 + 2 * present[:, 2] * 2
nearness = numpy.exp(-(((1 - numpy.sqrt(present.mean(1))) / lime_width) ** 2))
surrogate = Ridge(alpha=lime_ridge * nearness.sum()).fit(present, lime_scores, sample_weight=nearness)
lime = {
    "width": lime_width,
    "ridge": lime_ridge,
    "coefficients": surrogate.coef_.tolist(),
    "intercept": float(surrogate.intercept_),
    "fit": float(surrogate.score(present, lime_scores, sample_weight=nearness)),
}


class Wave(RegressorMixin, BaseEstimator):
    """tanh(2 x1) x2 + x3^2, which needs no fit."""

    def fit(self, x, y):
        self.fitted_ = True
        return self

    def predict(self, x):
        return numpy.tanh(2 * x[:, 0]) * x[:, 1] + x[:, 2] ** 2


rows = signed("rows", [40, 3]).double().numpy()
wave = Wave().fit(None, None)
targets = wave.predict(rows)
shuffled = permutation_importance(wave, rows, targets, scoring="neg_root_mean_squared_error", n_repeats=400, random_state=0)
dependence = partial_dependence(wave, rows, [0], kind="both", method="brute", grid_resolution=7)
tables = {
    "importance": shuffled.importances_mean.tolist(),
    "deviation": shuffled.importances_std.tolist(),
    "grid": dependence["values"][0].tolist(),
    "mean": dependence["average"][0].tolist(),
    "individual": dependence["individual"][0][:3].tolist(),
}

numbers = lambda tensor: [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]
recorded = {
    "steps": steps,
    "target": target,
    "x": numbers(x),
    "parameters": {names[name]: {"shape": list(p.shape), "values": numbers(p)} for name, p in network.named_parameters()},
    "scores": numbers(network(x)),
    "saliency": numbers(gradient(x).abs()),
    "integratedGradients": numbers(integrated),
    "gradCam": numbers(grad_cam),
    "gradCamPlusPlus": numbers(grad_cam_plus_plus),
    "layerCam": numbers(layer_cam),
    "earlyLayerCam": numbers(early_layer_cam),
    "guidedBackpropagation": numbers(guided(x)),
    "relevance": {"epsilon": 0.01, "gamma": 0.25, "plain": numbers(relevance(x, 0.01, 0)), "favoured": numbers(relevance(x, 0.01, 0.25))},
    "deepLift": {"scores": numbers(branches(torch.cat([x, baseline]))), "values": numbers(lifted)},
    "lime": lime,
    "tables": tables,
    "vit": {"scores": numbers(transformer(photo)), "gradCam": numbers(token_cam)},
}
path = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "explain.json"
path.write_text(json.dumps(recorded) + "\n")
