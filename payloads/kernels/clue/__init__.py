"""HGCAL layer clusters and tracksters: CLUE and CLUE3D."""
