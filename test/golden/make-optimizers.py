"""Writes optimizers.json: paths of parameters under the optimizers of PyTorch and Keras, in float64 on the CPU.

Run (the output changes only with the cases below; every input is rounded to three decimals and stored):

    python -m venv venv && venv/bin/pip install torch keras && KERAS_BACKEND=torch venv/bin/python test/golden/make-optimizers.py

Each case names an optimizer of this project with its options beside the call that must mean the same. Gradients are given, and differ from step to
step; so does the learning rate.
"""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
import keras
import torch

torch.set_default_dtype(torch.float64)
keras.config.set_floatx("float64")
generator = torch.Generator().manual_seed(7)

names = ["body/kernel", "body/bias", "head/kernel"]
shapes = [(4, 3), (3,), (2, 5)]
rates = [0.1, 0.1, 0.05, 0.02, 0.08, 0.1, 0.03, 0.06, 0.09, 0.01, 0.07, 0.04]


def draw(shape):
    return torch.round(torch.randn(shape, generator=generator) * 1000) / 1000


start = [draw(shape) for shape in shapes]
gradients = [[draw(shape) for shape in shapes] for _ in rates]
gradients[2][0][1] = 0  # a row without a gradient
cases = []


def flat(tensors):
    return [float(f"{x:.13g}") for tensor in tensors for x in torch.as_tensor(tensor).detach().flatten().tolist()]


def case(optimizer, options, path, about="", rate=1, tolerance=1e-10):
    title = ", ".join(f"{key} {value}" for key, value in options.items() if key != "groups")
    name = " ".join(filter(None, [optimizer, about or title]))
    cases.append({"name": name, "optimizer": optimizer, "options": options, "rate": rate, "tolerance": tolerance, "path": path})


def torch_path(make, groups=None, rate=1):
    """`make` gets parameter groups; `groups` has for each parameter (factor of the rate, options of its group)."""
    parameters = [value.clone().requires_grad_() for value in start]
    groups = groups or [(1, {}) for _ in parameters]
    optimizer = make([{"params": [p], **options} for p, (_, options) in zip(parameters, groups)])
    path = []
    for step, step_rate in enumerate(rates):
        for group, (factor, _) in zip(optimizer.param_groups, groups):
            group["lr"] = step_rate * rate * factor
        for parameter, gradient in zip(parameters, gradients[step]):
            parameter.grad = gradient.clone()
        optimizer.step()
        path.append(flat(parameters))
    return path


def keras_path(optimizer, rate=1, read=None):
    variables = [keras.Variable(value.numpy(), name=name.replace("/", "_"), dtype="float64") for name, value in zip(names, start)]
    optimizer.build(variables)
    path = []
    for step, step_rate in enumerate(rates):
        optimizer.learning_rate = step_rate * rate
        optimizer.apply([torch.as_tensor(g) for g in gradients[step]], variables)
        path.append(flat(read(optimizer) if read else [v.value for v in variables]))
    return path


def from_torch():
    optim = torch.optim
    case("sgd", {}, torch_path(lambda p: optim.SGD(p, lr=1)), "plain")
    case("sgd", {"momentum": 0.9, "weightDecay": 0.1}, torch_path(lambda p: optim.SGD(p, lr=1, momentum=0.9, weight_decay=0.1)))
    case("sgd", {"momentum": 0.8, "nesterov": True}, torch_path(lambda p: optim.SGD(p, lr=1, momentum=0.8, nesterov=True)))
    # PyTorch adds epsilon after the correction of the bias, Keras and ONNX before it: with one this small they agree.
    case(
        "adam",
        {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-14, "weightDecay": 0.1},
        torch_path(lambda p: optim.Adam(p, lr=1, betas=(0.8, 0.95), eps=1e-14, weight_decay=0.1)),
    )
    case("adam", {"amsgrad": True, "epsilon": 1e-14}, torch_path(lambda p: optim.Adam(p, lr=1, eps=1e-14, amsgrad=True)))
    case("adamW", {"weightDecay": 0.2, "epsilon": 1e-14}, torch_path(lambda p: optim.AdamW(p, lr=1, eps=1e-14, weight_decay=0.2)))
    case(
        "adamW",
        {"weightDecay": 0.2, "epsilon": 1e-14, "amsgrad": True},
        torch_path(lambda p: optim.AdamW(p, lr=1, eps=1e-14, weight_decay=0.2, amsgrad=True)),
    )
    case("adamax", {"epsilon": 0, "weightDecay": 0.1, "beta2": 0.9}, torch_path(lambda p: optim.Adamax(p, lr=1, eps=0, weight_decay=0.1, betas=(0.9, 0.9))))
    case("nadam", {"epsilon": 1e-3, "weightDecay": 0.1}, torch_path(lambda p: optim.NAdam(p, lr=1, eps=1e-3, weight_decay=0.1)))
    case("adagrad", {"weightDecay": 0.1}, torch_path(lambda p: optim.Adagrad(p, lr=1, weight_decay=0.1)))
    case(
        "adagrad",
        {"initialAccumulatorValue": 0.1, "epsilon": 1e-3, "weightDecay": 0.1},
        torch_path(lambda p: optim.Adagrad(p, lr=1, initial_accumulator_value=0.1, eps=1e-3, weight_decay=0.1)),
    )
    case("rmsProp", {"rho": 0.95, "epsilon": 1e-3}, torch_path(lambda p: optim.RMSprop(p, lr=1, alpha=0.95, eps=1e-3)))
    case(
        "rmsProp",
        {"momentum": 0.7, "centered": True, "weightDecay": 0.1, "epsilon": 1e-2},
        torch_path(lambda p: optim.RMSprop(p, lr=1, alpha=0.9, eps=1e-2, momentum=0.7, centered=True, weight_decay=0.1)),
    )
    case("rmsProp", {"centered": True, "epsilon": 1e-2}, torch_path(lambda p: optim.RMSprop(p, lr=1, alpha=0.9, eps=1e-2, centered=True)))
    case("adadelta", {"weightDecay": 0.1}, torch_path(lambda p: optim.Adadelta(p, lr=1, rho=0.95, eps=1e-6, weight_decay=0.1)), rate=1)
    case(
        "adafactor",
        {"weightDecay": 0.1, "clipThreshold": 1.1},
        torch_path(lambda p: optim.Adafactor(p, lr=1, eps=(1e-15, 1e-3), d=1.1, weight_decay=0.1)),
    )
    # Groups: the first that matches counts.
    case(
        "adamW",
        {
            "epsilon": 1e-14,
            "weightDecay": 0.1,
            "groups": [{"match": "*/bias", "weightDecay": 0}, {"match": "body/*", "learningRateFactor": 0.1}],
        },
        torch_path(
            lambda p: optim.AdamW(p, lr=1, eps=1e-14, weight_decay=0.1),
            groups=[(0.1, {}), (1, {"weight_decay": 0}), (1, {})],
        ),
        "with groups",
    )
    case(
        "sgd",
        {"momentum": 0.9, "groups": [{"match": "body/*", "frozen": True}, {"match": "head/*", "learningRateFactor": 3}]},
        torch_path(lambda p: optim.SGD(p, lr=1, momentum=0.9), groups=[(0, {}), (0, {}), (3, {})]),
        "with a frozen group",
    )


def from_keras():
    optimizers = keras.optimizers
    case("adam", {"epsilon": 0.01}, keras_path(optimizers.Adam(epsilon=0.01)))
    case("adam", {"epsilon": 0.01, "amsgrad": True, "beta1": 0.8, "beta2": 0.9}, keras_path(optimizers.Adam(epsilon=0.01, amsgrad=True, beta_1=0.8, beta_2=0.9)))
    case("adagrad", {"initialAccumulatorValue": 0.1, "epsilon": 0}, keras_path(optimizers.Adagrad(epsilon=0)))
    case("adadelta", {"rho": 0.9, "epsilon": 0.001}, keras_path(optimizers.Adadelta(rho=0.9, epsilon=0.001)))
    case(
        "adafactor",
        {"beta2Decay": -0.6, "epsilon1": 1e-12, "epsilon2": 0.01, "clipThreshold": 0.8},
        keras_path(optimizers.Adafactor(beta_2_decay=-0.6, epsilon_1=1e-12, epsilon_2=0.01, clip_threshold=0.8)),
        tolerance=1e-7,  # Keras computes its rate in float32
    )
    excluding = optimizers.AdamW(epsilon=0.01, weight_decay=0.3)
    excluding.exclude_from_weight_decay(var_names=["bias"])
    case("adamW", {"epsilon": 0.01, "weightDecay": 0.3, "groups": [{"match": "*/bias", "weightDecay": 0}]}, keras_path(excluding), "without decay of biases")
    case("adamax", {"epsilon": 0.01, "beta1": 0.8, "beta2": 0.9}, keras_path(optimizers.Adamax(epsilon=0.01, beta_1=0.8, beta_2=0.9)))
    case("lamb", {"epsilon": 0.01, "beta1": 0.8, "beta2": 0.9}, keras_path(optimizers.Lamb(epsilon=0.01, beta_1=0.8, beta_2=0.9)))
    case("adamW", {"epsilon": 0.01, "weightDecay": 0.3}, keras_path(optimizers.AdamW(epsilon=0.01, weight_decay=0.3)))
    case("adamax", {"epsilon": 0.01}, keras_path(optimizers.Adamax(epsilon=0.01)))
    case("nadam", {"momentumDecay": 1}, keras_path(optimizers.Nadam()))
    case("lion", {}, keras_path(optimizers.Lion(), rate=0.1), "defaults", rate=0.1)
    case("lion", {"beta1": 0.8, "beta2": 0.95, "weightDecay": 0.5}, keras_path(optimizers.Lion(beta_1=0.8, beta_2=0.95, weight_decay=0.5)))
    case("lamb", {"epsilon": 0.01}, keras_path(optimizers.Lamb(epsilon=0.01)))
    # Muon's root of the size and the norm of clipnorm are taken in float32 by Keras.
    case("muon", {"exclude": ["head/*"]}, keras_path(optimizers.Muon(exclude_layers=["head"])), tolerance=1e-7)
    case(
        "muon",
        {"momentum": 0.8, "nesterov": False, "nsSteps": 3, "rmsRate": 0.4, "weightDecay": 0.1},
        keras_path(optimizers.Muon(momentum=0.8, nesterov=False, ns_steps=3, rms_rate=0.4, weight_decay=0.1, adam_weight_decay=0.1)),
        tolerance=1e-7,
    )
    case("ftrl", {}, keras_path(optimizers.Ftrl()), "defaults")
    case(
        "ftrl",
        {"l1RegularizationStrength": 0.5, "l2RegularizationStrength": 0.2, "l2ShrinkageRegularizationStrength": 0.1, "beta": 0.3},
        keras_path(
            optimizers.Ftrl(l1_regularization_strength=0.5, l2_regularization_strength=0.2, l2_shrinkage_regularization_strength=0.1, beta=0.3)
        ),
    )
    case("sgd", {"clipNorm": 1.5}, keras_path(optimizers.SGD(clipnorm=1.5)), tolerance=1e-7)
    case("sgd", {"clipValue": 0.4}, keras_path(optimizers.SGD(clipvalue=0.4)))
    averages = lambda optimizer: [v.value for v in optimizer._model_variables_moving_average]
    case("adam", {"ema": 0.7}, keras_path(optimizers.Adam(use_ema=True, ema_momentum=0.7), read=averages), "average of the weights")


def from_the_paper():
    """LAMB with its decay inside the trust ratio, which Keras has outside: algorithm 2 of the paper with phi the identity."""
    beta1, beta2, epsilon, decay = 0.9, 0.999, 1e-6, 0.3
    values = [value.clone() for value in start]
    means = [torch.zeros_like(value) for value in start]
    squares = [torch.zeros_like(value) for value in start]
    path = []
    for step, rate in enumerate(rates):
        for i, g in enumerate(gradients[step]):
            means[i] = beta1 * means[i] + (1 - beta1) * g
            squares[i] = beta2 * squares[i] + (1 - beta2) * g * g
            ratio = means[i] / (1 - beta1 ** (step + 1)) / ((squares[i] / (1 - beta2 ** (step + 1))).sqrt() + epsilon)
            direction = ratio + decay * values[i]
            values[i] = values[i] - rate * values[i].norm() / direction.norm() * direction
        path.append(flat(values))
    case("lamb", {"weightDecay": decay, "epsilon": epsilon}, path)


from_torch()
from_keras()
from_the_paper()
document = {
    "source": f"PyTorch {torch.__version__.split('+')[0]} and Keras {keras.__version__}, float64, CPU",
    "names": names,
    "shapes": [list(shape) for shape in shapes],
    "start": flat(start),
    "rates": rates,
    "gradients": [flat(step) for step in gradients],
    "cases": cases,
}
target = pathlib.Path(__file__).with_name("optimizers.json")
target.write_text(json.dumps(document, separators=(",", ":")) + "\n")
print(f"{target}: {len(cases)} cases")
