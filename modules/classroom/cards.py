"""`class cards` and `class revoke` for one student: a lab's outputs -> account, key -> the student's folder, and back.

Everybody by itself: one whose lab is not up says why, and the others get theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.base import kubeconfig, paths
from modules.base.errors import StacklabError
from modules.classroom import access, card, credentials, folder, labs, ssh_access, stack_files
from modules.classroom.access import Account
from modules.classroom.model import Student
from modules.classroom.namespace import Tenant
from modules.classroom.parse import Class
from modules.known import known
from modules.machines import keys
from modules.machines.login import Login
from modules.topology import parse as stacks
from modules.topology.plan import plan
from modules.verify.kubectl import Kubectl

Outputs = Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """How it ended for one student; nothing secret is in it."""

    id: str
    name: str
    ok: bool
    folder: str = ""
    url: str = ""
    note: str = ""


@dataclass(frozen=True)
class Desk:
    """Who hands out: the class, the kubectl of this checkout, and how a stack's outputs are read."""

    made: Class
    kubectl: Path
    outputs: Outputs

    def give(self, one: Student) -> Row:
        """A student's folder; what fails is in the row."""
        try:
            url = self._give(one)
        except StacklabError as error:
            return Row(one.id, one.name, False, note=error.in_one_line())
        return Row(one.id, one.name, True, str(folder.student(self.made.file, one.id)), url)

    def revoke(self, one: str) -> Row:
        """A student's credentials made useless, proven, and removed; what fails is in the row."""
        name = next((student.name for student in self.made.spec.students if student.id == one), "")
        try:
            note = self._revoke(one)
        except StacklabError as error:
            return Row(one, name, False, note=error.in_one_line())
        return Row(one, name, True, note=note)

    def _give(self, one: Student) -> str:
        spec, account = self.made.spec, self.account(one.id)
        outputs = self.outputs(account.stack)
        if not outputs.get("kubeconfig"):
            raise StacklabError("the lab is not up")
        admin = self._admin(account.stack)
        text = credentials.give(Kubectl(self.kubectl, admin), account)
        inside = folder.make(self.made.file, one.id)
        files = {folder.KUBECONFIG: text}
        logins = self.logins(account.stack)
        if logins:
            ssh_access.let_in(logins, ssh_access.make_key(inside, account.stack), account.stack)
            files[ssh_access.KNOWN] = keys.of(account.stack).known_hosts.read_text(encoding="utf-8")
            files[ssh_access.CONFIG] = ssh_access.config(logins)
        page = card.card(
            one,
            self.made.name,
            spec.title,
            account.stack,
            api=kubeconfig.read(text).endpoint,
            outputs=outputs,
            expires=spec.expires,
            inside=account.inside,
            ssh=[login.machine for login in logins],
        )
        files[folder.CARD] = card.page(f"{one.name or one.id}, {spec.title or self.made.name}", [card.html(page)])
        folder.fill(inside, files)
        return page.url

    def _revoke(self, one: str) -> str:
        account = self.account(one)
        theirs = folder.student(self.made.file, one) / folder.KUBECONFIG
        if self._gone(account.stack):
            folder.remove(self.made.file, one)
            return "the lab is gone, and the credentials with it"
        teacher = Kubectl(self.kubectl, self._admin(account.stack))
        if not theirs.exists() and (text := credentials.living(teacher, account)):
            # Handed out by another checkout: without a copy nothing could be proven.
            folder.write(folder.make(self.made.file, one) / folder.KUBECONFIG, text)
        credentials.take_back(teacher, account)
        if theirs.exists():
            credentials.prove_refused(self.kubectl, theirs, where=f"stack {account.stack}")
            note = "the token is refused"
        else:
            note = "there were no credentials"
        if logins := self.logins(account.stack):
            ssh_access.shut_out(logins, account.stack)
            if (theirs.parent / ssh_access.KEY).exists():
                ssh_access.prove_refused(logins, theirs.parent)
                note += ", and the SSH key"
        folder.remove(self.made.file, one)
        return note

    def account(self, one: str) -> Account:
        """What the student's credentials rest on."""
        stack = labs.stack_name(self.made.name, one)
        if self.made.spec.tenancy == "cluster":
            return access.own_lab(self.made.name, one, stack)
        return access.share(Tenant(self.made.name, one, stack, self.made.spec.shared, ()))

    def logins(self, stack: str) -> list[Login]:
        """How the lab reaches its virtual machines; none on other backends, nor in a shared lab."""
        file = stack_files.file_of(paths.checkout() / "stacks", stack)
        if self.made.spec.tenancy == "namespace" or not file.exists():
            return []
        lab = plan(stacks.load(file, known()), stack)
        return [keys.login(lab, machine) for machine in lab.machines] if lab.backend == "libvirt" else []

    def _lab(self, stack: str) -> str:
        """The stack whose API the account is in."""
        return stack if self.made.spec.tenancy == "cluster" else self.made.spec.shared.stack

    def _admin(self, stack: str) -> Path:
        file = paths.lab(self._lab(stack)) / "kubeconfig"
        if not file.exists():
            hint = "is it another checkout's? pulumi up writes the file anew"
            raise StacklabError(f"the lab's kubeconfig is not here: {file}", where=f"stack {stack}", hint=hint)
        return file

    def _gone(self, stack: str) -> bool:
        """Whether there is no API any more that could accept anything."""
        if (paths.lab(self._lab(stack)) / "kubeconfig").exists():
            return False
        try:
            return not self.outputs(self._lab(stack)).get("kubeconfig")
        except StacklabError as error:
            if error.what.startswith("no lab of this name is up"):
                return True
            raise
