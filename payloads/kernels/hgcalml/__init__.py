"""The kernel hgcalml: what a trackster is, and its energy, by a convolutional network."""
