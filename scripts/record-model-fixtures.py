"""Records logits and parameter names of torchvision's architectures into test/fixtures/models/torchvision.json.

LeNet-5 and MobileNet, which torchvision lacks, are written out here from their papers.

Run from the repository's root with Debian's PyTorch and the sources of torchvision, which are read without its compiled
part: pip install --no-deps --target FOLDER torchvision==0.28.0
/usr/bin/python3 scripts/record-model-fixtures.py FOLDER/torchvision
Weights and inputs are no record: both sides compute them by `uniform` (src/models/torchvision.test.ts).
"""
import hashlib
import importlib
import json
import math
import sys
import types
from collections import OrderedDict
from pathlib import Path

import numpy
import torch
from torch import nn

SOURCES = Path(sys.argv[1])
TARGET = Path(__file__).parent.parent / "test" / "fixtures" / "models" / "torchvision.json"


def stub(name, folder=None, **members):
    module = types.ModuleType(name)
    if folder:
        module.__path__ = [str(folder)]
    module.__dict__.update(members)
    sys.modules[name] = module
    return module


stub("torchvision", SOURCES)
stub("torchvision.utils", _log_api_usage_once=lambda _: None, _make_ntuple=lambda x, n: (x,) * n)
stub("torchvision.transforms", SOURCES / "transforms")
modes = types.SimpleNamespace(BICUBIC=0, BILINEAR=0)
stub("torchvision.transforms._presets", ImageClassification=object, InterpolationMode=modes)
ops = stub("torchvision.ops", SOURCES / "ops")
ops.StochasticDepth = importlib.import_module("torchvision.ops.stochastic_depth").StochasticDepth
stub("torchvision.models", SOURCES / "models")
load = lambda name: importlib.import_module(f"torchvision.models.{name}")
resnet, densenet = load("resnet"), load("densenet")


def lenet5():
    layers = dict(c1=nn.Conv2d(1, 6, 5, padding=2), t1=nn.Tanh(), s2=nn.AvgPool2d(2))
    layers |= dict(c3=nn.Conv2d(6, 16, 5), t3=nn.Tanh(), s4=nn.AvgPool2d(2), flatten=nn.Flatten())
    layers |= dict(c5=nn.Linear(400, 120), t5=nn.Tanh(), f6=nn.Linear(120, 84), t6=nn.Tanh(), output=nn.Linear(84, 10))
    return nn.Sequential(OrderedDict(layers))


def mobilenet_v1(width):
    def unit(channels, filters, kernel, stride=1, groups=1):
        conv = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(filters), nn.ReLU()]

    filters = [int(width * count) for count in (32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)]
    blocks = [nn.Sequential(*unit(3, filters[0], 3, 2))]
    for at, (channels, count) in enumerate(zip(filters, filters[1:])):
        stride = 2 if at in (1, 3, 5, 11) else 1
        blocks.append(nn.Sequential(*unit(channels, channels, 3, stride, channels), *unit(channels, count, 1)))
    layers = dict(features=nn.Sequential(*blocks), pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    return nn.Sequential(OrderedDict(layers, fc=nn.Linear(filters[-1], 10)))


def uniform(name, shape):
    """Numbers in [0, 1) that depend on the name and their position alone: a multiplicative hash, 32 bits."""
    seed = 0
    for character in name:
        seed = (seed * 31 + ord(character)) % 2**32
    x = numpy.arange(math.prod(shape), dtype=numpy.uint32) + numpy.uint32(seed)
    x *= numpy.uint32(0x9E3779B1)
    x ^= x >> numpy.uint32(16)
    x *= numpy.uint32(0x85EBCA6B)
    x ^= x >> numpy.uint32(13)
    return torch.from_numpy((x / 2**32).astype(numpy.float32)).reshape(shape)


def fill(model):
    for path, value in model.state_dict().items():
        u = uniform(path, value.shape)
        if value.dim() > 1:
            value.copy_((2 * u - 1) * math.sqrt(6 / math.prod(value.shape[1:])))
        elif path.endswith(("running_mean", "bias")):
            value.copy_((2 * u - 1) * 0.1)
        elif not path.endswith("num_batches_tracked"):
            value.copy_(0.5 + u)


def rows(output):
    return [[float(f"{number:.9g}") for number in row] for row in output.tolist()]


def record(model, *shape):
    """Logits in evaluation; `auxiliary` those of the heads, which run when the outermost module is in training."""
    fill(model)
    model.eval()
    heads = getattr(model, "aux_logits", False)
    model.training = heads
    output = model(2 * uniform("input", shape) - 1)
    if not heads:
        return {"shape": shape, "logits": rows(output)}
    fields = [field for field in ("aux_logits1", "aux_logits2", "aux_logits") if hasattr(output, field)]
    auxiliary = [rows(getattr(output, field)) for field in fields]
    return {"shape": shape, "logits": rows(output.logits), "auxiliary": auxiliary}


def names(model):
    lines = [f"{path} {list(value.shape)}" for path, value in model.state_dict().items() if "num_batches" not in path]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    small = (2, 3, 32, 32)
    logits = {
        "lenet5": record(lenet5(), 2, 1, 28, 28),
        "mobilenet_v1": record(mobilenet_v1(0.25), *small),
        "resnetBasic": record(resnet.ResNet(resnet.BasicBlock, [2, 2, 2, 2], num_classes=10), *small),
        "resnetBottleneck": record(resnet.ResNet(resnet.Bottleneck, [1, 2, 1, 1], num_classes=10), *small),
        "densenet": record(densenet.DenseNet(8, (2, 3, 2, 2), 16, num_classes=10), *small),
        "squeezenet1_0": record(load("squeezenet").SqueezeNet("1_0", num_classes=10), 2, 3, 66, 64),
        "squeezenet1_1": record(load("squeezenet").SqueezeNet("1_1", num_classes=10), 2, 3, 66, 64),
        "mobilenet_v2": record(load("mobilenetv2").MobileNetV2(num_classes=10, width_mult=0.25), *small),
        "efficientnet_b0": record(load("efficientnet").efficientnet_b0(num_classes=10), *small),
        "googlenet": record(load("googlenet").GoogLeNet(num_classes=10, init_weights=False), 2, 3, 70, 64),
        "inception_v3": record(load("inception").Inception3(num_classes=10, init_weights=False), 1, 3, 299, 299),
        "vit": record(load("vision_transformer").VisionTransformer(12, 4, 2, 4, 16, 24, num_classes=10), 2, 3, 12, 12),
    }
    presets = {
        **{f"vgg{depth}": getattr(load("vgg"), f"vgg{depth}") for depth in (11, 13, 16, 19)},
        **{f"resnet{depth}": getattr(resnet, f"resnet{depth}") for depth in (18, 34, 50, 101, 152)},
        **{f"squeezenet1_{version}": getattr(load("squeezenet"), f"squeezenet1_{version}") for version in (0, 1)},
        "alexnet": load("alexnet").alexnet,
        "googlenet": lambda: load("googlenet").GoogLeNet(init_weights=False),
        "inception_v3": lambda: load("inception").Inception3(init_weights=False),
        "densenet121": densenet.densenet121,
        "mobilenet_v2": load("mobilenetv2").mobilenet_v2,
        "efficientnet_b0": load("efficientnet").efficientnet_b0,
        "vit_b_16": load("vision_transformer").vit_b_16,
    }
    header = {"script": "scripts/record-model-fixtures.py", "torch": torch.__version__, "torchvision": "0.28.0"}
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    digests = {name: names(build()) for name, build in presets.items()}
    entries = lambda items: ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in items.items())
    TARGET.write_text(
        f'{{\n  "header": {json.dumps(header)},\n  "logits": {{\n{entries(logits)}\n  }},\n'
        f'  "names": {{\n{entries(digests)}\n  }}\n}}\n'
    )
