"""Writes schedules.json: learning rates of Keras's and PyTorch's schedules, step by step.

Run: python -m venv venv && venv/bin/pip install torch keras && KERAS_BACKEND=torch venv/bin/python test/golden/make-schedules.py
"""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
import keras
import torch

keras.config.set_floatx("float64")
schedules = keras.optimizers.schedules
scheduler = torch.optim.lr_scheduler
cases = []
steps = 40


def case(name, options, rates):
    cases.append({"name": name, "options": options, "rates": [float(f"{float(rate):.10g}") for rate in rates]})


def of_keras(name, options, schedule):
    case(name, options, [schedule(step) for step in range(steps)])


def of_torch(name, options, make):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    case(name, options, rates)


of_torch("stepSchedule", {"stepSize": 7, "gamma": 0.5}, lambda o: scheduler.StepLR(o, 7, 0.5))
of_keras("piecewiseSchedule", {"boundaries": [5, 20], "factors": [1, 0.5, 0.1]}, lambda step: schedules.PiecewiseConstantDecay([4, 19], [1.0, 0.5, 0.1])(step))
of_keras("exponentialSchedule", {"decaySteps": 6, "decayRate": 0.7}, schedules.ExponentialDecay(1.0, 6, 0.7))
of_keras("exponentialSchedule", {"decaySteps": 6, "decayRate": 0.7, "staircase": True}, schedules.ExponentialDecay(1.0, 6, 0.7, staircase=True))
of_keras("polynomialSchedule", {"decaySteps": 30, "floor": 0.2, "power": 2}, schedules.PolynomialDecay(1.0, 30, 0.2, 2.0))
of_keras("cosineRestartsSchedule", {"firstDecaySteps": 5}, schedules.CosineDecayRestarts(1.0, 5))
of_keras(
    "cosineRestartsSchedule",
    {"firstDecaySteps": 6, "tMul": 1.5, "mMul": 0.8, "alpha": 0.1},
    schedules.CosineDecayRestarts(1.0, 6, t_mul=1.5, m_mul=0.8, alpha=0.1),
)
of_keras("cosineRestartsSchedule", {"firstDecaySteps": 8, "tMul": 1}, schedules.CosineDecayRestarts(1.0, 8, t_mul=1.0))
of_torch("oneCycleSchedule", {"totalSteps": steps + 1}, lambda o: scheduler.OneCycleLR(o, 1.0, total_steps=steps + 1))
of_torch(
    "oneCycleSchedule",
    {"totalSteps": steps + 1, "pctStart": 0.2, "divFactor": 10, "finalDivFactor": 100, "annealStrategy": "linear"},
    lambda o: scheduler.OneCycleLR(o, 1.0, total_steps=steps + 1, pct_start=0.2, div_factor=10, final_div_factor=100, anneal_strategy="linear"),
)
target = pathlib.Path(__file__).with_name("schedules.json")
source = f"PyTorch {torch.__version__.split('+')[0]} and Keras {keras.__version__}"
target.write_text(json.dumps({"source": source, "cases": cases}, separators=(",", ":")) + "\n")
print(f"{target}: {len(cases)} cases")
