"""How long does the plan of 10,000 students over 400 hosts take? `python -m benchmarks.class_plan [students] [hosts]`

From the class file and its CSV roster on disk to the verdict, twice: for a new class, and for one that is remembered.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import yaml

from modules.classroom import footprint, parse, plan, record, words
from modules.classroom.footprint import UNLIMITED, Need
from modules.classroom.placement import Room
from modules.classroom.plan import Surroundings
from modules.known import known

GIB = 1024**3
LAB = {"backend": "libvirt", "masters": 1, "workers": 1, "addons": ["calico"], "apps": []}


def measure(students: int, hosts: int) -> dict[str, float | int | str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stacks").mkdir()
        (folder / "stacks" / "Pulumi.vms.yaml").write_text(yaml.safe_dump({"config": {"stacklab:lab": LAB}}))
        rows = "".join(f"s{n:05},Student {n},s{n}@example.org,g{n % 40}\n" for n in range(students))
        (folder / "roster.csv").write_text("id,name,mail,group\n" + rows)
        given = [
            {"name": f"h{n:03}", "uri": f"qemu+ssh://h{n:03}/system", "memory": "128GiB", "cpus": 64, "disk": "4TiB"}
            for n in range(hosts)
        ]
        data = {
            "roster": "roster.csv",
            "template": "vms",
            "hosts": given,
            "addresses": {"each": 26},
            "overrides": {f"s{n:05}": {"workers": 2} for n in range(0, students, 97)},
        }
        file = folder / "big.yaml"
        file.write_text(yaml.safe_dump(data))
        rooms = tuple(Room(str(h["name"]), Need(127 * GIB, 256_000, 4096 * GIB, UNLIMITED.inotify)) for h in given)
        around = Surroundings(rooms, {room.name: 8 for room in rooms})
        found: dict[str, float | int | str] = {"students": students, "hosts": hosts}
        for which in ("new", "remembered"):
            started = time.perf_counter()
            made = parse.load(file, folder / "stacks", known())
            read = time.perf_counter()
            remembered = record.load(file)
            planned = plan.plan(made, remembered, around, footprint.table())
            placed = time.perf_counter()
            shown = words.student_rows(planned), words.host_rows(planned), json.dumps(words.as_data(planned))
            ended = time.perf_counter()
            assert len(shown[0]) == students
            found |= {
                f"{which}: read": round(read - started, 2),
                f"{which}: plan": round(placed - read, 2),
                f"{which}: show": round(ended - placed, 2),
                f"{which}: all": round(ended - started, 2),
            }
            record.save(file, plan.to_remember(planned, remembered, made))
        return found | {"verdict": words.verdict(planned)[0]}


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    print(json.dumps(measure(*(asked + [10_000, 400][len(asked) :])), indent=2))
