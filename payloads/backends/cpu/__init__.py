"""The CPU backend: one compiled module per instruction set, chosen at run time."""
