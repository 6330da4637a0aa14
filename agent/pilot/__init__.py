"""A batch slot's life: what fits into it is measured, and what was found is handed in before it ends."""
