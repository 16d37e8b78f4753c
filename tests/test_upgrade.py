# SPDX-License-Identifier: LGPL-3.0-or-later
"""A database of the release before, brought up to date with what it holds."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import ROOT, Lab, odoo_home
from lab.odoo_home import core_addons
from lab.system import run

MANIFEST = "addons/lead_pipeline/__manifest__.py"
BEFORE = """
from odoo import fields
from datetime import timedelta
env["lead.channel"].create({"name": "Old", "code": "old", "channel_type": "form"})
ingest = env["lead.submission"].ingest
for number, size in enumerate(["10", "1,200"]):
    ingest([{
        "channel": "old",
        "external_id": f"old-{number}",
        "contact": {"name": "Sofía Núñez", "email": "sofia@example.com"},
        "answers": [{"key": "size", "label": "Größe", "value": size}],
    }])
lead = env["crm.lead"].search([("email_normalized", "=", "sofia@example.com")])
for days in (-3, 3):
    env["lead.touchpoint"].create({
        "lead_id": lead.id,
        "kind": "meeting",
        "at": fields.Datetime.now() + timedelta(days=days),
    })
env.cr.commit()
"""
AFTER = """
lead = env["crm.lead"].search([("email_normalized", "=", "sofia@example.com")])
answers = {one.key: (one.text, one.number) for one in lead.answer_ids}
assert answers == {"size": ("1,200", 1200), "grosse": ("1,200", 1200)}, answers
awaited = lead.touchpoint_ids.filtered("awaited")
assert len(awaited) == 1 and awaited.at > lead.create_date, awaited
model = env["lead.score.model"].create({
    "name": "First",
    "sequence": 0,
    "activity_ids": [(0, 0, {"name": "Form", "kind": "form_submit", "points": 10})],
    "criterion_ids": [(0, 0, {
        "name": "Size",
        "source": "answer",
        "answer_key": "size",
        "option_ids": [(0, 0, {"operator": "between", "value": "1000..", "points": 5})],
    })],
})
model.action_activate()
env["lead.score.model"]._cron_rescore()
assert lead.quality_score == 100, lead.quality_score
assert lead.engagement_score >= 19, lead.engagement_score
print("fine")
"""


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def old_addons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our addons as they were before the version with scores."""
    bump = git("log", "--format=%H", "-S", '"19.0.2.0.0"', "--", MANIFEST).split()[-1]
    folder = tmp_path_factory.mktemp("before")
    archive = subprocess.run(
        ["git", "archive", f"{bump}^", "addons"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder / "addons"


@pytest.fixture(scope="module")
def upgraded(the_lab: Lab, old_addons: Path) -> Iterator[str]:
    """A database that was installed and used with the old addons, then upgraded."""
    with the_lab.temporary("upgrade", ()) as database:
        path = ",".join(map(str, [*core_addons(odoo_home()), old_addons]))
        old = ("--addons-path", path, "-d", database, "--no-http")
        install = ("-i", "lead_pipeline", "--with-demo", "--stop-after-init")
        environ = the_lab.environment.environ()
        run(
            the_lab.argv(*old, *install),
            what="Installing the addons as they were",
            env=environ,
        )
        run(
            the_lab.argv("shell", *old, "--log-level=warn"),
            what="Using them",
            env=environ,
            stdin=BEFORE,
        )
        run(
            the_lab.argv(
                "-d", database, "--no-http", "-u", "lead_pipeline", "--stop-after-init"
            ),
            what="Upgrading them",
            env=environ,
        )
        yield database


def test_answers_and_meetings_of_before_count(the_lab: Lab, upgraded: str) -> None:
    assert "fine" in the_lab.shell(upgraded, AFTER)
