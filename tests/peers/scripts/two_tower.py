"""A two-tower recommender: embeddings of users and items, in-batch negatives, then a pairwise loss."""
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class Tower(nn.Module):
    def __init__(self, num_ids, num_features, dim=8):
        super().__init__()
        self.embedding = nn.Embedding(num_ids, dim)
        self.net = nn.Sequential(nn.Linear(dim + num_features, 16), nn.GELU(), nn.LayerNorm(16), nn.Linear(16, dim))

    def forward(self, ids, features):
        x = torch.cat([self.embedding(ids), features], dim=-1)
        return F.normalize(self.net(x), p=2, dim=-1)


class TwoTower(nn.Module):
    def __init__(self, users, items, features):
        super().__init__()
        self.user_tower = Tower(users, features)
        self.item_tower = Tower(items, features)
        self.log_scale = nn.Parameter(torch.tensor(1.0))
        self.item_bias = nn.Embedding(items, 1)
        nn.init.zeros_(self.item_bias.weight)

    def forward(self, user, user_features, item, item_features):
        u = self.user_tower(user, user_features)
        v = self.item_tower(item, item_features)
        return u @ v.T * self.log_scale.exp() + self.item_bias(item).squeeze(-1)


def build():
    return TwoTower(15, 20, 4)


def make_data(rng):
    return {"user": rng.integers(15, size=60), "item": rng.integers(20, size=60), "user_x": rng.normal(size=(15, 4)),
            "item_x": rng.normal(size=(20, 4)), "negative": rng.integers(20, size=60)}


def train(model, data, dtype, steps=20):
    user, item, negative = (torch.as_tensor(data[k], dtype=torch.int64) for k in ("user", "item", "negative"))
    user_x, item_x = (torch.tensor(data[k], dtype=dtype) for k in ("user_x", "item_x"))
    decayed = [p for name, p in model.named_parameters() if p.dim() > 1]
    others = [p for name, p in model.named_parameters() if p.dim() <= 1]
    optimizer = optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}],
                            lr=3e-3)
    ranking, triplet = nn.MarginRankingLoss(margin=0.2), nn.TripletMarginLoss(margin=0.5, p=2)
    losses = []
    for step in range(steps):
        b = slice(step % 5 * 12, step % 5 * 12 + 12)
        u, i, n = user[b], item[b], negative[b]
        scores = model(u, user_x[u], i, item_x[i])
        same = i.unsqueeze(0) == i.unsqueeze(1)
        scores = scores.masked_fill(same & ~torch.eye(len(i), dtype=torch.bool), -1e9)
        loss = F.cross_entropy(scores, torch.arange(len(i)))
        a, p, q = model.user_tower(u, user_x[u]), model.item_tower(i, item_x[i]), model.item_tower(n, item_x[n])
        positive, wrong = F.cosine_similarity(a, p), (a * q).sum(-1)
        loss = loss + ranking(positive, wrong, torch.ones_like(positive)) + 0.1 * triplet(a, p, q)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        everyone, everything = torch.arange(15), torch.arange(20)
        scores = model(everyone, user_x, everything, item_x)
        values, top = scores.topk(5, dim=1)
        hits = (top[user] == item.unsqueeze(1)).any(dim=1).float().mean()
    return losses + values[0].tolist() + top[3].tolist() + [hits.item()]
