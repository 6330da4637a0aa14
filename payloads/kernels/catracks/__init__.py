"""Tracks from double layers: mini-doublets, segments, triplets, quintuplets, candidates."""
