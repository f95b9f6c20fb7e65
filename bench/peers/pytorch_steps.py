"""Trains a subject with PyTorch on the CPU: pytorch_steps.py <folder> <threads> <contiguous|channels_last>.

The folder holds tensors.json (network, learning rate and, for x, labels and each parameter in the network's order, its dtype and shape) and tensors.bin with their
values one after the other. Answers the requests that trainer.ts describes.
"""

import json
import resource
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from networks import networks
from subject_files import load, set_parameters


def main() -> None:
    folder, threads, layout = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(threads)
    index, (x, labels, *values) = load(folder)
    network = networks[index["network"]]()
    set_parameters(network, values)
    network.train()
    if layout == "channels_last":
        network = network.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    labels = labels.long()
    x = x.long() if x.dtype == torch.int32 else x
    # The fused optimizer is the fastest that it has.
    optimizer = torch.optim.Adam(network.parameters(), lr=index["learningRate"], eps=index["epsilon"], fused=True)

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(network(x), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def answer(value: dict) -> None:
        print(json.dumps(value), flush=True)

    answer({"description": f"PyTorch {torch.__version__}, {threads} thread{'s' if threads > 1 else ''}, {layout}, fused Adam"})
    for line in sys.stdin:
        request = json.loads(line)
        if "steps" in request:
            cpu, start = time.process_time(), time.perf_counter()
            losses = [step() for _ in range(request["steps"])]
            answer({"losses": losses, "wallMs": (time.perf_counter() - start) * 1e3, "cpuMs": (time.process_time() - cpu) * 1e3})
        else:
            answer({"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})


main()
