# SPDX-License-Identifier: LGPL-3.0-or-later
"""Leads given out by our job, against core's assignment of as many.

One database with three sales teams, eight people, capacity for all and leads that
nobody has; copies of it. In one core's ``crm.team._action_assign_leads`` gives them
out, without our addon. In others the addon is installed, makes rules and pools of the
same teams, and its job gives them out, keeps every decision and tells the owners. Then
four times as many leads, to see the growth, and the leads and people of a real
complaint. ``--memory``: the job at its highest with many leads waiting, against 1 000;
people have room for a tenth of them, the others go on waiting.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from support import report

import lab

PRELUDE = """
import json, resource, time

def report(**figures):
    print("figures=" + json.dumps(figures))

def make_leads(count):
    # the first by core; the others are its copies in plain SQL, with names of their own
    env["crm.lead"].create({
        "name": "Lead 1", "type": "opportunity", "user_id": False, "team_id": False,
        "partner_name": "Vogt 1 GmbH", "email_from": "lena@vogt1.example",
    })
    env.flush_all()
    named = {"name", "partner_name", "email_from", "email_normalized",
             "email_domain_criterion"}
    columns = [name for name, field in env["crm.lead"]._fields.items()
               if field.store and field.column_type and name != "id"]
    env.cr.execute(
        "INSERT INTO crm_lead (%s) SELECT %s FROM crm_lead, generate_series(2, %d) AS n"
        " WHERE name = 'Lead 1'" % (
            ", ".join(columns),
            ", ".join(f"replace({name}, '1', n::text)" if name in named else name
                      for name in columns),
            count,
        )
    )
    env.cr.execute("ANALYZE crm_lead")

"""
TEAMS = """
env["crm.team"].search([]).active = False
env["crm.lead"].search([]).active = False
salesman = env.ref("sales_team.group_sale_salesman")
users = env["res.users"].create([
    {"name": f"Member {n}", "login": f"member{n}", "notification_type": "inbox",
     "group_ids": [(4, salesman.id)]}
    for n in range(MEMBERS)
])
for nth in range(TEAMS):
    some = users[nth::TEAMS]
    env["crm.team"].create({
        "name": f"Team {nth}", "company_id": False,
        "crm_team_member_ids": [
            (0, 0, {"user_id": user.id, "assignment_max": 30 * CAPACITY})
            for user in some
        ],
    })
# whatever day this runs
calendar = env["resource.calendar"].create({
    "name": "Always",
    "attendance_ids": [(0, 0, {"name": "Day", "dayofweek": str(day), "hour_from": 0,
                               "hour_to": 24, "day_period": "morning"})
                       for day in range(7)],
})
env["res.company"].search([]).resource_calendar_id = calendar
env["ir.cron"].search([]).active = False
make_leads(LEADS)
env.cr.commit()
"""
CORE = """
teams = env["crm.team"].search([])
start, cpu = time.perf_counter(), time.process_time()
teams._action_assign_leads(force_quota=True, creation_delta_days=0)
env.cr.commit()
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
given = env["crm.lead"].search_count([("name", "like", "Lead %"),
                                      ("user_id", "!=", False)])
report(seconds=seconds, cpu=cpu, given=given)
"""
OURS = """
service = env["lead.distribution"]
env["lead.distribution.rule"].search([]).active = False  # those of the demo
service._make_rules()
env["ir.config_parameter"].set_param("lead_pipeline.distribution", True)
env.cr.execute("UPDATE crm_lead SET waiting_since = now() WHERE name LIKE 'Lead %%'")
env.cr.execute("ANALYZE crm_lead")
if SCORED:  # as leads are that came in by the ORM
    env["crm.lead"].search([])._rescore()
env.cr.commit()
env.invalidate_all()
start, cpu = time.perf_counter(), time.process_time()
service._cron_sweep()
env.cr.commit()
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
leads = [("name", "like", "Lead %"), ("user_id", "!=", False)]
given = env["crm.lead"].search_count(leads)
told = env["crm.lead"].search_count([*leads, ("date_told", "!=", False)])
kept = env["lead.assignment"].search_count([("user_id", "!=", False)])
assert given == told == kept, (given, told, kept)
groups = env["crm.lead"]._read_group(leads, ["user_id"], ["__count"])
shares = [count for _user, count in groups]
messages = env["mail.message"].search_count([("subject", "like", "new leads for you")])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
report(seconds=seconds, cpu=cpu, given=given, shares=[min(shares), max(shares)],
       messages=messages, peak=peak)
"""


class Shape:
    """One database without our addon, and copies of it to measure in."""

    def __init__(
        self,
        it: lab.Lab,
        name: str,
        leads: int,
        teams: int,
        members: int,
        room: int | None = None,
    ) -> None:
        self.it, self.base, self.leads = it, f"bench_distribute_{name}", leads
        self.room = leads if room is None else room
        it.database(self.base, ())
        script = TEAMS.replace("LEADS", str(leads)).replace("TEAMS", str(teams))
        script = script.replace("MEMBERS", str(members))
        capacity = leads if room is None else room // members
        it.shell(self.base, PRELUDE + script.replace("CAPACITY", str(capacity)))

    def core(self) -> dict[str, Any]:
        return self._measure("core", CORE)

    def ours(self, *, scored: bool = True) -> dict[str, Any]:
        return self._measure("ours", OURS.replace("SCORED", str(scored)))

    def drop(self) -> None:
        self.it.drop(self.base)

    def _measure(self, who: str, script: str) -> dict[str, Any]:
        database = f"{self.base}_{who}"
        self.it.copy(self.base, database)
        try:
            if who == "ours":
                self.it.install(database, lab.ADDONS)
            output = self.it.shell(database, PRELUDE + script)
        finally:
            self.it.drop(database)
        found: dict[str, Any] = json.loads(output.rpartition("figures=")[2])
        assert found["given"] == self.room, found
        print(
            f"{self.leads:7d} leads  {who:5}{found['seconds']:8.1f} s"
            f" ({found['cpu']:.1f} s of CPU) {self.leads / found['seconds']:8.0f} /s",
            flush=True,
        )
        return found


def speed(it: lab.Lab, options: argparse.Namespace) -> None:
    shape = Shape(it, "shape", options.leads, 3, 8)
    ours = shape.ours()
    print(f"  shares {ours['shares']} by person, {ours['messages']} messages")
    core = None if options.ours else shape.core()
    shape.drop()
    large = Shape(it, "large", 4 * options.leads, 3, 8)
    larger = large.ours()
    large.drop()
    complaint = Shape(it, "complaint", 2759, 1, 82)
    many_people = complaint.ours()
    core_many = complaint.core() if options.full else None
    complaint.drop()
    report(
        name="distribute",
        n=options.leads,
        ours=round(ours["seconds"], 2),
        baseline=core and round(core["seconds"], 1),
        ratio=core and round(core["seconds"] / ours["seconds"], 1),
        growth_of_four_times=round(larger["seconds"] / ours["seconds"], 2),
        complaint=round(many_people["seconds"], 2),
        complaint_core=core_many and round(core_many["seconds"], 1),
    )


def memory(it: lab.Lab, leads: int) -> None:
    peaks = []
    for count in (1_000, leads):
        shape = Shape(it, "memory", count, 3, 8, room=count // 80 * 8)
        peaks.append(shape.ours(scored=False)["peak"])
        shape.drop()
        print(f"{count:7d} leads  {peaks[-1]:7.1f} MB at the highest", flush=True)
    report(
        name="distribute-memory",
        n=leads,
        mb=[round(each, 1) for each in peaks],
        extra_mb=round(peaks[1] - peaks[0], 1),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int)
    parser.add_argument("--ours", action="store_true", help="without core")
    parser.add_argument("--full", action="store_true", help="the complaint by core too")
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    with lab.Lab() as it:
        if options.memory:
            memory(it, options.leads or 300_000)
        else:
            options.leads = options.leads or 5000
            speed(it, options)


if __name__ == "__main__":
    main()
