"""Writes onnx/: small models of many opsets in ONNX's own format, made by other programs, with what ONNX Runtime answers for them.

    python -m venv venv && venv/bin/pip install onnx onnxruntime onnxscript torch && venv/bin/python test/golden/make-onnx.py

`cases.json` has for each file: the sizes for its symbolic dimensions, inputs and outputs. The first part writes nodes of old and new forms with
onnx.helper; the second exports PyTorch modules, whose exporter computes shapes step by step.
"""

import io
import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

folder = pathlib.Path(__file__).parent / "onnx"
folder.mkdir(exist_ok=True)
for old in folder.glob("*.onnx"):
    old.unlink()
random = np.random.default_rng(22)
cases = []


def draw(*shape):
    return np.round(random.standard_normal(shape), 3).astype(np.float32)


def pack(value):
    value = np.asarray(value)
    data = value.flatten().tolist()
    return {"dtype": str(value.dtype), "shape": list(value.shape), "data": [float(f"{x:.9g}") for x in data] if value.dtype.kind == "f" else [int(x) for x in data]}


def record(name, data, inputs, dimensions=None):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    outputs = session.run(None, inputs)
    (folder / f"{name}.onnx").write_bytes(data)
    cases.append(
        {
            "file": f"{name}.onnx",
            "dimensions": dimensions or {},
            "inputs": {key: pack(value) for key, value in inputs.items()},
            "outputs": {output.name: pack(value) for output, value in zip(session.get_outputs(), outputs)},
        }
    )


types = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL, "int32": TensorProto.INT32}


def model(name, opset, nodes, inputs, weights=None, outputs=("y",), ir=None, symbols=None, listed=(), raw=True):
    """A model of some nodes. `weights` are initializers; `symbols` names dimensions of inputs: {"x": {0: "N"}}."""
    weights = weights or {}
    symbols = symbols or {}
    shape = lambda key, value: [symbols.get(key, {}).get(i, size) for i, size in enumerate(value.shape)]
    value_info = lambda key, value: helper.make_tensor_value_info(key, types[str(value.dtype)], shape(key, value))
    store = lambda key, value: numpy_helper.from_array(value, key) if raw else helper.make_tensor(key, types[str(value.dtype)], value.shape, value.flatten().tolist())
    graph = helper.make_graph(
        nodes,
        name,
        [value_info(key, value) for key, value in inputs.items()] + [value_info(key, weights[key]) for key in listed],
        [helper.make_tensor_value_info(key, kind, None) for key, kind in (output if isinstance(output, tuple) else (output, TensorProto.FLOAT) for output in outputs)],
        [store(key, value) for key, value in weights.items()],
    )
    default_ir = 3 if opset <= 8 else 4 if opset <= 9 else 6 if opset <= 11 else 8 if opset <= 18 else 10
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir or default_ir, producer_name="onnx.helper")
    record(name, built.SerializeToString(), inputs)


def one(name, opset, operator, inputs, weights=None, outputs=("y",), symbols=None, listed=None, order=None, ir=None, **attributes):
    """A model of one node that reads all inputs and then all weights."""
    names = order or [*inputs, *(weights or {})]
    node = helper.make_node(operator, names, [o[0] if isinstance(o, tuple) else o for o in outputs], name="the_node", **attributes)
    early = opset <= 8 and listed is None  # before IR version 4, every initializer is listed as an input too
    model(name, opset, [node], inputs, weights, outputs, symbols=symbols, listed=list(weights or {}) if early else (listed or ()), ir=ir)


def old_forms():
    x = draw(2, 3, 4)
    i64 = lambda *values: np.array(values, dtype=np.int64)
    batch = {"x": {0: "N"}}
    one("squeeze-11", 11, "Squeeze", {"x": draw(2, 1, 4, 1)}, axes=[1, 3])
    one("squeeze-13", 13, "Squeeze", {"x": draw(2, 1, 4, 1)}, {"axes": i64(-1)})
    one("unsqueeze-9", 9, "Unsqueeze", {"x": x}, axes=[0, 4], symbols=batch)
    one("slice-9", 9, "Slice", {"x": x}, axes=[1, 2], starts=[-2, 1], ends=[9223372036854775807, 3])
    one("slice-10", 10, "Slice", {"x": x}, {"starts": i64(3), "ends": i64(-(2**62)), "axes": i64(2), "steps": i64(-2)})
    one("pad-2", 7, "Pad", {"x": x}, pads=[0, 1, 2, 0, 0, 3], value=1.5, mode="constant")
    one("pad-11", 11, "Pad", {"x": x}, {"pads": i64(0, 1, 2, 0, 0, 3), "value": np.float32(-2)})
    one("clip-6", 7, "Clip", {"x": x}, min=-0.5, max=0.25)
    one("clip-6-below", 8, "Clip", {"x": x}, min=0.0)
    one("clip-11", 11, "Clip", {"x": x}, {"max": np.float32(0.3)}, order=["x", "", "max"])
    one("dropout-7", 7, "Dropout", {"x": x}, ratio=0.25)
    one("dropout-10", 10, "Dropout", {"x": x}, ratio=0.0)
    one("dropout-13", 13, "Dropout", {"x": x}, {"ratio": np.float32(0.4), "training": np.array(False)})
    one("reduce-mean-11", 11, "ReduceMean", {"x": x}, axes=[-1], keepdims=0)
    one("reduce-sum-11", 11, "ReduceSum", {"x": x}, axes=[0, 2])
    one("reduce-max-13", 13, "ReduceMax", {"x": x}, axes=[1])
    one("reduce-mean-18", 18, "ReduceMean", {"x": x}, {"axes": i64(1, 2)})
    one("reduce-l2-11", 11, "ReduceL2", {"x": x}, axes=[1])
    one("split-2", 7, "Split", {"x": x}, outputs=("a", "b"), axis=2, split=[1, 3])
    one("split-13", 13, "Split", {"x": draw(4, 3)}, outputs=("a", "b"), axis=0)
    one("split-18", 18, "Split", {"x": draw(5, 3)}, outputs=("a", "b"), axis=0, num_outputs=2)
    one("softmax-7-of-the-rest", 7, "Softmax", {"x": x}, symbols=batch)
    one("softmax-11-last", 11, "Softmax", {"x": x}, axis=2)
    one("log-softmax-12", 12, "LogSoftmax", {"x": draw(2, 3, 2, 2)}, axis=2)
    one("softmax-13", 13, "Softmax", {"x": x}, axis=1)
    one("hardmax-11", 11, "Hardmax", {"x": x})
    one("top-k-1", 9, "TopK", {"x": draw(3, 7)}, outputs=("values", ("places", TensorProto.INT64)), k=3)
    one("top-k-10", 10, "TopK", {"x": draw(3, 7)}, {"k": i64(2)}, outputs=("values", ("places", TensorProto.INT64)), axis=0)
    one("gemm-7", 7, "Gemm", {"x": draw(2, 3)}, {"w": draw(4, 3), "b": draw(4)}, transB=1, alpha=0.5, beta=2.0, symbols=batch)
    one("gemm-11-without-c", 11, "Gemm", {"x": draw(3, 2)}, {"w": draw(3, 4)}, transA=1)
    one("pow-13-of-whole", 13, "Pow", {"x": x}, {"e": i64(2)})
    one("upsample-7", 7, "Upsample", {"x": draw(1, 2, 3, 2)}, scales=[1.0, 1.0, 2.0, 3.0], mode="nearest")
    one("upsample-9-linear", 9, "Upsample", {"x": draw(1, 2, 3, 2)}, {"scales": np.array([1, 1, 2, 2], np.float32)}, mode="linear")
    one("resize-10", 10, "Resize", {"x": draw(1, 1, 4, 5)}, {"scales": np.array([1, 1, 0.6, 1.7], np.float32)}, mode="nearest")
    one("resize-11-sizes", 11, "Resize", {"x": draw(1, 1, 4, 4)}, {"roi": np.zeros(0, np.float32), "none": np.zeros(0, np.float32), "sizes": i64(1, 1, 7, 3)}, mode="linear")
    one("resize-13", 13, "Resize", {"x": draw(1, 2, 3, 4)}, {"scales": np.array([1, 1, 2, 2], np.float32)}, order=["x", "", "scales"], mode="linear", coordinate_transformation_mode="align_corners")
    one("scatter-9", 9, "Scatter", {"x": draw(3, 4)}, {"places": np.array([[0, 2], [1, 3]], np.int64), "updates": draw(2, 2)}, axis=1)
    one("max-pool-12", 12, "MaxPool", {"x": draw(1, 2, 6, 5)}, kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1, storage_order=0, symbols=batch)
    one("average-pool-7", 7, "AveragePool", {"x": draw(1, 2, 6, 5)}, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 1], auto_pad="NOTSET")
    one("conv-same-lower", 11, "Conv", {"x": draw(1, 2, 5, 6)}, {"w": draw(3, 2, 2, 3)}, auto_pad="SAME_LOWER", strides=[2, 2])
    statistics = {"scale": draw(3), "bias": draw(3), "mean": draw(3), "variance": np.abs(draw(3)) + np.float32(0.5)}
    one("batch-normalization-7", 7, "BatchNormalization", {"x": draw(2, 3, 2)}, statistics, epsilon=0.01, symbols=batch)
    one("batch-normalization-9", 9, "BatchNormalization", {"x": draw(2, 3, 2)}, statistics, momentum=0.8)
    one("batch-normalization-15", 15, "BatchNormalization", {"x": draw(2, 3, 2, 2)}, statistics, training_mode=0)
    one("group-normalization-18", 18, "GroupNormalization", {"x": draw(2, 4, 3)}, {"scale": draw(2), "bias": draw(2)}, num_groups=2)
    one("cast-19", 19, "Cast", {"x": x * 3}, outputs=(("y", TensorProto.INT32),), to=TensorProto.INT32, saturate=1)
    one("sum-8", 8, "Sum", {"x": x, "z": draw(3, 1)}, {"w": draw(4)})
    one("hard-sigmoid-6", 7, "HardSigmoid", {"x": x * 4}, alpha=0.3)
    one("layer-normalization-17", 17, "LayerNormalization", {"x": x}, {"scale": draw(4), "bias": draw(4)}, epsilon=1e-3)
    one("prelu-9", 9, "PRelu", {"x": x}, {"slope": draw(3, 1)})
    one("where-9", 9, "Where", {"condition": np.array([[True], [False], [True]]), "x": x}, {"other": draw(4)})
    one("expand-8", 8, "Expand", {"x": draw(3, 1)}, {"shape": i64(2, 1, 4)})
    one("lstm-7", 7, "LSTM", {"x": draw(4, 2, 3)}, {"w": draw(1, 20, 3), "r": draw(1, 20, 5), "b": draw(1, 40)}, outputs=("y", "h", "c"), hidden_size=5)
    one("gru-7", 7, "GRU", {"x": draw(4, 2, 3)}, {"w": draw(1, 15, 3), "r": draw(1, 15, 5), "b": draw(1, 30)}, outputs=("y", "h"), hidden_size=5, linear_before_reset=1)


def constants():
    tensor = lambda value: numpy_helper.from_array(np.array(value))
    nodes = [
        helper.make_node("Constant", [], ["two"], value_float=2.0),
        helper.make_node("Constant", [], ["places"], value_ints=[2, 0]),
        helper.make_node("Constant", [], ["weights"], value=tensor(np.array([[1, 2], [3, 4], [5, 6]], np.float32))),
        helper.make_node("Gather", ["x", "places"], ["picked"], axis=1),
        helper.make_node("Mul", ["picked", "two"], ["doubled"]),
        helper.make_node("Identity", ["weights"], ["same"]),
        helper.make_node("MatMul", ["x", "same"], ["product"]),
        helper.make_node("Add", ["doubled", "product"], ["y"]),
    ]
    model("constants-13", 13, nodes, {"x": draw(2, 3)}, symbols={"x": {0: "N"}})
    fill = helper.make_tensor("value", TensorProto.INT64, [1], [3])
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["threes"], value=fill),
        helper.make_node("Cast", ["threes"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Size", ["x"], ["size"]),
        helper.make_node("Cast", ["size"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["x", "floats"], ["sum"]),
        helper.make_node("Div", ["sum", "count"], ["y"]),
    ]
    model("constant-of-shape-9", 9, nodes, {"x": draw(3, 2)}, symbols={"x": {0: "N"}})
    weights = {"w": draw(3, 2), "places": np.array([1, 0], np.int64)}
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Gather", ["p", "places"], ["y"], axis=1)]
    model("weights-as-lists-and-inputs-8", 8, nodes, {"x": draw(2, 3)}, weights, listed=["w", "places"], raw=False)
    model("unread-node-13", 13, [helper.make_node("NonZero", ["x"], ["places"]), helper.make_node("Neg", ["x"], ["y"])], {"x": draw(2, 3)})


def branches():
    info = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    inner = lambda name, operator: helper.make_graph([helper.make_node(operator, ["x"], ["inner"]), helper.make_node("Add", ["inner", "w"], [f"{name}_out"])], name, [], [info(f"{name}_out")], [numpy_helper.from_array(draw(3), "w")])
    nested = helper.make_graph(
        [
            helper.make_node("Equal", ["rank", "three"], ["is_three"]),
            helper.make_node("If", ["is_three"], ["nested_out"], then_branch=inner("a", "Neg"), else_branch=inner("b", "Abs")),
        ],
        "nested",
        [],
        [info("nested_out")],
        [numpy_helper.from_array(np.array(3, np.int64), "three")],
    )
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Size", ["shape"], ["rank"]),
        helper.make_node("Equal", ["rank", "two"], ["is_two"]),
        helper.make_node("If", ["is_two"], ["chosen"], then_branch=nested, else_branch=inner("c", "Exp")),
        helper.make_node("If", ["is_two"], ["again"], then_branch=inner("d", "Exp"), else_branch=inner("e", "Neg")),
        helper.make_node("Mul", ["chosen", "again"], ["y"]),
    ]
    model("branches-by-rank-16", 16, nodes, {"x": draw(2, 3)}, {"two": np.array(2, np.int64)}, symbols={"x": {0: "N"}})


def exported_by_pytorch():
    import torch
    from torch import nn

    torch.manual_seed(23)

    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3))
            self.head = nn.Linear(3 * 4 * 4, 5)

        def forward(self, x):
            y = self.body(x)
            y = y.view(y.size(0), y.size(1) * y.size(2) * y.size(3))
            return self.head(y)

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.norm, self.qkv, self.out = nn.Embedding(11, 8), nn.LayerNorm(8), nn.Linear(8, 24), nn.Linear(8, 8)

        def forward(self, ids):
            x = self.norm(self.embed(ids))
            b, t, d = x.shape
            q, k, v = self.qkv(x).chunk(3, dim=-1)
            split = lambda z: z.view(b, t, 2, d // 2).transpose(1, 2)
            scores = split(q) @ split(k).transpose(-1, -2) / (d // 2) ** 0.5
            mask = torch.triu(torch.full((t, t), float("-inf")), diagonal=1)
            mixed = (scores + mask).softmax(-1) @ split(v)
            return nn.functional.gelu(self.out(mixed.transpose(1, 2).reshape(b, t, d))) + x

    class Upsampled(nn.Module):
        def __init__(self):
            super().__init__()
            self.down, self.up = nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.Conv2d(4, 2, 1)

        def forward(self, x):
            y = nn.functional.interpolate(self.up(self.down(x)), size=x.shape[2:], mode="bilinear", align_corners=False)
            return nn.functional.pad(torch.cat([x, y], dim=1), (1, 0, 0, 2), value=0.5)

    def export(name, module, x, opset, dynamo=False):
        buffer = io.BytesIO()
        if dynamo:
            program = torch.onnx.export(module.eval(), (x,), dynamo=True, opset_version=opset, input_names=["x"], output_names=["y"], dynamic_shapes=({0: torch.export.Dim("batch_size")},))
            # Without the stack traces that the exporter keeps for each node: they name folders of the machine.
            for node in program.model.graph:
                node.metadata_props.clear()
            program.save(buffer)
        else:
            torch.onnx.export(module.eval(), (x,), buffer, dynamo=False, opset_version=opset, input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "batch_size"}, "y": {0: "batch_size"}})
        record(name, buffer.getvalue(), {"x": x.numpy()})

    image, ids, picture = torch.randn(2, 1, 8, 8), torch.randint(0, 11, (2, 5)), torch.randn(2, 2, 8, 6)
    export("pytorch-flat-9", Flat(), image, 9)
    export("pytorch-flat-17", Flat(), image, 17)
    export("pytorch-attention-14", Attention(), ids, 14)
    export("pytorch-attention-17", Attention(), ids, 17)
    export("pytorch-upsampled-11", Upsampled(), picture, 11)
    export("pytorch-upsampled-18", Upsampled(), picture, 18)
    export("pytorch-dynamo-flat-18", Flat(), image, 18, dynamo=True)
    export("pytorch-dynamo-attention-20", Attention(), ids, 20, dynamo=True)


def external_data():
    """A model of two files: x w + b, its weights in weights.bin."""
    weights = {"w": np.array([[1, 2], [3, 4], [5, 6]], np.float32), "b": np.array([10, 20], np.float32)}
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"])]
    info = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "external", [info("x", ["N", 3])], [info("y", ["N", 2])], [numpy_helper.from_array(v, k) for k, v in weights.items()])
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="onnx.helper")
    place = folder / "external"
    place.mkdir(exist_ok=True)
    (place / "weights.bin").unlink(missing_ok=True)
    onnx.save(built, place / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)


def trained_by_pytorch():
    """Networks as they were exported, and the losses of PyTorch when it goes on training them: SGD, rate 0.1, one batch again and again."""
    import torch
    from torch import nn

    torch.manual_seed(24)

    class Images(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
            self.head = nn.Linear(4 * 3 * 3, 3)

        def forward(self, x):
            return self.head(self.body(x).flatten(1))

    class Sequences(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.lstm, self.norm, self.head = nn.Embedding(9, 5), nn.LSTM(5, 6), nn.LayerNorm(6), nn.Linear(6, 3)

        def forward(self, ids):
            steps, _ = self.lstm(self.embed(ids).transpose(0, 1))
            return self.head(self.norm(steps[-1]))

    for name, module, x in [("images", Images(), torch.randn(4, 2, 6, 6)), ("sequences", Sequences(), torch.randint(0, 9, (4, 5)))]:
        module.eval()
        buffer = io.BytesIO()
        axes = {"x": {0: "batch"}, "y": {0: "batch"}}
        torch.onnx.export(module, (x,), buffer, dynamo=False, opset_version=17, input_names=["x"], output_names=["y"], dynamic_axes=axes)
        record(f"pytorch-trained-{name}", buffer.getvalue(), {"x": x.numpy()})
        module.double().train()
        labels = torch.tensor([0, 1, 2, 1])
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        losses = []
        for _ in range(6):
            loss = nn.functional.cross_entropy(module(x.double() if x.is_floating_point() else x), labels)
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        cases[-1]["training"] = {"labels": labels.tolist(), "rate": 0.1, "losses": [float(f"{value:.9g}") for value in losses]}


external_data()
old_forms()
constants()
branches()
exported_by_pytorch()
trained_by_pytorch()
(folder / "cases.json").write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
print(len(cases), "models")
