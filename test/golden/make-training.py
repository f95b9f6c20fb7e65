"""Writes training.json: whole training runs of small Keras models (PyTorch backend, float64): every step's loss, the weights after it all, and `evaluate`.

Run:

    python -m venv venv && venv/bin/pip install torch keras && KERAS_BACKEND=torch venv/bin/python test/golden/make-training.py

The models have what meets in a training step only: penalties of weights and of outputs, constraints, running statistics, frozen layers, clipping,
masks. Configurations are those that `to_json()` writes; each case names an optimizer and a loss of this project beside those of Keras.
"""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
from keras import layers as L

keras.config.set_floatx("float64")
random = np.random.default_rng(23)
R, C, O = keras.regularizers, keras.constraints, keras.optimizers
last = {"data_format": "channels_last"}
steps, batch = 12, 4
cases = []


def pack(value):
    value = np.asarray(value)
    data = [float(f"{x:.10g}") for x in value.ravel()] if value.dtype.kind == "f" else [int(x) for x in value.ravel()]
    return {"dtype": str(value.dtype), "shape": list(value.shape), "data": data}


def weights_of(model):
    return {layer.name: [pack(value) for value in layer.get_weights()] for layer in model.layers if layer.get_weights()}


def case(name, build, shape, labels, loss, optimizer, ours, integers=0):
    keras.backend.clear_session()
    keras.utils.set_random_seed(5)
    x = keras.Input(shape, name="x", dtype="int32" if integers else None)
    model = keras.Model(x, build(x), name="model")
    for layer in model.layers:
        layer.set_weights([np.round(random.normal(size=w.shape) * 0.5, 3) ** (2 if "variance" in v.path else 1) for v, w in zip(layer.weights, layer.get_weights())])
    draw = lambda: random.integers(0, integers, (batch, *shape)).astype("int32") if integers else np.round(random.normal(size=(batch, *shape)), 3)
    feeds = [(draw(), labels()) for _ in range(steps)]
    model.compile(optimizer=optimizer, loss=loss)
    before = weights_of(model)
    configuration = json.loads(model.to_json())
    losses = [float(model.train_on_batch(*feed)) for feed in feeds]
    rows = [np.concatenate([feed[i] for feed in feeds])[:10] for i in (0, 1)]  # batches of 4, 4 and 2
    cases.append({
        "name": name,
        "model": configuration,
        **ours,
        "before": before,
        "batches": [{"x": pack(a), "labels": pack(b)} for a, b in feeds],
        "losses": losses,
        "after": weights_of(model),
        "rows": {"x": pack(rows[0]), "labels": pack(rows[1])},
        "evaluation": float(model.evaluate(*rows, batch_size=batch, verbose=0)),
    })


def numbers():
    return np.round(random.normal(size=(batch, 1)), 3)


def bits():
    return random.integers(0, 2, (batch, 1)).astype("float64")


def one_hot():
    return np.eye(3)[random.integers(0, 3, batch)]


def penalised(x):
    hidden = L.Dense(4, activation="relu", kernel_regularizer=R.L2(0.03), activity_regularizer=R.L1(0.02), kernel_constraint=C.MaxNorm(0.9, 0))(x)
    return L.Dense(1, bias_constraint=C.NonNeg(), kernel_regularizer=R.OrthogonalRegularizer(0.1), bias_regularizer=R.L1(0.1))(L.BatchNormalization(momentum=0.8)(hidden))


def image(x):
    hidden = L.Conv2D(4, 3, strides=2, padding="same", activation="silu", kernel_regularizer=R.L1L2(0.01, 0.02), kernel_constraint=C.UnitNorm([0, 1, 2]), **last)(x)
    hidden = L.DepthwiseConv2D(2, depthwise_constraint=C.MinMaxNorm(0.3, 0.8, 0.5, [0, 1]), activity_regularizer=R.L2(0.05), **last)(L.BatchNormalization()(hidden))
    return L.Dense(3)(L.GlobalAveragePooling2D(**last)(hidden))


def text(x):
    hidden = L.Embedding(6, 3, mask_zero=True, embeddings_constraint=C.UnitNorm(1))(x)
    hidden = L.LSTM(3, recurrent_regularizer=R.L2(0.05), kernel_constraint=C.MaxNorm(0.7, 0), return_sequences=True)(hidden)
    return L.Dense(1)(L.Bidirectional(L.GRU(2, bias_regularizer=R.L2(0.1)))(hidden))


def frozen(x):
    inner = keras.Input((5,), name="inner_x")
    body = keras.Model(inner, L.BatchNormalization()(L.Dense(4, kernel_regularizer=R.L2(0.1))(inner)), name="body")
    body.trainable = False
    hidden = L.LayerNormalization(gamma_regularizer=R.L1(0.05))(body(x))
    return L.Dense(1)(L.Dense(3, activation="tanh", trainable=False, kernel_regularizer=R.L2(0.4), activity_regularizer=R.L2(0.1))(hidden))


case("penalties, constraints and running statistics", penalised, (5,), numbers, "mse", O.SGD(0.05, momentum=0.9, nesterov=True),
     {"loss": "meanSquaredError", "optimizer": "sgd", "options": {"learningRate": 0.05, "momentum": 0.9, "nesterov": True}})
case("an image, clipped by each gradient's norm", image, (6, 5, 2), one_hot, keras.losses.CategoricalCrossentropy(from_logits=True), O.Adam(0.03, epsilon=1e-3, clipnorm=0.2),
     {"loss": "categoricalCrossentropy", "optimizer": "adam", "options": {"learningRate": 0.03, "epsilon": 1e-3, "clipNorm": 0.2}})
case("masked text in both directions, clipped by all gradients' norm", text, (6,), bits, keras.losses.BinaryCrossentropy(from_logits=True), O.Adamax(0.05, epsilon=1e-3, global_clipnorm=0.5),
     {"loss": "binaryCrossentropy", "optimizer": "adamax", "options": {"learningRate": 0.05, "epsilon": 1e-3}, "globalClipNorm": 0.5}, integers=6)
case("frozen layers and a frozen body", frozen, (5,), numbers, "mae", O.AdamW(0.02, epsilon=1e-3, weight_decay=0.1, clipvalue=0.3),
     {"loss": "meanAbsoluteError", "optimizer": "adamW", "options": {"learningRate": 0.02, "epsilon": 1e-3, "weightDecay": 0.1, "clipValue": 0.3}})
target = pathlib.Path(__file__).with_name("training.json")
target.write_text("[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in cases) + "\n]\n")
print(f"{target}: {len(cases)} cases, Keras {keras.__version__}")
