"""The audio Conformer of UT-CMVMR in eager PyTorch, written from the paper's settings."""

from peer import finish, measure

import math

import torch
from torch import nn
from torch.nn import functional as F


class FeedForward(nn.Sequential):
    def __init__(self, dim):
        super().__init__(nn.LayerNorm(dim), nn.Linear(dim, 4 * dim), nn.SiLU(), nn.Dropout(0.1),
                         nn.Linear(4 * dim, dim), nn.Dropout(0.1))


class RelativeAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.scale = heads, 1 / math.sqrt(dim)
        self.norm = nn.LayerNorm(dim)
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))
        self.position = nn.Linear(dim, dim, bias=False)
        self.content_bias = nn.Parameter(torch.zeros(heads, 1, dim // heads))
        self.position_bias = nn.Parameter(torch.zeros(heads, 1, dim // heads))
        self.dropout = nn.Dropout(0.1)

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-2, -3)

    def forward(self, x, table):
        x = self.norm(x)
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        r = self.split(self.position(table))
        raw = (q + self.position_bias) @ r.transpose(-1, -2)
        steps = x.shape[1]
        shifted = F.pad(raw, (1, 0)).view(*raw.shape[:2], steps + 1, steps)[:, :, 1:]
        score = ((q + self.content_bias) @ k.transpose(-1, -2) + shifted) * self.scale
        mixed = self.dropout(score.softmax(-1)) @ v
        return self.dropout(self.out(mixed.transpose(1, 2).flatten(2)))


class Convolution(nn.Module):
    def __init__(self, dim, kernel):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.parts = nn.Sequential(
            nn.Conv1d(dim, 2 * dim, 1), nn.GLU(1),
            nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim, bias=False),
            nn.BatchNorm1d(dim), nn.SiLU(), nn.Conv1d(dim, dim, 1), nn.Dropout(0.1))

    def forward(self, x):
        return self.parts(self.norm(x).transpose(1, 2)).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, dim, heads, kernel):
        super().__init__()
        self.before, self.after = FeedForward(dim), FeedForward(dim)
        self.attention, self.convolution = RelativeAttention(dim, heads), Convolution(dim, kernel)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x, table):
        x = x + 0.5 * self.before(x)
        x = x + self.attention(x, table)
        x = x + self.convolution(x)
        return self.norm(x + 0.5 * self.after(x))


class Conformer(nn.Module):
    def __init__(self, features=80, dim=512, layers=6, heads=8, kernel=31, classes=100):
        super().__init__()
        self.subsample = nn.Sequential(nn.Conv2d(1, dim, 3, 2), nn.ReLU(), nn.Conv2d(dim, dim, 3, 2), nn.ReLU())
        self.project = nn.Sequential(nn.Linear(dim * (((features - 1) // 2 - 1) // 2), dim), nn.Dropout(0.1))
        self.blocks = nn.ModuleList(Block(dim, heads, kernel) for _ in range(layers))
        self.classify = nn.Linear(dim, classes, bias=False)
        angle = torch.arange(1000)[:, None] * torch.exp(torch.arange(0, dim, 2) * (-math.log(1e4) / dim))
        self.register_buffer("table", torch.stack((angle.sin(), angle.cos()), -1).flatten(1))

    def forward(self, x):
        x = self.project(self.subsample(x[:, None]).transpose(1, 2).flatten(2))
        for block in self.blocks:
            x = block(x, self.table[: x.shape[1]])
        return self.classify(x.mean(1))


torch.set_num_threads(1)
torch.manual_seed(1)
model = Conformer()
clips, labels = torch.randn(8, 398, 80), torch.arange(8)


def forward():
    model.eval()
    with torch.no_grad():
        model(clips)


def forward_and_backward():
    model.train()
    model.zero_grad()
    F.cross_entropy(model(clips), labels).backward()


peer = f"eager torch {torch.__version__}"
measure("forward, batch 8", peer, "clips/s", 8, forward)
measure("forward and backward, batch 8", peer, "clips/s", 8, forward_and_backward)
finish()
