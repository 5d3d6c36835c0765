#!/usr/bin/python3
"""Records what layers of Keras compute that TensorFlow.js lacks, by their equations in PyTorch, into test/fixtures/keras/layers.json.

Run from the repository: /usr/bin/python3 scripts/record-keras-layer-fixtures.py
Equations are those of Keras's documentation and of the papers it cites; where PyTorch has the function, it is used. Weights and inputs are
computed from their names alone, as src/models/testing/fill.ts does, and not recorded. Channels are last, as in Keras.
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parent.parent
torch.set_default_dtype(torch.float64)


def uniform(name, shape):
    """Numbers in [0, 1) that depend on the name and their position alone."""
    seed = 0
    for character in name:
        seed = (seed * 31 + ord(character)) & 0xFFFFFFFF
    numbers = []
    for i in range(math.prod(shape)):
        x = ((i + seed) * 0x9E3779B1) & 0xFFFFFFFF
        x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
        numbers.append((x ^ (x >> 13)) / 2**32)
    return torch.tensor(numbers).float().double().reshape(shape)


def weight(name, shape):
    return 0.5 + uniform(name, shape) if name.endswith("variance") else 2 * uniform(name, shape) - 1


def first(x):
    """Channels first."""
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def kernel(w, transposed=False):
    """[kernel…, I, O] as PyTorch's convolutions have it."""
    return w.movedim((-1, -2), (0, 1))


CASES = {}


def case(name, class_name, config, inputs, outputs, weights=(), limits=None, keywords=None, keras="3.9.2"):
    """One layer; `inputs` are shapes, `weights` are names and shapes, `keywords` are arguments of its call after the first, by the number
    of the input that they are. `outputs` computes from inputs and weights."""
    values = [
        (2 * uniform(f"input {i}", s) - 1) if limits is None or limits[i] is None else (uniform(f"input {i}", s) * limits[i]).floor()
        for i, s in enumerate(inputs)
    ]
    own = {key: weight(f"layer/{key}", shape) for key, shape in weights}
    computed = outputs(*values, **{key.replace("/", "_"): value for key, value in own.items()})
    results = computed if isinstance(computed, tuple) else (computed,)
    CASES[name] = {
        "keras": keras,
        "class_name": class_name,
        "config": config,
        "inputs": [list(shape) for shape in inputs],
        **({"limits": limits} if limits else {}),
        **({"keywords": keywords} if keywords else {}),
        "weights": [{"name": f"layer/{key}", "shape": list(shape)} for key, shape in weights],
        "outputs": [{"shape": list(y.shape), "data": [float(f"{v:.7g}") for v in y.flatten().tolist()]} for y in results],
    }


sequence, image, volume = (2, 7, 3), (2, 5, 6, 4), (2, 3, 4, 5, 2)

# ---- convolutions ----
conv_weights = [("kernel", (3, 4, 3)), ("bias", (4,))]
case("Conv1DTranspose", "Conv1DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2}, [sequence],
     lambda x, kernel, bias: last(F.conv_transpose1d(first(x), kernel.permute(2, 1, 0), bias, stride=2)), conv_weights)
case("Conv1DTranspose, same", "Conv1DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, [sequence],
     lambda x, kernel, bias: last(F.conv_transpose1d(first(x), kernel.permute(2, 1, 0), bias, stride=2)[..., :14]), conv_weights)
case("DepthwiseConv1D", "DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2, "strides": 2}, [sequence],
     lambda x, kernel, bias: last(F.conv1d(first(x), kernel.permute(1, 2, 0).reshape(6, 1, 3), bias, stride=2, groups=3)),
     [("kernel", (3, 3, 2)), ("bias", (6,))])
case("SeparableConv1D, causal", "SeparableConv1D", {"filters": 4, "kernel_size": 2, "padding": "causal"}, [sequence],
     lambda x, depthwise_kernel, pointwise_kernel, bias: last(F.conv1d(
         F.conv1d(F.pad(first(x), (1, 0)), depthwise_kernel.permute(1, 2, 0).reshape(3, 1, 2), groups=3),
         pointwise_kernel.permute(2, 1, 0), bias)),
     [("depthwise_kernel", (2, 3, 1)), ("pointwise_kernel", (1, 3, 4)), ("bias", (4,))])

# ---- pooling ----
for rank, shape, size in ((1, sequence, 3), (2, image, (2, 4)), (3, volume, (2, 3, 2))):
    for kind in ("Average", "Max"):
        pool = getattr(F, f"adaptive_{'avg' if kind == 'Average' else 'max'}_pool{rank}d")
        case(f"Adaptive{kind}Pooling{rank}D", f"Adaptive{kind}Pooling{rank}D", {"output_size": size}, [shape],
             lambda x, pool=pool, size=size: last(pool(first(x), size)))

# ---- normalization ----
case("GroupNormalization", "GroupNormalization", {"groups": 2, "epsilon": 0.01}, [image],
     lambda x, gamma, beta: last(F.group_norm(first(x), 2, gamma, beta, 0.01)), [("gamma", (4,)), ("beta", (4,))])
case("GroupNormalization of vectors", "GroupNormalization", {"groups": 3, "axis": 1, "scale": False}, [(2, 6)],
     lambda x, beta: F.group_norm(x, 3, None, beta, 1e-3), [("beta", (6,))])
case("RMSNormalization", "RMSNormalization", {"axis": -1}, [sequence],
     lambda x, scale: x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6) * scale, [("scale", (3,))])
case("LayerNormalization by its deviation alone", "LayerNormalization", {"rms_scaling": True}, [sequence],
     lambda x, gamma: x * torch.rsqrt(x.var(-1, unbiased=False, keepdim=True) + 1e-3) * gamma, [("gamma", (3,))])
case("UnitNormalization", "UnitNormalization", {"axis": [1, 2]}, [sequence],
     lambda x: x / (x * x).sum((1, 2), keepdim=True).sqrt())
case("Normalization", "Normalization", {"axis": [1, -1]}, [sequence],
     lambda x, mean, variance, count: (x - mean) / variance.sqrt(),
     [("mean", (7, 3)), ("variance", (7, 3)), ("count", ())])
case("Normalization, back", "Normalization", {"axis": -1, "mean": [1, 2, 3], "variance": [4, 9, 16], "invert": True}, [sequence],
     lambda x: x * torch.tensor([2.0, 3.0, 4.0]) + torch.tensor([1.0, 2.0, 3.0]))
case("SpectralNormalization", "SpectralNormalization", {"layer": {"class_name": "Dense", "config": {"name": "inner", "units": 2}}}, [(2, 3)],
     lambda x, kernel, bias, vector_u: x @ kernel + bias, [("kernel", (3, 2)), ("bias", (2,)), ("vector_u", (1, 2))])

# ---- core ----
case("EinsumDense", "EinsumDense", {"equation": "...x,xyz->...yz", "output_shape": [7, 2, 5], "bias_axes": "z", "activation": "tanh"}, [sequence],
     lambda x, kernel, bias: torch.tanh(torch.einsum("abx,xyz->abyz", x, kernel) + bias), [("kernel", (3, 2, 5)), ("bias", (5,))])
case("Softmax over two axes", "Softmax", {"axis": [1, 2]}, [sequence], lambda x: x.flatten(1).softmax(-1).reshape(x.shape))

# ---- activations of Keras 3 ----
def sparsemax(x):
    """Projection onto the simplex (Martins and Astudillo 2016), by bisection of the threshold."""
    low, high = x.amax(-1, keepdim=True) - 1, x.amax(-1, keepdim=True)
    for _ in range(60):
        middle = (low + high) / 2
        above = (x - middle).clamp(min=0).sum(-1, keepdim=True) > 1
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return (x - low).clamp(min=0)


ACTIVATIONS = {
    "celu": F.celu,
    "glu": lambda x: F.glu(x, -1),
    "hard_sigmoid": F.hardsigmoid,
    "hard_silu": F.hardswish,
    "hard_tanh": F.hardtanh,
    "log_sigmoid": F.logsigmoid,
    "tanh_shrink": F.tanhshrink,
    "hard_shrink": F.hardshrink,
    "soft_shrink": F.softshrink,
    "squareplus": lambda x: (x + (x * x + 4).sqrt()) / 2,
    "sparse_plus": lambda x: torch.where(x <= -1, 0 * x, torch.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: ((x + 1) / 2).clamp(0, 1),
    "exponential": torch.exp,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "log_softmax": lambda x: x.log_softmax(-1),
    "sparsemax": lambda x: sparsemax(x),
}
for name, f in ACTIVATIONS.items():
    case(f"activation {name}", "Dense", {"units": 4, "activation": name}, [(6, 3)],
         lambda x, kernel, bias, f=f: f(x @ kernel + bias), [("kernel", (3, 4)), ("bias", (4,))])

OBJECTS = {
    "LeakyReLU": ({"negative_slope": 0.1}, lambda x: F.leaky_relu(x, 0.1)),
    "ReLU": ({"max_value": 1, "negative_slope": 0.2, "threshold": 0.5}, lambda x: torch.where(x >= 0.5, x.clamp(max=1), 0.2 * (x - 0.5))),
    "ELU": ({"alpha": 0.3}, lambda x: F.elu(x, 0.3)),
    "function": ("softsign", F.softsign),
}
for name, (config, f) in OBJECTS.items():
    case(f"activation as an object {name}", "Dense", {"units": 4, "activation": {"module": "keras.layers", "class_name": name, "config": config}}, [(6, 3)],
         lambda x, kernel, bias, f=f: f(x @ kernel + bias), [("kernel", (3, 4)), ("bias", (4,))])


# ---- attention ----
def attend(q, k, v, visible=None, scale=1.0):
    """[N, H, T, K]: outputs and weights."""
    scores = q @ k.transpose(-1, -2) * scale
    if visible is not None:
        scores = scores.masked_fill(~visible, -1e9)
    weights = scores.softmax(-1)
    return weights @ v, weights


def causal(t, s):
    return torch.ones(t, s, dtype=torch.bool).tril()


case("Attention", "Attention", {"use_scale": True}, [sequence, (2, 4, 3)],
     lambda q, v, scale: attend(q, v, v, scale=scale)[0], [("scale", ())])
case("Attention, causal, with a key and its weights", "Attention", {}, [sequence, (2, 4, 5), (2, 4, 3)],
     lambda q, v, k: attend(q, k, v, causal(7, 4)), keywords={"use_causal_mask": True, "return_attention_scores": True})
case("Attention by sums", "Attention", {"score_mode": "concat", "use_scale": True}, [sequence, (2, 4, 3)],
     lambda q, v, scale, concat_score_weight: (concat_score_weight * (scale * (q[:, :, None] + v[:, None])).tanh().sum(-1)).softmax(-1) @ v,
     [("scale", ()), ("concat_score_weight", ())])
case("AdditiveAttention", "AdditiveAttention", {}, [sequence, (2, 4, 3)],
     lambda q, v, scale: (scale * (q[:, :, None] + v[:, None]).tanh()).sum(-1).softmax(-1) @ v, [("scale", (3,))])


def heads(query, value, key, w, visible=None, groups=1):
    """Keras's equations: abc,cde->abde for the projections, aecd,abcd->acbe for the scores."""
    project = lambda x, name: torch.einsum("abc,cde->abde", x, w[f"{name}_kernel"]) + w[f"{name}_bias"]
    q, k, v = project(query, "query"), project(key, "key"), project(value, "value")
    k, v = k.repeat_interleave(groups, 2), v.repeat_interleave(groups, 2)
    scores = torch.einsum("aecd,abcd->acbe", k, q / math.sqrt(q.shape[-1]))
    if visible is not None:
        scores = scores.masked_fill(~visible, -1e9)
    weights = scores.softmax(-1)
    mixed = torch.einsum("acbe,aecd->abcd", weights, v)
    return torch.einsum("abcd,cde->abe", mixed, w["attention_output_kernel"]) + w["attention_output_bias"], weights


def head_weights(queries, keys, width, value, features, output):
    return [
        ("query/kernel", (features[0], queries, width)), ("query/bias", (queries, width)),
        ("key/kernel", (features[1], keys, width)), ("key/bias", (keys, width)),
        ("value/kernel", (features[2], keys, value)), ("value/bias", (keys, value)),
        ("attention_output/kernel", (queries, value, output)), ("attention_output/bias", (output,)),
    ]


case("MultiHeadAttention", "MultiHeadAttention", {"num_heads": 2, "key_dim": 4, "value_dim": 5}, [sequence, (2, 4, 6)],
     lambda q, v, **w: heads(q, v, v, w), head_weights(2, 2, 4, 5, (3, 6, 6), 3), keywords={"value": 1, "return_attention_scores": True})
case("MultiHeadAttention of a sequence to itself, causal", "MultiHeadAttention", {"num_heads": 2, "key_dim": 4, "output_shape": 5, "attention_axes": [1]}, [sequence],
     lambda x, **w: heads(x, x, x, w, causal(7, 7))[0], head_weights(2, 2, 4, 4, (3, 3, 3), 5), keywords={"value": 0, "use_causal_mask": True})
case("MultiHeadAttention with a key and a mask", "MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, [sequence, (2, 4, 6), (2, 4, 5), (2, 7, 4)],
     lambda q, v, k, mask, **w: heads(q, v, k, w, mask.bool()[:, None])[0], head_weights(2, 2, 3, 3, (3, 5, 6), 3),
     limits=[None, None, None, 2], keywords={"value": 1, "key": 2, "attention_mask": 3})
case("GroupQueryAttention", "GroupQueryAttention", {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2}, [sequence, (2, 4, 6)],
     lambda q, v, **w: heads(q, v, v, w, groups=2)[0], head_weights(4, 2, 4, 4, (3, 6, 6), 3), keywords={"value": 1})


# ---- recurrent layers ----
def lstm(x, w, r, b, gate=F.hardsigmoid):
    h = c = x.new_zeros(x.shape[0], r.shape[0])
    for t in range(x.shape[1]):
        i, f, g, o = (x[:, t] @ w + h @ r + b).chunk(4, -1)
        c = gate(f) * c + gate(i) * g.tanh()
        h = gate(o) * c.tanh()
    return h


def gru(x, w, r, b, gate=F.hardsigmoid):
    """The reset gate after the product."""
    h = x.new_zeros(x.shape[0], r.shape[0])
    for t in range(x.shape[1]):
        (xz, xr, xn), (hz, hr, hn) = (x[:, t] @ w + b[0]).chunk(3, -1), (h @ r + b[1]).chunk(3, -1)
        z, s = gate(xz + hz), gate(xr + hr)
        h = z * h + (1 - z) * (xn + s * hn).tanh()
    return h


case("LSTM with the hard gates of Keras 3", "LSTM", {"units": 2, "recurrent_activation": "hard_sigmoid"}, [sequence],
     lambda x, lstm_cell_kernel, lstm_cell_recurrent_kernel, lstm_cell_bias: lstm(x, lstm_cell_kernel, lstm_cell_recurrent_kernel, lstm_cell_bias),
     [("lstm_cell/kernel", (3, 8)), ("lstm_cell/recurrent_kernel", (2, 8)), ("lstm_cell/bias", (8,))])
case("LSTM with the hard gates of Keras 2", "LSTM", {"units": 2, "recurrent_activation": "hard_sigmoid"}, [sequence],
     lambda x, kernel, recurrent_kernel, bias: lstm(x, kernel, recurrent_kernel, bias, lambda y: (0.2 * y + 0.5).clamp(0, 1)),
     [("kernel", (3, 8)), ("recurrent_kernel", (2, 8)), ("bias", (8,))], keras="2.11.0")
case("GRU that resets after the product, with hard gates", "GRU", {"units": 2, "recurrent_activation": "hard_sigmoid", "reset_after": True, "go_backwards": True}, [sequence],
     lambda x, kernel, recurrent_kernel, bias: gru(x.flip(1), kernel, recurrent_kernel, bias),
     [("kernel", (3, 6)), ("recurrent_kernel", (2, 6)), ("bias", (2, 6))])
case("GRU that resets after the product, step by step", "GRU", {"units": 2, "recurrent_activation": "hard_silu", "reset_after": True}, [sequence],
     lambda x, kernel, recurrent_kernel, bias: gru(x, kernel, recurrent_kernel, bias, F.hardswish),
     [("kernel", (3, 6)), ("recurrent_kernel", (2, 6)), ("bias", (2, 6))])


def conv_lstm(x, w, r, b):
    filters = r.shape[1]
    n, t, _, length = x.shape
    h = c = x.new_zeros(n, filters, length)
    outputs = []
    for step in range(t):
        i, f, g, o = (F.conv1d(x[:, step], w, b, padding=1) + F.conv1d(h, r, padding=1)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(last(h))
    return torch.stack(outputs, 1)


case("ConvLSTM1D", "ConvLSTM1D", {"filters": 2, "kernel_size": 3, "padding": "same", "return_sequences": True, "recurrent_activation": "sigmoid"}, [(2, 4, 5, 3)],
     lambda x, kernel, recurrent_kernel, bias: conv_lstm(x.movedim(-1, 2), kernel.permute(2, 1, 0), recurrent_kernel.permute(2, 1, 0), bias),
     [("kernel", (3, 3, 8)), ("recurrent_kernel", (3, 2, 8)), ("bias", (8,))])

# ---- data ----
resize = lambda x, size, mode: last(F.interpolate(first(x), size, mode=mode, **({"align_corners": False} if mode == "bilinear" else {})))
case("Resizing", "Resizing", {"height": 3, "width": 9}, [image], lambda x: resize(x, (3, 9), "bilinear"))
case("Resizing, nearest", "Resizing", {"height": 3, "width": 9, "interpolation": "nearest"}, [image], lambda x: resize(x, (3, 9), "nearest-exact"))
case("Resizing with its form kept by a crop", "Resizing", {"height": 4, "width": 4, "crop_to_aspect_ratio": True}, [image],
     lambda x: resize(x[:, :, 0:5], (4, 4), "bilinear"))
case("CenterCrop", "CenterCrop", {"height": 2, "width": 3}, [image], lambda x: x[:, 1:3, 1:4])
case("Rescaling by channels", "Rescaling", {"scale": [1, 2, 3], "offset": -1}, [sequence], lambda x: x * torch.tensor([1.0, 2.0, 3.0]) - 1)
case("Discretization", "Discretization", {"bin_boundaries": [-0.5, 0, 0.25]}, [sequence],
     lambda x: torch.bucketize(x, torch.tensor([-0.5, 0, 0.25]), right=True))
case("CategoryEncoding, counts", "CategoryEncoding", {"num_tokens": 4, "output_mode": "count"}, [(2, 6)],
     lambda x: F.one_hot(x.long(), 4).sum(1), limits=[4])
case("CategoryEncoding, of one", "CategoryEncoding", {"num_tokens": 4, "output_mode": "one_hot"}, [(3, 1)],
     lambda x: F.one_hot(x.long(), 4)[:, 0], limits=[4])
# 0 for the mask 0, 1 for what is not in it, then 3, 1.
case("IntegerLookup", "IntegerLookup", {"vocabulary": [3, 1], "mask_token": 0}, [(2, 6)],
     lambda x: torch.tensor([0, 3, 1, 2])[x.long()], limits=[4])


def main():
    lines = [f"    {json.dumps(name, ensure_ascii=False)}: {json.dumps(own)}" for name, own in CASES.items()]
    header = {"script": "scripts/record-keras-layer-fixtures.py", "torch": torch.__version__}
    text = f'{{\n  "header": {json.dumps(header)},\n  "cases": {{\n' + ",\n".join(lines) + "\n  }\n}\n"
    (ROOT / "test/fixtures/keras/layers.json").write_text(text)


main()
