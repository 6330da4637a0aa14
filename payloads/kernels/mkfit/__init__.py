"""Kernel mkfit: combinatorial Kalman filter track building."""
