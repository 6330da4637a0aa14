"""How the network of hgcalml was trained, in plain NumPy: ``python -m payloads.kernels.hgcalml.training``."""
