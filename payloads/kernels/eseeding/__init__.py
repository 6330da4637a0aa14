"""Electron seeding: super-clusters of the crystals matched to pixel hits."""
