"""Writes float16.json: numpy's roundings to float16 and its arithmetic on float16, as bits.

Run: python -m venv venv && venv/bin/pip install numpy && venv/bin/python test/golden/make-float16.py
"""

import json
import pathlib
import warnings

import numpy as np

warnings.simplefilter("ignore")  # overflow and division by zero are among the cases
random = np.random.default_rng(16)
edges = [
    0.0, -0.0, 1.0, 1 / 3, 2048.0, 2049.0, 2050.0, 2051.0, 65504.0, 65519.999, 65520.0, 1e5, -1e5,
    2.0**-14, 2.0**-14 * (1 - 2.0**-11), 2.0**-24, 2.0**-25, 2.0**-25 * (1 + 2.0**-20), 3 * 2.0**-25, 2.0**-26, 1e-7, -6e-8,
    1 + 2.0**-11, 1 + 3 * 2.0**-11, 1 + 2.0**-11 + 2.0**-40,
]  # fmt: skip
values = np.array(edges + list(random.normal(size=40) * 10.0 ** random.integers(-8, 6, size=40)))


def bits(x):
    return np.asarray(x, np.float16).view(np.uint16).tolist()


special = np.array([0.0, -0.0, 1.0, -1.5, 6e-8, 60000.0, -60000.0, np.inf, -np.inf, 0.1], np.float16)
drawn = (random.normal(size=40) * 10.0 ** random.integers(-4, 4, size=40)).astype(np.float16)
a = np.concatenate([np.repeat(special, len(special)), drawn])
b = np.concatenate([np.tile(special, len(special)), random.permutation(drawn)])
arithmetic = {"Add": a + b, "Sub": a - b, "Mul": a * b, "Div": a / b}
functions = {"Sqrt": np.sqrt(np.abs(a)), "Neg": -np.abs(a), "Reciprocal": np.float16(1) / np.abs(a)}
target = pathlib.Path(__file__).with_name("float16.json")
golden = {
    "source": f"NumPy {np.__version__}",
    "casts": {"values": values.tolist(), "bits": bits(values)},
    "a": bits(a),
    "b": bits(b),
    "binary": {name: bits(result) for name, result in arithmetic.items()},
    "unary": {name: bits(result) for name, result in functions.items()},
}
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(f"{target}: {len(values)} casts, {len(a)} pairs")
