#!/usr/bin/python3
"""Writes torchvision's architectures, with random weights, as ONNX files of several operator sets, for measure-onnx-models.ts.

Run: /usr/bin/python3 scripts/export-torchvision.py FOLDER   (Debian: python3-torch, python3-torchvision)
"""
import pathlib
import sys
import warnings

import torch
import torchvision.models as models

warnings.filterwarnings("ignore")

# Name, input shape, operator sets.
CLASSIFIERS = [
    ("alexnet", 224, [9, 17]),
    ("convnext_tiny", 64, [14, 17]),
    ("densenet121", 64, [9, 13, 17]),
    ("efficientnet_b0", 64, [11, 17]),
    ("efficientnet_v2_s", 64, [17]),
    ("googlenet", 64, [11, 17]),
    ("inception_v3", 96, [13]),
    ("mnasnet0_5", 64, [9, 17]),
    ("mobilenet_v2", 64, [9, 10, 11, 12, 13, 14, 15, 16, 17]),
    ("mobilenet_v3_small", 64, [14, 17]),
    ("regnet_y_400mf", 64, [12, 17]),
    ("resnet18", 64, [9, 10, 11, 12, 13, 14, 15, 16, 17]),
    ("resnext50_32x4d", 64, [13]),
    ("shufflenet_v2_x1_0", 64, [9, 13, 17]),
    ("squeezenet1_1", 64, [9, 17]),
    ("swin_t", 64, [14, 17]),
    ("vgg11_bn", 224, [13]),
    ("vit_b_16", 224, [14, 17]),
]
SEGMENTERS = [("deeplabv3_mobilenet_v3_large", 96, [12, 17]), ("lraspp_mobilenet_v3_large", 96, [12, 17])]
DETECTORS = [("ssdlite320_mobilenet_v3_large", 320, [11, 17]), ("fasterrcnn_mobilenet_v3_large_320_fpn", 128, [11, 17])]


def export(model, size, path, opset):
    torch.manual_seed(0)
    x = torch.rand(1, 3, size, size)
    torch.onnx.export(model, x, path, opset_version=opset, input_names=["x"], training=torch.onnx.TrainingMode.EVAL)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    groups = [(CLASSIFIERS, models), (SEGMENTERS, models.segmentation), (DETECTORS, models.detection)]
    for rows, module in groups:
        for name, size, opsets in rows:
            torch.manual_seed(0)
            options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
            if module is not models:
                options["weights_backbone"] = None
            model = getattr(module, name)(weights=None, **options).eval()
            for opset in opsets:
                path = folder / f"{name}-opset{opset}.onnx"
                try:
                    export(model, size, str(path), opset)
                    print(path.name, path.stat().st_size, flush=True)
                except Exception as error:
                    print(path.name, "not exported:", str(error).splitlines()[0], flush=True)


main()
