"""The assumptions by subject; `computing_model.parameters` joins them."""
