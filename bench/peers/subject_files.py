"""Reads what the benches write for PyTorch: tensors.json and tensors.bin of one folder."""

import json
from pathlib import Path

import numpy
import torch


def load(folder: Path) -> tuple[dict, list[torch.Tensor]]:
    index = json.loads((folder / "tensors.json").read_text())
    data = (folder / "tensors.bin").read_bytes()
    tensors, offset = [], 0
    for entry in index["tensors"]:
        values = numpy.frombuffer(data, entry["dtype"], count=int(numpy.prod(entry["shape"])), offset=offset)
        offset += values.nbytes
        tensors.append(torch.from_numpy(values.reshape(entry["shape"]).copy()))
    return index, tensors


def set_parameters(network: torch.nn.Module, values: list[torch.Tensor]) -> None:
    """Ours are [in, out] where torch.nn.Linear has [out, in]."""
    linear = {id(module.weight) for module in network.modules() if isinstance(module, torch.nn.Linear)}
    parameters = list(network.parameters())
    assert len(parameters) == len(values), f"{len(parameters)} parameters here, {len(values)} given"
    with torch.no_grad():
        for parameter, value in zip(parameters, values):
            value = value.T if id(parameter) in linear else value
            assert parameter.shape == value.shape, f"{tuple(parameter.shape)} here, {tuple(value.shape)} given"
            parameter.copy_(value)
