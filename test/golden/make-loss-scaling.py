"""Writes loss-scaling.json: what PyTorch's GradScaler does step by step to weights and scale, with steps whose scaled gradient is not finite.

Run: python -m venv venv && venv/bin/pip install torch && venv/bin/python test/golden/make-loss-scaling.py
"""

import json
import pathlib

import torch

torch.manual_seed(3)
options = {"initialScale": 1024.0, "growthFactor": 2.0, "backoffFactor": 0.5, "growthInterval": 3}
steps = 16
first = [0.3, -0.2, 0.1]
x = torch.randn(steps, 2, 3)
y = torch.randn(steps, 2)
for step in (0, 5, 6, 11):
    x[step] *= 8e18  # the loss is about 1e37, and hundreds of times the gradient are infinite
makers = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.05, eps=1e-12),
}


def run(optimizer_name, clip, accumulate):
    weights = torch.nn.Parameter(torch.tensor(first))
    optimizer = makers[optimizer_name]([weights])
    scaler = torch.amp.GradScaler(
        "cpu",
        init_scale=options["initialScale"],
        growth_factor=options["growthFactor"],
        backoff_factor=options["backoffFactor"],
        growth_interval=options["growthInterval"],
    )
    trace = []
    for step in range(steps):
        loss = ((x[step] * weights).sum(1) - y[step]).square().mean() / accumulate
        scaler.scale(loss).backward()
        if (step + 1) % accumulate == 0:
            scaler.unscale_(optimizer)
            if clip is not None:
                torch.nn.utils.clip_grad_norm_([weights], clip)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            trace.append({"weights": weights.tolist(), "scale": scaler.get_scale(), "goodSteps": scaler._get_growth_tracker()})
    return {"optimizer": optimizer_name, "clip": clip, "accumulate": accumulate, "trace": trace}


runs = [run(name, clip, accumulate) for name in makers for clip in (None, 0.5) for accumulate in (1, 2)]
golden = {"source": f"PyTorch {torch.__version__.split('+')[0]}", "options": options, "first": first, "x": x.tolist(), "y": y.tolist(), "runs": runs}
target = pathlib.Path(__file__).with_name("loss-scaling.json")
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(f"{target}: {len(runs)} runs of {steps} batches")
