"""Matrix factorisation with a pairwise loss: batches of a DataLoader, a plateau, checkpoints, ranking measures."""
import copy
import os
import tempfile

import torch
from torch import nn
from torch.nn import functional as F
from torch import optim
from torch.utils.data import DataLoader, TensorDataset


class BPRMF(nn.Module):
    def __init__(self, n_users, n_items, dim=8):
        super(BPRMF, self).__init__()
        self.user_emb = nn.Embedding(n_users, dim)
        self.item_emb = nn.Embedding(num_embeddings=n_items, embedding_dim=dim)
        self.item_bias = nn.Embedding(n_items, 1)
        self.global_bias = nn.Parameter(torch.zeros(1))
        nn.init.normal_(self.user_emb.weight, std=0.01)
        nn.init.normal_(self.item_emb.weight, mean=0.0, std=0.01)
        self.item_bias.weight.data.fill_(0.0)

    def forward(self, u, i, j):
        user, pos, neg = self.user_emb(u), self.item_emb(i), self.item_emb(j)
        x_ui = torch.mul(user, pos).sum(dim=1) + self.item_bias(i).squeeze() + self.global_bias
        x_uj = (user * neg).sum(-1) + self.item_bias(j).squeeze() + self.global_bias
        return x_ui, x_uj

    def regularization(self, u, i, j):
        return self.user_emb(u).norm(2).pow(2) + self.item_emb(i).norm().pow(2) + torch.norm(self.item_emb(j)) ** 2

    def predict(self, users):
        bias = self.item_bias.weight.squeeze(1) + self.global_bias
        return torch.matmul(self.user_emb(users), self.item_emb.weight.t()) + bias


def build():
    return BPRMF(12, 30)


def make_data(rng):
    users = rng.integers(12, size=160)
    items = (users * 2 + rng.integers(6, size=160)) % 30
    return {"u": users, "i": items, "j": rng.integers(30, size=160)}


def train(model, data, dtype, steps=20):
    ds = TensorDataset(torch.LongTensor(data["u"]), torch.LongTensor(data["i"]), torch.LongTensor(data["j"]))
    loader = DataLoader(ds, batch_size=40, shuffle=False)
    optimizer = optim.SGD(model.parameters(), lr=0.5, momentum=0.9, nesterov=True)
    plateau = optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode='min', factor=0.5, patience=1)
    losses, best, best_state = [], float('inf'), None
    path = os.path.join(tempfile.mkdtemp(), "model.pt")
    for epoch in range(5):
        running = 0.0
        for u, i, j in loader:
            optimizer.zero_grad()
            pos, neg = model(u, i, j)
            loss = -F.logsigmoid(pos - neg).mean() + 1e-3 * model.regularization(u, i, j) / u.shape[0]
            loss.backward()
            optimizer.step()
            running += loss.item() * u.size(0)
            losses.append(loss.item())
        running /= len(loader.dataset)
        plateau.step(running)
        if running < best:
            best = running
            best_state = copy.deepcopy(model.state_dict())
            torch.save({"epoch": epoch, "model_state_dict": model.state_dict(),
                        "optimizer_state_dict": optimizer.state_dict(), "loss": best}, path)
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model_state_dict"])
    optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
    model.load_state_dict(best_state)
    model.eval()
    with torch.no_grad():
        scores = model.predict(torch.arange(12))
        seen = torch.zeros(12, 30, dtype=torch.bool)
        seen[torch.as_tensor(data["u"]), torch.as_tensor(data["i"])] = True
        scores[seen] = float("-inf")
        _, indices = torch.topk(scores, k=5)
        held = torch.from_numpy(data["j"][:12]).view(-1, 1)
        hits = (indices == held).any(1)
        rank = (indices == held).nonzero(as_tuple=True)[1]
        ndcg = (1 / torch.log2(rank.float() + 2)).sum() / len(held)
        per_user = torch.bincount(torch.from_numpy(data["u"]), minlength=12).float()
        sim = F.cosine_similarity(model.item_emb.weight[0].unsqueeze(0), model.item_emb.weight, dim=1)
    scores = [hits.float().mean().item(), float(ndcg), per_user.max().item(), checkpoint["epoch"]]
    return losses + scores + sim[:5].tolist() + indices[0].cpu().numpy().tolist()
