"""How profiles reach the service: on the disk first, then over the network, again and again until it has them."""
