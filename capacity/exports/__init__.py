"""Our figures in the formats of others. Pure functions: types in, text or bytes out."""
