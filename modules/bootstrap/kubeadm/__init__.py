"""The life of a kubeadm cluster on machines that are prepared: init, join, change, removal. Knows nothing of Pulumi.

spec      what the cluster and one node of it are to be     config     kubeadm's configuration files (pure)
state     what a machine has of a cluster (pure verdict)    running    one kubeadm at a time on a machine
init, join, upgrade, remove, reset    the sequences         credentials    tokens, made for one join and taken back
nodes     labels and taints (pure)    kubectl    the API as a master sees it    admin    root's own kubectl
"""
