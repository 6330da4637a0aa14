"""Particle flow: calorimeter cells to clusters, clusters to tracks, both to candidates."""
