#!/usr/bin/python3
"""Records what PyTorch computes for every case of the operator sweep, into test/fixtures/ops/<family>.json.

Run from the repository: /usr/bin/python3 scripts/record-op-fixtures.py
The cases (src/ops/**/*.cases.ts) are the one source of inputs, loss weights and expressions; this script asks them through
Node. It computes in float64, so that a comparison measures our rounding only, and keeps 9 significant digits, which
is more than float32 has. The loss behind the gradients is sum(w (y + y^2 / 2)) over the float outputs: its second
derivative is not zero, so that linear operators are tested in second order too.
"""
import functools
import json
import math
import pathlib
import subprocess

import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parent.parent
DTYPES = {"bool": torch.bool, "uint8": torch.uint8, "int32": torch.int32}


def prod(x, axes, keepdim):
    """torch.prod over several axes, the last of them first."""
    for axis in sorted(axes, reverse=True):
        x = x.prod(axis, keepdim=keepdim)
    return x


def max_pool_with_positions(x, kernel):
    """Values, and positions in the whole tensor as ONNX counts them (PyTorch counts within each map)."""
    values, positions = F.max_pool2d(x, kernel, return_indices=True)
    maps = torch.arange(x.shape[0] * x.shape[1]).reshape(x.shape[0], x.shape[1], 1, 1)
    return values, positions + maps * (x.shape[2] * x.shape[3])


def unpack_blocks(elements, scales, bits):
    """Rows of blocks of 4 bits, the first in the low half of a byte, or of 8."""
    numbers = torch.stack([elements % 16, elements // 16], 3).flatten(2) if bits == 4 else elements
    return ((numbers - 2.0 ** (bits - 1)) * scales[..., None]).flatten(1)


def conv_weight_gradient(x, shape, g, **options):
    """Gradient of a convolution's weight, itself differentiable."""
    function = torch.nn.grad.conv1d_weight if x.ndim == 3 else torch.nn.grad.conv2d_weight
    return function(x, shape, g, **options)


def per_channel(vector):
    """A vector that broadcasts over [N, C, H, W]."""
    return vector[:, None, None]


def rnn_step(x, h, c, w, r, wb, rb, squash=torch.tanh):
    return squash(x @ w.T + h @ r.T + wb + rb), c


def lstm_step(x, h, c, w, r, wb, rb, gate=torch.sigmoid, squash=torch.tanh, output=torch.tanh):
    i, o, f, g = (x @ w.T + h @ r.T + wb + rb).chunk(4, -1)
    c = gate(f) * c + gate(i) * squash(g)
    return gate(o) * output(c), c


def gru_step(x, h, c, w, r, wb, rb, gate=torch.sigmoid, squash=torch.tanh):
    """The reset gate before the product."""
    (zx, rx, nx), (zw, rw, nw), (zb, rb, nb) = (x @ w.T + wb).chunk(3, -1), r.chunk(3), rb.chunk(3)
    z, s = gate(zx + h @ zw.T + zb), gate(rx + h @ rw.T + rb)
    return (1 - z) * squash(nx + (s * h) @ nw.T + nb) + z * h, c


def gru_after_step(x, h, c, w, r, wb, rb, gate=torch.sigmoid, squash=torch.tanh):
    """The reset gate after the product, as in PyTorch."""
    (zx, rx, nx), (zh, rh, nh) = (x @ w.T + wb).chunk(3, -1), (h @ r.T + rb).chunk(3, -1)
    z, s = gate(zx + zh), gate(rx + rh)
    return (1 - z) * squash(nx + s * nh) + z * h, c


def hard_sigmoid(alpha, beta):
    return lambda x: (alpha * x + beta).clamp(0, 1)


def recurrent(step, x, w, r, b=None, h0=None, c0=None, lengths=None, directions=("forward",)):
    """Outputs of ONNX's recurrent operators, by their equations: y, the last h, the last c."""
    steps, batch, hidden = x.shape[0], x.shape[1], r.shape[2]
    outputs = []
    for d, direction in enumerate(directions):
        wb, rb = (torch.zeros(2, r.shape[1]) if b is None else b[d].reshape(2, -1)).to(x.dtype)
        samples = []
        for n in range(batch):
            h = x.new_zeros(hidden) if h0 is None else h0[d, n]
            c = x.new_zeros(hidden) if c0 is None else c0[d, n]
            y = [x.new_zeros(hidden)] * steps
            order = list(range(steps if lengths is None else int(lengths[n])))
            for t in order if direction == "forward" else order[::-1]:
                h, c = step(x[t, n], h, c, w[d], r[d], wb, rb)
                y[t] = h
            samples.append((torch.stack(y), h, c))
        outputs.append([torch.stack(part, -2) for part in zip(*samples)])
    y, h, c = zip(*outputs)
    return torch.stack(y, 1), torch.stack(h), torch.stack(c)


def suppress(boxes, scores, limit, overlap, threshold):
    """Greedy non-maximum suppression class by class, -1 where no box is left."""

    def ratio(a, b):
        (low, high), (low_b, high_b) = [(torch.minimum(c[:2], c[2:]), torch.maximum(c[:2], c[2:])) for c in (a, b)]
        common = (torch.minimum(high, high_b) - torch.maximum(low, low_b)).clamp(min=0).prod()
        return common / ((high - low).prod() + (high_b - low_b).prod() - common)

    def chosen(own, score):
        kept = []
        for at in score.argsort(descending=True).tolist():
            if len(kept) < limit and score[at] > threshold and all(ratio(own[at], own[k]) <= overlap for k in kept):
                kept.append(at)
        return torch.tensor(kept + [-1] * (limit - len(kept)))

    return torch.stack([torch.stack([chosen(own, score) for score in of]) for own, of in zip(boxes, scores)])


def roi_align(x, regions, of, height, width, samples, scale=1.0, shift=0.5):
    """Means of samples x samples interpolated elements in each of height x width parts of each region (He et al. 2017)."""
    left, top, right, bottom = (regions * scale - shift).unbind(1)
    extents = (bottom - top, right - left) if shift else ((bottom - top).clamp(min=1), (right - left).clamp(min=1))

    def taps(start, extent, parts, count):
        at = start[:, None] + extent[:, None] / (parts * samples) * (torch.arange(parts * samples) + 0.5)
        inside = ((at >= -1) & (at <= count)).to(x.dtype)
        at = at.clamp(0, count - 1)
        low = at.detach().floor()
        high = (low + 1).clamp(max=count - 1)
        return ((low.long(), (1 - (at - low)) * inside), (high.long(), (at - low) * inside))

    rows = taps(top, extents[0], height, x.shape[2])
    columns = taps(left, extents[1], width, x.shape[3])
    batch = of[:, None, None]
    total = sum(
        x[batch, :, r[:, :, None], c[:, None, :]] * (rw[:, :, None] * cw[:, None, :])[..., None]
        for r, rw in rows
        for c, cw in columns
    )  # [regions, height * samples, width * samples, C]
    total = total.permute(0, 3, 1, 2).reshape(len(regions), -1, height, samples, width, samples)
    return total.mean((3, 5))


def crop(x, starts, ends, extents, outside):
    """A region of the last two axes by linear interpolation, ends on ends; `outside` where a place is not within x."""
    inside = torch.ones(1, dtype=torch.bool)
    for axis, start, end, extent in zip((2, 3), starts, ends, extents):
        last = x.shape[axis] - 1
        at = torch.linspace(start, end, extent, dtype=torch.float64) * last
        low = at.clamp(0, last).floor().long()
        share = (at.clamp(0, last) - low).reshape([-1 if i == axis else 1 for i in range(4)])
        x = x.index_select(axis, low) * (1 - share) + x.index_select(axis, (low + 1).clamp(max=last)) * share
        inside = inside & ((at >= 0) & (at <= last)).reshape([-1 if i == axis else 1 for i in range(4)])
    return torch.where(inside, x, torch.tensor(outside, dtype=x.dtype))


def mel_bands(bands, length, rate, lowest, highest):
    """Triangles on the mel scale by the equations of ONNX's MelWeightMatrix, [length // 2 + 1, bands]."""
    low, high = (2595 * math.log10(1 + hertz / 700) for hertz in (lowest, highest))
    mels = [low + i * (high - low) / (bands + 2) for i in range(bands + 2)]
    edges = [math.floor((length + 1) * 700 * (10 ** (mel / 2595) - 1) / rate) for mel in mels]
    weights = torch.zeros(length // 2 + 1, bands, dtype=torch.float64)
    for band in range(bands):
        left, center, right = edges[band : band + 3]
        for j in range(left, center + 1):
            weights[j, band] = 1 if center == left else (j - left) / (center - left)
        for j in range(center, right):
            weights[j, band] = (right - j) / (right - center)
    return weights


def attention(q, k, v, heads, key_heads, causal=False):
    """Attention of rows [batch, time, width]; heads that share keys stand together."""

    def split(x, count):
        return x.reshape(x.shape[0], x.shape[1], count, -1).transpose(1, 2)

    q = split(q, heads)
    k, v = (split(x, key_heads).repeat_interleave(heads // key_heads, 1) for x in (k, v))
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1).bool(), float("-inf"))
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


def turned(x, cos, sin):
    """The features of each head turned in pairs, each with the one half of them further."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


HELPERS = {
    "mel_bands": mel_bands,
    "crop": crop,
    "roi_align": roi_align,
    "attention": attention,
    "turned": turned,
    "torch": torch,
    "F": F,
    "prod": prod,
    "max_pool_with_positions": max_pool_with_positions,
    "conv_weight_gradient": conv_weight_gradient,
    "unpack_blocks": unpack_blocks,
    "per_channel": per_channel,
    "recurrent": recurrent,
    "suppress": suppress,
    "partial": functools.partial,
    "hard_sigmoid": hard_sigmoid,
    "rnn_step": rnn_step,
    "lstm_step": lstm_step,
    "gru_step": gru_step,
    "gru_after_step": gru_after_step,
}


def tensor_of(spec):
    dtype = torch.float64 if spec["dtype"] == "float32" else DTYPES.get(spec["dtype"], torch.int64)
    return torch.tensor(spec["data"], dtype=dtype).reshape(spec["shape"])


def numbers(values):
    """Elements with 9 significant digits; whole numbers without a fraction."""
    elements = values.detach().flatten().tolist()
    rounded = [float(f"{float(element):.9g}") for element in elements]
    return [int(element) if element.is_integer() else element for element in rounded]


def record(request):
    inputs = {name: tensor_of(spec) for name, spec in request["inputs"].items()}
    floats = {name: value.requires_grad_() for name, value in inputs.items() if value.is_floating_point()}
    result = eval(request["torch"], dict(HELPERS), inputs)
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    recorded = {"digest": request["digest"], "outputs": [numbers(output) for output in outputs]}
    if not request["weights"]:
        return recorded
    loss = sum(
        (torch.tensor(weights, dtype=torch.float64).reshape(y.shape) * (y + y * y / 2)).sum()
        for y, weights in zip(outputs, request["weights"])
        if weights is not None
    )
    gradients = torch.autograd.grad(loss, list(floats.values()), create_graph=True, allow_unused=True)
    gradients = [torch.zeros_like(x) if g is None else g for g, x in zip(gradients, floats.values())]
    recorded["gradients"] = {name: numbers(g) for name, g in zip(floats, gradients)}
    if request["direction"]:
        along = sum(
            (g * torch.tensor(request["direction"][name], dtype=torch.float64).reshape(g.shape)).sum()
            for name, g in zip(floats, gradients)
        )
        products = torch.autograd.grad(along, list(floats.values()), allow_unused=True)
        recorded["hessianVector"] = {
            name: numbers(torch.zeros_like(x) if h is None else h) for (name, x), h in zip(floats.items(), products)
        }
    return recorded


def main():
    ask = "import { recordingRequests } from './src/ops/all.cases.ts'; console.log(JSON.stringify(recordingRequests()))"
    answer = subprocess.run(
        ["node", "--import", "tsx", "--input-type=module", "-e", ask], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    folder = ROOT / "test" / "fixtures" / "ops"
    folder.mkdir(parents=True, exist_ok=True)
    for family in json.loads(answer.stdout):
        cases = {}
        for request in family["cases"]:
            try:
                cases[request["key"]] = record(request)
            except Exception as error:
                raise SystemExit(f"{family['family']}, {request['key']}: {request['torch']}: {error}")
        header = {"script": "scripts/record-op-fixtures.py", "torch": torch.__version__}
        lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in cases.items())
        path = folder / f"{family['family']}.json"
        path.write_text(f'{{"header": {json.dumps(header)}, "cases": {{\n{lines}\n}}}}\n')
        print(f"{path.relative_to(ROOT)}: {len(cases)} cases, {path.stat().st_size} bytes")


main()
