#!/usr/bin/python3
"""Writes models that TensorFlow.js computed (test/fixtures/tfjs/layers.json) as the files that Keras makes of them, into test/fixtures/keras/.

Run from the repository, with Debian's python3-h5py: /usr/bin/python3 scripts/make-keras-fixtures.py
The layouts are those of Keras's saving code: legacy_h5_format.py for .h5 (attributes model_config, layer_names, weight_names), saving_lib.py
for .keras (a group of vars for each object, found by walking through attributes). Weights are those of the recording script, so that the
outputs that TensorFlow.js gave are the reference for both.
"""
import io
import json
import pathlib
import re
import zipfile

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASES = {
    "both-directions": "recurrent layers in both directions",
    "nested": "models within a model, and layers that are shared",
    "batch-normalization": "batchNormalization",
    "every-step": "layers at every step",
    "separable": "separableConv2d",
    "cells": "recurrent layers around cells",
}
MODELS = ("Sequential", "Model", "Functional")
# Variables of a layer in Keras's order: those that are trained, then the others.
VARIABLES = {
    "BatchNormalization": ["gamma", "beta", "moving_mean", "moving_variance"],
    "SeparableConv2D": ["depthwise_kernel", "pointwise_kernel", "bias"],
    "LSTM": ["kernel", "recurrent_kernel", "bias"],
}
CELLS = {"LSTM": "lstm_cell", "GRU": "gru_cell", "SimpleRNN": "simple_rnn_cell"}


def elements(name, shape):
    """The weight of a name, as scripts/tfjs-recording.mjs makes it."""
    seed = 0
    for character in name:
        seed = (seed * 31 + ord(character)) & 0xFFFFFFFF
    numbers = []
    for i in range(int(np.prod(shape))):
        x = ((i + seed) * 0x9E3779B1) & 0xFFFFFFFF
        x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
        numbers.append((x ^ (x >> 13)) / 2**32)
    uniform = np.float32(numbers).reshape(shape)
    return np.float32(0.5) + uniform if name.endswith("variance") else np.float32(2) * uniform - np.float32(1)


class Weights:
    """The weights of a case by the layer that owns them."""

    def __init__(self, model):
        self.shapes = {w["name"]: w["shape"] for group in model["weightsManifest"] for w in group["weights"]}

    def of(self, prefix, names):
        found = [(name, f"{prefix}/{name}") for name in names if f"{prefix}/{name}" in self.shapes]
        return [(name, elements(path, self.shapes[path])) for name, path in found]


def variables(weights, class_name, prefix):
    return weights.of(prefix, VARIABLES.get(class_name, ["kernel", "recurrent_kernel", "bias"]))


def snake(name):
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


# ---- Keras 2: HDF5 ----


def named(weights, layer):
    """Names and values of a layer's weights, as Keras 2 names them."""
    class_name, config, name = layer["class_name"], layer["config"], layer["config"]["name"]
    if class_name in MODELS:
        return [pair for inner in config["layers"] for pair in named(weights, inner)]
    if class_name == "Bidirectional":
        inner = config["layer"]
        cell = CELLS[inner["class_name"]]
        return [
            (f"{name}/{way}_{inner['config']['name'].removeprefix('forward_')}/{cell}/{weight}:0", value)
            for way in ("forward", "backward")
            for weight, value in weights.of(f"{name}/{way}_{inner['config']['name'].removeprefix('forward_')}", VARIABLES["LSTM"])
        ]
    if class_name == "RNN":
        cells = config["cell"]["config"].get("cells")
        if not cells:
            return [(f"{name}/{snake(config['cell']['class_name'])}/{w}:0", v) for w, v in weights.of(name, VARIABLES["LSTM"])]
        return [
            (f"{name}/stacked_rnn_cells/{cell['config']['name']}/{w}:0", v)
            for i, cell in enumerate(cells)
            for w, v in weights.of(f"{name}/RNNCell_{i}", VARIABLES["LSTM"])
        ]
    cell = f"{CELLS[class_name]}/" if class_name in CELLS else ""
    return [(f"{name}/{cell}{weight}:0", value) for weight, value in variables(weights, class_name, name)]


def write_h5(path, topology, weights):
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.11.0"
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(topology).encode("utf8")
        group = file.create_group("model_weights")
        layers = topology["config"]["layers"]
        group.attrs["layer_names"] = np.array([layer["config"]["name"].encode("utf8") for layer in layers])
        group.attrs["backend"] = b"tensorflow"
        group.attrs["keras_version"] = b"2.11.0"
        for layer in layers:
            own = group.create_group(layer["config"]["name"])
            pairs = named(weights, layer)
            # Keras divides what is too long for one attribute among several.
            names = np.array([name.encode("utf8") for name, _ in pairs])
            if len(pairs) > 8:
                for i, part in enumerate(np.array_split(names, 2)):
                    own.attrs[f"weight_names{i}"] = part
            else:
                own.attrs["weight_names"] = names if len(pairs) else np.zeros(0)
            for name, value in pairs:
                own.create_dataset(name, data=value)
        group.create_group("top_level_model_weights").attrs["weight_names"] = np.zeros(0)
        optimizer = file.create_group("optimizer_weights")
        optimizer.create_dataset("Adam/iter:0", data=np.int64(3))


# ---- Keras 3: an archive ----


def save_variables(file, path, name, values):
    group = file.create_group(f"{path}/vars")
    group.attrs["name"] = name
    for i, (_, value) in enumerate(values):
        group[str(i)] = value


def save_layer(file, path, layer, weights):
    class_name, config, name = layer["class_name"], layer["config"], layer["config"]["name"]
    if class_name in MODELS:
        save_variables(file, path, name, [])
        return save_layers(file, path, config["layers"], weights)
    if class_name == "Bidirectional":
        inner = config["layer"]["config"]["name"].removeprefix("forward_")
        for way in ("backward", "forward"):
            save_variables(file, f"{path}/{way}_layer/cell", "cell", weights.of(f"{name}/{way}_{inner}", VARIABLES["LSTM"]))
    elif class_name == "TimeDistributed":
        save_variables(file, f"{path}/layer", "layer", weights.of(name, ["kernel", "bias"]))
    elif class_name == "RNN":
        cells = config["cell"]["config"].get("cells")
        if not cells:
            save_variables(file, f"{path}/cell", "cell", weights.of(name, VARIABLES["LSTM"]))
        used = {}
        for i, cell in enumerate(cells or []):
            own = unique(snake(cell["class_name"]), used)
            save_variables(file, f"{path}/cell/cells/{own}", own, weights.of(f"{name}/RNNCell_{i}", VARIABLES["LSTM"]))
    elif class_name in CELLS:
        save_variables(file, f"{path}/cell", "cell", variables(weights, class_name, name))
    save_variables(file, path, name, [] if class_name in ("TimeDistributed", "RNN") else variables(weights, class_name, name))
    if class_name == "Dropout":
        save_variables(file, f"{path}/seed_generator", "seed_generator", [("state", np.uint32([1, 2]))])


def unique(name, used):
    used[name] = used.get(name, -1) + 1
    return f"{name}_{used[name]}" if used[name] else name


def save_layers(file, path, layers, weights):
    used = {}
    for layer in layers:
        class_name = "Functional" if layer["class_name"] == "Model" else layer["class_name"]
        save_layer(file, f"{path}/layers/{unique(snake(class_name), used)}".lstrip("/"), layer, weights)


def keras3(part):
    """A config with its calls as Keras 3 writes them."""
    if isinstance(part, list):
        return [keras3(item) for item in part]
    if not isinstance(part, dict):
        return part
    own = {key: keras3(item) for key, item in part.items() if key not in ("inbound_nodes", "batch_input_shape")}
    if "class_name" in part:
        own["module"] = "keras"
        own["class_name"] = "Functional" if part["class_name"] == "Model" else part["class_name"]
    if "batch_input_shape" in part:
        own["batch_shape"] = part["batch_input_shape"]
    if "inbound_nodes" in part:
        own["inbound_nodes"] = [node3(node) for node in part["inbound_nodes"]]
    return own


def node3(node):
    history = [{"class_name": "__keras_tensor__", "config": {"shape": [None], "dtype": "float32", "keras_history": item[:3]}} for item in node]
    return {"args": history if len(history) == 1 else [history], "kwargs": {}}


def write_keras(path, topology, weights):
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        save_layers(file, "", topology["config"]["layers"], weights)
        file.create_group("vars")
        save_variables(file, "optimizer", "adam", [("iteration", np.int64(3))])
    with zipfile.ZipFile(path, "w") as archive:
        entries = {
            "metadata.json": json.dumps({"keras_version": "3.9.2", "date_saved": "2025-01-01@00:00:00"}),
            "config.json": json.dumps(keras3(topology)),
            "model.weights.h5": memory.getvalue(),
        }
        for name, content in entries.items():
            info = zipfile.ZipInfo(name, date_time=(2025, 1, 1, 0, 0, 0))
            # One archive is packed, as those are that are made anew by other tools.
            packed = path.stem == "separable"
            archive.writestr(info, content, compress_type=zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)


def main():
    folder = ROOT / "test/fixtures/keras"
    folder.mkdir(exist_ok=True)
    recorded = json.loads((ROOT / "test/fixtures/tfjs/layers.json").read_text())["cases"]
    for stem, case in CASES.items():
        model = recorded[case]["model"]
        weights = Weights(model)
        write_h5(folder / f"{stem}.h5", model["modelTopology"], weights)
        write_keras(folder / f"{stem}.keras", model["modelTopology"], weights)
    # The forms that h5py writes where it is told to use the latest, and others that Keras does not write.
    with h5py.File(folder / "latest.h5", "w", libver="latest") as file:
        file.attrs["text"] = "größer"
        file.attrs["numbers"] = np.int32([3, 4])
        own = file.create_group("group")
        own.create_dataset("halves", data=np.float16([[1, -2.5], [0.5, 65504]]))
        own.create_dataset("large end first", data=np.array([1.5, -2], dtype=">f4"))
        own.create_dataset("truths", data=np.array([True, False]))
        own.create_dataset("empty", shape=(0, 3), dtype="f4")
    with h5py.File(folder / "chunks.h5", "w") as file:
        file.create_dataset("packed", data=np.zeros((4, 4)), chunks=(2, 2), compression="gzip")
        file["link"] = h5py.SoftLink("/packed")
    with h5py.File(folder / "weights-alone.h5", "w") as file:
        file.attrs["layer_names"] = np.array([b"dense"])
        file.create_group("dense").attrs["weight_names"] = np.zeros(0)


main()
