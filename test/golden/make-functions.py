"""Writes functions.json: values and gradients of elementwise operators, reductions, indexing, arrangement, interpolation and Einsum as PyTorch
computes them in float64 on the CPU.

Run (the output changes only with the cases below; every input is rounded to three decimals and stored):

    python -m venv venv && venv/bin/pip install torch && venv/bin/python test/golden/make-functions.py

Like make-networks.py; outputs that are not floats are compared but have no part in the loss.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(22)
cases = []


def draw(*shape, ties=False, positive=False, low=None, high=None):
    if ties:
        return torch.randint(-1, 2, shape, generator=generator).double()
    if low is not None:
        return torch.round((torch.rand(shape, generator=generator) * (high - low) + low) * 1000) / 1000
    values = torch.randn(shape, generator=generator)
    return torch.round((values.abs() + 0.1 if positive else values) * 1000) / 1000


def whole(low, high, *shape):
    return torch.randint(low, high, shape, generator=generator)


def ints(*values):
    return torch.tensor(values, dtype=torch.int64)


def pack(value):
    """A tensor as plain JSON; floats with 15 significant digits."""
    dtype = {torch.float64: "float64", torch.float32: "float32", torch.int64: "int64", torch.int32: "int32", torch.bool: "bool"}[value.dtype]
    flat = value.detach().contiguous().flatten().tolist()
    data = [float(f"{x:.15g}") for x in flat] if dtype.startswith("float") else [int(x) for x in flat]
    return {"dtype": dtype, "shape": list(value.shape), "data": [int(x) if isinstance(x, float) and x == int(x) else x for x in data]}


def case(about, operator, inputs, compute, attributes=None, fixed=()):
    """`compute` takes the inputs and returns a tensor or a list; floats that it uses are differentiated, but for the inputs in `fixed`."""
    leaves = [x.clone().requires_grad_(x.dtype == torch.float64 and i not in fixed) if x is not None else None for i, x in enumerate(inputs)]
    results = compute(*leaves)
    outputs = list(results) if isinstance(results, (list, tuple)) else [results]
    weights = [torch.round(torch.randn(y.shape, generator=generator) * 1000) / 1000 for y in outputs]
    loss = sum((y * w).sum() for y, w in zip(outputs, weights) if y.requires_grad)
    by = [i for i, x in enumerate(leaves) if x is not None and x.requires_grad] if isinstance(loss, torch.Tensor) else []
    gradients = torch.autograd.grad(loss, [leaves[i] for i in by], allow_unused=True) if by else []
    cases.append(
        {
            "name": f"{operator}: {about}",
            "operator": operator,
            "attributes": attributes or {},
            "inputs": [None if x is None else pack(x) for x in inputs],
            "outputs": [pack(y) for y in outputs],
            "weights": [pack(w) if y.requires_grad else None for y, w in zip(outputs, weights)],
            "gradients": {str(i): pack(g) for i, g in zip(by, gradients) if g is not None},
        }
    )


shapes = [(7,), (3, 1, 5), (2, 0, 3), ()]


def functions():
    domains = {"Asin": (-0.95, 0.95), "Acos": (-0.95, 0.95), "Atanh": (-0.95, 0.95), "Acosh": (1.05, 6), "Tan": (-1.4, 1.4)}
    for name in ["Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh"]:
        low, high = domains.get(name, (-4, 4))
        for shape in shapes:
            case(f"{list(shape)}", name, [draw(*shape, low=low, high=high)], getattr(torch, name.lower()))
    case("large angles", "Sin", [draw(9, low=-500, high=500)], torch.sin)
    case("large angles", "Cos", [draw(9, low=-500, high=500)], torch.cos)
    edges = torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, 3.0, -7.3, 7.8, 4503599627370497.0])
    for name in ["Floor", "Ceil", "Round"]:
        case("halves and others", name, [edges], getattr(torch, name.lower()))
        case("[2, 0, 3]", name, [draw(2, 0, 3)], getattr(torch, name.lower()))
    case("all signs", "Abs", [draw(3, 5, ties=True)], torch.abs)
    case("all signs", "Sign", [draw(3, 5, ties=True)], torch.sign)
    for name, compute in [("Exp", torch.exp), ("Neg", torch.neg), ("Erf", torch.erf), ("Sigmoid", torch.sigmoid), ("Tanh", torch.tanh), ("Softplus", F.softplus)]:
        for shape in shapes[1:]:
            case(f"{list(shape)}", name, [draw(*shape)], compute)
    for name, compute in [("Log", torch.log), ("Sqrt", torch.sqrt), ("Reciprocal", torch.reciprocal)]:
        for shape in shapes:
            case(f"{list(shape)}", name, [draw(*shape, positive=True)], compute)


def activations():
    curves = [
        ("HardSigmoid", lambda a: (a / 6 + 0.5).clamp(0, 1), {"alpha": 1 / 6, "beta": 0.5}),
        ("HardSigmoid", lambda a: (0.2 * a + 0.5).clamp(0, 1), {}),
        ("HardSwish", F.hardswish, {}),
        # The default constants of ONNX are those of float32.
        ("Selu", F.selu, {"alpha": 1.6732632423543772848170429916717, "gamma": 1.0507009873554804934193349852946}),
        ("Celu", F.celu, {}),
        ("Celu", lambda a: F.celu(a, 2.5), {"alpha": 2.5}),
        ("Mish", F.mish, {}),
        ("Softsign", F.softsign, {}),
        ("ThresholdedRelu", lambda a: F.threshold(a, 0.7, 0.0), {"alpha": 0.7}),
        ("Shrink", lambda a: F.softshrink(a, 0.6), {"lambd": 0.6, "bias": 0.6}),
        ("Shrink", lambda a: F.hardshrink(a, 0.4), {"lambd": 0.4}),
        ("Elu", lambda a: F.elu(a, 0.8), {"alpha": 0.8}),
        ("LeakyRelu", lambda a: F.leaky_relu(a, 0.1), {"alpha": 0.1}),
        ("Gelu", F.gelu, {}),
    ]
    for name, compute, attributes in curves:
        for shape in [(4, 9), (2, 0), (1, 1, 3)]:
            case(f"{list(shape)} {attributes or ''}".strip(), name, [draw(*shape) * 3], compute, attributes)
    case("a slope for each channel", "PRelu", [draw(2, 3, 4), draw(3, 1)], lambda a, s: F.prelu(a, s.reshape(3)))
    case("one slope", "PRelu", [draw(2, 5), draw(1)], F.prelu)


def several():
    case("three, broadcast", "Sum", [draw(2, 1, 3), draw(4, 1), draw(1)], lambda a, b, c: a + b + c)
    case("one", "Sum", [draw(3)], lambda a: a.clone())
    case("three, broadcast", "Mean", [draw(2, 1, 3), draw(4, 1), draw(1)], lambda a, b, c: (a + b + c) / 3)
    case("of an empty one", "Sum", [draw(0, 3), draw(3)], lambda a, b: a + b)
    case("whole numbers", "Mod", [whole(-9, 10, 12), ints(3, -3, 4, -4, 5, -5, 1, -1, 2, -2, 7, -7)], torch.remainder)
    case("whole numbers, fmod", "Mod", [whole(-9, 10, 12), ints(3, -3, 4, -4, 5, -5, 1, -1, 2, -2, 7, -7)], torch.fmod, {"fmod": 1})
    case("floats, broadcast", "Mod", [draw(3, 5) * 4, draw(5, positive=True)], torch.fmod, {"fmod": 1})
    case("broadcast", "Xor", [whole(0, 2, 3, 1).bool(), whole(0, 2, 4).bool()], torch.logical_xor)
    for name, compute in [("Add", torch.add), ("Sub", torch.sub), ("Mul", torch.mul), ("Div", torch.div)]:
        case("a column and a row", name, [draw(3, 1), draw(1, 4, positive=True)], compute)
        case("four axes against two", name, [draw(2, 3, 1, 2), draw(4, 1, positive=True)], compute)
        case("an empty axis", name, [draw(2, 0), draw(2, 1, positive=True)], compute)
        case("scalars", name, [draw(), draw(positive=True)], compute)
    condition = whole(0, 2, 2, 1).bool()
    case("three shapes", "Where", [condition, draw(2, 3), draw(3)], torch.where)
    case("an empty axis", "Where", [whole(0, 2, 2, 0).bool(), draw(1, 1), draw(2, 0)], torch.where)
    case("three", "Max", [draw(2, 3), draw(3), draw(2, 1)], lambda a, b, c: torch.maximum(torch.maximum(a, b), c))
    case("three", "Min", [draw(2, 3), draw(3), draw(2, 1)], lambda a, b, c: torch.minimum(torch.minimum(a, b), c))


def reductions():
    reducers = [
        ("ReduceSum", lambda a, d, k: a.sum(d, k)),
        ("ReduceMean", lambda a, d, k: a.mean(d, k)),
        ("ReduceMax", lambda a, d, k: a.amax(d, k)),
        ("ReduceMin", lambda a, d, k: a.amin(d, k)),
        ("ReduceL1", lambda a, d, k: a.abs().sum(d, k)),
        ("ReduceL2", lambda a, d, k: torch.linalg.vector_norm(a, 2, d, k)),
        ("ReduceSumSquare", lambda a, d, k: (a * a).sum(d, k)),
        ("ReduceLogSumExp", lambda a, d, k: a.logsumexp(d, k)),
        ("ReduceLogSum", lambda a, d, k: a.sum(d, k).log()),
        ("ReduceProd", lambda a, d, k: product(a, d, k)),
    ]

    def product(a, axes, keep):
        for axis in sorted(axes, reverse=True):
            a = a.prod(axis, keepdim=keep)
        return a

    for name, compute in reducers:
        positive = name == "ReduceLogSum"
        for shape, axes, keep in [((3, 5), (1,), True), ((2, 3, 4), (0, 2), False), ((2, 1, 3), (1,), True), ((4,), (0,), False), ((3, 1, 1, 2), (0, 3), True)]:
            about = f"{list(shape)} over {list(axes)}{', kept' if keep else ''}"
            case(about, name, [draw(*shape, positive=positive), ints(*axes)], lambda a, _: compute(a, axes, keep), {"keepdims": int(keep)})
    for name, compute in reducers[2:4]:
        case("ties", name, [draw(3, 6, ties=True), ints(1)], lambda a, _: compute(a, (1,), True))
        case("all equal", name, [torch.ones(2, 3), ints(0, 1)], lambda a, _: compute(a, (0, 1), False), {"keepdims": 0})
    case("an empty axis", "ReduceSum", [draw(2, 0, 3), ints(1)], lambda a, _: a.sum(1, True))
    case("an empty axis", "ReduceProd", [draw(2, 0, 3), ints(1)], lambda a, _: a.prod(1, True))
    case("a line of zeros", "ReduceL2", [torch.tensor([[0.0, 0.0], [3.0, 4.0]]), ints(1)], lambda a, _: torch.linalg.vector_norm(a, 2, (1,), True))
    case("zeros, one and two in a line", "ReduceProd", [torch.tensor([[2.0, 0.0, 3.0], [0.0, 5.0, 0.0], [1.0, 2.0, 3.0]]), ints(1)], lambda a, _: a.prod(1, True))
    case("large numbers", "ReduceLogSumExp", [draw(3, 5) * 300, ints(1)], lambda a, _: a.logsumexp(1, True))
    for name, compute in [("ArgMax", torch.argmax), ("ArgMin", torch.argmin)]:
        case("axis 1", name, [draw(3, 5, 2)], lambda a: compute(a, 1, True), {"axis": 1})
        case("the last axis, dropped", name, [draw(3, 5)], lambda a: compute(a, -1), {"axis": -1, "keepdims": 0})
    for shape, axis in [((4, 3), 0), ((2, 5, 1), 1), ((6,), 0), ((2, 0), 1)]:
        at = torch.tensor(axis)
        case(f"{list(shape)}, axis {axis}", "CumSum", [draw(*shape), at], lambda a, _: a.cumsum(axis))
        case(f"{list(shape)}, axis {axis}, backwards", "CumSum", [draw(*shape), at], lambda a, _: a.flip(axis).cumsum(axis).flip(axis), {"reverse": 1})
        case(f"{list(shape)}, axis {axis}, exclusive", "CumSum", [draw(*shape), at], lambda a, _: a.cumsum(axis) - a, {"exclusive": 1})
        case(
            f"{list(shape)}, axis {axis}, exclusive, backwards",
            "CumSum",
            [draw(*shape), at],
            lambda a, _: a.flip(axis).cumsum(axis).flip(axis) - a,
            {"exclusive": 1, "reverse": 1},
        )
    case("L2", "LpNormalization", [draw(3, 4)], lambda a: F.normalize(a, 2, -1))
    case("L1, axis 0", "LpNormalization", [draw(3, 4)], lambda a: F.normalize(a, 1, 0), {"axis": 0, "p": 1})


def indexing():
    for data, index, axis in [((3, 5), (3, 2), 1), ((4, 3), (6, 2), 0), ((2, 3, 4), (1, 3, 7), 2), ((3,), (5,), 0), ((3, 4), (0, 4), 0)]:
        chosen = whole(0, data[axis], *index)
        case(f"{list(data)} at {list(index)}, axis {axis}", "GatherElements", [draw(*data), chosen], lambda a, i: a.gather(axis, i), {"axis": axis})
        about = f"{list(data)} at {list(index)}, axis {axis}"
        for reduction, name in [("add", "sum"), ("mul", "prod"), ("min", "amin"), ("max", "amax")]:
            case(
                f"{about}, {reduction}",
                "ScatterElements",
                [draw(*data), chosen, draw(*index)],
                lambda a, i, u: a.scatter_reduce(axis, i, u, name),
                {"axis": axis, "reduction": reduction},
            )
    once = torch.tensor([[2, 0], [1, 4], [3, 2]])
    case("overwritten", "ScatterElements", [draw(3, 5), once, draw(3, 2)], lambda a, i, u: a.scatter(1, i, u), {"axis": 1})
    ties = torch.tensor([[0, 0, 1, 2], [1, 1, 1, 0]])
    for reduction, name in [("min", "amin"), ("max", "amax")]:
        case(f"ties, {reduction}", "ScatterElements", [draw(2, 3, ties=True), ties, draw(2, 4, ties=True)], lambda a, i, u: a.scatter_reduce(1, i, u, name), {"axis": 1, "reduction": reduction})
    case("zeros, mul", "ScatterElements", [torch.tensor([[0.0, 2.0, 3.0], [4.0, 0.0, 5.0]]), torch.tensor([[0, 1, 1], [1, 1, 2]]), torch.tensor([[3.0, 0.0, 2.0], [2.0, 3.0, 4.0]])], lambda a, i, u: a.scatter_reduce(1, i, u, "prod"), {"axis": 1, "reduction": "mul"})
    case("negative indices", "GatherElements", [draw(2, 4), torch.tensor([[-1, 0], [-4, 2]])], lambda a, i: a.gather(1, i % 4), {"axis": 1})
    case("rows", "GatherND", [draw(5, 3), torch.tensor([[4], [0], [4]])], lambda a, i: a[i[:, 0]])
    case("single elements", "GatherND", [draw(4, 3), torch.tensor([[0, 2], [3, 1], [0, 2]])], lambda a, i: a[i[:, 0], i[:, 1]])
    case("two axes of three, a matrix of them", "GatherND", [draw(3, 2, 4), torch.tensor([[[0, 1], [2, 0]], [[2, 0], [1, 1]]])], lambda a, i: a[i[..., 0], i[..., 1]])
    case("one batch axis", "GatherND", [draw(2, 5, 3), torch.tensor([[[4], [0]], [[1], [1]]])], lambda a, i: torch.stack([a[b][i[b, :, 0]] for b in range(2)]), {"batch_dims": 1})
    case("no rows", "GatherND", [draw(5, 3), torch.zeros(0, 1, dtype=torch.int64)], lambda a, i: a[i[:, 0]])
    rows, elements = torch.tensor([[4], [1]]), torch.tensor([[0, 2], [3, 1]])
    case("rows", "ScatterND", [draw(5, 3), rows, draw(2, 3)], lambda a, i, u: a.index_put((i[:, 0],), u))
    case("elements", "ScatterND", [draw(4, 3), elements, draw(2)], lambda a, i, u: a.index_put((i[:, 0], i[:, 1]), u))
    again = torch.tensor([[4], [1], [4]])
    case("rows added, one twice", "ScatterND", [draw(5, 3), again, draw(3, 3)], lambda a, i, u: a.index_put((i[:, 0],), u, accumulate=True), {"reduction": "add"})
    for reduction, name in [("mul", "prod"), ("min", "amin"), ("max", "amax")]:
        case(
            f"rows, one twice, {reduction}",
            "ScatterND",
            [draw(5, 3), again, draw(3, 3)],
            lambda a, i, u: a.scatter_reduce(0, i.expand(3, 3), u, name),
            {"reduction": reduction},
        )
    case("axis 1, repeated", "Gather", [draw(3, 4, 2), torch.tensor([[3, 0], [3, 3]])], lambda a, i: a[:, i], {"axis": 1})
    case("no indices", "Gather", [draw(3, 4), torch.zeros(0, dtype=torch.int64)], lambda a, i: a[i])

    def hot(i, _, v, depth, axis):
        return torch.where(F.one_hot(i % depth, depth).movedim(-1, axis).bool(), v[1], v[0])

    case("the last axis", "OneHot", [torch.tensor([[0, 3], [-1, 2]]), torch.tensor(4), draw(2)], lambda i, d, v: hot(i, d, v, 4, -1))
    case("the first axis", "OneHot", [torch.tensor([2, 0, 1]), torch.tensor(3), draw(2)], lambda i, d, v: hot(i, d, v, 3, 0), {"axis": 0})
    for k, axis, largest in [(3, 1, True), (2, 0, False), (1, -1, True), (5, 1, False), (0, 1, True)]:
        case(f"{k} of axis {axis}, {'largest' if largest else 'smallest'}", "TopK", [draw(4, 5), ints(k)], lambda a, _: list(a.topk(k, axis, largest)), {"axis": axis, "largest": int(largest)})


def arrangements():
    for shape, repeats in [((2, 3), (2, 1)), ((3,), (4,)), ((1, 2, 2), (3, 1, 2)), ((2, 0), (2, 3)), ((2, 3), (1, 1))]:
        case(f"{list(shape)} by {list(repeats)}", "Tile", [draw(*shape), ints(*repeats)], lambda a, _: a.repeat(*repeats))
    modes = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    for mode, name in modes.items():
        for shape, pads in [((2, 1, 5), (2, 1)), ((1, 2, 4, 3), (1, 2, 3, 0)), ((1, 2, 5), (4, 0)), ((1, 1, 2, 3, 4), (1, 0, 2, 1, 1, 3))]:
            rank = len(shape)
            axes = len(pads) // 2
            if mode in ("reflect", "wrap") and any(p > shape[rank - axes + i % axes] - (mode == "reflect") for i, p in enumerate(pads)):
                continue
            # F.pad wants the last axis first, begin and end of each.
            flat = [p for axis in reversed(range(axes)) for p in (pads[axis], pads[axis + axes])]
            full = [0] * (rank - axes) + list(pads[:axes]) + [0] * (rank - axes) + list(pads[axes:])
            case(f"{mode}, {list(shape)} by {list(pads)}", "Pad", [draw(*shape), ints(*full)], lambda a, _: F.pad(a, flat, name), {"mode": mode})
    case("a constant, cut on one side", "Pad", [draw(2, 5), ints(0, -2, 0, 3), torch.tensor(1.5)], lambda a, _, c: torch.cat([a[:, 2:], c.expand(2, 3)], 1))
    case("around nothing", "Pad", [draw(0, 2), ints(1, 0, 2, 0)], lambda a, _: F.pad(a, (0, 0, 1, 2)))
    for upper, name in [(1, torch.triu), (0, torch.tril)]:
        for shape, k in [((4, 4), 0), ((2, 3, 5), 1), ((5, 2), -2), ((2, 0, 3), 0)]:
            case(f"{name.__name__}, {list(shape)}, {k}", "Trilu", [draw(*shape), torch.tensor(k)], lambda a, _: name(a, k), {"upper": upper})
    case("CRD", "DepthToSpace", [draw(2, 8, 2, 3)], lambda a: F.pixel_shuffle(a, 2), {"blocksize": 2, "mode": "CRD"})
    case("CRD, 3", "DepthToSpace", [draw(1, 9, 1, 2)], lambda a: F.pixel_shuffle(a, 3), {"blocksize": 3, "mode": "CRD"})
    case("DCR", "DepthToSpace", [draw(2, 8, 2, 3)], lambda a: a.reshape(2, 2, 2, 2, 2, 3).permute(0, 3, 4, 1, 5, 2).reshape(2, 2, 4, 6), {"blocksize": 2})
    case("2", "SpaceToDepth", [draw(2, 2, 4, 2)], lambda a: a.reshape(2, 2, 2, 2, 1, 2).permute(0, 3, 5, 1, 2, 4).reshape(2, 8, 2, 1), {"blocksize": 2})
    lengths = ints(3, 1, 4)
    case("time first", "ReverseSequence", [draw(4, 3, 2), lengths], lambda a, n: torch.stack([torch.cat([a[: n[i], i].flip(0), a[n[i] :, i]]) for i in range(3)], 1))
    case("the batch first", "ReverseSequence", [draw(3, 4), lengths], lambda a, n: torch.stack([torch.cat([a[i, : n[i]].flip(0), a[i, n[i] :]]) for i in range(3)]), {"batch_axis": 0, "time_axis": 1})
    case("a row to a matrix", "Expand", [draw(1, 3), ints(4, 1)], lambda a, _: a.expand(4, 3))
    case("new axes", "Expand", [draw(2, 1), ints(3, 1, 4)], lambda a, _: a.expand(3, 2, 4))
    case("an empty axis", "Expand", [draw(2, 1), ints(2, 0)], lambda a, _: a.expand(2, 0))
    case("three, the middle one empty", "Concat", [draw(2, 3), draw(2, 0), draw(2, 1)], lambda *parts: torch.cat(parts, 1), {"axis": 1})
    case("four along axis 0", "Concat", [draw(1, 2), draw(3, 2), draw(2, 2), draw(1, 2)], lambda *parts: torch.cat(parts, 0), {"axis": 0})
    case("sizes with an empty part", "Split", [draw(5, 2), ints(2, 0, 3)], lambda a, _: list(a.split([2, 0, 3])))
    case("three even parts, the last one smaller", "Split", [draw(2, 7)], lambda a: list(a.split(3, 1)), {"axis": 1, "num_outputs": 3})
    case("three axes", "Transpose", [draw(2, 3, 4)], lambda a: a.permute(2, 0, 1), {"perm": [2, 0, 1]})
    case("steps and backwards", "Slice", [draw(5, 6), ints(4, 1), ints(-10, 6), ints(0, 1), ints(-2, 2)], lambda a, *_: a.flip(0)[::2, 1::2])


def interpolation():
    def resize(about, x, sizes, attributes, **options):
        case(about, "Resize", [draw(*x), None, None, ints(*x[:2], *sizes)], lambda a, *_: F.interpolate(a, sizes, **options), attributes)

    # ONNX's pytorch_half_pixel takes the first element for an output of one; PyTorch 2 takes the middle, as half_pixel does.
    half, corners = {"coordinate_transformation_mode": "half_pixel"}, {"coordinate_transformation_mode": "align_corners"}
    for x, sizes in [((1, 2, 3, 4), (5, 7)), ((2, 1, 5, 4), (3, 2)), ((1, 1, 2, 3), (4, 6)), ((1, 1, 1, 3), (2, 1))]:
        about = f"{list(x)} to {list(sizes)}"
        resize(f"linear, {about}", x, sizes, {"mode": "linear", **half}, mode="bilinear", align_corners=False)
        resize(f"linear, align_corners, {about}", x, sizes, {"mode": "linear", **corners}, mode="bilinear", align_corners=True)
        if 1 not in sizes:
            resize(f"cubic, {about}", x, sizes, {"mode": "cubic", **half}, mode="bicubic", align_corners=False)
            resize(f"linear, antialias, {about}", x, sizes, {"mode": "linear", "antialias": 1, "exclude_outside": 1}, mode="bilinear", align_corners=False, antialias=True)
        resize(f"cubic, align_corners, {about}", x, sizes, {"mode": "cubic", **corners}, mode="bicubic", align_corners=True)
        resize(f"nearest, {about}", x, sizes, {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, mode="nearest")
        resize(f"nearest, exact, {about}", x, sizes, {"mode": "nearest", "nearest_mode": "round_prefer_ceil"}, mode="nearest-exact")
    case("linear, one axis", "Resize", [draw(1, 2, 5), None, None, ints(1, 2, 8)], lambda a, *_: F.interpolate(a, 8, mode="linear"), {"mode": "linear"})
    case("linear, three axes", "Resize", [draw(1, 1, 2, 3, 2), None, None, ints(1, 1, 3, 2, 4)], lambda a, *_: F.interpolate(a, (3, 2, 4), mode="trilinear"), {"mode": "linear"})
    scales = torch.tensor([1, 1, 1.7, 2.3], dtype=torch.float32)
    doubles = [float(x) for x in scales[2:]]
    case(
        "linear, by scales that leave a rest",
        "Resize",
        [draw(1, 2, 3, 4), None, scales],
        lambda a, *_: F.interpolate(a, scale_factor=doubles, mode="bilinear", recompute_scale_factor=False),
        {"mode": "linear"},
    )


def einsum():
    equations = [
        ("ij,jk->ik", (3, 4), (4, 2)),
        ("bij,bjk->bik", (2, 3, 4), (2, 4, 1)),
        ("bsd,de->bse", (2, 3, 4), (4, 2)),
        ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
        ("bhqk,bkhd->bqhd", (2, 2, 3, 5), (2, 5, 2, 4)),
        ("bi,bi->b", (3, 4), (3, 4)),
        ("bi,bj->ij", (3, 2), (3, 4)),
        ("i,j->ij", (3,), (4,)),
        ("i,j->ji", (3,), (4,)),
        ("ij->ji", (2, 3)),
        ("ijk->j", (2, 3, 4)),
        ("ij->", (2, 3)),
        ("ii->i", (4, 4)),
        ("ii", (4, 4)),
        ("bii->bi", (2, 3, 3)),
        ("iij->j", (3, 3, 2)),
        ("iii->i", (3, 3, 3)),
        ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
        ("bn,anm,bm->ba", (2, 3), (4, 3, 5), (2, 5)),
        ("...ij,...jk->...ik", (2, 3, 2, 4), (3, 4, 2)),
        ("...ij,...jk->...ik", (2, 1, 2, 3), (4, 3, 2)),
        ("b...i,i->b...", (2, 3, 2, 4), (4,)),
        ("...i,...i", (1, 4), (3, 4)),
        ("i,i->", (5,), (5,)),
        ("ab,cd->abcd", (2, 1), (1, 3)),
        ("bij,bij->bij", (2, 3, 2), (2, 3, 2)),
        ("Ab,bC->CA", (2, 3), (3, 4)),
        ("ij,jk->ik", (2, 0), (0, 3)),
        ("ij,jk->ik", (0, 2), (2, 3)),
    ]
    for equation, *operands in equations:
        about = f"{equation}, {', '.join(str(list(shape)) for shape in operands)}"
        case(about, "Einsum", [draw(*shape) for shape in operands], lambda *x: torch.einsum(equation, *x), {"equation": equation})


for family in [functions, activations, several, reductions, indexing, arrangements, interpolation, einsum]:
    family()
names = [item["name"] for item in cases]
assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
document = {"source": f"PyTorch {torch.__version__.split('+')[0]}, float64, CPU", "cases": cases}
target = pathlib.Path(__file__).parent / "functions.json"
target.write_text(json.dumps(document, separators=(",", ":")) + "\n")
print(f"{target.name}: {len(cases)} cases, {target.stat().st_size} bytes")
