# SPDX-License-Identifier: LGPL-3.0-or-later
"""Where Odoo 19 comes from: ODOO_HOME, or Debian's package, kept in a cache."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from .system import LabError, locked, remove, run, say

# Odoo itself is in Debian's unstable suite only. It links fonts and scripts to other
# packages; without them the web client has no icons, or answers 500. Unstable has
# newer ones of some, with other files in them, so they come from the stable suite
# that fits. All are architecture independent.
PACKAGES = {
    "sid": ("odoo-19", "fonts-montserrat"),
    "trixie": (
        "libjs-jquery",
        "libjs-jquery-form",
        "libjs-underscore",
        "fonts-font-awesome",
        "fonts-roboto-unhinted",
        "fonts-inconsolata",
        "fonts-ocr-b",
        "fonts-glyphicons-halflings",
    ),
}
# Left out by Debian because it is not free (it blurs the background of video calls).
# The web client asks for it and complains on its console, which fails browser tests.
LEFT_OUT = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"
PACKAGE_FOLDER = Path("usr/lib/python3/dist-packages")
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
    home = target / PACKAGE_FOLDER
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
        sources.write_text(
            "".join(f"deb [signed-by={keyring}] {mirror} {s} main\n" for s in PACKAGES)
        )
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
        names = [f"{name}/{suite}" for suite in PACKAGES for name in PACKAGES[suite]]
        run(
            [*apt, "download", *names],
            cwd=debs,
            what=f"Downloading Debian's package of Odoo 19. {OTHERWISE}. It",
        )
        unpacked = work / "root"
        for deb in sorted(debs.iterdir()):
            run(["dpkg-deb", "-x", deb, unpacked], what=f"Unpacking {deb.name}")
        complete(unpacked)
        unpacked.rename(target)


def complete(unpacked: Path) -> None:
    """Put in what Debian left out, and say which links lead nowhere."""
    addons = unpacked / PACKAGE_FOLDER / "odoo" / "addons"
    stub = addons / LEFT_OUT
    if not stub.exists():
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text("// not part of Debian's package\n")
    for link in addons.rglob("*"):
        if link.is_symlink() and not link.exists():
            say(f"Odoo misses a file of another package: {link.readlink()}")


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
