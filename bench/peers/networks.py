"""The subjects' networks in PyTorch; parameters are registered in the order of Espalier's."""

import torch
import torch.nn.functional as F
from torch import nn


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def normalized(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1, epsilon: float = 1e-5) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(outputs, eps=epsilon)]


class BasicBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first = nn.Sequential(*normalized(inputs, outputs, 3, stride), nn.ReLU(inplace=True))
        self.second = nn.Sequential(*normalized(outputs, outputs, 3))
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(*normalized(inputs, outputs, 1, stride))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.second(self.first(x)) + self.shortcut(x), inplace=True)


def resnet18(channels: int = 3, width: int = 64) -> nn.Module:
    layers, inputs = [*normalized(channels, width, 3), nn.ReLU(inplace=True)], width
    for outputs, stride in [(width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)]:
        layers += [BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1)]
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8 * width, 10))


class InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int):
        super().__init__()
        hidden, layers = inputs * expansion, []
        if expansion > 1:
            layers += [*normalized(inputs, hidden, 1, epsilon=1e-3), nn.ReLU6(inplace=True)]
        layers += [*normalized(hidden, hidden, 3, stride, hidden, epsilon=1e-3), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(*layers, *normalized(hidden, outputs, 1, epsilon=1e-3))
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x) if self.is_residual else self.layers(x)


def mobilenet_v2() -> nn.Module:
    layers, inputs = [*normalized(3, 32, 3, epsilon=1e-3), nn.ReLU6(inplace=True)], 32
    plan = [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, outputs, blocks, stride in plan:
        for block in range(blocks):
            layers.append(InvertedResidual(inputs, outputs, stride if block == 0 else 1, expansion))
            inputs = outputs
    last = [*normalized(320, 1280, 1, epsilon=1e-3), nn.ReLU6(inplace=True)]
    return nn.Sequential(*layers, *last, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 10))


class EncoderBlock(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.network_norm = nn.LayerNorm(width)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normal = self.attention_norm(x)
        query, key, value = (
            linear(normal).unflatten(-1, (self.heads, -1)).transpose(1, 2) for linear in (self.query, self.key, self.value)
        )
        seen = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        x = x + self.out(seen)
        return x + self.network(self.network_norm(x))


class Encoder(nn.Module):
    def __init__(self, vocabulary: int = 1000, length: int = 128, width: int = 256, layers: int = 4):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(length, width))
        self.blocks = nn.Sequential(*[EncoderBlock(width, 4) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def parameters(self, recurse: bool = True):
        """In the order in which Espalier's are written; torch lists a module's own before its parts'."""
        yield from self.tokens.parameters()
        yield self.positions
        for part in (self.blocks, self.norm, self.head):
            yield from part.parameters()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.norm(self.blocks(self.tokens(x) + self.positions)).mean(1))


networks = {"mlp": mlp, "lenet": lenet, "resnet18": resnet18, "mobilenet_v2": mobilenet_v2, "encoder": Encoder}
