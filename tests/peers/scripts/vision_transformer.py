"""A transformer that classifies pictures: patches, a token for the class, attention by hand with a mask, warm-up."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import LambdaLR


class PatchEmbedding(nn.Module):
    def __init__(self, size=8, patch=4, dim=16):
        super().__init__()
        self.patch = patch
        self.n = (size // patch) ** 2
        self.proj = nn.Linear(patch * patch, dim)

    def forward(self, x):
        B, H, W = x.shape
        p = self.patch
        x = x.reshape(B, H // p, p, W // p, p).permute(0, 1, 3, 2, 4).flatten(3).flatten(1, 2)
        return self.proj(x)


class Attention(nn.Module):
    def __init__(self, dim, heads=4, qkv_bias=False):
        super().__init__()
        self.heads = heads
        self.scale = (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x, mask=None):
        B, N, C = x.shape
        qkv = self.qkv(x).reshape(B, N, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        attn = (q @ k.transpose(-2, -1)) * self.scale
        if mask is not None:
            attn = attn.masked_fill(mask[:, None, None, :] == 0, float('-inf'))
        attn = attn.softmax(dim=-1)
        x = (attn @ v).transpose(1, 2).reshape(B, N, C)
        return self.proj(x), attn


class Block(nn.Module):
    def __init__(self, dim, heads, mlp_ratio=2.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        hidden = int(dim * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Dropout(0.0), nn.Linear(hidden, dim))
        self.gamma = nn.Parameter(1e-1 * torch.ones(dim), requires_grad=True)

    def forward(self, x, mask=None):
        h, attn = self.attn(self.norm1(x), mask)
        x = x + self.gamma * h
        x = x + self.mlp(self.norm2(x))
        return x, attn


class ViT(nn.Module):
    def __init__(self, classes=3, dim=16, depth=2, heads=4):
        super().__init__()
        self.patch_embed = PatchEmbedding(dim=dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.randn(1, self.patch_embed.n + 1, dim) * .02)
        self.blocks = nn.ModuleList([Block(dim, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes) if classes > 0 else nn.Identity()
        nn.init.trunc_normal_(self.cls_token, std=.02)
        self.apply(self._init_weights)
        self.register_buffer("ids", torch.arange(self.patch_embed.n + 1).expand((1, -1)))

    def _init_weights(self, m):
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            if m.bias is not None:
                nn.init.constant_(m.bias, 0)
        elif isinstance(m, nn.LayerNorm):
            m.bias.data.zero_()
            m.weight.data.fill_(1.0)

    def forward(self, x, mask=None):
        B = x.shape[0]
        x = self.patch_embed(x)
        cls = self.cls_token.expand(B, -1, -1)
        x = torch.cat((cls, x), dim=1) + self.pos_embed
        if mask is not None:
            mask = torch.cat([torch.ones(B, 1, dtype=torch.bool, device=x.device), mask], dim=1)
        for blk in self.blocks:
            x, attn = blk(x, mask)
        x = self.norm(x)
        return self.head(x[:, 0]), attn


def build():
    return ViT()


def make_data(rng):
    x = rng.normal(size=(32, 8, 8))
    y = (x[:, :4].sum((1, 2)) > 0).astype(int) + (x[:, 4:].sum((1, 2)) > 0)
    return {"x": x, "y": y, "mask": rng.uniform(size=(32, 4)) < 0.8}


@torch.no_grad()
def evaluate(model, x, y, mask):
    model.eval()
    logits, attn = model(x, mask)
    pred = logits.argmax(1)
    correct = pred.eq(y.view_as(pred)).sum().item()
    prob, cls = torch.max(F.softmax(logits, dim=1), dim=1)
    acc = 100. * correct / len(y)
    top2 = logits.topk(2, dim=1, largest=True, sorted=True)[1]
    top2_acc = top2.eq(y.unsqueeze(1).expand_as(top2)).float().sum(1).mean()
    conf = torch.zeros(3, 3)
    for t, p in zip(y, pred):
        conf[t.long(), p.long()] += 1
    recall = conf.diag() / conf.sum(1).clamp(min=1)
    return acc, top2_acc.item(), prob.mean().item(), attn.mean(dim=1)[:, 0, 1:].std().item(), recall.tolist()


def train(model, data, dtype, steps=20):
    x = torch.from_numpy(data["x"]).to(dtype)
    y = torch.from_numpy(data["y"]).long()
    mask = torch.from_numpy(data["mask"])
    no_decay = ["bias", "norm1.weight", "norm2.weight", "norm.weight"]
    named = list(model.named_parameters())
    groups = [
        {"params": [p for n, p in named if not any(nd in n for nd in no_decay)], "weight_decay": 0.05},
        {"params": [p for n, p in named if any(nd in n for nd in no_decay)], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=3e-3, betas=(0.9, 0.98), eps=1e-9)

    def lr_lambda(step):
        return min(1.0, (step + 1) / 5) * (0.5 * (1 + math.cos(math.pi * step / steps)))

    scheduler = LambdaLR(optimizer, lr_lambda)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    losses = []
    for epoch in range(steps):
        model.train()
        optimizer.zero_grad(set_to_none=True)
        logits, _ = model(x, mask)
        loss = criterion(logits, y)
        loss.backward()
        grad_norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        scheduler.step()
        losses += [loss.detach().cpu().item()]
        print("Epoch %d, loss %.4f, grad %.3f, lr %.2e" % (epoch, losses[-1], grad_norm,
                                                           optimizer.param_groups[0]["lr"]))
    acc, top2, prob, att, conf = evaluate(model, x, y, mask)
    return losses + [grad_norm.item(), acc, top2, prob, att] + conf
