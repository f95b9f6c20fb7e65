"""Writes ready-networks.json: what the ready networks answer, and their gradients, as PyTorch computes them in float64 on the CPU.

Run: python -m venv venv && venv/bin/pip install torch && venv/bin/python test/golden/make-ready-networks.py

Weights and inputs are not stored: both sides make them of a name and a place (`drawn`), rounded to float32. A network here is written from
torch.nn's own modules where they exist (transformer layers, recurrences), else from functions as the paper or torchvision has it; `Weights`
hands out parameters under Espalier's names and in its layouts, and notes them, so that a count that differs is found too.

A case has the outputs, and of the gradient of the sum over outputs of sum(output * drawn("loss/" + name)) by each parameter two numbers: its
Euclidean length, and its product with drawn("gradient/" + name).
"""

import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

torch.set_default_dtype(torch.float64)
cases = []


def drawn(name, shape):
    """Numbers from -1 to 1 that depend on the name and the place alone."""
    seed = 2166136261
    for byte in name.encode():
        seed = ((seed ^ byte) * 16777619) & 0xFFFFFFFF
    count = math.prod(shape)
    x = (np.arange(count, dtype=np.uint64) * 2654435761 + seed) & 0xFFFFFFFF
    for shift, factor in [(16, 0x7FEB352D), (15, 0x846CA68B)]:
        x = ((x ^ (x >> np.uint64(shift))) * factor) & 0xFFFFFFFF
    x ^= x >> np.uint64(16)
    return torch.from_numpy(x.astype(np.float64) / 2**31 - 1).reshape(shape)


def state(name, shape):
    """A parameter's value: near 1 where it scales, small where it is added, of a size that keeps that of activations where it multiplies."""
    values = drawn(name, shape)
    if name.endswith(("gamma", "variance")):
        values = 1 + 0.5 * values
    elif len(shape) == 1:
        values = 0.3 * values
    else:
        values = values * math.sqrt(3 / (shape[0] if len(shape) == 2 else math.prod(shape[1:])))
    return values.float().double()


class Weights:
    def __init__(self):
        self.leaves = {}

    def __call__(self, name, *shape):
        if name not in self.leaves:
            self.leaves[name] = state(name, shape).requires_grad_("moving_" not in name)
        assert self.leaves[name].shape == shape, name
        return self.leaves[name]

    def dense(self, name, x, units, bias=True):
        y = x @ self(f"{name}/kernel", x.shape[-1], units)
        return y + self(f"{name}/bias", units) if bias else y

    def norm(self, name, x, epsilon=1e-5):
        width = x.shape[-1]
        return F.layer_norm(x, (width,), self(f"{name}/gamma", width), self(f"{name}/beta", width), epsilon)


def case(name, network, options, inputs, compute):
    """`inputs`: a shape for drawn floats, lists for whole numbers. `compute` takes weights and inputs and gives outputs by name."""
    weights = Weights()
    fed = {k: torch.tensor(v) if isinstance(v[0], list) else drawn(f"input/{k}", v).float().double() for k, v in inputs.items()}
    outputs = compute(weights, *fed.values())
    loss = sum((y * drawn(f"loss/{k}", y.shape)).sum() for k, y in outputs.items())
    learned = {k: leaf for k, leaf in weights.leaves.items() if leaf.requires_grad}
    gradients = torch.autograd.grad(loss, list(learned.values()), allow_unused=True, materialize_grads=True)
    short = lambda x: float(f"{x:.9g}")  # noqa: E731
    cases.append(
        {
            "name": name,
            "network": network,
            "options": options,
            "inputs": {k: v if isinstance(v[0], list) else {"shape": v} for k, v in inputs.items()},
            "outputs": {k: {"shape": list(y.shape), "data": [short(v) for v in y.flatten().tolist()]} for k, y in outputs.items()},
            "parameters": sum(leaf.numel() for leaf in learned.values()),
            "gradients": {
                k: [short(g.norm().item()), short((g * drawn(f"gradient/{k}", g.shape)).sum().item())] for k, g in zip(learned, gradients)
            },
        }
    )


head = {"task": "classification", "classes": 4}

# Images


def convolution(w, name, x, filters, kernel, stride, groups=1, epsilon=1e-5, activation=F.relu):
    x = F.conv2d(x, w(f"{name}_conv/kernel", filters, x.shape[1] // groups, kernel, kernel), None, stride, kernel // 2, 1, groups)
    mean, variance, gamma, beta = (w(f"{name}_bn/{part}", filters) for part in ["moving_mean", "moving_variance", "gamma", "beta"])
    x = F.batch_norm(x, mean, variance, gamma, beta, False, 0, epsilon)
    return x if activation is None else activation(x)


def resnet(blocks, bottleneck, photograph):
    """torchvision's, in which the stride of a bottleneck is in its 3x3 convolution."""

    def compute(w, x):
        if photograph:
            x = F.max_pool2d(convolution(w, "stem", x, 64, 7, 2), 3, 2, 1)
        else:
            x = convolution(w, "stem", x, 64, 3, 1)
        for stage, count in enumerate(blocks):
            width = 64 * 2**stage
            out = 4 * width if bottleneck else width
            for block in range(count):
                name, stride = f"stage{stage + 1}_block{block + 1}", 2 if stage > 0 and block == 0 else 1
                if bottleneck:
                    y = convolution(w, f"{name}_1", x, width, 1, 1)
                    y = convolution(w, f"{name}_2", y, width, 3, stride)
                    y = convolution(w, f"{name}_3", y, out, 1, 1, activation=None)
                else:
                    y = convolution(w, f"{name}_1", x, width, 3, stride)
                    y = convolution(w, f"{name}_2", y, out, 3, 1, activation=None)
                if stride != 1 or x.shape[1] != out:
                    x = convolution(w, f"{name}_shortcut", x, out, 1, stride, activation=None)
                x = F.relu(x + y)
        return {"logits": w.dense("head", x.mean((2, 3)), 4)}

    return compute


def mobilenet(alpha, photograph):
    def divisible(v):
        new = max(8, int(v + 4) // 8 * 8)
        return new + 8 if new < 0.9 * v else new

    def compute(w, x):
        step = lambda *a, **k: convolution(w, *a, epsilon=1e-3, **{"activation": F.relu6, **k})  # noqa: E731
        x = step("stem", x, divisible(32 * alpha), 3, 2 if photograph else 1)
        plan = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
        for stage, (t, c, n, s) in enumerate(plan):
            for block in range(n):
                name, channels, filters = f"stage{stage + 1}_block{block + 1}", x.shape[1], divisible(c * alpha)
                stride = s if block == 0 and (photograph or stage > 1) else 1
                y = x if t == 1 else step(f"{name}_expand", x, t * channels, 1, 1)
                y = step(f"{name}_depthwise", y, y.shape[1], 3, stride, groups=y.shape[1])
                y = step(f"{name}_project", y, filters, 1, 1, activation=None)
                x = x + y if stride == 1 and channels == filters else y
        x = step("last", x, 1280, 1, 1)
        return {"logits": w.dense("head", x.mean((2, 3)), 4)}

    return compute


def unet(w, x):
    conv = lambda name, x, out, k=3: F.conv2d(x, w(f"{name}/kernel", out, x.shape[1], k, k), w(f"{name}/bias", out), 1, k // 2)  # noqa: E731
    twice = lambda name, x, out: F.relu(conv(f"{name}_2", F.relu(conv(f"{name}_1", x, out)), out))  # noqa: E731
    one = twice("down1", x, 2)
    two = twice("down2", F.max_pool2d(one, 2), 4)
    x = twice("bottom", F.max_pool2d(two, 2), 8)
    for name, full, out in [("up2", two, 4), ("up1", one, 2)]:
        up = F.conv_transpose2d(x, w(f"{name}_transpose/kernel", x.shape[1], out, 2, 2), w(f"{name}_transpose/bias", out), 2)
        x = twice(name, torch.cat([full, up], 1), out)
    return {"logits": conv("head", x, 4, 1)}


# Transformers


def encoder_layer(w, name, x, heads, hidden, activation="gelu", epsilon=1e-5, mask=None, padding=None):
    """torch.nn's own layer, normalised before, with our weights."""
    d = x.shape[-1]
    module = nn.TransformerEncoderLayer(d, heads, hidden, 0.0, activation, epsilon, batch_first=True, norm_first=True)
    kernel = lambda part, i, o: w(f"{name}/{part}/kernel", i, o).T  # noqa: E731
    parts = [f"attention/{part}" for part in ["query", "key", "value"]]
    parameters = {
        "self_attn.in_proj_weight": torch.cat([kernel(part, d, d) for part in parts]),
        "self_attn.in_proj_bias": torch.cat([w(f"{name}/{part}/bias", d) for part in parts]),
        "self_attn.out_proj.weight": kernel("attention/attention_output", d, d),
        "self_attn.out_proj.bias": w(f"{name}/attention/attention_output/bias", d),
        "linear1.weight": kernel("expand", d, hidden),
        "linear1.bias": w(f"{name}/expand/bias", hidden),
        "linear2.weight": kernel("contract", hidden, d),
        "linear2.bias": w(f"{name}/contract/bias", d),
        "norm1.weight": w(f"{name}/attention_norm/gamma", d),
        "norm1.bias": w(f"{name}/attention_norm/beta", d),
        "norm2.weight": w(f"{name}/network_norm/gamma", d),
        "norm2.bias": w(f"{name}/network_norm/beta", d),
    }
    assert set(parameters) == {key for key, _ in module.named_parameters()}
    return functional_call(module, parameters, (x, mask, padding))


def vit(w, x):
    """A. Dosovitskiy et al. 2020, as timm has it."""
    x = F.conv2d(x, w("patches/kernel", 12, 3, 4, 4), w("patches/bias", 12), 4).flatten(2).transpose(1, 2)
    x = torch.cat([w("answer/token", 1, 1, 12).expand(len(x), 1, 12), x], 1) + w("places/vectors", 5, 12)
    for i in [1, 2]:
        x = encoder_layer(w, f"block{i}", x, 3, 48, epsilon=1e-6)
    return {"logits": w.dense("head", w.norm("norm", x, 1e-6)[:, 0], 4)}


def embedded(w, prefix, tokens, width):
    length = tokens.shape[1]
    table = w(f"{prefix}embedding/token_embedding/embeddings", 20, width)
    return F.embedding(tokens, table) + w(f"{prefix}embedding/position_embedding/embeddings", length, width)


def encoded(w, prefix, tokens, width):
    x, padding = embedded(w, prefix, tokens, width), tokens == 0
    for i in [1, 2]:
        x = encoder_layer(w, f"{prefix}block{i}", x, 2, 4 * width, padding=padding)
    x = w.norm(f"{prefix}norm", x)
    kept = (~padding).double()[:, :, None]
    return x, (x * kept).sum(1) / kept.sum(1)


def text_transformer(w, tokens, features):
    return {"logits": w.dense("head", torch.cat([encoded(w, "tokens_", tokens, 16)[1], features], 1), 4)}


def text_encoder(w, tokens):
    return {"embedding": encoded(w, "", tokens, 8)[1]}


def causal(w, tokens):
    x = embedded(w, "", tokens, 8)
    for i in [1, 2]:
        x = encoder_layer(w, f"block{i}", x, 2, 32, mask=nn.Transformer.generate_square_subsequent_mask(tokens.shape[1]))
    return {"logits": w.dense("head", w.norm("norm", x), 20, bias=False)}


# Tables: a number, a category of 4 places, a number and whether it is missing

starts = [(0, 1), (1, 5), (5, 7)]


def attention(w, name, x, heads):
    """From softmax alone."""
    b, t, d = x.shape
    q, k, v = (w.dense(f"{name}/{part}", x, d).reshape(b, t, heads, -1).transpose(1, 2) for part in ["query", "key", "value"])
    y = (q @ k.transpose(2, 3) / math.sqrt(d // heads)).softmax(-1) @ v
    return w.dense(f"{name}/attention_output", y.transpose(1, 2).reshape(b, t, d), d)


def ft_transformer(w, x):
    """The paper's: no normalisation before the first attention, ReGLU between the dense layers."""
    tokens = [x[:, a:b] @ w(f"tokens/block{i + 1}", b - a, 12) for i, (a, b) in enumerate(starts)]
    x = torch.stack(tokens, 1) + w("tokens/bias", 3, 12)
    x = torch.cat([w("answer/token", 1, 1, 12).expand(len(x), 1, 12), x], 1)
    for i in [1, 2]:
        x = x + attention(w, f"block{i}/attention", x if i == 1 else w.norm(f"block{i}/attention_norm", x), 2)
        value, gate = w.dense(f"block{i}/expand", w.norm(f"block{i}/network_norm", x), 32).chunk(2, -1)
        x = x + w.dense(f"block{i}/contract", value * F.relu(gate), 12)
    return {"logits": w.dense("head", F.relu(w.norm("norm", x[:, 0])), 4)}


def tab_transformer(w, x):
    tokens = (x[:, 1:5] @ w("tokens/block1", 4, 8))[:, None] + w("tokens/bias", 1, 8)
    numbers = torch.cat([x[:, :1], x[:, 5:]], 1)
    x = torch.cat([encoder_layer(w, "block1", tokens, 2, 32).flatten(1), w.norm("numbers_norm", numbers)], 1)
    return {"logits": w.dense("head", F.relu(w.dense("dense1", x, 16)), 4)}


def wide_and_deep(w, x):
    deep = torch.cat([x[:, :1], x[:, 5:], x[:, 1:5] @ w("embedding/block1", 4, 4)], 1)
    return {"logits": w.dense("wide", x, 4, bias=False) + w.dense("head", F.relu(w.dense("deep1", deep, 16)), 4)}


def dlrm(w, numbers, categories):
    """M. Naumov et al. 2019: the pairs below the diagonal, behind the numbers' own vector."""
    low = F.relu(w.dense("bottom2", F.relu(w.dense("bottom1", numbers, 8)), 4))
    vectors = torch.stack([low, *(F.embedding(categories[:, i], w(f"embedding{i + 1}/embeddings", n, 4)) for i, n in enumerate([3, 5, 2]))], 1)
    rows, columns = torch.tril_indices(4, 4, -1)
    pairs = torch.bmm(vectors, vectors.transpose(1, 2))[:, rows, columns]
    return {"logits": w.dense("head", F.relu(w.dense("top1", torch.cat([low, pairs], 1), 8)), 4)}


def two_tower(w, query, candidate):
    towers = [F.normalize(w.dense(f"{k}_last", F.relu(w.dense(f"{k}1", x, 6)), 4)) for k, x in [("query", query), ("candidate", candidate)]]
    return {"query_embedding": towers[0], "candidate_embedding": towers[1], "logits": towers[0] @ towers[1].T / 0.5}


# Time series


def tcn(w, x):
    x = x.transpose(1, 2)
    for i in range(2):
        y = x
        for part in ["first", "second"]:
            kernel, bias = w(f"block{i + 1}/{part}_kernel", 8, y.shape[1], 3), w(f"block{i + 1}/{part}_bias", 8)
            y = F.relu(F.conv1d(F.pad(y, (2 * 2**i, 0)), kernel, bias, dilation=2**i))
        if x.shape[1] != 8:
            x = F.conv1d(x, w(f"block{i + 1}/shortcut_kernel", 8, x.shape[1], 1))
        x = F.relu(x + y)
    return {"prediction": w.dense("head", x[:, :, -1], 3)}


def n_beats(w, x):
    """Time is counted in horizons, from the first step ahead."""
    rest, forecast = x[:, :, 0], 0
    back, ahead = torch.arange(-12, 0) / 4, torch.arange(0, 4) / 4
    for stack, kind in enumerate(["generic", "trend", "seasonality"]):
        for block in [1, 2]:
            name, y = f"stack{stack + 1}_block{block}", rest
            for i in range(4):
                y = F.relu(w.dense(f"{name}/dense{i + 1}", y, 16))
            if kind == "generic":
                before, after = w.dense(f"{name}/backcast", y, 12), w.dense(f"{name}/forecast", y, 4)
            else:
                if kind == "trend":
                    basis = lambda t: torch.stack([t**p for p in range(4)])  # noqa: E731
                else:
                    basis = lambda t: torch.stack([torch.ones_like(t)] + [f(2 * math.pi * k * t) for k in [1, 2] for f in (torch.cos, torch.sin)])  # noqa: E731
                size = basis(ahead).shape[0]
                before = w.dense(f"{name}/backcast", y, size, bias=False) @ basis(back)
                after = w.dense(f"{name}/forecast", y, size, bias=False) @ basis(ahead)
            rest, forecast = rest - before, forecast + after
    return {"prediction": forecast}


def recurrent(kind, order):
    """torch.nn's LSTM or GRU; ONNX's order of gates is another one."""

    def compute(w, x):
        name, rows = f"{kind}1", 8 * len(order)
        gates = lambda v: torch.cat([v.reshape(len(order), 8, *v.shape[1:])[k] for k in order])  # noqa: E731
        module = getattr(nn, kind.upper())(2, 8, batch_first=True)
        bias = w(f"{name}/bias", 1, rows if kind == "lstm" else 2 * rows)[0]
        both = (bias, torch.zeros(rows)) if kind == "lstm" else (bias[:rows], bias[rows:])
        parameters = {
            "weight_ih_l0": gates(w(f"{name}/kernel", 1, rows, 2)[0]),
            "weight_hh_l0": gates(w(f"{name}/recurrent_kernel", 1, rows, 8)[0]),
            "bias_ih_l0": gates(both[0]),
            "bias_hh_l0": gates(both[1]),
        }
        y, _ = functional_call(module, parameters, (x,))
        return {"prediction": w.dense("head", y[:, -1], 3)}

    return compute


# Without labels


def autoencoder(w, x):
    latent = w.dense("latent", F.relu(w.dense("encoder1", x, 8)), 2)
    return {"latent": latent, "reconstruction": w.dense("reconstruction", F.relu(w.dense("decoder1", latent, 8)), 6)}


def variational(w, x):
    encoded = F.relu(w.dense("encoder1", x, 8))
    mean, log_variance = w.dense("mean", encoded, 2), w.dense("log_variance", encoded, 2)
    return {
        "latent": torch.cat([mean, log_variance], 1),
        "reconstruction": w.dense("reconstruction", F.relu(w.dense("decoder1", mean, 8)), 6),
    }


def write():
    small, photo = {"shape": [3, 12, 10], "head": head}, {"shape": [3, 48, 32], "head": head, "stem": "photograph"}
    case("ResNet-18", "resNet", {**small, "depth": 18}, {"image": [2, 3, 12, 10]}, resnet([2, 2, 2, 2], False, False))
    case("ResNet-50 of photographs", "resNet", {**photo, "depth": 50}, {"image": [1, 3, 48, 32]}, resnet([3, 4, 6, 3], True, True))
    case("MobileNetV2", "mobileNetV2", {**small, "alpha": 0.5}, {"image": [2, 3, 12, 10]}, mobilenet(0.5, False))
    case("MobileNetV2 of photographs", "mobileNetV2", photo, {"image": [1, 3, 48, 32]}, mobilenet(1, True))
    case("U-Net", "uNet", {"shape": [1, 8, 12], "head": head, "filters": 2, "depth": 2}, {"image": [2, 1, 8, 12]}, unet)
    sizes = {"shape": [3, 8, 8], "head": head, "patch": 4, "width": 12, "layers": 2, "heads": 3}
    case("vision transformer", "visionTransformer", sizes, {"image": [2, 3, 8, 8]}, vit)
    tokens = [[5, 6, 7, 19, 3, 8], [9, 1, 4, 0, 0, 0], [2, 0, 0, 0, 0, 0]]
    sizes = {"width": 16, "layers": 2, "heads": 2, "dropoutRate": 0}
    texts = {"texts": [{"input": "tokens", "vocabulary": 20, "maxLength": 6}], "features": 3, "head": head}
    case("text transformer", "textTransformer", {**texts, **sizes}, {"tokens": tokens, "features": [3, 3]}, text_transformer)
    one = {"input": "tokens", "vocabulary": 20, "maxLength": 6}
    case("text encoder", "textEncoder", {**one, **sizes, "width": 8}, {"tokens": tokens}, text_encoder)
    case("causal language model", "causalLanguageModel", {"vocabulary": 20, "length": 6, **sizes, "width": 8}, {"tokens": tokens}, causal)
    blocks = [{"kind": "number", "width": 1}, {"kind": "category", "width": 4}, {"kind": "number", "width": 2}]
    table = {"blocks": blocks, "head": head, "dropoutRate": 0}
    case("FT-Transformer", "ftTransformer", {**table, "width": 12, "layers": 2, "heads": 2}, {"features": [3, 7]}, ft_transformer)
    sizes = {"width": 8, "layers": 1, "heads": 2, "hidden": [16]}
    case("TabTransformer", "tabTransformer", {**table, **sizes}, {"features": [3, 7]}, tab_transformer)
    case("wide and deep", "wideAndDeep", {**table, "width": 4, "hidden": [16]}, {"features": [3, 7]}, wide_and_deep)
    sizes = {"numbers": 2, "categories": [3, 5, 2], "width": 4, "bottom": [8], "top": [8], "head": head}
    case("DLRM", "dlrm", sizes, {"numbers": [3, 2], "categories": [[2, 4, 0], [0, 1, 1], [1, 1, 0]]}, dlrm)
    sizes = {"query": 3, "candidate": 5, "width": 4, "hidden": [6], "temperature": 0.5}
    case("two towers", "twoTower", sizes, {"query": [3, 3], "candidate": [3, 5]}, two_tower)
    window = {"window": 12, "features": 2, "horizon": 3}
    case("TCN", "temporalConvolution", {**window, "filters": 8, "blocks": 2}, {"window": [3, 12, 2]}, tcn)
    stacks = {"stacks": ["generic", "trend", "seasonality"], "blocks": 2, "hidden": 16}
    case("N-BEATS", "nBeats", {"window": 12, "horizon": 4, **stacks}, {"window": [3, 12, 1]}, n_beats)
    case("LSTM", "recurrentForecaster", {**window, "cell": "lstm", "units": [8]}, {"window": [3, 12, 2]}, recurrent("lstm", [0, 2, 3, 1]))
    case("GRU", "recurrentForecaster", {**window, "cell": "gru", "units": [8]}, {"window": [3, 12, 2]}, recurrent("gru", [1, 0, 2]))
    sizes = {"width": 6, "latent": 2, "hidden": [8]}
    case("autoencoder", "autoencoder", sizes, {"features": [3, 6]}, autoencoder)
    case("variational autoencoder", "variationalAutoencoder", sizes, {"features": [3, 6]}, variational)


write()
document = {"source": f"PyTorch {torch.__version__.split('+')[0]}, float64, CPU", "cases": cases}
target = pathlib.Path(__file__).parent / "ready-networks.json"
target.write_text(json.dumps(document, separators=(",", ":")) + "\n")
print(f"{target.name}: {len(cases)} cases, {target.stat().st_size} bytes")
