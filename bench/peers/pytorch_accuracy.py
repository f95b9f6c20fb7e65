"""Trains a network with PyTorch on the CPU, epoch by epoch: pytorch_accuracy.py <folder> <threads>.

The folder holds tensors.json (network, learning rate, epsilon, batch, epochs, seed and, for the training images and labels, the test images and labels and each parameter in
the network's order, its dtype and shape) and tensors.bin with their values. Prints one JSON line an epoch: the mean training loss and the accuracy on the test images.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

from networks import networks
from subject_files import load, set_parameters


def main() -> None:
    folder, threads = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    index, (images, labels, test_images, test_labels, *values) = load(folder)
    torch.manual_seed(index["seed"])
    network = networks[index["network"]]()
    set_parameters(network, values)
    labels, test_labels = labels.long(), test_labels.long()
    batch, epochs = index["batch"], index["epochs"]
    optimizer = torch.optim.Adam(network.parameters(), lr=index["learningRate"], eps=index["epsilon"], fused=True)
    steps = epochs * -(-len(images) // batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(epochs):
        network.train()
        total = 0.0
        for rows in torch.randperm(len(images)).split(batch):
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(network(images[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows)
        network.eval()
        with torch.no_grad():
            right = sum(
                (network(test_images[start : start + 1000]).argmax(1) == test_labels[start : start + 1000]).sum().item()
                for start in range(0, len(test_images), 1000)
            )
        print(json.dumps({"loss": total / len(images), "accuracy": right / len(test_images)}), flush=True)


main()
