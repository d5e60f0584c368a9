"""setup/bootstrap with stand-ins for apt, dpkg, sudo and Python: installs what is missing, and only that."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
REAL = ("sh", "dirname", "cat", "sha256sum", "cut", "tr", "timeout", "env", "basename", "mkdir", "cp", "chmod")
MACHINES = (
    *("libvirt-daemon", "libvirt-daemon-system", "libvirt-clients", "dnsmasq-base", "qemu-system-x86", "qemu-utils"),
    *("openssh-client", "libvirt-dev", "pkg-config", "gcc", "libc6-dev"),
)
PRINT = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core")
BASE = ("ca-certificates", "iproute2", "make", "mmdebstrap", *MACHINES, *PRINT)
ENGINE = ("podman", "runc", "conmon", "iptables", "netavark", "aardvark-dns")
SAY = '#!/bin/sh\necho "$(basename "$0") $*" >>"$LOG"\n'
# A Python whose -m venv makes a .venv with itself in it, and whose pip makes the `stacklab` command.
PYTHON = SAY + (
    'case "$*" in\n'
    '  *"-m venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;\n'
    '  *--editable*) cp "$0" .venv/bin/stacklab ;;\n'
    "esac\n"
)


class Machine:
    """A checkout, and a PATH of stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.bin, self.log = folder / "checkout", folder / "bin", folder / "log"
        (self.checkout / "setup").mkdir(parents=True)
        self.bin.mkdir()
        for name in (
            "setup/bootstrap",
            "setup/build.lock",
            "setup/libvirt.lock",
            "setup/browser.lock",
            "requirements.lock",
            "pyproject.toml",
        ):
            shutil.copy(PROJECT / name, self.checkout / name)
        for name in REAL:
            (self.bin / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
        self.program("id", "#!/bin/sh\necho 0\n")
        self.program("python3", PYTHON)

    def program(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def debian(self, *installed: str, offered: tuple[str, ...] = ENGINE) -> None:
        known = "|".join(installed) or "nothing"
        self.program(
            "dpkg-query", f'#!/bin/sh\nfor last; do :; done\ncase "$last" in {known}) printf installed;; esac\n'
        )
        self.program("apt-cache", f'#!/bin/sh\ncase "$2" in {"|".join(offered)}) ;; *) exit 100;; esac\n')
        self.program("apt-get", SAY)
        self.program("dpkg", SAY + 'case "$*" in --audit) cat "$0.unfinished" 2>/dev/null || true;; esac\n')

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.checkout / "setup" / "bootstrap", *words],
            env={"PATH": str(self.bin), "LOG": str(self.log), **env},
            text=True,
            capture_output=True,
            timeout=30,
            check=False,
        )

    def calls(self, program: str) -> list[str]:
        said = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in said if line.split()[0] == program]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def installs(machine: Machine) -> list[str]:
    """What apt-get was asked to install."""
    return [
        word for call in machine.calls("apt-get") if " install " in call for word in call.split(" install ")[1].split()
    ]


def test_only_what_is_missing_is_installed(machine: Machine) -> None:
    machine.debian(*BASE, "podman", "runc")
    assert machine.run().returncode == 0
    assert installs(machine) == ["--no-install-recommends", "conmon", "iptables", "netavark", "aardvark-dns"]


def test_a_machine_that_has_everything_is_left_alone(machine: Machine) -> None:
    machine.debian(*BASE, *ENGINE)
    assert machine.run().returncode == 0
    assert machine.calls("apt-get") == []


def test_settings_that_are_there_stay_and_nothing_is_asked(machine: Machine) -> None:
    machine.debian()
    assert machine.run().returncode == 0
    [call] = [call for call in machine.calls("apt-get") if " install " in call]
    assert "Dpkg::Options::=--force-confold" in call


def test_what_a_cut_run_left_unpacked_is_set_up_first(machine: Machine) -> None:
    machine.debian()
    (machine.bin / "dpkg.unfinished").write_text("not yet configured\n")
    assert machine.run().returncode == 0
    done = [call for call in machine.log.read_text().splitlines() if call.startswith(("dpkg --force", "apt-get"))]
    assert [call.partition(" -")[0] for call in done][:2] == ["apt-get", "dpkg"]
    assert "--configure -a" in done[1]
    machine.log.unlink()
    (machine.bin / "dpkg.unfinished").unlink()
    machine.run()
    assert machine.calls("dpkg") == ["dpkg --audit"]


def test_docker_that_works_makes_podman_unneeded(machine: Machine) -> None:
    machine.debian(*BASE)
    machine.program("docker", "#!/bin/sh\nexit 0\n")
    assert machine.run().returncode == 0
    assert machine.calls("apt-get") == []


def test_a_package_that_this_release_lacks_is_left_out(machine: Machine) -> None:
    """podman 3 has no netavark; asking apt for it would fail for all."""
    machine.debian(*BASE, offered=ENGINE[:4])
    assert machine.run().returncode == 0
    assert installs(machine)[1:] == list(ENGINE[:4])


def test_without_root_sudo_is_used(machine: Machine) -> None:
    machine.debian(*BASE, "podman")
    machine.program("id", "#!/bin/sh\necho 1000\n")
    machine.program("sudo", SAY + 'exec "$@"\n')
    assert machine.run().returncode == 0
    assert any("apt-get" in call and "install" in call for call in machine.calls("sudo"))


def test_without_root_and_sudo_it_says_so(machine: Machine) -> None:
    machine.debian(*BASE)
    machine.program("id", "#!/bin/sh\necho 1000\n")
    result = machine.run()
    assert result.returncode == 1
    assert "root is needed" in result.stderr


def test_packages_are_left_alone_on_request(machine: Machine) -> None:
    machine.debian(*BASE)
    result = machine.run(STACKLAB_NO_PACKAGES="1")
    assert result.returncode == 0
    assert "podman" in result.stderr
    assert machine.calls("apt-get") == []


def test_another_distribution_is_told_what_to_install(machine: Machine) -> None:
    result = machine.run()
    assert result.returncode == 1
    assert "podman with runc, netavark, aardvark-dns" in result.stderr


def test_another_distribution_with_docker_works(machine: Machine) -> None:
    machine.program("docker", "#!/bin/sh\nexit 0\n")
    assert machine.run().returncode == 0


def test_python_packages_come_with_hashes_and_no_build_environment(machine: Machine) -> None:
    machine.debian(*BASE, *ENGINE)
    machine.run()
    locked, project = (call for call in machine.calls("python") if " install " in call)
    assert "--require-hashes" in locked
    assert "-r requirements.lock" in locked
    assert "--no-build-isolation --no-deps --editable ." in project


def test_what_virtual_machines_need_is_installed(machine: Machine) -> None:
    machine.debian(*BASE[:4], *ENGINE)
    machine.program("python3", PYTHON + 'case "$*" in *Python.h*) exit 1 ;; esac\n')
    machine.run()
    asked = installs(machine)
    assert {"dnsmasq-base", "qemu-system-x86", "libvirt-dev", "python3-dev"} < set(asked)
    assert ("libvirt-daemon-system" in asked) == Path("/run/systemd/system").is_dir()


def test_the_library_of_libvirt_is_compiled_where_its_headers_are(machine: Machine) -> None:
    machine.debian(*BASE, *ENGINE)
    machine.program("pkg-config", "#!/bin/sh\nexit 0\n")
    machine.run()
    (call,) = [one for one in machine.calls("python") if "setup/libvirt.lock" in one]
    assert "--require-hashes --no-deps --no-build-isolation" in call


def test_without_libvirts_headers_everything_else_is_installed(machine: Machine) -> None:
    machine.debian(*BASE, *ENGINE)
    machine.program("pkg-config", "#!/bin/sh\nexit 1\n")
    result = machine.run()
    assert result.returncode == 0
    assert "no virtual machines here" in result.stderr
    assert not [one for one in machine.calls("python") if "setup/libvirt.lock" in one]


def test_a_second_run_does_nothing_until_the_lock_changes(machine: Machine) -> None:
    machine.debian(*BASE, *ENGINE)
    machine.run()
    machine.log.unlink()
    assert machine.run().returncode == 0
    assert not [call for call in machine.calls("python") if " install " in call]
    with (machine.checkout / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    machine.run()
    assert len([call for call in machine.calls("python") if " install " in call]) == 2


def test_a_run_that_was_stopped_is_taken_up_again(machine: Machine) -> None:
    """pip failed: nothing says that the environment is ready."""
    machine.debian(*BASE, *ENGINE)
    machine.program("python3", PYTHON.replace("esac", "  *--require-hashes*) exit 1 ;;\nesac"))
    assert machine.run().returncode == 1
    shutil.rmtree(machine.checkout / ".venv")
    machine.program("python3", PYTHON)
    assert machine.run().returncode == 0
    assert (machine.checkout / ".venv" / "bin" / "stacklab").exists()


def test_a_lab_waits_for_nothing_that_only_tests_need(machine: Machine) -> None:
    machine.debian(*BASE, *ENGINE, offered=("chromium",))
    machine.run()
    assert installs(machine) == []
    assert not [call for call in machine.calls("python") if "setup/browser.lock" in call]


def test_what_tests_need_is_installed_once_also_after_the_rest(machine: Machine) -> None:
    machine.debian(*BASE, *ENGINE, offered=("chromium",))
    machine.run()
    for _ in range(2):
        assert machine.run("--tests").returncode == 0
    assert installs(machine)[1:4] == ["chromium", "postgresql", "sudo"]
    (call,) = [one for one in machine.calls("python") if "setup/browser.lock" in one]
    assert "--require-hashes" in call


def test_a_browser_that_is_there_is_used(machine: Machine) -> None:
    machine.debian(*BASE, *ENGINE, "postgresql", "sudo")
    machine.program("google-chrome", "#!/bin/sh\n")
    assert machine.run("--tests").returncode == 0
    assert installs(machine) == []


def test_an_unknown_word_is_named_with_what_is_allowed(machine: Machine) -> None:
    result = machine.run("--test")
    assert result.returncode == 1
    assert "--test " in result.stderr
    assert "allowed: --tests" in result.stderr


def test_it_is_a_plain_shell_script() -> None:
    assert os.access(PROJECT / "setup" / "bootstrap", os.X_OK)
    assert (PROJECT / "setup" / "bootstrap").read_text().startswith("#!/bin/sh\n")
