"""`stacklab fetch` and `stacklab bundle`: fill the artifact cache; write what a lab needs into one file.

Exit status as everywhere: 0 all there, 2 something could not be had (run it again, what was got stays).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modules.cli import output, stacks

if TYPE_CHECKING:
    from modules.artifacts.needs import Demand
    from modules.artifacts.sources.addresses import Mirrors
    from modules.artifacts.sources.packing import Lacking
    from modules.cli.fetch_progress import Show
    from modules.topology.model import Mirrors as MirrorSettings
    from modules.topology.plan import LabPlan

BUNDLE = "bundle:"
STACKS = typer.Argument(metavar="[STACK]...", help="Labs it must serve.", show_default=stacks.DEFAULT)


def register(app: typer.Typer) -> None:
    """Add both commands."""

    @app.command()
    def fetch(
        stack: Annotated[
            str, typer.Argument(envvar="STACKLAB_STACK", metavar="[STACK]", help="The lab; without one, every lab.")
        ] = "",
        kubernetes: Annotated[
            str, typer.Option(help="Without a lab: what labs of this version need; latest is the newest.")
        ] = "",
        backend: Annotated[
            str, typer.Option(help="Without a lab: what labs on this backend need; all of them without one.")
        ] = "",
        sources: Annotated[
            str, typer.Option(help="auto, upstream, packages or bundle:FILE, in place of the stack file's.")
        ] = "",
        bundle: Annotated[
            Path | None, typer.Option(envvar="STACKLAB_BUNDLE", help="A bundle that `auto` looks into as well.")
        ] = None,
        jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="How many at a time.")] = 2,
        keep_build_cache: Annotated[
            bool, typer.Option("--keep-build-cache", help="Leave Go's build cache for the next time (about 15 GB).")
        ] = False,
        with_pulumi: Annotated[
            bool, typer.Option("--with-pulumi", help="Pulumi too, where a fitting one is on PATH: for a bundle.")
        ] = False,
        json: Annotated[bool, typer.Option("--json", help="Events, one JSON object a line.")] = False,
    ) -> None:
        """Get what a lab is made of into the artifact cache, or what any lab can be; goes on where it stopped."""
        fill(
            _asked(stack, kubernetes, backend),
            sources,
            bundle,
            jobs=jobs,
            keep_build_cache=keep_build_cache,
            with_pulumi=with_pulumi,
            as_json=json,
        )

    @app.command()
    def bundle(
        file: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
        names: Annotated[list[str] | None, STACKS] = None,
        json: Annotated[bool, typer.Option("--json", help="What was written, as JSON.")] = False,
    ) -> None:
        """Write all that labs need into one file, for machines without network: `sources: bundle:FILE`."""
        pack(file, names or [stacks.DEFAULT], as_json=json)


def fill(
    asked: _Asked,
    setting: str,
    bundle: Path | None,
    *,
    jobs: int,
    keep_build_cache: bool,
    with_pulumi: bool,
    as_json: bool,
) -> None:
    """What `fetch` does: artifacts into the store, then the node image into the container engine."""
    from modules import pulumi_home
    from modules.artifacts import supply
    from modules.cli.fetch_progress import shown

    setting = setting or asked.sources
    pulumi = with_pulumi or pulumi_home.fitting_pulumi() is None
    with shown(supply.weight, as_json=as_json) as show:
        if setting.startswith(BUNDLE):
            _prove(Path(setting.removeprefix(BUNDLE)).expanduser(), asked, pulumi, show)
        supply.supply(
            asked.demands,
            setting,
            asked.mirrors,
            bundle=bundle,
            observer=show,
            say=show.say,
            jobs=jobs,
            keep_build_cache=keep_build_cache,
            pulumi=pulumi,
        )
        versions = " and ".join(dict.fromkeys(demand.kubernetes for demand in asked.demands))
        show.say(f"the artifact cache has everything for Kubernetes {versions}")
        _images(asked, show)


def pack(file: Path, names: list[str], *, as_json: bool) -> None:
    """What `bundle` does: write the file, then read it again and prove it."""
    from modules.artifacts import store
    from modules.artifacts.sources import packing
    from modules.artifacts.sources.bundle import prove
    from modules.artifacts.sources.bundle_writing import write_bundle
    from modules.base.errors import ArtifactError
    from modules.cli.steps_bar import steps_bar

    here, names = store(), list(dict.fromkeys(names))
    asked = [_asked(name) for name in names]
    packing.refuse_what_is_out([each for one in asked for each in one.out_of_bundles])
    wanted = packing.needed_by([demand for one in asked for demand in one.demands], here.has)
    lacking = [f"{a.id}  {', '.join(stacks)}" for a, stacks in wanted.items() if not here.has(a)]
    if lacking:
        raise ArtifactError(
            f"{len(lacking)} of {len(wanted)} artifacts are not in the cache yet",
            output="\n".join(lacking),
            hint="run " + " and ".join(f"`stacklab fetch --with-pulumi {name}`" for name in names),
        )
    with steps_bar() as report:
        contents = write_bundle(wanted, here, file, report, names)
        damaged = prove(file, wanted, report)
    if damaged:
        raise ArtifactError(
            "what was written cannot be read back", where=str(file), output="\n".join(p.what for p in damaged)
        )
    size = file.stat().st_size
    if as_json:
        told = {"file": str(file), "stacks": names, "artifacts": len(wanted), "bytes": size, "contents": contents}
        output.as_json(told)
        return
    print(f"{file}: {len(wanted)} artifacts for {', '.join(names)}, {size / 1e9:.1f} GB, contents {contents}")


@dataclass(frozen=True)
class _Asked:
    """What is to be fetched, and with which settings of the stack file; `plan` is None when it is for every lab."""

    demands: Sequence[Demand]
    mirrors: Mirrors
    plan: LabPlan | None = None
    sources: str = "auto"

    @property
    def out_of_bundles(self) -> tuple[Lacking, ...]:
        from modules.artifacts.sources import packing

        return packing.out_of_bundles(self.plan) if self.plan else ()


def _asked(stack: str, kubernetes: str = "", backend: str = "") -> _Asked:
    from modules.artifacts import needs
    from modules.artifacts.sources.addresses import Mirrors
    from modules.topology.plan import plan

    if not stack:
        return _Asked(needs.everything(_versions(kubernetes), _backends(backend)), Mirrors())
    for said, option in ((kubernetes, "--kubernetes"), (backend, "--backend")):
        if said:
            raise typer.BadParameter(f"stack {stack} says it itself", param_hint=option)
    spec = stacks.load(stack)
    lab = plan(spec, stack)
    return _Asked([needs.of(lab)], downloads(lab.mirrors), lab, lab.sources)


def _versions(kubernetes: str) -> tuple[str, ...]:
    from modules.artifacts import catalogue

    known = tuple(catalogue.KUBERNETES)
    wanted = catalogue.NEWEST.version if kubernetes == "latest" else kubernetes
    if wanted and wanted not in known:
        allowed = ", ".join(("latest", *known))
        raise typer.BadParameter(f"{kubernetes!r} is none of {allowed}", param_hint="--kubernetes")
    return (wanted,) if wanted else known


def _backends(backend: str) -> tuple[str, ...]:
    from modules.artifacts import needs

    known = tuple(needs.ROOTFS)
    if backend and backend not in known:
        raise typer.BadParameter(f"{backend!r} is none of {', '.join(known)}", param_hint="--backend")
    return (backend,) if backend else known


def _prove(file: Path, asked: _Asked, pulumi: bool, show: Show) -> None:
    from modules.artifacts import store
    from modules.artifacts.sources import packing

    packing.refuse_what_is_out(asked.out_of_bundles)
    packing.require_enough(file, asked.demands, store(), pulumi=pulumi)
    show.say(f"{file} has everything that is missing, by digest")


def _images(asked: _Asked, show: Show) -> None:
    """The image that the lab's machines are made of; for labs on any backend, kind's and libvirt's of the newest."""
    from modules.artifacts.images import machine, prepare
    from modules.host import engine

    demand, lab = asked.demands[0], asked.plan
    addons = lab.addons if lab else ()
    named = {one.backend for one in asked.demands}
    backends = named if len(named) == 1 else ("kind", "libvirt")
    ours: dict[str, Callable[..., str]] = {"kind": prepare.ensure_node_image, "minikube": prepare.ensure_base_image}
    for backend in backends:
        if lab and (lab.backend, lab.minikube.image) == ("minikube", "official"):
            show.say("the machines' image is minikube's own: pulumi up has it from its registry")
        elif backend in ours:
            runs = engine.choose()
            show.say(f"seeing to the node image in {runs.name}: about a minute the first time")
            show.say(f"node image: {ours[backend](demand.kubernetes, runs, addons=addons)}")
        elif backend == "libvirt" and demand.own_disk:
            show.say("seeing to the machine image: about a minute the first time")
            made = machine.ensure_machine_image(demand.kubernetes, engine.choose(), addons=addons)
            show.say(f"machine image: {made.name}")
    if lab and demand.balanced:
        show.say(f"load balancer image: {prepare.ensure_load_balancer_image(engine.choose())}")


def downloads(settings: MirrorSettings) -> Mirrors:
    """A lab's mirrors as downloads have them."""
    from modules.artifacts.sources.addresses import Mirrors

    return Mirrors(settings.binaries or "", settings.images or "", dict(settings.registries))
