"""From a machine that answers SSH to a node of a cluster: named steps, each probe -> difference -> commands.

step        what a step is; looking at one and applying it     steps/     the steps that prepare any machine
kubeadm/    init, join, upgrade, removal                        checks/    what is wrong with a machine at first
"""
