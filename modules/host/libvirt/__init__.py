"""What of libvirt this host's own layer needs: our mark, where a daemon of ours is, what labs have there.

mark    how an object in libvirt says whose it is        place   files, socket and labs of the daemon we start
look    everything of libvirt's that a receipt compares
"""
