"""The address in front of several masters: haproxy beside whoever asks, keepalived where an address moves. Pure texts.

no address of its own   haproxy on every worker at 127.0.0.1:6443, balancing over the masters
a virtual address       keepalived gives it to one master; haproxy on each of them at :8443 balances over all

Both run as units of our own with configurations of our own: what the distribution or the machine's owner has under
/etc/haproxy and /etc/keepalived is not ours.
"""

from __future__ import annotations

from modules.bootstrap.endpoint.making import steps, undo

__all__ = ["steps", "undo"]
