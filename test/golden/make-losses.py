"""Writes losses.json: values and gradients of losses, regularisers and constraints as Keras and PyTorch compute them in float64 on the CPU.

Run (the output changes only with the cases below; every input is rounded to three decimals and stored):

    python -m venv venv && venv/bin/pip install torch keras && KERAS_BACKEND=torch venv/bin/python test/golden/make-losses.py

Each case names a loss of this project with its options beside the call that must mean the same. The gradient is that of the mean over the batch, or of
sum(weight * row) / sum(weight), by the model's output.
"""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
import keras
import torch
import torch.nn.functional as F

from keras.src import ops

torch.set_default_dtype(torch.float64)
keras.config.set_floatx("float64")
# Keras takes means of float64 in float32: not here. Maxima and norms too: cases with those have a wider tolerance.
single = 1e-7
ops.mean = lambda x, axis=None, keepdims=False: torch.mean(x, dim=axis, keepdim=keepdims) if axis is not None else torch.mean(x)
generator = torch.Generator().manual_seed(11)
cases, penalties, bounds = [], [], []
losses = keras.losses


def draw(*shape):
    return torch.round(torch.randn(shape, generator=generator) * 1000) / 1000


def uniform(*shape):
    return torch.round(torch.rand(shape, generator=generator) * 900 + 50) / 1000


def bits(*shape):
    return torch.randint(0, 2, shape, generator=generator).double()


def classes(count, *shape):
    return torch.randint(0, count, shape, generator=generator)


def distributions(*shape):
    """Rows that sum to 1 with three decimals."""
    values = torch.floor(torch.softmax(draw(*shape), -1) * 1000) / 1000
    values[..., 0] += 1 - values.sum(-1)
    return torch.round(values * 1000) / 1000


def pack(value):
    flat = value.detach().contiguous().flatten().tolist()
    return {"shape": list(value.shape), "data": [float(f"{x:.13g}") if isinstance(x, float) else int(x) for x in flat]}


def case(loss, options, output, labels, compute, about="", tolerance=1e-10):
    """`compute` gives the rows' losses [batch, ...] of (labels, output), or the pair of losses and counts; tried without and with row weights."""
    for weights in (None, torch.tensor([0.5, 2, 0, 1, 3, 1.5])[: output.shape[0]]):
        leaf = output.clone().requires_grad_()
        rows = compute(labels, leaf)
        rows, counts = rows if isinstance(rows, tuple) else (rows, torch.ones_like(rows))
        by_row = lambda value: value.reshape(value.shape[0], -1).sum(1)
        given = torch.ones(output.shape[0]) if weights is None else weights
        value = (given * by_row(rows * counts)).sum() / (given * by_row(counts)).sum()
        (gradient,) = torch.autograd.grad(value, leaf)
        title = about or ", ".join(f"{key} {value}" for key, value in options.items())
        cases.append(
            {
                "name": " ".join(filter(None, [loss, title, "" if weights is None else "with row weights"])),
                "loss": loss,
                "options": options,
                "tolerance": tolerance,
                "output": pack(output),
                "labels": pack(labels),
                "weights": None if weights is None else pack(weights),
                "value": float(f"{value.item():.13g}"),
                "gradient": pack(gradient),
            }
        )


def regression():
    output, labels = draw(4, 3), draw(4, 3)
    case("meanSquaredError", {}, output, labels, losses.mean_squared_error)
    case("meanSquaredError", {}, draw(3, 2, 4), draw(3, 2, 4), losses.mean_squared_error, "of sequences")
    case("meanAbsoluteError", {}, output, labels, losses.mean_absolute_error)
    case("meanAbsolutePercentageError", {}, output, labels, losses.mean_absolute_percentage_error, tolerance=100 * single)
    case("meanSquaredLogarithmicError", {}, draw(4, 3).abs(), draw(4, 3).abs(), losses.mean_squared_logarithmic_error, tolerance=single)
    case("huber", {}, output, labels, losses.huber)
    case("huber", {"delta": 0.3}, output, labels, lambda y, p: losses.huber(y, p, delta=0.3))
    case("logCosh", {}, output * 3, labels, losses.log_cosh)
    case("poisson", {}, uniform(4, 3) * 4, classes(5, 4, 3).double(), losses.poisson)
    pinball = lambda q: lambda y, p: torch.maximum(q * (y - p), (q - 1) * (y - p))
    case("quantile", {"quantiles": 0.9}, draw(4, 2), draw(4, 2), pinball(0.9))
    case("quantile", {"quantiles": [0.1, 0.5, 0.9]}, draw(4, 3), draw(4, 1), pinball(torch.tensor([0.1, 0.5, 0.9])))
    case("cosineSimilarity", {}, draw(4, 3), draw(4, 3), losses.cosine_similarity, tolerance=single)


def margins():
    case("hinge", {}, draw(4, 3), bits(4, 3), losses.hinge, "of 0 and 1", tolerance=single)
    case("squaredHinge", {}, draw(4, 3), bits(4, 3) * 2 - 1, losses.squared_hinge, "of -1 and 1", tolerance=single)
    case("categoricalHinge", {}, draw(5, 3), F.one_hot(classes(3, 5), 3).double(), losses.categorical_hinge, tolerance=single)


def binary():
    output, labels = draw(5, 3) * 2, bits(5, 3)
    loss = losses.binary_crossentropy
    case("binaryCrossentropy", {}, output, labels, lambda y, p: loss(y, p, from_logits=True))
    case("binaryCrossentropy", {"labelSmoothing": 0.2}, output, labels, lambda y, p: loss(y, p, from_logits=True, label_smoothing=0.2))
    case("binaryCrossentropy", {"fromLogits": False}, uniform(5, 3), labels, loss)
    weighting = lambda y: 0.5 + 2.5 * y
    case(
        "binaryCrossentropy",
        {"classWeights": [0.5, 3]},
        output,
        labels,
        lambda y, p: (F.binary_cross_entropy_with_logits(p, y, reduction="none"), weighting(y)),
    )
    focal = losses.binary_focal_crossentropy
    case("binaryFocalCrossentropy", {}, output, labels, lambda y, p: focal(y, p, from_logits=True))
    case(
        "binaryFocalCrossentropy",
        {"alpha": 0.3, "gamma": 1.5, "labelSmoothing": 0.1},
        output,
        labels,
        lambda y, p: focal(y, p, apply_class_balancing=True, alpha=0.3, gamma=1.5, label_smoothing=0.1, from_logits=True),
    )
    case("binaryFocalCrossentropy", {"gamma": 0.5, "fromLogits": False}, uniform(5, 3), labels, lambda y, p: focal(y, p, gamma=0.5))


def categorical():
    output, labels = draw(5, 4) * 2, distributions(5, 4)
    loss = losses.categorical_crossentropy
    case("categoricalCrossentropy", {}, output, labels, lambda y, p: loss(y, p, from_logits=True))
    case("categoricalCrossentropy", {"labelSmoothing": 0.2}, output, labels, lambda y, p: loss(y, p, from_logits=True, label_smoothing=0.2))
    case("categoricalCrossentropy", {}, draw(3, 2, 4), distributions(3, 2, 4), lambda y, p: loss(y, p, from_logits=True), "of sequences")
    normalized = torch.softmax(draw(5, 4), -1)
    case("categoricalCrossentropy", {"fromLogits": False}, normalized, labels, lambda y, p: -(y * p.log()).sum(-1))
    class_weights = torch.tensor([1, 0.5, 2, 3])
    one_hot = F.one_hot(classes(4, 5), 4).double()
    case(
        "categoricalCrossentropy",
        {"classWeights": class_weights.tolist()},
        output,
        one_hot,
        lambda y, p: (F.cross_entropy(p, y.argmax(-1), reduction="none"), class_weights[y.argmax(-1)]),
    )
    focal = losses.categorical_focal_crossentropy
    case("categoricalFocalCrossentropy", {}, output, labels, lambda y, p: focal(y, p, from_logits=True))
    case(
        "categoricalFocalCrossentropy",
        {"alpha": class_weights.tolist(), "gamma": 3, "labelSmoothing": 0.1},
        output,
        labels,
        lambda y, p: focal(y, p, alpha=class_weights, gamma=3, label_smoothing=0.1, from_logits=True),
    )
    # Keras clips both to 1e-7 from probabilities; its logits form does not exist.
    case("klDivergence", {}, output, labels, lambda y, p: losses.kl_divergence(y, torch.softmax(p, -1)))
    case("klDivergence", {"fromLogits": False}, uniform(5, 4), labels, losses.kl_divergence)


def sparse():
    entropy = lambda y, p, **options: F.cross_entropy(p.reshape(-1, p.shape[-1]), y.reshape(-1), reduction="none", **options).reshape(y.shape)
    output, labels = draw(5, 4) * 2, classes(4, 5)
    case("softmaxCrossEntropy", {}, output, labels, entropy)
    case("softmaxCrossEntropy", {"labelSmoothing": 0.2}, output, labels, lambda y, p: entropy(y, p, label_smoothing=0.2))
    sequences, steps = draw(3, 4, 5), classes(5, 3, 4)
    case("softmaxCrossEntropy", {}, sequences, steps, entropy, "of sequences")
    ignored = steps.clone()
    ignored[0, 2:] = -1
    ignored[2] = -1
    counted = lambda y: (y >= 0).double()
    safe = lambda y: y.clamp(min=0)
    case("softmaxCrossEntropy", {"ignoreIndex": -1}, sequences, ignored, lambda y, p: (entropy(safe(y), p), counted(y)), "of padded sequences")
    class_weights = torch.tensor([1, 0.5, 2, 3, 0.1])
    case(
        "softmaxCrossEntropy",
        {"ignoreIndex": -1, "classWeights": class_weights.tolist(), "labelSmoothing": 0.1},
        sequences,
        ignored,
        lambda y, p: (entropy(safe(y), p, label_smoothing=0.1), counted(y) * class_weights[safe(y)]),
        "of padded sequences, smoothed and weighted",
    )
    def focal(alpha, gamma):
        def compute(y, p):
            log = -entropy(safe(y), p)
            return -alpha[safe(y)] * (1 - log.exp()) ** gamma * log, counted(y)

        return compute

    case("sparseFocalCrossentropy", {}, output, labels, focal(torch.full([4], 0.25), 2))
    case(
        "sparseFocalCrossentropy",
        {"alpha": class_weights.tolist(), "gamma": 1, "ignoreIndex": -1},
        sequences,
        ignored,
        focal(class_weights, 1),
        "of padded sequences",
    )


def masks():
    output, labels = uniform(3, 4, 4, 1), bits(3, 4, 4, 1)
    axis = (1, 2, 3)
    case("dice", {"activation": "linear"}, output, labels, lambda y, p: losses.dice(y, p, axis=axis))
    case("dice", {}, draw(3, 4, 4), bits(3, 4, 4), lambda y, p: losses.dice(y, torch.sigmoid(p), axis=(1, 2)), "of logits")
    case(
        "tversky",
        {"activation": "linear", "alpha": 0.3, "beta": 0.8},
        output,
        labels,
        lambda y, p: losses.tversky(y, p, alpha=0.8, beta=0.3, axis=axis),  # Keras has what it calls false positives and false negatives the other way round
    )


def sequences():
    def loss(blank):
        def compute(labels, logits):
            lengths = (labels >= 0).sum(1)
            steps = torch.full([logits.shape[0]], logits.shape[1])
            logs = torch.log_softmax(logits, -1).transpose(0, 1)
            return F.ctc_loss(logs, labels.clamp(min=0), steps, lengths, blank=blank, reduction="none", zero_infinity=True)

        return compute

    labels = torch.tensor([[1, 2, 3], [2, 2, -1], [3, -1, -1], [-1, -1, -1]])
    case("ctc", {"maxLabels": 3}, draw(4, 6, 4), labels, loss(0), "of six steps, with repeats, padding and none")
    case("ctc", {"maxLabels": 3, "blank": 4}, draw(2, 5, 5), torch.tensor([[0, 1, 0], [3, 3, 0]]), loss(4), "with another blank")
    case("ctc", {"maxLabels": 3}, draw(2, 3, 4), torch.tensor([[1, 1, 2], [1, 2, -1]]), loss(0), "a row that does not fit counts nothing")


def pairs():
    contrastive = lambda margin: lambda y, d: y * d**2 + (1 - y) * (margin - d).clamp(min=0) ** 2
    case("contrastive", {"margin": 0.8}, uniform(5, 1) * 2, bits(5, 1), contrastive(0.8))


def triplets():
    def distances(e):
        return ((e[:, None] - e[None]) ** 2).sum(-1)

    def semi_hard(margin):
        def compute(labels, e):
            d, n = distances(e), len(labels)
            losses, counts = [], []
            for a in range(n):
                others = [d[a, k] for k in range(n) if labels[k] != labels[a]]
                row = []
                for p in range(n):
                    farther = [other for other in others if other > d[a, p]]
                    counted = p != a and labels[p] == labels[a] and len(others) > 0
                    negative = min(farther) if farther else max(others, default=torch.tensor(0.0))
                    row.append((margin + d[a, p] - negative).clamp(min=0) * counted)
                    counts.append(float(counted))
                losses.append(torch.stack(row))
            counts = torch.tensor(counts).reshape(n, n)
            return torch.stack(losses), counts

        return compute

    def hard(margin):
        def compute(labels, e):
            d, n = distances(e), len(labels)
            losses, counts = [], []
            for a in range(n):
                own = [d[a, k] for k in range(n) if k != a and labels[k] == labels[a]]
                others = [d[a, k] for k in range(n) if labels[k] != labels[a]]
                counted = len(own) > 0 and len(others) > 0
                losses.append((margin + max(own) - min(others)).clamp(min=0) if counted else e.sum() * 0)
                counts.append(float(counted))
            return torch.stack(losses), torch.tensor(counts)

        return compute

    labels = torch.tensor([0, 1, 0, 2, 1, 0])
    case("triplet", {"margin": 2}, draw(6, 3), labels, semi_hard(2), "semi-hard")
    case("triplet", {"mining": "hard"}, draw(6, 3), labels, hard(1), "hard")
    case("triplet", {}, draw(3, 2), torch.tensor([0, 1, 2]) * 0, lambda y, e: (semi_hard(1)(y, e)[0], torch.full([3, 3], 1e-12)), "of one label only is 0")

    def in_batch(labels, scores):
        same = (labels[:, None] == labels[None]) & ~torch.eye(len(labels), dtype=torch.bool)
        return F.cross_entropy(scores.masked_fill(same, float("-inf")), torch.arange(len(labels)), reduction="none")

    case("inBatchSoftmax", {}, draw(5, 5) * 2, torch.tensor([3, 7, 3, 1, 9]), in_batch, "with an item twice")
    gaussian = lambda y, z: 0.5 * (z[:, :3] ** 2 + z[:, 3:].exp() - 1 - z[:, 3:]).sum(1)
    case("gaussianKlDivergence", {}, draw(4, 6), torch.zeros(4), gaussian)


def regularizers():
    weights = draw(4, 3)
    for about, data, regularizer in [
        ("l1", {"kind": "l1", "l1": 0.3}, keras.regularizers.L1(0.3)),
        ("l2", {"kind": "l2", "l2": 0.2}, keras.regularizers.L2(0.2)),
        ("l1l2", {"kind": "l1l2", "l1": 0.3, "l2": 0.2}, keras.regularizers.L1L2(0.3, 0.2)),
        ("orthogonal rows", {"kind": "orthogonal", "factor": 0.5, "mode": "rows"}, keras.regularizers.OrthogonalRegularizer(0.5, "rows")),
        ("orthogonal columns", {"kind": "orthogonal", "factor": 0.5, "mode": "columns"}, keras.regularizers.OrthogonalRegularizer(0.5, "columns")),
    ]:
        leaf = weights.clone().requires_grad_()
        value = regularizer(leaf)
        (gradient,) = torch.autograd.grad(value, leaf)
        penalties.append({"name": about, "data": data, "parameter": pack(weights), "value": float(f"{value.item():.13g}"), "gradient": pack(gradient)})


def constraints():
    weights = draw(4, 3) * 2
    weights[:, 1] = 0
    kernel = draw(2, 3, 2)
    for about, data, constraint, parameter in [
        ("maxNorm", {"kind": "maxNorm", "maxValue": 1.5, "axis": 0}, keras.constraints.MaxNorm(1.5), weights),
        ("maxNorm over several axes", {"kind": "maxNorm", "maxValue": 1, "axis": [0, -1]}, keras.constraints.MaxNorm(1, axis=[0, -1]), kernel),
        ("nonNegative", {"kind": "nonNegative"}, keras.constraints.NonNeg(), weights),
        ("unitNorm", {"kind": "unitNorm", "axis": 1}, keras.constraints.UnitNorm(axis=1), weights),
        (
            "minMaxNorm",
            {"kind": "minMaxNorm", "minValue": 1, "maxValue": 2, "rate": 0.7, "axis": 0},
            keras.constraints.MinMaxNorm(1, 2, rate=0.7),
            weights,
        ),
    ]:
        bounds.append({"name": about, "data": data, "parameter": pack(parameter), "result": pack(constraint(parameter.clone()))})


for group in (regression, margins, binary, categorical, sparse, masks, sequences, pairs, triplets, regularizers, constraints):
    group()
document = {
    "source": f"PyTorch {torch.__version__.split('+')[0]} and Keras {keras.__version__}, float64, CPU",
    "losses": cases,
    "regularizers": penalties,
    "constraints": bounds,
}
target = pathlib.Path(__file__).with_name("losses.json")
target.write_text(json.dumps(document, separators=(",", ":")) + "\n")
print(f"{target}: {len(cases)} losses, {len(penalties)} regularisers, {len(bounds)} constraints")
