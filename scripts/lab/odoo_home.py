# SPDX-License-Identifier: LGPL-3.0-or-later
"""Where Odoo 19 comes from: ODOO_HOME, or Debian's package, kept in a cache."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from .system import LabError, locked, remove, run, say

SUITE = "sid"
PACKAGE = "odoo-19"
# The package links fonts and scripts to these; without them the web client
# answers 500. All are architecture independent.
LINKED = (
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-font-awesome",
    "fonts-roboto-unhinted",
    "fonts-inconsolata",
    "fonts-ocr-b",
    "fonts-glyphicons-halflings",
    "fonts-montserrat",
)
KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)
OTHERWISE = (
    "Set ODOO_HOME to an Odoo 19 (a checkout, or the folder that holds the package"
    " `odoo`), or LEAD_PIPELINE_DEBIAN_MIRROR to a Debian mirror"
)


def odoo_home() -> Path:
    """The folder that holds the Python package ``odoo``, version 19.

    ODOO_HOME if set, else the Debian package unpacked in
    ``${XDG_CACHE_HOME:-~/.cache}/lead-pipeline``, downloaded on first use.

    :raises LabError: if there is no Odoo 19 and none can be had
    """
    if given := os.environ.get("ODOO_HOME"):
        home = Path(given).expanduser().resolve()
        if not is_odoo_19(home):
            raise LabError(f"ODOO_HOME={given} holds no Odoo 19 (no package `odoo`)")
        return home
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    target = cache / "lead-pipeline" / "odoo-19"
    home = target / "usr" / "lib" / "python3" / "dist-packages"
    if not is_odoo_19(home):
        # Two clones may start at the same time: one downloads, the other waits.
        with locked(target.parent / "odoo-19.lock"):
            if not is_odoo_19(home):
                download(target)
    return home


def is_odoo_19(home: Path) -> bool:
    release = home / "odoo" / "release.py"
    return release.is_file() and "version_info = (19," in release.read_text()


def core_addons(home: Path) -> list[Path]:
    """The addons folders of Odoo itself; a checkout has two of them."""
    folders = [home / "odoo" / "addons", home / "addons"]
    return [f for f in folders if (f / "base").is_dir() or (f / "crm").is_dir()]


def download(target: Path) -> None:
    """Unpack Odoo's Debian package and what it links to into ``target``.

    apt works in a folder of its own: signatures are checked, nothing on the
    machine changes. ``target`` appears whole or not at all.
    """
    mirror = os.environ.get("LEAD_PIPELINE_DEBIAN_MIRROR") or machine_mirror()
    keyring = next((path for path in KEYRINGS if path.is_file()), None)
    if keyring is None:
        raise LabError(
            "missing Debian package, please install: debian-archive-keyring."
            f" {OTHERWISE}"
        )
    say("Downloading Odoo 19 (120 MB, once) ...")
    remove(target)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="download-") as name:
        work = Path(name)
        sources = work / "sources.list"
        sources.write_text(f"deb [signed-by={keyring}] {mirror} {SUITE} main\n")
        (work / "lists" / "partial").mkdir(parents=True)
        (work / "cache" / "archives" / "partial").mkdir(parents=True)
        debs = work / "debs"
        debs.mkdir()
        options = [
            f"Dir::Etc::SourceList={sources}",
            "Dir::Etc::SourceParts=/dev/null",
            f"Dir::State::Lists={work}/lists",
            f"Dir::Cache={work}/cache",
            "APT::Sandbox::User=root",
            "Acquire::Languages=none",
            "Acquire::Retries=3",
        ]
        apt = ["apt-get", "-q"] + [part for o in options for part in ("-o", o)]
        run([*apt, "update"], what="Reading Debian's package list")
        run(
            [*apt, "download", PACKAGE, *LINKED],
            cwd=debs,
            what=f"Downloading {PACKAGE}. {OTHERWISE}. It",
        )
        unpacked = work / "root"
        for deb in sorted(debs.iterdir()):
            run(["dpkg-deb", "-x", deb, unpacked], what=f"Unpacking {deb.name}")
        unpacked.rename(target)


def machine_mirror() -> str:
    """The Debian mirror this machine uses, out of apt's own configuration."""
    try:
        lines = subprocess.run(
            [
                "apt-get",
                "indextargets",
                "--format",
                "$(ORIGIN)|$(COMPONENT)|$(CODENAME)|$(REPO_URI)",
                "Created-By: Packages",
            ],
            capture_output=True,
            text=True,
        ).stdout.splitlines()
    except FileNotFoundError:
        lines = []
    for line in lines:
        origin, component, codename, uri = line.split("|", 3)
        if origin == "Debian" and component == "main" and "-" not in codename:
            return uri
    raise LabError(f"this machine's apt knows no Debian mirror. {OTHERWISE}")
