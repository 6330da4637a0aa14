"""A real Kubernetes of one node: API server, controller manager, scheduler and kubelet, with etcd and dockerd under them."""
