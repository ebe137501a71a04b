"""Skip-gram vectors with negative sampling, and the old names that scripts of that kind still have."""
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.autograd import Variable


class SkipGram(nn.Module):
    def __init__(self, words=200, dim=24):
        super(SkipGram, self).__init__()
        self.u_embeddings = nn.Embedding(words, dim, sparse=False)
        self.v_embeddings = nn.Embedding(words, dim)
        self.u_embeddings.weight.data.uniform_(-0.5 / dim, 0.5 / dim)
        self.v_embeddings.weight.data.uniform_(-0, 0)

    def forward(self, pos_u, pos_v, neg_v):
        emb_u, emb_v, emb_neg = self.u_embeddings(pos_u), self.v_embeddings(pos_v), self.v_embeddings(neg_v)
        score = torch.sum(torch.mul(emb_u, emb_v), axis=1).clamp(min=-10, max=10)
        neg_score = torch.bmm(emb_neg, emb_u.unsqueeze(2)).squeeze(2)
        neg_score.clamp_(min=-10, max=10)
        return torch.mean(-F.logsigmoid(score) - torch.sum(F.logsigmoid(-neg_score), dim=1))


def build():
    return SkipGram()


def make_data(rng):
    return [(rng.integers(0, 200, 64), rng.integers(0, 200, 64), rng.integers(0, 200, (64, 5))) for _ in range(20)]


def train(model, data, dtype):
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=len(data), last_epoch=-1)
    norms, losses = [], []
    handle = model.v_embeddings.weight.register_hook(lambda g: norms.append(g.norm().item()))
    for u, v, n in data:
        u, v, n = Variable(torch.LongTensor(u)), Variable(torch.LongTensor(v)), Variable(torch.LongTensor(n))
        optimizer.zero_grad()
        loss = model(u, v, n)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    handle.remove()
    best = {name: value.cpu().clone() for name, value in model.state_dict().items()}
    model.load_state_dict(best)
    vectors = F.normalize(model.u_embeddings.weight.detach(), dim=-1)
    return losses + norms + torch.topk(vectors @ vectors[3],
                                       3).values.tolist() + [torch.pdist(vectors[:9]).sum().item()]
