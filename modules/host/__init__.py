"""What this machine is and can do: facts, the container engine that really works, doctor, receipt.

facts -> engine -> (node_host for kind's configuration, doctor for people, receipt for `destroy`). Nothing here changes
a global setting of the host.
"""
