"""HS06-equivalent (= HEPscore23, 1:1 by WLCG policy) of a node: catalogue, calibration, estimate. Pure functions."""
