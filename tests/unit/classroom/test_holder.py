"""Who holds a stack's lock: Pulumi's own words, as a PostgreSQL backend printed them."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys

from modules.classroom import holder

TOLD = """\
error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock \
file with `pulumi cancel`.
  postgres:///class/.pulumi/locks/organization/stacklab/cka-s07/abc.json?host=/run/pg&user=teacher: \
created by ada@lab-pc (pid 77) at 2026-11-21T17:41:43Z
"""


def test_the_second_one_reads_who_where_since_when_and_what_to_do() -> None:
    told = str(holder.refusal("cka-s07", holder.find(TOLD), TOLD))
    assert re.search(r"changing this lab: ada on lab-pc \(process 77\), since 2026-11-2[12] \d\d:\d\d:43\n", told)
    assert "pulumi cancel cka-s07" in told
    assert "postgres://" not in told


def test_what_names_nobody_is_shown_as_it_is() -> None:
    told = "error: [409] Conflict: Another update is currently in progress."
    assert holder.find(told) is None
    assert "[409] Conflict" in str(holder.refusal("cka-s07", None, told))


def test_only_a_process_of_this_machine_is_known_to_be_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    here = socket.gethostname()
    assert holder.Holder("ada", here, ended.pid, "").dead
    assert not holder.Holder("ada", here, os.getpid(), "").dead
    assert not holder.Holder("ada", f"not-{here}", ended.pid, "").dead
