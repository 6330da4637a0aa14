"""Pixel tracks: digis to clusters, hits, doublets, n-tuplets of a cellular automaton, fitted tracks."""
