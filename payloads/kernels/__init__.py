"""The kernels: one folder each with manifest, single source, plain reference, physics and a picture."""
