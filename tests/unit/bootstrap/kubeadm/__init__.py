"""kubeadm's files and scripts as texts, and the decisions around them."""
