"""Writes networks.json: values and gradients of neural-network operators as PyTorch computes them in float64 on the CPU.

Run (the output changes only with the cases below; every input is rounded to three decimals and stored):

    python -m venv venv && venv/bin/pip install torch && venv/bin/python test/golden/make-networks.py

Like make-operators.py, for operators with several outputs: gradients are of the sum over all outputs of sum(output * weights). An output that
PyTorch does not compute is None, and is not compared.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(21)
cases = []


def draw(*shape, positive=False):
    values = torch.randn(*shape, generator=generator)
    return torch.round((values.abs() + 0.1 if positive else values) * 1000) / 1000


def pack(value):
    """A tensor as plain JSON; floats with 15 significant digits."""
    dtype = {torch.float64: "float64", torch.int64: "int64", torch.int32: "int32", torch.bool: "bool"}[value.dtype]
    flat = value.detach().contiguous().flatten().tolist()
    data = [float(f"{x:.15g}") for x in flat] if dtype == "float64" else [int(x) for x in flat]
    return {"dtype": dtype, "shape": list(value.shape), "data": [int(x) if isinstance(x, float) and x == int(x) else x for x in data]}


def case(about, operator, inputs, compute, attributes=None, fixed=()):
    """`compute` takes the inputs and returns a tensor or a list; floats that it uses are differentiated, but for the inputs in `fixed`."""
    leaves = [x.clone().requires_grad_(x.dtype == torch.float64 and i not in fixed) if x is not None else None for i, x in enumerate(inputs)]
    results = compute(*leaves)
    outputs = list(results) if isinstance(results, (list, tuple)) else [results]
    weights = [None if y is None else torch.round(torch.randn(y.shape, generator=generator) * 1000) / 1000 for y in outputs]
    loss = sum((y * w).sum() for y, w in zip(outputs, weights) if y is not None and y.requires_grad)
    by = [i for i, x in enumerate(leaves) if x is not None and x.requires_grad]
    gradients = torch.autograd.grad(loss, [leaves[i] for i in by], allow_unused=True)
    cases.append(
        {
            "name": f"{operator}: {about}",
            "operator": operator,
            "attributes": attributes or {},
            "inputs": [None if x is None else pack(x) for x in inputs],
            "outputs": [None if y is None else pack(y) for y in outputs],
            "weights": [None if y is None or not y.requires_grad else pack(w) for y, w in zip(outputs, weights)],
            "gradients": {str(i): pack(g) for i, g in zip(by, gradients) if g is not None},
        }
    )


def normalizations():
    def batch(about, x, epsilon=1e-5, momentum=0.9, training=False):
        channels = x[1]
        inputs = [draw(*x), draw(channels), draw(channels), draw(channels), draw(channels, positive=True)]
        attributes = {"epsilon": epsilon, **({"training_mode": 1, "momentum": momentum} if training else {})}

        def compute(a, scale, bias, mean, variance):
            if not training:
                shape = [1, channels] + [1] * (len(x) - 2)
                # PyTorch gives no gradient by the running values, so the formula is written out; its value is checked against theirs.
                y = (a - mean.reshape(shape)) / torch.sqrt(variance.reshape(shape) + epsilon) * scale.reshape(shape) + bias.reshape(shape)
                assert torch.allclose(y, F.batch_norm(a, mean.detach(), variance.detach(), scale, bias, False, 0, epsilon), atol=1e-13)
                return y
            count = a.numel() // channels
            old_mean, old_variance = mean.detach().clone(), variance.detach().clone()
            y = F.batch_norm(a, old_mean, old_variance, scale, bias, True, 1 - momentum, epsilon)
            # PyTorch's running variance is the sample's (over n - 1), ONNX's the population's: its share of the batch's is scaled back.
            running = variance.detach() * momentum + (old_variance - variance.detach() * momentum) * (count - 1) / count
            return [y, old_mean, running]

        case(about, "BatchNormalization", inputs, compute, attributes, fixed=(3, 4) if training else ())

    batch("two axes", [2, 3, 4, 3])
    batch("no spatial axis, another epsilon", [4, 5], epsilon=0.1)
    batch("in training", [3, 3, 4, 2], training=True)
    batch("in training, other momentum and epsilon, one axis", [4, 2, 5], epsilon=0.01, momentum=0.25, training=True)
    batch("in training, three axes", [2, 2, 2, 3, 2], training=True)

    def layer(about, x, normalized, bias=True, epsilon=1e-5):
        inputs = [draw(*x), draw(*normalized)] + ([draw(*normalized)] if bias else [])
        axis = len(x) - len(normalized)
        axes = list(range(axis, len(x)))

        def compute(a, scale, b=None):
            mean = a.mean(axes, keepdim=True)
            return [F.layer_norm(a, normalized, scale, b, epsilon), mean, (((a - mean) ** 2).mean(axes, keepdim=True) + epsilon).rsqrt()]

        case(about, "LayerNormalization", inputs, compute, {"axis": axis, "epsilon": epsilon})

    layer("the last axis", [2, 3, 6], [6])
    layer("the last two axes, no bias", [3, 4, 2], [4, 2], bias=False, epsilon=0.01)
    for shape, normalized, epsilon in [([2, 3, 5], [5], 1e-5), ([3, 2, 4], [2, 4], 0.1)]:
        attributes = {"axis": len(shape) - len(normalized), "epsilon": epsilon}
        compute = lambda a, s: F.rms_norm(a, normalized, s, epsilon)  # noqa: B023, E731
        case(f"{normalized} of {shape}", "RMSNormalization", [draw(*shape), draw(*normalized)], compute, attributes)
    for groups in [1, 3, 6]:
        compute = lambda a, s, b: F.group_norm(a, groups, s, b, 1e-4)  # noqa: B023, E731
        case(f"{groups} groups", "GroupNormalization", [draw(2, 6, 3, 2), draw(6), draw(6)], compute, {"num_groups": groups, "epsilon": 1e-4})
    case("one axis", "InstanceNormalization", [draw(2, 3, 7), draw(3), draw(3)], lambda a, s, b: F.instance_norm(a, weight=s, bias=b))
    case("two axes", "InstanceNormalization", [draw(2, 2, 3, 4), draw(2), draw(2)], lambda a, s, b: F.instance_norm(a, weight=s, bias=b))
    attributes = {"size": 3, "alpha": 0.5, "beta": 0.6, "bias": 2}
    case("3 of 5 channels", "LRN", [draw(2, 5, 2, 3)], lambda a: F.local_response_norm(a, 3, 0.5, 0.6, 2), attributes)


def volumes():
    def conv(about, x, w, bias=None, stride=1, pad=0, dilation=1, groups=1):
        inputs = [draw(*x), draw(*w)] + ([draw(bias)] if bias else [])
        attributes = {"strides": [stride] * 3, "pads": [pad] * 6, "dilations": [dilation] * 3, "group": groups}
        case(about, "Conv", inputs, lambda a, k, b=None: F.conv3d(a, k, b, stride, pad, dilation, groups), attributes)

    conv("three axes", [1, 2, 4, 3, 4], [3, 2, 2, 3, 2], bias=3)
    conv("three axes, strided, padded, grouped", [1, 4, 4, 5, 3], [4, 2, 3, 2, 2], stride=2, pad=1, groups=2)
    conv("three axes, dilated", [2, 1, 5, 4, 5], [2, 1, 2, 2, 3], dilation=2)
    inputs = [draw(1, 2, 2, 3, 2), draw(2, 2, 2, 3, 2), draw(2)]
    attributes = {"strides": [2, 2, 2], "pads": [1] * 6, "output_padding": [1, 1, 0]}
    case("three axes", "ConvTranspose", inputs, lambda a, k, b: F.conv_transpose3d(a, k, b, 2, 1, (1, 1, 0)), attributes)
    attributes = {"kernel_shape": [2, 2, 2], "strides": [2, 1, 2], "pads": [0, 1, 0, 0, 1, 0]}
    case("three axes", "MaxPool", [draw(1, 2, 4, 3, 5)], lambda a: F.max_pool3d(a, 2, (2, 1, 2), (0, 1, 0)), attributes)
    case("three axes", "AveragePool", [draw(1, 2, 4, 3, 5)], lambda a: F.avg_pool3d(a, 2, (2, 1, 2), (0, 1, 0), False, False), attributes)


def pools():
    options = {"strides": [2, 1], "p": 2}
    case("2x3", "LpPool", [draw(2, 2, 5, 4)], lambda a: F.lp_pool2d(a, 2, (2, 3), (2, 1)), {"kernel_shape": [2, 3], **options})
    # PyTorch raises x itself to an odd p: with positive numbers that is ONNX's |x|.
    case("one axis, p 3", "LpPool", [draw(2, 2, 7, positive=True)], lambda a: F.lp_pool1d(a, 3, 3, 2), {"kernel_shape": [3], "strides": [2], "p": 3})
    case("two axes", "GlobalMaxPool", [draw(2, 3, 4, 3)], lambda a: a.amax((2, 3), keepdim=True))
    case("p 3", "GlobalLpPool", [draw(2, 3, 4, 3)], lambda a: torch.linalg.vector_norm(a, 3, (2, 3), keepdim=True), {"p": 3})


def recurrences():
    # PyTorch's rows are i f g o and r z n, ONNX's i o f c and z r h.
    orders = {"LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2], "RNN": [0]}

    def run(operator, about, time, batch, width, size, direction="forward", initial=False, lengths=None):
        order, count = orders[operator], 2 if direction == "bidirectional" else 1
        rows = len(order) * size
        state = lambda: draw(count, batch, size) if initial else None  # noqa: E731
        lens = None if lengths is None else torch.tensor(lengths, dtype=torch.int32)
        inputs = [draw(time, batch, width), draw(count, rows, width), draw(count, rows, size), draw(count, 2 * rows), lens, state()]
        if operator == "LSTM":
            inputs.append(state())
        module = getattr(torch.nn, operator)(width, size, bidirectional=count == 2)
        suffixes = ["", "_reverse"][:count]
        gates = lambda value: torch.cat([value.reshape(len(order), size, -1)[k] for k in order]).reshape(value.shape)  # noqa: E731

        def compute(x, w, r, b, lens=None, h=None, c=None):
            parameters = {}
            for d, suffix in enumerate(suffixes):
                parameters[f"weight_ih_l0{suffix}"], parameters[f"weight_hh_l0{suffix}"] = gates(w[d]), gates(r[d])
                parameters[f"bias_ih_l0{suffix}"], parameters[f"bias_hh_l0{suffix}"] = gates(b[d, :rows]), gates(b[d, rows:])
            states = (h, c) if operator == "LSTM" and h is not None else h
            sequence = x if lens is None else torch.nn.utils.rnn.pack_padded_sequence(x, lens.long(), enforce_sorted=False)
            y, last = torch.func.functional_call(module, parameters, (sequence, states))
            if lens is not None:
                y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, total_length=time)
            return [y.reshape(time, batch, count, size).permute(0, 2, 1, 3), *(last if operator == "LSTM" else [last])]

        attributes = {"hidden_size": size, "direction": direction, **({"linear_before_reset": 1} if operator == "GRU" else {})}
        case(about, operator, inputs, compute, attributes)

    for operator in orders:
        run(operator, "4 steps", 4, 2, 3, 3)
        run(operator, "both directions, given states", 3, 2, 2, 3, direction="bidirectional", initial=True)
        run(operator, "rows of other lengths", 4, 3, 2, 2, direction="bidirectional", initial=True, lengths=[2, 4, 1])


def attentions():
    def attend(about, q, k, v, mask=None, attributes=None, causal=False, scale=None):
        grouped = q[1] != k[1]
        inputs = [draw(*q), draw(*k), draw(*v)] + ([] if mask is None else [mask])
        options = {"is_causal": causal, "scale": scale, "enable_gqa": grouped}
        compute = lambda a, b, c, m=None: F.scaled_dot_product_attention(a, b, c, m, **options)  # noqa: E731
        attributes = {**({"is_causal": 1} if causal else {}), **({} if scale is None else {"scale": scale})}
        case(about, "Attention", inputs, compute, attributes)

    attend("two heads", [2, 2, 3, 4], [2, 2, 5, 4], [2, 2, 5, 3])
    attend("causal, another scale", [1, 2, 4, 3], [1, 2, 4, 3], [1, 2, 4, 2], causal=True, scale=0.7)
    attend("a mask that is added", [2, 1, 3, 2], [2, 1, 4, 2], [2, 1, 4, 2], mask=draw(2, 1, 3, 4))
    attend("a bool mask", [2, 2, 2, 2], [2, 2, 3, 2], [2, 2, 3, 2], mask=torch.tensor([[1, 0, 1], [1, 1, 0]]).bool())
    attend("4 heads share 2 of keys", [1, 4, 3, 2], [1, 2, 4, 2], [1, 2, 4, 3])

    def flat(q, k, v):
        heads = [x.reshape(x.shape[0], x.shape[1], 3, -1).transpose(1, 2) for x in (q, k, v)]
        y = F.scaled_dot_product_attention(*heads).transpose(1, 2)
        return y.reshape(y.shape[0], y.shape[1], -1)

    inputs = [draw(2, 3, 6), draw(2, 4, 6), draw(2, 4, 9)]
    case("three axes, 3 heads", "Attention", inputs, flat, {"q_num_heads": 3, "kv_num_heads": 3})

    # A rotation is a product of complex numbers.
    def rotated(x, cos, sin, interleaved):
        paired = x.reshape(*x.shape[:-1], -1, 2) if interleaved else x.reshape(*x.shape[:-1], 2, -1).transpose(-1, -2)
        turned = torch.view_as_real(torch.view_as_complex(paired.contiguous()) * torch.complex(cos, sin)[:, None])
        return turned.reshape(x.shape) if interleaved else turned.transpose(-1, -2).reshape(x.shape)

    for interleaved in [0, 1]:
        compute = lambda x, cos, sin: rotated(x, cos, sin, interleaved)  # noqa: B023, E731
        inputs = [draw(2, 3, 4, 6), draw(2, 4, 3), draw(2, 4, 3)]
        case(["halves", "neighbours"][interleaved], "RotaryEmbedding", inputs, compute, {"interleaved": interleaved})


def likelihoods():
    def loss(about, x, target, reduction, weight=None, ignored=None):
        attributes = {"reduction": reduction, **({} if ignored is None else {"ignore_index": ignored})}
        inputs = [x, target] + ([] if weight is None else [weight])
        compute = lambda logs, chosen, w=None: F.nll_loss(  # noqa: E731
            logs, chosen, weight=weight, reduction=reduction, ignore_index=-100 if ignored is None else ignored
        )
        case(about, "NegativeLogLikelihoodLoss", inputs, compute, attributes, fixed=(2,))

    loss("mean", draw(5, 4), torch.tensor([0, 3, 1, 2, 2]), "mean")
    loss("none, two more axes", draw(2, 3, 2, 2), torch.tensor([[[0, 2], [1, 1]], [[2, 0], [0, 1]]]), "none")
    loss("class weights, ignored labels", draw(5, 3), torch.tensor([0, 1, -1, 2, 1]), "mean", weight=draw(3, positive=True), ignored=-1)
    loss("sum, class weights", draw(4, 3), torch.tensor([0, 2, 2, 1]), "sum", weight=draw(3, positive=True))


def cross_entropies():
    def loss(about, x, target, reduction, weight=None, ignored=None):
        attributes = {"reduction": reduction, **({} if ignored is None else {"ignore_index": ignored})}
        inputs = [x, target] + ([] if weight is None else [weight])
        options = {"weight": weight, "reduction": reduction, "ignore_index": -100 if ignored is None else ignored}
        compute = lambda scores, chosen, w=None: [F.cross_entropy(scores, chosen, **options), F.log_softmax(scores, 1)]  # noqa: E731
        case(f"{about}, with the log-probabilities", "SoftmaxCrossEntropyLoss", inputs, compute, attributes, fixed=(2,))

    planes = torch.tensor([[[0, 2], [1, 1]], [[2, 0], [0, 1]]])
    loss("two more axes", draw(2, 3, 2, 2), planes, "mean")
    loss("two more axes, class weights, ignored labels, each", draw(2, 3, 2, 2), planes, "none", weight=draw(3, positive=True), ignored=1)
    loss("one more axis, class weights, sum", draw(2, 4, 3), torch.tensor([[3, 0, 1], [2, 2, 0]]), "sum", weight=draw(4, positive=True))


for family in [normalizations, volumes, pools, recurrences, attentions, likelihoods, cross_entropies]:
    family()
document = {"source": f"PyTorch {torch.__version__.split('+')[0]}, float64, CPU", "cases": cases}
target = pathlib.Path(__file__).parent / "networks.json"
target.write_text(json.dumps(document, separators=(",", ":")) + "\n")
print(f"{target.name}: {len(cases)} cases, {target.stat().st_size} bytes")
