"""A synthetic fleet with known truth, for trying the service and for loading it: `capacity demo`."""
