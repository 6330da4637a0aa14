"""What is this node? One file per question; every answer is read through the host door (`probes.host`)."""
