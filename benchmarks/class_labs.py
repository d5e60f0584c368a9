"""Four students' labs side by side against the same four one after the other: `python -m benchmarks.class_labs`.

Each is one kind machine with Calico, metrics-server and the app. `limits.parallel: 1` is the only difference.
"""

from __future__ import annotations

import shutil
import time

import yaml

from benchmarks import results
from tests.support import classes
from tests.support.project import CHECKOUT, Project

CLASS = "four"


def main() -> None:
    project = Project.make(CHECKOUT / ".stacklab" / "bench")
    folder = project.folder / "classes"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "small.yaml").write_text(yaml.safe_dump({"config": {"stacklab:lab": classes.OWN}}))
    figures: dict[str, float] = {}
    try:
        for name, parallel in (("one after the other", 1), ("side by side", "auto")):
            data = {
                "roster": [{"id": f"s{n}"} for n in range(1, 5)],
                "template": "small.yaml",
                "limits": {"parallel": parallel},
            }
            (folder / f"{CLASS}.yaml").write_text(yaml.safe_dump(data))
            figures[name] = _timed(project, "up")
            _timed(project, "verify")
            figures[f"{name}, down"] = _timed(project, "down")
            print(f"{name:22} {figures[name]:8.1f} s, down {figures[f'{name}, down']:.1f} s", flush=True)
    finally:
        project.run("stacklab", "class", "down", CLASS, timeout=600)
    figures["ratio"] = figures["side by side"] / figures["one after the other"]
    print(f"side by side / one after the other  {figures['ratio']:.2f}")
    results.save("class_labs", figures)


def _timed(project: Project, verb: str) -> float:
    started = time.monotonic()
    project.run("stacklab", "class", verb, CLASS, timeout=1200).ok()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
