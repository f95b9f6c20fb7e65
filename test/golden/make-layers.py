"""Writes layers.json: small models of Keras 3 (PyTorch backend, float64, channels first) with weights, inputs, outputs and gradients.

Run:

    python -m venv venv && venv/bin/pip install torch keras && KERAS_BACKEND=torch venv/bin/python test/golden/make-layers.py

Every case is a whole model as `to_json()` writes it, so the same file tests reading and writing of configurations. Gradients are of
sum(output * cotangent), so that every element of an output counts differently. Cases marked `training` are called with training=True.
With `--check FILE` it reads {name: configuration} as write-keras-configs.ts writes them, builds each with Keras and compares the outputs to
layers.json.
"""

import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from keras import layers as L

keras.config.set_floatx("float64")
keras.config.set_image_data_format("channels_first")
random = np.random.default_rng(31)
here = pathlib.Path(__file__).parent
cases = []


def pack(value):
    value = np.asarray(value)
    data = [float(f"{x:.9g}") for x in value.ravel()] if value.dtype.kind == "f" else [int(x) for x in value.ravel()]
    return {"dtype": str(value.dtype), "shape": list(value.shape), "data": [int(x) if isinstance(x, float) and x == int(x) else x for x in data]}


def unpack(value):
    return np.array(value["data"], dtype=value["dtype"]).reshape(value["shape"])


def draw(shape, scale=1.0):
    values = np.round(random.normal(size=shape) * scale, 3)
    return np.where(values == 0, 0.001, values)  # at 0 a rectifier has no slope


def tensors(value):
    return list(value) if isinstance(value, (list, tuple)) else [value[key] for key in sorted(value)] if isinstance(value, dict) else [value]


def case(name, build, *shapes, training=False, integers=0, zeros=(), batch=2, close=None):
    keras.backend.clear_session()
    keras.utils.set_random_seed(5)
    inputs = [keras.Input(shape, name=f"x{i}" if i else "x", dtype="int32" if integers else None) for i, shape in enumerate(shapes)]
    model = keras.Model(inputs[0] if len(inputs) == 1 else inputs, build(*inputs), name="model")
    for variable in model.variables:
        if "seed" in variable.path:
            continue
        value = draw(variable.shape, 0.5)
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.path else value)
    feeds = [random.integers(0, integers, (batch, *shape)).astype("int32") if integers else draw((batch, *shape)) for shape in shapes]
    for place in zeros:
        feeds[0][place] = 0
    add(name, model, feeds, training, close)


def weights_of(model):
    return {layer.name: [pack(value) for value in layer.get_weights()] for layer in model.layers if layer.get_weights()}


def activity_penalties(model):
    """What the outputs of layers cost; `losses` has the weights' penalties after them."""
    return model.losses[: len(model.losses) - len(model._get_regularization_losses())]


def add(name, model, feeds, training=False, close=None):
    before = weights_of(model)
    given = [torch.tensor(feed) for feed in feeds]
    for tensor in given:
        if tensor.is_floating_point():
            tensor.requires_grad_()
    outputs = tensors(model(given[0] if len(given) == 1 else given, training=training))
    cotangents = [draw(tuple(output.shape)) for output in outputs]
    trained = [v for v in model.trainable_variables]
    loss = sum((output * torch.tensor(c)).sum() for output, c in zip(outputs, cotangents) if output.is_floating_point())
    loss = loss + sum(penalties := activity_penalties(model)) + sum(w.value.sum() * 0 for w in trained)  # every weight has a gradient, if only zero
    gradients = {"inputs": {}, "weights": {}}
    if isinstance(loss, torch.Tensor) and loss.requires_grad:
        loss.backward()
        gradients["inputs"] = {f"x{i}" if i else "x": pack(t.grad.numpy()) for i, t in enumerate(given) if t.grad is not None}
        for layer in model.layers:
            found = [pack(w.value.grad.numpy()) if w.trainable else None for w in layer.weights if "seed" not in w.path]
            if found:
                gradients["weights"][layer.name] = found
    cases.append({
        "name": name,
        "model": json.loads(model.to_json()),
        "weights": before,
        "inputs": {f"x{i}" if i else "x": pack(feed) for i, feed in enumerate(feeds)},
        "names": sorted(model.output) if isinstance(model.output, dict) else [],
        "outputs": [pack(output.detach().numpy()) for output in outputs],
        "cotangents": [pack(c) for c in cotangents],
        "gradients": gradients,
        **({"penalty": sum(penalties).item()} if penalties else {}),
        **({"training": True, "after": weights_of(model)} if training else {}),
        **({"tolerance": close} if close else {}),
    })


def one(name, layer, *shapes, **options):
    """A case of one layer."""
    case(name, (lambda *x: layer()(x[0])) if len(shapes) == 1 else (lambda *x: layer()(list(x))), *shapes, **options)


R, C = keras.regularizers, keras.constraints

one("Dense", lambda: L.Dense(3, activation="relu", kernel_regularizer=R.L2(0.1), kernel_constraint=C.MaxNorm(2, 0), bias_regularizer=R.L1L2(0.1, 0.2)), (4,))
one("Dense over places", lambda: L.Dense(3, use_bias=False), (2, 3, 4))
for name in "elu relu relu6 leaky_relu gelu silu sigmoid log_sigmoid tanh tanh_shrink hard_tanh softplus squareplus glu celu selu mish softsign hard_sigmoid hard_silu hard_shrink soft_shrink exponential softmax log_softmax linear".split():
    one(f"Activation {name}", lambda: L.Activation(name), (3, 4))
one("Softmax along an axis", lambda: L.Softmax(axis=1), (3, 4))
one("ReLU", lambda: L.ReLU(max_value=1.0, negative_slope=0.2, threshold=0.3), (3, 4))
one("ReLU with a slope", lambda: L.ReLU(negative_slope=0.2), (3, 4))
one("ReLU with a maximum", lambda: L.ReLU(max_value=0.5), (3, 4))
one("LeakyReLU", lambda: L.LeakyReLU(), (3, 4))
one("ELU", lambda: L.ELU(alpha=0.7), (3, 4))
one("PReLU", lambda: L.PReLU(), (2, 3))
one("PReLU with shared axes", lambda: L.PReLU(shared_axes=[2, 3]), (2, 3, 3))
one("Dropout predicts", lambda: L.Dropout(0.4), (3,))
case("Embedding", lambda x: L.Embedding(7, 3, mask_zero=True)(x), (4,), integers=7)
case("Embedding and masked mean", lambda x: L.GlobalAveragePooling1D(data_format="channels_last")(L.Embedding(7, 3, mask_zero=True)(x)), (5,), integers=7, zeros=[(0, slice(3, None)), (1, 0)])
one("BatchNormalization of features", lambda: L.BatchNormalization(), (4,))
one("BatchNormalization of channels", lambda: L.BatchNormalization(axis=1, epsilon=0.01, momentum=0.9, scale=False), (3, 2, 2))
one("BatchNormalization of places", lambda: L.BatchNormalization(center=False), (2, 3))
one("BatchNormalization in training", lambda: L.BatchNormalization(axis=1, momentum=0.8), (3, 2, 2), training=True, batch=3)
one("LayerNormalization", lambda: L.LayerNormalization(), (3, 4))
one("LayerNormalization of several axes", lambda: L.LayerNormalization(axis=[1, 2]), (3, 4))
one("GroupNormalization", lambda: L.GroupNormalization(groups=2, axis=1), (4, 2, 3))
one("GroupNormalization of the last axis", lambda: L.GroupNormalization(groups=2), (3, 4))
one("GroupNormalization of features", lambda: L.GroupNormalization(groups=3, axis=-1), (6,))
one("RMSNormalization", lambda: L.RMSNormalization(), (3, 4))
one("UnitNormalization", lambda: L.UnitNormalization(), (3, 4))
one("UnitNormalization of channels", lambda: L.UnitNormalization(axis=1), (3, 4))
one("Conv1D", lambda: L.Conv1D(3, 3, strides=2, padding="same", activation="tanh"), (2, 7))
one("Conv1D causal", lambda: L.Conv1D(3, 3, dilation_rate=2, padding="causal"), (2, 7))
one("Conv2D", lambda: L.Conv2D(3, (3, 2), padding="same", kernel_constraint=C.MaxNorm(2, [0, 1, 2])), (2, 5, 4))
one("Conv2D of a stride", lambda: L.Conv2D(4, 3, strides=2, padding="same", groups=2), (2, 6, 5))
one("Conv2D dilated", lambda: L.Conv2D(2, 2, dilation_rate=(2, 1)), (3, 5, 4))
one("Conv3D", lambda: L.Conv3D(2, 2, padding="same"), (2, 3, 3, 2))
one("Conv1DTranspose", lambda: L.Conv1DTranspose(2, 3, strides=2, padding="same"), (3, 4))
one("Conv2DTranspose", lambda: L.Conv2DTranspose(2, 3, strides=2, padding="same"), (3, 3, 4))
one("Conv2DTranspose valid", lambda: L.Conv2DTranspose(2, (2, 3), strides=(3, 1)), (2, 3, 2))
one("Conv2DTranspose with output padding", lambda: L.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=1), (2, 3, 2))
one("Conv3DTranspose", lambda: L.Conv3DTranspose(2, 2, strides=2), (2, 2, 2, 2))
one("DepthwiseConv1D", lambda: L.DepthwiseConv1D(3, depth_multiplier=2), (2, 6))
one("DepthwiseConv2D", lambda: L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", depthwise_constraint=C.MaxNorm(3, [0, 1])), (3, 4, 5))
one("DepthwiseConv2D of a stride", lambda: L.DepthwiseConv2D(3, strides=2, padding="same"), (3, 5, 5))
one("SeparableConv1D", lambda: L.SeparableConv1D(4, 3, padding="same"), (3, 5))
one("SeparableConv2D", lambda: L.SeparableConv2D(4, 2, depth_multiplier=2, pointwise_constraint=C.UnitNorm(2)), (3, 4, 4))
for name, axes in {"1D": 1, "2D": 2, "3D": 3}.items():
    shape = (2, *[5, 4, 3][:axes])
    one(f"MaxPooling{name}", lambda: getattr(L, f"MaxPooling{name}")(2, strides=1), shape)
    one(f"MaxPooling{name} same", lambda: getattr(L, f"MaxPooling{name}")(2, padding="same"), shape)
    one(f"AveragePooling{name}", lambda: getattr(L, f"AveragePooling{name}")(2, strides=1), shape)
    one(f"GlobalMaxPooling{name}", lambda: getattr(L, f"GlobalMaxPooling{name}")(), shape)
    one(f"GlobalAveragePooling{name}", lambda: getattr(L, f"GlobalAveragePooling{name}")(keepdims=axes == 2), shape)
    one(f"ZeroPadding{name}", lambda: getattr(L, f"ZeroPadding{name}")(tuple((i, 1) for i in range(axes)) if axes > 1 else (1, 2)), shape)
    one(f"Cropping{name}", lambda: getattr(L, f"Cropping{name}")(tuple((0, 1) for i in range(axes)) if axes > 1 else (1, 0)), shape)
one("Flatten", lambda: L.Flatten(), (2, 3, 2))
one("Flatten as it lies", lambda: L.Flatten(data_format="channels_last"), (2, 3, 2))
one("Reshape", lambda: L.Reshape((3, -1)), (2, 6))
one("Permute", lambda: L.Permute((2, 3, 1)), (2, 3, 4))
one("RepeatVector", lambda: L.RepeatVector(3), (4,))
for name in "Add Subtract Multiply Average Maximum Minimum".split():
    one(name, lambda: getattr(L, name)(), (2, 3), (2, 3))
one("Add of three, one repeated", lambda: L.Add(), (2, 3), (2, 1), (2, 3))
one("Concatenate", lambda: L.Concatenate(axis=1), (2, 3), (4, 3))
one("Concatenate of the last axis", lambda: L.Concatenate(), (2, 3), (2, 2))
one("Dot", lambda: L.Dot(axes=1), (4,), (4,))
one("Dot normalized", lambda: L.Dot(axes=1, normalize=True), (4,), (4,))
one("Dot of matrices", lambda: L.Dot(axes=(2, 1)), (3, 4), (4, 2))
one("Dot of a vector and a matrix", lambda: L.Dot(axes=(1, 2)), (4,), (3, 4))
case("MultiHeadAttention to itself", lambda x: L.MultiHeadAttention(2, 3)(x, x), (4, 5))
case("MultiHeadAttention causal", lambda x: L.MultiHeadAttention(2, 3, value_dim=2, output_shape=6, use_bias=False)(x, x, use_causal_mask=True), (4, 5))
case("MultiHeadAttention across", lambda x, y, z: L.MultiHeadAttention(2, 3)(x, y, key=z), (3, 5), (4, 6), (4, 6))
case("MultiHeadAttention of padding", lambda x: (lambda e: L.GlobalAveragePooling1D(data_format="channels_last")(L.MultiHeadAttention(2, 3)(e, e)))(L.Embedding(7, 4, mask_zero=True)(x)), (5,), integers=7, zeros=[(0, slice(3, None))])
case("GroupedQueryAttention", lambda x: L.GroupQueryAttention(3, 4, 2)(x, x, use_causal_mask=True), (4, 5))


one("UpSampling1D", lambda: L.UpSampling1D(3), (2, 3))
one("UpSampling2D", lambda: L.UpSampling2D((2, 3)), (2, 2, 3))
one("UpSampling2D bilinear", lambda: L.UpSampling2D(2, interpolation="bilinear"), (2, 2, 3))
one("UpSampling2D bicubic", lambda: L.UpSampling2D(2, interpolation="bicubic"), (1, 3, 4))
one("UpSampling3D", lambda: L.UpSampling3D((2, 1, 2)), (1, 2, 2, 2))
one("Normalization", lambda: L.Normalization(mean=[0.5, -1, 2], variance=[0.25, 1, 0]), (2, 3))
one("Normalization of channels, inverted", lambda: L.Normalization(axis=1, mean=[0.5, -1], variance=[0.25, 4], invert=True), (2, 3))
one("Rescaling", lambda: L.Rescaling(0.5, offset=-1), (2, 3))
one("Discretization", lambda: L.Discretization([-1.0, 0.0, 0.5]), (2, 3))
case("Masking", lambda x: L.LSTM(3)(L.Masking()(x)), (4, 2), zeros=[(0, slice(2, None)), (1, 1)])
for layer in [lambda: L.SpatialDropout1D(0.3), lambda: L.GaussianNoise(0.5), lambda: L.GaussianDropout(0.3), lambda: L.AlphaDropout(0.3)]:
    one(f"{layer().__class__.__name__} predicts", layer, (4, 3))
one("SpatialDropout2D predicts", lambda: L.SpatialDropout2D(0.3), (2, 3, 3))
one("SpatialDropout3D predicts", lambda: L.SpatialDropout3D(0.3), (2, 2, 2, 2))


def pooled(x):
    """What masked places hold is nobody's business: only their masked mean is compared."""
    return L.GlobalAveragePooling1D(data_format="channels_last")(x)


for name in ["LSTM", "GRU", "SimpleRNN"]:
    kind = getattr(L, name)
    one(name, lambda: kind(3), (4, 2))
    one(f"{name} with every step, backwards", lambda: kind(3, return_sequences=True, go_backwards=True, use_bias=False), (4, 2))
    case(f"{name} with its state", lambda x: kind(3, return_sequences=True, return_state=True)(x), (4, 2))
    case(f"{name} of masked steps", lambda x: kind(3, return_sequences=True)(L.Embedding(5, 2, mask_zero=True)(x)), (6,), integers=5, zeros=[(0, slice(4, None)), (1, [0, 2])])
    case(f"{name} of masked steps, backwards", lambda x: kind(3, go_backwards=True, return_state=True)(L.Embedding(5, 2, mask_zero=True)(x)), (6,), integers=5, zeros=[(0, slice(4, None)), (1, [0, 2])])
case("LSTM with other functions", lambda x: L.LSTM(3, activation="relu", recurrent_activation="tanh", unit_forget_bias=False)(x), (4, 2))
case("LSTM from a first state", lambda x, h, c: L.LSTM(3)(x, initial_state=[h, c]), (4, 2), (3,), (3,))
case("GRU with the reset before", lambda x: L.GRU(3, reset_after=False)(x), (4, 2))
for mode in ["concat", "sum", "mul", "ave"]:
    one(f"Bidirectional {mode}", lambda: L.Bidirectional(L.LSTM(3, return_sequences=mode != "sum"), merge_mode=mode), (4, 2))
case("Bidirectional with its states", lambda x: L.Bidirectional(L.GRU(3, return_state=True))(x), (4, 2))
case("Bidirectional of masked steps", lambda x: pooled(L.Bidirectional(L.LSTM(3, return_sequences=True))(L.Embedding(5, 2, mask_zero=True)(x))), (6,), integers=5, zeros=[(0, slice(4, None)), (1, [0, 2])])
one("TimeDistributed dense", lambda: L.TimeDistributed(L.Dense(3)), (4, 2))
one("TimeDistributed convolution", lambda: L.TimeDistributed(L.Conv2D(2, 2)), (3, 2, 3, 3))


def shared(a, b):
    tower = L.Dense(3, activation="tanh", name="tower")
    return L.Dot(axes=1, normalize=True, name="similarity")([tower(a), tower(b)])


def nested(x):
    inner = keras.Input((3,), name="inner_x")
    body = keras.Model(inner, L.BatchNormalization()(L.Dense(4, activation="relu", name="hidden")(inner)), name="body")
    body.trainable = False
    return L.Dense(2)(body(x))


def outputs(x):
    hidden = L.Dense(4, activation="relu")(x)
    return {"label": L.Dense(3, activation="softmax", name="classes")(hidden), "amount": L.Dense(1, name="quantity")(hidden)}


case("a shared layer", shared, (4,), (4,))
case("a nested, frozen model", nested, (3,))
case("two named outputs", outputs, (3,))

one("activity regularizer of Dense", lambda: L.Dense(3, activation="relu", activity_regularizer=R.L2(0.3), kernel_regularizer=R.L1(0.2)), (4,), batch=3)
one("activity regularizer of places", lambda: L.Dense(3, activity_regularizer=R.L1L2(0.1, 0.2)), (2, 4), batch=3)
one("activity regularizer of columns", lambda: L.Dense(3, activity_regularizer=R.OrthogonalRegularizer(0.3, mode="columns")), (4,), batch=3)
one("activity regularizer of Conv2D", lambda: L.Conv2D(2, 2, activity_regularizer=R.L1(0.1)), (2, 3, 3))
one("ActivityRegularization", lambda: L.ActivityRegularization(l1=0.1, l2=0.2), (3,), batch=3)
one("activity regularizer of normalised channels", lambda: L.BatchNormalization(axis=1, activity_regularizer=R.L2(0.1)), (3, 2, 2), training=True, batch=3)
case("activity regularizer of an LSTM with its state", lambda x: L.LSTM(3, return_sequences=True, return_state=True, activity_regularizer=R.L2(0.1))(x), (4, 2))
case("activity regularizer of both directions", lambda x: L.Bidirectional(L.GRU(3, activity_regularizer=R.L2(0.1)))(x), (4, 2))
case("activity regularizer after a mask", lambda x: pooled(L.Dense(2, activity_regularizer=R.L1(0.2))(L.Embedding(5, 2, mask_zero=True, activity_regularizer=R.L2(0.1))(x))), (4,), integers=5, zeros=[(0, slice(2, None))])
case("activity regularizer of MultiHeadAttention", lambda x: L.MultiHeadAttention(2, 3, activity_regularizer=R.L2(0.1))(x, x), (4, 5))
case("activity regularizer of GroupQueryAttention", lambda x: L.GroupQueryAttention(3, 4, 2, activity_regularizer=R.L2(0.1))(x, x), (4, 5))


def twice(a, b):
    tower = L.Dense(3, name="tower", activity_regularizer=R.L2(0.1))
    return L.Add()([tower(a), tower(b), tower(a)])


def penalized_inside(x):
    inner = keras.Input((3,), name="inner_x")
    body = keras.Model(inner, L.Dense(4, name="hidden", activity_regularizer=R.L2(0.1))(inner), name="body")
    return L.Dense(2)(body(x))


case("activity regularizer of a shared layer", twice, (4,), (4,))
case("activity regularizer inside a nested model", penalized_inside, (3,))

last = {"data_format": "channels_last"}
one("Conv1D causal of channels last", lambda: L.Conv1D(3, 3, dilation_rate=2, padding="causal", activation="tanh", **last), (7, 2))
one("Conv2D of channels last", lambda: L.Conv2D(4, (3, 2), strides=2, padding="same", groups=2, kernel_constraint=C.MaxNorm(2, [0, 1, 2]), **last), (6, 5, 2))
one("Conv2D of channels last with a softmax", lambda: L.Conv2D(4, 2, activation="softmax", **last), (4, 3, 2))
one("SeparableConv2D of channels last with a softmax", lambda: L.SeparableConv2D(4, 2, activation="softmax", **last), (4, 3, 2))
one("Conv3D of channels last", lambda: L.Conv3D(2, 2, **last), (3, 3, 2, 2))
one("Conv1DTranspose of channels last", lambda: L.Conv1DTranspose(2, 3, strides=2, padding="same", **last), (4, 3))
one("Conv2DTranspose of channels last", lambda: L.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=1, **last), (3, 2, 2))
one("Conv3DTranspose of channels last", lambda: L.Conv3DTranspose(2, 2, strides=2, **last), (2, 2, 2, 3))
one("DepthwiseConv1D of channels last", lambda: L.DepthwiseConv1D(3, depth_multiplier=2, **last), (6, 2))
one("DepthwiseConv2D of channels last", lambda: L.DepthwiseConv2D(3, depth_multiplier=2, strides=2, padding="same", **last), (4, 5, 3))
one("SeparableConv1D of channels last", lambda: L.SeparableConv1D(4, 3, padding="same", **last), (5, 3))
one("SeparableConv2D of channels last", lambda: L.SeparableConv2D(4, 2, depth_multiplier=2, **last), (4, 4, 3))
for name, axes in {"1D": 1, "2D": 2, "3D": 3}.items():
    one(f"MaxPooling{name} of channels last", lambda: getattr(L, f"MaxPooling{name}")(2, padding="same", **last), (*[5, 4, 3][:axes], 2))
    one(f"AveragePooling{name} of channels last", lambda: getattr(L, f"AveragePooling{name}")(2, strides=1, **last), (*[5, 4, 3][:axes], 2))


def channels_last(x):
    hidden = L.Conv2D(3, 3, padding="same", use_bias=False, **last)(x)
    hidden = L.MaxPooling2D(2, **last)(L.ReLU()(L.BatchNormalization(axis=-1)(hidden)))
    return L.Dense(2)(L.Flatten(data_format="channels_last")(L.DepthwiseConv2D(2, **last)(hidden)))


case("a network of channels last in training", channels_last, (6, 4, 2), training=True, batch=3)

one("Softmax over several axes", lambda: L.Softmax(axis=[1, 3]), (3, 2, 4))
one("LayerNormalization of axes apart", lambda: L.LayerNormalization(axis=[1, 3]), (3, 2, 4))
one("Dot of more dimensions", lambda: L.Dot(axes=(2, 1)), (2, 3, 2), (3, 2, 2))
one("Dot of a vector and more dimensions, normalized", lambda: L.Dot(axes=(1, 3), normalize=True), (3,), (2, 2, 3))
one("Bidirectional without a merge", lambda: L.Bidirectional(L.LSTM(2, return_sequences=True), merge_mode=None), (4, 2))


def masked_merge(layer, masked=(True, True)):
    def build(a, b):
        embedded = [L.Embedding(5, 3, mask_zero=zero)(x) for zero, x in zip(masked, (a, b))]
        return pooled(L.LSTM(2, return_sequences=True)(layer(embedded)))

    return build


padded = {"integers": 5, "batch": 3, "zeros": [(0, slice(2, None)), (1, 0)]}
for name in ["Add", "Multiply", "Maximum", "Minimum"]:
    case(f"{name} of masked steps", masked_merge(lambda x: getattr(L, name)()(x)), (4,), (4,), **padded)
case("Maximum of masked steps and others", masked_merge(lambda x: L.Maximum()(x), (True, False)), (4,), (4,), **padded)
case("Concatenate of masked features", masked_merge(lambda x: L.Concatenate(name="joined")(x)), (4,), (4,), **padded)
case("Concatenate of masked steps", masked_merge(lambda x: L.Concatenate(axis=1, name="joined")(x)), (4,), (4,), **padded)
case("Concatenate of masked steps and others", masked_merge(lambda x: L.Concatenate(axis=1, name="joined")(x), (False, True)), (4,), (4,), **padded)
case("GroupNormalization passes a mask", lambda x: pooled(L.GroupNormalization(2)(L.Embedding(5, 4, mask_zero=True)(x))), (4,), **padded)
case("a mask ends at RMSNormalization", lambda x: pooled(L.RMSNormalization()(L.Embedding(5, 4, mask_zero=True)(x))), (4,), **padded)

if "--check" in sys.argv:
    written = json.loads(pathlib.Path(sys.argv[-1]).read_text())
    golden = {item["name"]: item for item in json.loads((here / "layers.json").read_text())}
    for name, configuration in written.items():
        keras.backend.clear_session()
        model = keras.models.model_from_json(json.dumps(configuration))
        for layer, weights in golden[name]["weights"].items():
            model.get_layer(layer).set_weights([unpack(weight) for weight in weights])
        feeds = [torch.tensor(unpack(feed)) for feed in golden[name]["inputs"].values()]
        feeds = [feed.double() if feed.is_floating_point() else feed for feed in feeds]
        found = model(feeds[0] if len(feeds) == 1 else feeds, training=golden[name].get("training", False))
        for output, expected in zip(tensors(found), golden[name]["outputs"], strict=True):
            np.testing.assert_allclose(output.detach().numpy(), unpack(expected), rtol=1e-5, atol=1e-6, err_msg=name)
    print(f"Keras {keras.__version__} builds all {len(written)} configurations and computes the same")
else:
    (here / "layers.json").write_text("[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in cases) + "\n]\n")
    print(f"{len(cases)} cases")
