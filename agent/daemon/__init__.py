"""`agent daemon`: look at the node again and again, for months, and tell whoever asks or wants to be told.

Rules are pure (`schedule`, `hysteresis`, `bench_gate`, `reports`); one thread turns the `loop`; what may hang (probes,
deliveries, the Kubernetes API) runs in children that can be killed.
"""
