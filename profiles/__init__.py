"""The capability profile: the one document between the agent on a node and the service that counts capacity."""
