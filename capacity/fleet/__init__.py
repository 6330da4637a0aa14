"""From profiles of slots to nodes, sites, federations and CMS: identity, double counting, staleness, gates. Pure functions."""
