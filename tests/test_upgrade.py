# SPDX-License-Identifier: LGPL-3.0-or-later
"""Databases of releases before, brought up to date with what they hold."""

import subprocess
from pathlib import Path

import pytest

from lab import ROOT, Lab, odoo_home
from lab.odoo_home import core_addons
from lab.system import run

MANIFEST = "addons/lead_pipeline/__manifest__.py"
BEFORE_SCORES = """
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
AFTER_SCORES = """
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


BEFORE_LEAD_SCORE = """
model = env["lead.score.model"].create({
    "name": "First",
    "sequence": 0,
    "ready_quality": 50,
    "ready_engagement": 10,
    "activity_ids": [(0, 0, {"name": "Call", "kind": "call_in", "points": 20})],
    "criterion_ids": [(0, 0, {
        "name": "Title",
        "field_id": env["ir.model.fields"]._get("crm.lead", "function").id,
        "option_ids": [(0, 0, {"operator": "word", "value": "CEO", "points": 5})],
    })],
})
model.action_activate()
env.cr.execute("SELECT engagement_key FROM crm_lead LIMIT 1")  # it was there, then
leads = env["crm.lead"].create([
    {"name": "Upgraded", "function": function} for function in ("CEO", "Cook", "")
])
env["lead.touchpoint"].create({"lead_id": leads[0].id, "kind": "call_in"})
leads[1]._override_quality(64, "Knows everybody")
env["lead.score.model"]._cron_rescore()
env.cr.commit()
"""
AFTER_LEAD_SCORE = """
def seen(leads):
    # no band of engagement: a minute may have passed a threshold
    return [(one.quality_score, one.sales_ready, one.lead_grade[0]) for one in leads]

leads = env["crm.lead"].search([("name", "=", "Upgraded")], order="id")
assert [one.quality_score for one in leads] == [100, 64, 0], seen(leads)
assert leads.mapped("sales_ready") == [True, False, False], seen(leads)
assert leads.mapped("quality_overridden") == [False, True, False], seen(leads)
assert leads[0].engagement_score >= 19, leads[0].engagement_score
assert leads[0].cools_at and leads[0].sales_ready_date
assert leads.search([("id", "in", leads.ids), ("sales_ready", "=", True)]) == leads[0]
before = seen(leads)
env["lead.scoring"]._rescore(leads, replay=True)
assert seen(leads) == before, (before, seen(leads))
env.cr.execute(
    "SELECT count(*) FROM information_schema.columns"
    " WHERE table_name = 'crm_lead' AND column_name = 'engagement_key'"
)
assert env.cr.fetchone() == (0,)
print("fine")
"""
BEFORE_PROMISE = """
from freezegun import freeze_time
env["lead.distribution.rule"].search([]).active = False
user = env.ref("base.user_admin")
pool = env["lead.pool"].create({
    "name": "Before", "member_ids": [(0, 0, {"user_id": user.id})],
})
sla = env["lead.sla.policy"].create({"name": "Within the hour"})
env["lead.distribution.rule"].create({
    "name": "All", "pool_id": pool.id, "sla_policy_id": sla.id,
})
env["ir.config_parameter"].set_param("lead_pipeline.distribution", True)
with freeze_time("2026-11-20 09:00:00"):  # people are at work
    lead = env["crm.lead"].create({"name": "Given before", "user_id": False})
    env.cr.commit()
assert lead.sla_due_at and lead.sla_due_at == lead.assignment_id.due_at
env["ir.config_parameter"].set_param("before.due_at", str(lead.sla_due_at))
env.cr.commit()
"""
AFTER_PROMISE = """
from freezegun import freeze_time
lead = env["crm.lead"].search([("name", "=", "Given before")])
due_at = env["ir.config_parameter"].get_param("before.due_at")
assert str(lead.sla_due_at) == str(lead.assignment_id.due_at) == due_at, due_at
# its owner's clock goes on; since capture nothing was promised then
assert not lead.assignment_id.promised_at
env.flush_all()
report = env["lead.sla.report"].search([("lead_id", "=", lead.id)])
assert len(report) == 1 and not report.promise, report.promise
with freeze_time("2026-11-20 09:00:00"):
    later = env["crm.lead"].create({"name": "Given after", "user_id": False})
    env.cr.commit()
assert later.assignment_id.promised_at, later.waiting_reason
companies = env["res.company"].search([])
assert all(companies.mapped("lead_nurture_sms_consent_required"))
print("fine")
"""
BEFORE_HISTORY = """
pool = env["lead.pool"].create({
    "name": "Kept since", "member_ids": [
        (0, 0, {"user_id": env.ref("base.user_admin").id, "per_month": 30}),
        (0, 0, {"user_id": env.ref("base.user_demo").id, "active": False}),
    ],
})
env["lead.sla.policy"].create({"name": "Kept since"})
env.cr.commit()
"""
AFTER_HISTORY = """
History = env["lead.distribution.history"]
pool = env["lead.pool"].search([("name", "=", "Kept since")])
members = pool.with_context(active_test=False).member_ids
assert len(members) == 2
for member in members:
    [kept] = History.search([("member_id", "=", member.id)])
    assert kept.settings == member._settings()[member.id], kept.settings
    assert kept.settings["active"] == member.active
sla = env["lead.sla.policy"].search([("name", "=", "Kept since")])
[kept] = History.search([("sla_policy_id", "=", sla.id)])
assert kept.settings["first_touch_minutes"] == 60
everybody = env["lead.pool.member"].with_context(active_test=False).search([])
everybody._keep_history()
assert History.search_count([("member_id", "!=", False)]) == len(everybody)
print("fine")
"""
BEFORE_KEPT = """
model = env["lead.score.model"].create({
    "name": "Kept",
    "sequence": 0,
    "activity_ids": [(0, 0, {"name": "Call", "kind": "call_in", "points": 20})],
    "criterion_ids": [(0, 0, {
        "name": "Title",
        "field_id": env["ir.model.fields"]._get("crm.lead", "function").id,
        "option_ids": [
            (0, 0, {"operator": "word", "value": "CEO", "points": 7}),
            (0, 0, {"operator": "filled", "points": 2}),
        ],
    })],
})
model.action_activate()
leads = env["crm.lead"].create([
    {"name": "Kept", "function": function} for function in ("CEO", "Cook", "")
])
env["lead.touchpoint"].create({"lead_id": leads[0].id, "kind": "call_in"})
env["lead.score.model"]._cron_rescore()
assert leads.mapped("quality_score") == [100, 28.6, 0], leads.mapped("quality_score")
env.cr.commit()
"""
AFTER_KEPT = """
from odoo.exceptions import UserError
leads = env["crm.lead"].search([("name", "=", "Kept")], order="id")
model = leads.score_model_id
assert leads.mapped("quality_score") == [100, 28.6, 0], leads.mapped("quality_score")
assert leads[0].explain_score()["quality"]["shown"] == 100
env.cr.execute(
    "SELECT conname FROM pg_constraint WHERE contype = 'f'"
    " AND conrelid IN ('lead_score'::regclass, 'lead_score_history'::regclass)"
    " AND confrelid = 'lead_score_model'::regclass"
)
assert not env.cr.fetchall()
for gone in (model, model.origin_id):
    try:
        gone.unlink()
        raise AssertionError("a version that scored leads was deleted")
    except UserError:
        pass
draft = model._new_version()
draft.criterion_ids.option_ids[1].points = 3.5
draft.action_activate()
env["lead.score.model"]._cron_rescore()
assert leads.mapped("quality_score") == [100, 50, 0], leads.mapped("quality_score")
history = env["lead.score.history"].search([("lead_id", "=", leads[1].id)])
assert history.mapped("quality") == [50, 28.6], history.mapped("quality")
assert history.model_id == draft | model, history.model_id
leads[1].unlink()
assert not history.exists()
print("fine")
"""
#: for each version: the change of data that it brought (a text, and the file in which
#: it came), what is done with the addons before, and what must hold after the upgrade
STORIES = {
    "19.0.2.0.0": (('"19.0.2.0.0"', MANIFEST), BEFORE_SCORES, AFTER_SCORES),
    "19.0.3.0.0": (
        ('_name = "lead.score"', "addons/lead_pipeline/models/lead_score.py"),
        BEFORE_LEAD_SCORE,
        AFTER_LEAD_SCORE,
    ),
    "19.0.3.1.0": (
        ("    promised_at = fields", "addons/lead_pipeline/models/lead_assignment.py"),
        BEFORE_PROMISE,
        AFTER_PROMISE,
    ),
    "19.0.3.2.0": (
        (
            '_name = "lead.distribution.history"',
            "addons/lead_pipeline/models/lead_distribution_history.py",
        ),
        BEFORE_HISTORY,
        AFTER_HISTORY,
    ),
    "19.0.3.3.0": (
        ("class KeptMany2one", "addons/lead_pipeline/models/kept_many2one.py"),
        BEFORE_KEPT,
        AFTER_KEPT,
    ),
}


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def addons_before(change: tuple[str, str], folder: Path) -> Path:
    """Our addons as they were before a text first stood in a file."""
    text, path = change
    commits = git("log", "--format=%H", "-S", text, "--", path).split()
    archive = subprocess.run(
        ["git", "archive", f"{commits[-1]}^", "addons"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder / "addons"


@pytest.mark.parametrize("version", STORIES)
def test_what_was_there_is_there_after_an_upgrade(
    the_lab: Lab, tmp_path: Path, version: str
) -> None:
    change, before, after = STORIES[version]
    old_addons = addons_before(change, tmp_path)
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
            stdin=before,
        )
        run(
            the_lab.argv(
                "-d", database, "--no-http", "-u", "lead_pipeline", "--stop-after-init"
            ),
            what="Upgrading them",
            env=environ,
        )
        assert "fine" in the_lab.shell(database, after)
