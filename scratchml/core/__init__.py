"""Floor 0: what every chapter stands on."""
CHAPTERS = ("elementary", "logspace", "special", "weighted_squares", "distributions", "rank_laws",
            "distances", "linalg", "lanczos", "products")
