"""Trains a network with PyTorch on the CPU, epoch by epoch: pytorch_accuracy.py <folder> <threads>.

The folder holds tensors.json (network with its arguments and memory layout, optimizer, that of the first steps, augmentation if any, batch, epochs, seed and, for the training images and labels, the
test images and labels and each parameter in the network's order, its dtype and shape) and tensors.bin with their values. Prints JSON lines: the losses of the first steps on the
first rows in their order, without augmentation, from the given weights; then, for each epoch, the mean training loss and the accuracy on the test images.
"""

import copy
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from networks import networks
from subject_files import load, set_parameters

CHECKED_STEPS = 3


def main() -> None:
    folder, threads = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    index, (images, labels, test_images, test_labels, *values) = load(folder)
    torch.manual_seed(index["seed"])
    network = networks[index["network"]](**index["arguments"])
    set_parameters(network, values)
    layout = torch.channels_last if index["layout"] == "channels_last" else torch.contiguous_format
    network = network.to(memory_format=layout)
    labels, test_labels = labels.long(), test_labels.long()
    batch, epochs, augmentation = index["batch"], index["epochs"], index.get("augmentation")

    def step(network: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor) -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(network(x.contiguous(memory_format=layout)), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    first = copy.deepcopy(network)
    first_optimizer = optimizer_of(index["firstOptimizer"], first)
    parts = [slice(i * batch, (i + 1) * batch) for i in range(CHECKED_STEPS)]
    print(json.dumps({"firstLosses": [step(first, first_optimizer, images[part], labels[part]) for part in parts]}), flush=True)

    optimizer = optimizer_of(index["optimizer"], network)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * -(-len(images) // batch))
    for _ in range(epochs):
        network.train()
        total = 0.0
        for rows in torch.randperm(len(images)).split(batch):
            x = images[rows] if augmentation is None else augmented(images[rows], augmentation["pad"], augmentation["horizontalFlip"])
            total += step(network, optimizer, x, labels[rows]) * len(rows)
            schedule.step()
        network.eval()
        with torch.no_grad():
            right = sum(
                (network(x.contiguous(memory_format=layout)).argmax(1) == y).sum().item()
                for x, y in zip(test_images.split(1000), test_labels.split(1000))
            )
        print(json.dumps({"loss": total / len(images), "accuracy": right / len(test_images)}), flush=True)


def optimizer_of(settings: dict, network: nn.Module) -> torch.optim.Optimizer:
    if settings["name"] == "adam":
        return torch.optim.Adam(network.parameters(), lr=settings["learningRate"], eps=settings["epsilon"], fused=True)
    return torch.optim.SGD(
        network.parameters(), lr=settings["learningRate"], momentum=settings["momentum"], weight_decay=settings["weightDecay"], fused=True
    )


def augmented(images: torch.Tensor, pad: int, flip: bool) -> torch.Tensor:
    """Crops out of images [batch, channels, height, width] with more pixels at the border, by a distance from a uniform number that is rounded; every second one mirrored."""
    batch, channels, height, width = images.shape
    padded = F.pad(images, (pad, pad, pad, pad), mode="replicate")
    down, right = (pad + ((2 * torch.rand(2, batch) - 1) * pad).round().long()).unbind()
    rows = down[:, None] + torch.arange(height)
    columns = torch.arange(width).expand(batch, width)
    if flip:
        columns = torch.where(torch.rand(batch, 1) < 0.5, columns.flip(1), columns)
    columns = right[:, None] + columns
    return padded[torch.arange(batch)[:, None, None, None], torch.arange(channels)[:, None, None], rows[:, None, :, None], columns[:, None, None, :]]


main()
