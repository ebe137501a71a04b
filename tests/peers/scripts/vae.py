"""A variational autoencoder: the reparameterisation, the divergence of two normal distributions, both terms apart."""
import torch
from torch import nn, optim
from torch.nn import functional as F


class VAE(nn.Module):
    def __init__(self, input_dim=16, hidden=12, latent=2):
        super(VAE, self).__init__()
        self.fc1 = nn.Linear(input_dim, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, input_dim)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar, eps):
        std = torch.exp(0.5 * logvar)
        return mu + eps * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x, eps):
        mu, logvar = self.encode(x.view(-1, 16))
        return self.decode(self.reparameterize(mu, logvar, eps)), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 16), reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD, BCE, KLD


def build():
    return VAE()


def make_data(rng):
    return {"x": (rng.uniform(size=(24, 4, 4)) < 0.4).astype(float), "eps": rng.normal(size=(20, 24, 2))}


def train(model, data, dtype, steps=20):
    device = torch.device("cpu")
    model.to(device)
    x, noise = torch.from_numpy(data["x"]).to(device, dtype), torch.from_numpy(data["eps"]).to(dtype)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        recon, mu, logvar = model(x, noise[step])
        loss, bce, kld = loss_function(recon, x, mu, logvar)
        loss.backward()
        optimizer.step()
        losses += [loss.item() / len(x), bce.item() / len(x), kld.item()]
    with torch.no_grad():
        sample = model.decode(torch.zeros(2, 2, dtype=dtype)).cpu()
        losses += sample.view(2, 4, 4).mean(dim=(1, 2)).numpy().tolist()
    return losses
