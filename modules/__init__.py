"""stacklab's own packages, lowest first: base, topology, artifacts, host, local, resources, cluster, apps, cli."""
