"""What a node can compute: reconstruction kernels on simulated collisions, each with its physics verdict."""
