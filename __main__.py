"""One lab, from its stack file to its addresses. `pulumi up` runs this; each line is one step of the flow."""

from __future__ import annotations

from modules import program
from modules.classroom import tenant

with program.errors_without_stack_trace():
    if tenant.wanted():
        tenant.deploy()  # a student's share of a lab that is there already, and no lab of its own
    else:
        lab = program.read_stack()  # stack file -> plan, every problem at once
        program.require_artifacts(lab)  # all that the lab is made of is here
        program.look_at_host(lab)  # it can hold the lab, and what it has now is noted
        cluster = program.create_cluster(lab)  # machines with Kubernetes on them
        addons = program.install_addons(lab, cluster)  # network, metrics, load balancer, ingress, storage
        exposures = program.deploy_apps(lab, cluster, addons)  # the apps and the ways to reach them
        program.export_outputs(lab, cluster, exposures)  # what `pulumi stack output` shows
