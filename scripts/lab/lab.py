# SPDX-License-Identifier: LGPL-3.0-or-later
"""The one door to the lab: a cluster, databases from templates, Odoo on them."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import server
from .environments import Environment, python_env
from .odoo_home import odoo_home
from .postgres import Postgres
from .process import Process
from .server import Odoo, filestore
from .system import LAB, LabError, fingerprint, locked, remove, run, say

# What every lab database starts from: core modules only, so that a change to our
# addons does not install them again.
BASE = ("crm", "mass_mailing", "website_crm")
# Ours; the glue addons install themselves.
ADDONS = ("lead_pipeline",)


class Lab:
    """PostgreSQL and the Odoo environment, for the time of a ``with`` block.

    Use it from the main thread. Several processes may do so at the same time.
    """

    def __init__(self) -> None:
        self.environment: Environment = python_env("odoo")
        self.postgres = Postgres()

    def __enter__(self) -> Lab:
        self.postgres.__enter__()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.postgres.__exit__()

    # -- databases ---------------------------------------------------------------

    def database(
        self, name: str, modules: Iterable[str] = ADDONS, *, demo: bool = True
    ) -> str:
        """Make a fresh database with Odoo's CRM and these modules; returns its name.

        An existing one of that name is dropped. The first call installs (a minute
        or two); later ones copy a template (a second), until Odoo, the modules or
        a file of our addons changes. ``modules=()`` gives the core modules alone.

        :param demo: with demo data (of Odoo's modules and ours), or without
        :raises LabError: with Odoo's log if the installation fails
        """
        check_name(name)
        modules = tuple(modules)
        with locked(LAB / "templates.lock"):
            template = self._template(modules, demo)
            self.copy(template, name)
        return name

    @contextlib.contextmanager
    def temporary(
        self, prefix: str, modules: Iterable[str] = ADDONS, *, demo: bool = True
    ) -> Iterator[str]:
        """A fresh database of our own, dropped at the end of the ``with`` block.

        Those that a killed process left behind go as well.
        """
        for name in self.postgres.databases():
            left = re.fullmatch(rf"{prefix}_(\d+)", name)
            if left and not Path(f"/proc/{left[1]}").exists():
                self.drop(name)
        name = self.database(f"{prefix}_{os.getpid()}", modules, demo=demo)
        try:
            yield name
        finally:
            self.drop(name)

    def copy(self, source: str, target: str) -> None:
        """Copy a database and its files; an existing target is dropped."""
        check_name(target)
        self.drop(target)
        self.postgres.create(target, source)
        if filestore(source).is_dir():
            # Files are named by their content and never change: links suffice.
            run(
                ["cp", "-al", filestore(source), filestore(target)],
                what="Copying the file store",
            )

    def drop(self, name: str) -> None:
        """Drop a database and its files, if they exist."""
        self.postgres.drop(name)
        remove(filestore(name))

    def _template(self, modules: tuple[str, ...], demo: bool) -> str:
        """The name of an up to date template with these modules, made if needed."""
        flavour = "demo" if demo else "plain"
        kind = "_".join(modules) or "base"
        key = [str(odoo_home()), *BASE, *modules]
        if modules:
            key.append(server.addons_fingerprint())
        prefix = f"template_{kind}_{flavour}_"
        name = prefix + fingerprint(key)
        existing = self.postgres.databases()
        if name in existing:
            return name
        for old in existing:
            if old.startswith(prefix):
                self.drop(old)
        # Built under another name: a template exists only when it is complete.
        work = f"work_{kind}_{flavour}"
        if modules:
            self.copy(self._template((), demo), work)
            say(f"Installing {', '.join(modules)} ...")
            self.install(work, modules, demo=demo)
        else:
            self.drop(work)
            say(f"Preparing an Odoo 19 database with {', '.join(BASE)} (once) ...")
            self.install(work, BASE, demo=demo)
        self.postgres.sql(f'ALTER DATABASE "{work}" RENAME TO "{name}"')
        remove(filestore(name))
        if filestore(work).is_dir():
            filestore(work).rename(filestore(name))
        return name

    def install(
        self, database: str, modules: Iterable[str], *, demo: bool = True
    ) -> None:
        """Install modules in a database, which Odoo creates if it is missing.

        :raises LabError: with the end of Odoo's log, or what it logged as an error
        """
        log = LAB / "log" / f"install-{database}.log"
        log.unlink(missing_ok=True)
        arguments = server.install_arguments(modules, demo)
        process = Process(
            self.argv(*arguments, "-d", database),
            log=log,
            env=self.environment.environ(),
        )
        with process:
            process.popen.wait()
        text = log.read_text(errors="replace")
        if process.popen.returncode or re.search(r"\d (ERROR|CRITICAL) ", text):
            raise LabError(f"Odoo could not install:\n{process.log_tail()}\n({log})")

    # -- programs ----------------------------------------------------------------

    @property
    def config(self) -> Path:
        """A configuration file for Odoo's command line: this cluster, our addons."""
        return server.write_config(LAB / "config" / "odoo.conf", self.postgres, {})

    def argv(self, *arguments: str | Path) -> list[str]:
        """The command line of ``odoo`` with the lab's configuration.

        A first argument without dash is one of Odoo's sub-commands (``shell``,
        ``i18n export``).
        """
        words = [str(argument) for argument in arguments]
        named = words and not words[0].startswith("-")
        command = words.pop(0).split() if named else []
        return server.odoo_argv(self.environment, *command, "-c", self.config, *words)

    def shell(self, database: str, script: str) -> str:
        """Run Python in ``odoo shell`` (``env`` is there) and return what it printed.

        The script commits itself, with ``env.cr.commit()``.

        :raises LabError: with the traceback, if the script fails
        """
        return run(
            self.argv("shell", "-d", database, "--no-http", "--log-level=warn"),
            what="The script in Odoo's shell",
            env=self.environment.environ(),
            stdin=script,
        )

    def api_key(self, database: str, login: str = "admin", *, days: int = 30) -> str:
        """A new RPC key for a user, valid for ``days``."""
        output = self.shell(
            database,
            f"""
from datetime import datetime, timedelta
user = env["res.users"].search([("login", "=", {login!r})])
assert user, "no user with login " + {login!r}
end = datetime.now() + timedelta(days={days})
key = env["res.users.apikeys"].with_user(user)._generate("rpc", "lab", end)
env.cr.commit()
print("key=" + key)
""",
        )
        return output.partition("key=")[2].strip()

    def odoo(self, database: str, **options: object) -> Odoo:
        """A server on a database; see :class:`lab.Odoo` for the options."""
        return Odoo(self.postgres, self.environment, database, **options)  # type: ignore[arg-type]


def check_name(database: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,50}", database):
        raise LabError(f"not a good name for a database: {database!r}")
