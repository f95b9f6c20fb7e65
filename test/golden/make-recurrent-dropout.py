"""Writes recurrent-dropout.json: recurrent layers of Keras 3 in training with given masks, in float64: outputs and gradients of their input.

Run:

    python -m venv venv && venv/bin/pip install torch keras && KERAS_BACKEND=torch venv/bin/python test/golden/make-recurrent-dropout.py

Masks are what is kept, one [batch, size] for each gate in Keras's order. Gradients are of sum(output * cotangent).
"""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from keras import layers as L

keras.config.set_floatx("float64")
random = np.random.default_rng(7)
batch, steps, features, units = 2, 4, 3, 5
cases = []


def pack(value):
    value = np.asarray(value)
    return {"dtype": str(value.dtype), "shape": list(value.shape), "data": [float(f"{x:.9g}") for x in value.ravel()]}


def case(name, layer, gates, masked=False):
    keras.utils.set_random_seed(5)
    inputs = keras.Input((steps, features), name="x")
    model = keras.Model(inputs, layer(L.Masking(name="masking")(inputs) if masked else inputs), name="model")
    for variable in model.variables:
        if "seed" not in variable.path:
            variable.assign(np.round(random.normal(size=variable.shape), 3))
    drawn = {}

    def given(which, rate, size):
        if rate == 0:
            return None
        drawn[which] = [random.integers(0, 2, (batch, size)).astype("float64") for _ in range(gates)]
        masks = [torch.tensor(mask / (1 - rate)) for mask in drawn[which]]
        return masks if gates > 1 else masks[0]

    masks = given("input", layer.dropout, features), given("state", layer.recurrent_dropout, units)
    layer.cell.get_dropout_mask = lambda _: masks[0]
    layer.cell.get_recurrent_dropout_mask = lambda _: masks[1]
    x = np.round(random.normal(size=(batch, steps, features)), 3)
    if masked:
        x[0, 1:3] = 0
    fed = torch.tensor(x, requires_grad=True)
    output = model(fed, training=True)
    cotangent = np.round(random.normal(size=tuple(output.shape)), 3)
    (output * torch.tensor(cotangent)).sum().backward()
    cases.append({
        "name": name,
        "model": json.loads(model.to_json()),
        "weights": {layer.name: [pack(value) for value in layer.get_weights()]},
        "masks": {which: [pack(mask) for mask in found] for which, found in drawn.items()},
        "x": pack(x),
        "cotangent": pack(cotangent),
        "output": pack(output.detach().numpy()),
        "predicted": pack(model(torch.tensor(x), training=False).detach().numpy()),
        "gradient": pack(fed.grad.numpy()),
    })


case("LSTM", L.LSTM(units, recurrent_dropout=0.4, return_sequences=True), 4)
case("LSTM of dropped features too, backwards", L.LSTM(units, dropout=0.2, recurrent_dropout=0.5, go_backwards=True), 4)
case("LSTM of masked steps", L.LSTM(units, dropout=0.3, recurrent_dropout=0.5), 4, masked=True)
case("GRU", L.GRU(units, recurrent_dropout=0.4, return_sequences=True), 3)
case("GRU with the reset before", L.GRU(units, dropout=0.25, recurrent_dropout=0.5, reset_after=False), 3)
case("SimpleRNN", L.SimpleRNN(units, dropout=0.2, recurrent_dropout=0.4, return_sequences=True, use_bias=False), 1)

target = pathlib.Path(__file__).parent / "recurrent-dropout.json"
target.write_text("[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in cases) + "\n]\n")
print(f"{len(cases)} cases")
