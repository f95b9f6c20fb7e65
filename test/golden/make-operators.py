"""Writes operators.json: values and gradients of operators as PyTorch computes them in float64 on the CPU.

Run (the output changes only with the cases below; every input is rounded to three decimals and stored):

    python -m venv venv && venv/bin/pip install torch && venv/bin/python test/golden/make-operators.py

The cases are written in ONNX's terms (operator, attributes, inputs) beside the PyTorch call that must mean the same. Gradients are of
sum(output * weights), so that every element of an output counts differently.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(20)
cases = []
optimizer_cases = []


def draw(*shape, ties=False, positive=False):
    if ties:
        return torch.randint(-1, 2, shape, generator=generator).double()
    values = torch.randn(*shape, generator=generator)
    return torch.round((values.abs() + 0.1 if positive else values) * 1000) / 1000


def labels(classes, *shape):
    return torch.randint(0, classes, shape, generator=generator)


def pack(value):
    """A tensor as plain JSON; floats with 15 significant digits."""
    dtype = {torch.float64: "float64", torch.int64: "int64", torch.bool: "bool"}[value.dtype]
    flat = value.detach().contiguous().flatten().tolist()
    data = [float(f"{x:.15g}") for x in flat] if dtype == "float64" else [int(x) for x in flat]
    return {"dtype": dtype, "shape": list(value.shape), "data": [int(x) if isinstance(x, float) and x == int(x) else x for x in data]}


def case(about, operator, inputs, compute, attributes=None):
    """`compute` takes the inputs and returns one tensor; the floats that it uses as tensors are differentiated."""
    leaves = [x.clone().requires_grad_(x.dtype == torch.float64) if x is not None else None for x in inputs]
    output = compute(*leaves)
    weights = torch.round(torch.randn(output.shape, generator=generator) * 1000) / 1000
    by = [i for i, x in enumerate(leaves) if x is not None and x.requires_grad]
    gradients = torch.autograd.grad((output * weights).sum(), [leaves[i] for i in by], allow_unused=True)
    cases.append(
        {
            "name": f"{operator}: {about}",
            "operator": operator,
            "attributes": attributes or {},
            "inputs": [None if x is None else pack(x) for x in inputs],
            "output": pack(output),
            "weights": pack(weights),
            "gradients": {str(i): pack(g) for i, g in zip(by, gradients) if g is not None},
        }
    )


def convolutions():
    def conv(about, x, w, bias=None, stride=1, pads=None, dilation=1, groups=1):
        rank = len(x) - 2
        pads = pads or [0] * (2 * rank)
        # F.pad wants the last axis first, begin and end of each.
        flat = [p for axis in reversed(range(rank)) for p in (pads[axis], pads[axis + rank])]
        function = F.conv1d if rank == 1 else F.conv2d
        inputs = [draw(*x), draw(*w)] + ([draw(bias)] if bias else [])
        attributes = {"strides": [stride] * rank, "pads": pads, "dilations": [dilation] * rank, "group": groups}
        case(about, "Conv", inputs, lambda a, k, b=None: function(F.pad(a, flat), k, b, stride, 0, dilation, groups), attributes)

    conv("3x3", [2, 2, 5, 6], [3, 2, 3, 3], bias=3)
    conv("stride 2, padded", [2, 2, 7, 6], [2, 2, 3, 3], stride=2, pads=[1, 1, 1, 1])
    conv("asymmetric pads", [1, 2, 5, 5], [2, 2, 3, 2], pads=[2, 0, 1, 1])
    conv("dilated", [1, 2, 7, 8], [2, 2, 3, 2], dilation=2)
    conv("grouped, strided", [2, 4, 6, 6], [4, 2, 3, 3], stride=2, groups=2, bias=4)
    conv("depthwise", [1, 3, 5, 5], [3, 1, 3, 3], groups=3, pads=[1, 1, 1, 1])
    conv("depthwise, 2 filters a channel", [1, 2, 5, 5], [4, 1, 2, 2], groups=2, stride=2)
    conv("1x1, stride 2", [2, 3, 5, 5], [2, 3, 1, 1], stride=2)
    conv("one axis, dilated, strided", [2, 2, 11], [3, 2, 3], stride=2, dilation=2, pads=[1, 2], bias=3)

    def transposed(about, x, w, bias=None, stride=1, pad=0, extra=0, dilation=1, groups=1):
        rank = len(x) - 2
        function = F.conv_transpose1d if rank == 1 else F.conv_transpose2d
        inputs = [draw(*x), draw(*w)] + ([draw(bias)] if bias else [])
        attributes = {
            "strides": [stride] * rank,
            "pads": [pad] * 2 * rank,
            "output_padding": [extra] * rank,
            "dilations": [dilation] * rank,
            "group": groups,
        }
        case(about, "ConvTranspose", inputs, lambda a, k, b=None: function(a, k, b, stride, pad, extra, groups, dilation), attributes)

    transposed("stride 2, output padding", [2, 2, 3, 4], [2, 3, 3, 3], bias=3, stride=2, pad=1, extra=1)
    transposed("grouped, dilated", [1, 4, 3, 3], [4, 2, 2, 2], groups=2, dilation=2)
    transposed("one axis", [2, 2, 5], [2, 3, 4], stride=3, pad=1)


def pools():
    def pool(about, x, kernel, stride, pad=0, dilation=1, ceil=False, ties=False):
        attributes = {
            "kernel_shape": [kernel] * 2,
            "strides": [stride] * 2,
            "pads": [pad] * 4,
            "dilations": [dilation] * 2,
            "ceil_mode": int(ceil),
        }
        case(about, "MaxPool", [draw(*x, ties=ties)], lambda a: F.max_pool2d(a, kernel, stride, pad, dilation, ceil), attributes)

    pool("2x2", [2, 2, 6, 5], 2, 2)
    pool("3x3, stride 2, padded", [2, 2, 7, 8], 3, 2, pad=1)
    pool("ceil_mode", [1, 2, 6, 7], 3, 2, ceil=True)
    pool("ceil_mode with pads", [1, 2, 5, 5], 2, 3, pad=1, ceil=True)
    pool("dilated", [1, 2, 7, 8], 2, 1, dilation=2)
    pool("ties go to the first", [2, 2, 6, 6], 3, 2, pad=1, ties=True)

    def average(about, x, kernel, stride, pad=0, ceil=False, include=False):
        attributes = {
            "kernel_shape": [kernel] * 2,
            "strides": [stride] * 2,
            "pads": [pad] * 4,
            "ceil_mode": int(ceil),
            "count_include_pad": int(include),
        }
        case(about, "AveragePool", [draw(*x)], lambda a: F.avg_pool2d(a, kernel, stride, pad, ceil, include), attributes)

    average("2x2", [2, 2, 6, 5], 2, 2)
    average("padding does not count", [1, 2, 7, 6], 3, 2, pad=1)
    average("padding counts", [1, 2, 7, 6], 3, 2, pad=1, include=True)
    average("ceil_mode", [1, 2, 6, 7], 3, 2, ceil=True)
    average("ceil_mode, padding counts", [1, 2, 6, 7], 3, 2, pad=1, ceil=True, include=True)
    case("4x3", "GlobalAveragePool", [draw(2, 3, 4, 3)], lambda a: a.mean((2, 3), keepdim=True))


def losses():
    def cross_entropy(about, x, target, reduction, weight=None, ignored=None):
        attributes = {"reduction": reduction, **({} if ignored is None else {"ignore_index": ignored})}
        inputs = [x, target] + ([] if weight is None else [weight])
        compute = lambda scores, chosen, *w: F.cross_entropy(  # noqa: E731
            scores, chosen, weight=None if weight is None else weight, reduction=reduction, ignore_index=-100 if ignored is None else ignored
        )
        case(about, "SoftmaxCrossEntropyLoss", inputs, compute, attributes)

    cross_entropy("mean", draw(5, 4), labels(4, 5), "mean")
    cross_entropy("sum", draw(5, 4), labels(4, 5), "sum")
    cross_entropy("none", draw(5, 4), labels(4, 5), "none")
    cross_entropy("labels with another axis", draw(2, 3, 4), labels(3, 2, 4), "mean")
    cross_entropy("large scores", draw(4, 3) * 300, labels(3, 4), "mean")
    cross_entropy("ignored labels", draw(5, 4), torch.tensor([0, -1, 3, -1, 2]), "mean", ignored=-1)
    cross_entropy("class weights", draw(5, 3), labels(3, 5), "mean", weight=draw(3, positive=True))
    cross_entropy("class weights and ignored labels", draw(5, 3), torch.tensor([0, 1, 1, 2, 0]), "mean", weight=draw(3, positive=True), ignored=1)
    case("the last axis", "Softmax", [draw(3, 5)], lambda a: F.softmax(a, -1), {"axis": -1})
    case("axis 1 of 3", "LogSoftmax", [draw(2, 4, 3)], lambda a: F.log_softmax(a, 1), {"axis": 1})


def activations():
    x = draw(3, 7) * 3
    for operator, function, attributes in [
        ("Gelu", lambda a: F.gelu(a), {"approximate": "none"}),
        ("Gelu", lambda a: F.gelu(a, approximate="tanh"), {"approximate": "tanh"}),
        ("Elu", lambda a: F.elu(a, 1.3), {"alpha": 1.3}),
        ("LeakyRelu", lambda a: F.leaky_relu(a, 0.2), {"alpha": 0.2}),
        ("Softplus", F.softplus, {}),
        ("Sigmoid", torch.sigmoid, {}),
        ("Tanh", torch.tanh, {}),
        ("Erf", torch.erf, {}),
        ("Relu", torch.relu, {}),
    ]:
        case(f"[3, 7] {attributes or ''}".strip(), operator, [x], function, attributes)


def others():
    case("x w + b", "Gemm", [draw(4, 5), draw(5, 3), draw(3)], lambda a, b, c: a @ b + c)
    case("everything", "Gemm", [draw(5, 4), draw(3, 5), draw(1, 3)], lambda a, b, c: 0.5 * a.T @ b.T - 2 * c, {"alpha": 0.5, "beta": -2, "transA": 1, "transB": 1})
    case("broadcast batches", "MatMul", [draw(2, 1, 3, 4), draw(3, 4, 2)], lambda a, b: a @ b)
    case("repeated rows", "Gather", [draw(5, 3), torch.tensor([[0, 4, 4], [1, 0, -1]])], lambda a, i: a[i])
    case("ties", "Max", [draw(3, 4, ties=True), draw(3, 4, ties=True)], torch.maximum)
    case("ties", "Min", [draw(3, 4, ties=True), draw(3, 4, ties=True)], torch.minimum)
    # No element lies exactly on an end: there PyTorch 2.15 takes 0 as the slope (seen by running it), our rule 1; both are subgradients.
    case("both ends", "Clip", [draw(3, 5), torch.tensor(-1.0), torch.tensor(0.5)], lambda a, low, high: a.clamp(-1.0, 0.5))
    case("broadcast", "Div", [draw(2, 1, 3), draw(4, 1, positive=True)], torch.div)
    case("a fed exponent", "Pow", [draw(3, 4, positive=True), draw(4)], torch.pow)
    # The axes are what the graph is built with, so they come as a third kind of input: int64 that is not differentiated.
    case("ties over an axis", "ReduceMax", [draw(3, 5, ties=True), torch.tensor([1])], lambda a, _: a.amax(1, keepdim=True))
    case("two axes", "ReduceMean", [draw(2, 3, 4), torch.tensor([0, 2])], lambda a, _: a.mean((0, 2), keepdim=True))


def optimizers():
    def run(name, operator, attributes, make, first_step):
        start, gradients = draw(3, 2), [draw(3, 2) for _ in range(4)]
        parameter = start.clone().requires_grad_(True)
        optimizer = make([parameter])
        path = []
        for gradient in gradients:
            parameter.grad = gradient.clone()
            optimizer.step()
            path.append(pack(parameter))
        optimizer_cases.append(
            {
                "name": name,
                "operator": operator,
                "attributes": attributes,
                "learning_rate": 0.05,
                "first_step": first_step,
                "start": pack(start),
                "gradients": [pack(g) for g in gradients],
                "path": path,
            }
        )

    # PyTorch adds epsilon after correcting the bias, ONNX before: with epsilon 0 they are the same formula.
    run("Adam", "Adam", {"alpha": 0.9, "beta": 0.999, "epsilon": 0}, lambda p: torch.optim.Adam(p, 0.05, (0.9, 0.999), 0), 1)
    run(
        "Adam with an L2 penalty, other rates",
        "Adam",
        {"alpha": 0.8, "beta": 0.95, "epsilon": 0, "norm_coefficient": 0.1},
        lambda p: torch.optim.Adam(p, 0.05, (0.8, 0.95), 0, weight_decay=0.1),
        1,
    )
    momentum = {"alpha": 0.9, "beta": 1, "norm_coefficient": 0, "mode": "standard"}
    run("SGD with momentum", "Momentum", momentum, lambda p: torch.optim.SGD(p, 0.05, 0.9), 1)
    run(
        "SGD with Nesterov momentum and an L2 penalty",
        "Momentum",
        {**momentum, "mode": "nesterov", "norm_coefficient": 0.1},
        lambda p: torch.optim.SGD(p, 0.05, 0.9, weight_decay=0.1, nesterov=True),
        1,
    )
    # PyTorch does not damp the very first gradient; ONNX says so with T = 0.
    run(
        "SGD with damped momentum",
        "Momentum",
        {**momentum, "beta": 0.6},
        lambda p: torch.optim.SGD(p, 0.05, 0.9, dampening=0.4),
        0,
    )


for family in [convolutions, pools, losses, activations, others, optimizers]:
    family()
document = {"source": f"PyTorch {torch.__version__.split('+')[0]}, float64, CPU", "cases": cases, "optimizers": optimizer_cases}
target = pathlib.Path(__file__).parent / "operators.json"
target.write_text(json.dumps(document, separators=(",", ":")) + "\n")
print(f"{target.name}: {len(cases)} cases, {len(optimizer_cases)} optimizers, {target.stat().st_size} bytes")
