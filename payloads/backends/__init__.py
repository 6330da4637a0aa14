"""Where a kernel can run, and why it cannot elsewhere."""
