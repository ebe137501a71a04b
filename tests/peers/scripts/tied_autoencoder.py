"""A denoising autoencoder whose decoder uses the encoder's weights, transposed, with a penalty on activity."""
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class TiedAutoencoder(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.encoder = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(a)) for a in sizes[:-1]])
        self.scale = nn.Parameter(torch.ones(1), requires_grad=False)
        self.apply(self._init)

    @staticmethod
    def _init(m):
        if isinstance(m, nn.Linear):
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
            nn.init.constant_(m.bias, 0.01)

    def encode(self, x):
        for i, layer in enumerate(self.encoder):
            x = layer(x)
            if i < len(self.encoder) - 1:
                x = F.elu(x)
        return x

    def decode(self, z):
        for i in reversed(range(len(self.encoder))):
            z = F.linear(z, self.encoder[i].weight.t(), self.biases[i])
            if i > 0:
                z = F.elu(z)
        return torch.sigmoid(z) * self.scale

    def forward(self, x):
        z = self.encode(x)
        return self.decode(z), z


def build():
    return TiedAutoencoder([12, 8, 3])


def make_data(rng):
    x = rng.uniform(size=(32, 12))
    return {"x": x, "noise": 0.1 * rng.normal(size=(20, 32, 12))}


def train(model, data, dtype, steps=20):
    x, noise = torch.tensor(data["x"], dtype=dtype), torch.tensor(data["noise"], dtype=dtype)
    optimizer = optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    criterion = nn.MSELoss()
    losses = []
    for step in range(steps):
        noisy = (x + noise[step]).clamp(0, 1)
        recon, z = model(noisy)
        loss = criterion(recon, x) + 1e-3 * z.abs().mean() + 1e-4 * sum(p.pow(2).sum() for p in model.parameters())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        recon, _ = model(x)
        error = ((recon - x) ** 2).mean(dim=1)
        worst, which = torch.topk(error, 3)
    return losses + worst.tolist() + which.tolist() + [error.std().item(), error.norm().item()]
