"""Floor 0: what every chapter stands on."""
CHAPTERS = ("elementary", "logspace", "distances", "linalg", "randomized")
