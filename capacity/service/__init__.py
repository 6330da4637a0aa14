"""What the service does: each module joins the store with the pure rules for one job, and is called by every door alike."""
