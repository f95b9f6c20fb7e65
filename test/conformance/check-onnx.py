"""Checks every .onnx file of a folder as the onnx package does: its checker with full_check, and strict shape inference.

    python test/conformance/check-onnx.py <folder>

Prints one JSON object a line for each file: {"file": name, "error": null or what is wrong}. A file is also wrong when a type that it states for a
value is not the one that onnx infers.
"""

import json
import pathlib
import sys

import onnx


def types_of(graph):
    values = [*graph.value_info, *graph.output]
    return {v.name: (v.type.tensor_type.elem_type, [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]) for v in values}


def without_types(model):
    """The model as a reader would have it that states no types but its inputs': what onnx infers then is onnx's own."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    for output in bare.graph.output:
        output.type.tensor_type.ClearField("shape")
    return bare


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    inferred = types_of(onnx.shape_inference.infer_shapes(without_types(model), check_type=True, strict_mode=True, data_prop=True).graph)
    for name, (dtype, shape) in types_of(model.graph).items():
        if name not in inferred:
            continue
        other_dtype, other_shape = inferred[name]
        if not other_shape and shape:
            continue  # onnx could not tell
        known = len(shape) == len(other_shape) and all(a == b or isinstance(b, str) or b == 0 for a, b in zip(shape, other_shape))
        if dtype != other_dtype or not known:
            raise ValueError(f'"{name}" is said to be {dtype} {shape}, but onnx infers {other_dtype} {other_shape}')


for path in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    try:
        check(path)
        error = None
    except Exception as cause:  # the checker has several classes of errors
        error = f"{type(cause).__name__}: {cause}"
    print(json.dumps({"file": path.name, "error": error}))
