"""Primary vertices: annealing and density clusters of tracks in z, adaptive fit."""
