"""Writes special-values.json: what PyTorch makes of NaN, infinities, zeros of both signs and ties, in values and gradients, float32.

    python -m venv venv && venv/bin/pip install torch && venv/bin/python test/golden/make-special-values.py

JSON has no NaN, infinities or negative zero: they are strings. A case without gradients is one where Espalier differs on purpose; its rule is in
test/conformance/special-values.test.ts.
"""

import json
import math
import pathlib

import torch
from torch.nn import functional as F

nan, inf = math.nan, math.inf
special = [nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 100.0, -100.0, 2.5, -2.5, 0.5]
left = [nan, 1, nan, inf, -inf, 0, 0, 2, inf, -inf, -1, 0, inf, 3, -2, -2, 1, inf, 1]
right = [1, nan, nan, 1, 1, 0, -0.0, 2, inf, -inf, 0.5, 2, 0, 0, 2, 3, inf, -1, -inf]
rows = [
    [1, 2, 3],
    [nan, 1, 2],
    [1, nan, 2],
    [1, 2, nan],
    [inf, 1, 2],
    [-inf, 1, 2],
    [-inf, -inf, -inf],
    [inf, inf, 1],
    [2, 2, 2],
    [0, 0, 0],
    [inf, -inf, 1],
]
cases = []


def pack(value):
    def number(x):
        if math.isnan(x) or math.isinf(x) or (x == 0 and math.copysign(1, x) < 0):
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity", "-0.0": "-0"}[str(x)]
        return x

    return {"shape": list(value.shape), "data": [number(x) for x in value.detach().flatten().tolist()]}


def case(operator, inputs, function, attributes=None, constants=(), gradients=True, about=""):
    """`constants` are int64 inputs after the others; the gradient is that of the sum of all outputs."""
    tensors = [torch.tensor(x, dtype=torch.float32, requires_grad=True) for x in inputs]
    output = function(*tensors)
    given = torch.autograd.grad(output.sum(), tensors) if gradients else []
    cases.append(
        {
            "name": operator + about,
            "operator": operator,
            "attributes": attributes or {},
            "inputs": [pack(x) for x in tensors],
            "constants": list(constants),
            "output": pack(output),
            "gradients": [pack(x) for x in given],
        }
    )


smooth = {
    "Exp": torch.exp,
    "Log": torch.log,
    "Sqrt": torch.sqrt,
    "Reciprocal": torch.reciprocal,
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "Softplus": F.softplus,
    "Erf": torch.erf,
    "Atan": torch.atan,
    "Neg": torch.neg,
    "Mish": F.mish,
    "Sin": torch.sin,
    "Cos": torch.cos,
    "Sinh": torch.sinh,
    "Asinh": torch.asinh,
}
for name, function in smooth.items():
    case(name, [special], function)
kinked = {
    "Relu": torch.relu,
    "LeakyRelu": lambda x: F.leaky_relu(x, 0.01),
    "Elu": F.elu,
    "Selu": F.selu,
    "Celu": F.celu,
    "Abs": torch.abs,
    "HardSwish": F.hardswish,
    "Softsign": F.softsign,
    "Floor": torch.floor,
    "Ceil": torch.ceil,
    "Round": torch.round,
}
for name, function in kinked.items():
    case(name, [special], function, gradients=False)
for name, function in {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div}.items():
    case(name, [left, right], function)
case("Pow", [left, right], torch.pow, gradients=False)
for name, function in {"Max": torch.maximum, "Min": torch.minimum}.items():
    case(name, [left, right], function, gradients=False)
case("Where", [left, right], lambda a, b: torch.where(a > 0, a, b))

case("Softmax", [rows], lambda x: torch.softmax(x, -1), {"axis": -1})
case("LogSoftmax", [rows], lambda x: torch.log_softmax(x, -1), {"axis": -1})
for name, function in {
    "ReduceSum": lambda x: x.sum(1),
    "ReduceMean": lambda x: x.mean(1),
    "ReduceMax": lambda x: x.amax(1),
    "ReduceMin": lambda x: x.amin(1),
    "ReduceSumSquare": lambda x: (x * x).sum(1),
    "ReduceL2": lambda x: x.norm(2, 1),
    "ReduceLogSumExp": lambda x: x.logsumexp(1),
}.items():
    case(name, [rows], function, {"keepdims": 0}, [[1]])
case("ReduceProd", [rows], lambda x: x.prod(1), {"keepdims": 0}, [[1]], gradients=False)
case("CumSum", [rows], lambda x: x.cumsum(1), {}, [1])
case("MaxPool", [[[row] for row in rows]][0:1], lambda x: F.max_pool1d(x, 3), {"kernel_shape": [3]})
case("MaxPool", [[[row] for row in rows]][0:1], lambda x: F.max_pool1d(x, 2, 1, 1), {"kernel_shape": [2], "pads": [1, 1]}, about=", padded")
case("GlobalMaxPool", [[[row] for row in rows]][0:1], lambda x: x.amax(2, keepdim=True), {})
case("MatMul", [[[0.0, 1.0], [2.0, 3.0]], [[inf, nan], [1.0, 2.0]]], torch.matmul)

path = pathlib.Path(__file__).parent / "special-values.json"
path.write_text("[\n" + ",\n".join(json.dumps(item) for item in cases) + "\n]\n")
