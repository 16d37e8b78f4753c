# SPDX-License-Identifier: LGPL-3.0-or-later
"""Activation of a model on all leads, against ``filtered_domain`` lead by lead.

Ten criteria with forty options. The usual way goes through the leads, asks the domain
of each option by the ORM until one of the criterion holds, and writes quality and grade
by the ORM; it is measured on a sample. Ours does more: it also keeps the history and
counts engagement. The last line's ``ratio`` is against that way. Beside it:

- the usual way doing the same work, with engagement and history;
- the usual way without stopping at the first option that holds, as where rules add up;
- how fast PostgreSQL writes the same rows where nothing has to be computed, read or
  kept: no way that writes a row a lead is faster;
- a version that changes few leads, against the usual way, which then writes few, too;
- the statements of a batch.

``--memory``: the process at its highest with many leads, against 1 000.
"""

from __future__ import annotations

import argparse

from score_support import measure
from support import report

import lab

SCRIPT = """
from odoo.addons.lead_pipeline.engine.decay import Decay

make_leads(LEADS)
make_touchpoints("form_submit", "mod(id, 3) = 0", 1, 30)
make_touchpoints("page_view", "mod(id, 5) = 0", 3, 30)
env.cr.execute("ANALYZE crm_lead; ANALYZE lead_touchpoint")
model = make_model()
bands = model._bands()
domains = [
    [(option, option._lead_domain()) for option in criterion.option_ids]
    for criterion in model.criterion_ids
]
most = sum(criterion.most_points for criterion in model.criterion_ids)
sample = env["crm.lead"].search([("name", "like", "Lead %")], limit=SAMPLE)
env.flush_all()
env.cr.commit()


# the usual way: two columns of the lead, as one makes them in the settings
names = ["x_quality", "x_grade", "x_engagement"]
for name, kind in zip(names, ["float", "char", "float"]):
    env["ir.model.fields"].create({
        "model_id": env["ir.model"]._get_id("crm.lead"), "name": name, "ttype": kind,
        "field_description": name, "state": "manual",
    })
env.cr.commit()


def judge(leads, stop):
    for lead in leads:
        points = 0
        for options in domains:
            held = 0
            for option, domain in options:
                if lead.filtered_domain(domain):
                    held = held or option.points
                    if stop:
                        break
            points += held
        quality = round(100 * max(0, points) / most, 1)
        lead.write({"x_quality": quality, "x_grade": bands.grade(quality, 0)})
    env.flush_all()


def usual(leads, stop=True, few=False):
    if few:  # what is there is right, but for one option
        judge(leads, stop)
        domains[0][3][0].points += 1
        env.flush_all()
    start = time.perf_counter()
    judge(leads, stop)
    seconds = time.perf_counter() - start
    scores = leads.mapped("x_quality")
    env.cr.rollback()
    return len(leads) / seconds, scores


def same_work(leads):
    "The usual way, if it did what ours does: engagement from touches, and history."
    rules = model._rules()
    rate = Decay(rules.half_life)
    activities = {one: one._to_engine() for one in model.activity_ids}
    filters = [(one, one._touch_domain()) for one in activities]
    now = fields.Datetime.now()
    start = time.perf_counter()
    judge(leads, True)
    history = []
    for lead in leads:
        level, _windows = rate.replay(
            [
                (one, touch.at)
                for one, domain in filters
                for touch in lead.touchpoint_ids.filtered_domain(domain)
            ],
            activities,
        )
        score = rate.score(level, now)
        grade = bands.grade(lead.x_quality, score)
        lead.write({"x_engagement": score, "x_grade": grade})
        history.append({
            "lead_id": lead.id, "at": now, "model_id": model.id,
            "model_quality": lead.x_quality, "quality": lead.x_quality,
        })
    env["lead.score.history"].create(history)
    env.flush_all()
    seconds = time.perf_counter() - start
    env.cr.rollback()
    return len(leads) / seconds


before, scores = usual(sample)
every, _scores = usual(sample, stop=False)
usual_few, _scores = usual(sample, few=True)
same = same_work(sample)
seconds = activate(model)
assert sample.mapped("quality_score") == scores, "both ways say the same"

# the same rows once more, by one statement, with nothing to compute
env.cr.execute("CREATE TEMP TABLE kept AS SELECT * FROM lead_score")
env.cr.execute("DELETE FROM lead_score")
start = time.perf_counter()
env.cr.execute("INSERT INTO lead_score SELECT * FROM kept")
bare = time.perf_counter() - start
env.cr.rollback()
again, _scores = usual(sample)

# a version by which few change: those alone are written
env.cr.execute("CREATE TEMP TABLE place AS SELECT id, ctid AS at FROM lead_score")
draft = model._new_version()
draft.criterion_ids[0].option_ids[3].points += 1
few = activate(draft)
env.cr.execute(
    "SELECT count(*) FROM lead_score AS score JOIN place USING (id)"
    " WHERE score.ctid <> place.at"
)
written = env.cr.fetchone()[0]
env.cr.execute("SELECT count(*) FROM crm_lead WHERE function = 'Student'")
due = env.cr.fetchone()[0]

statements = []
for size in (500, 500, 5000):
    found = env["crm.lead"].search([], limit=size, order="id desc")
    env.cr.execute(
        "UPDATE lead_score SET quality_model_score = -1 WHERE lead_id = ANY(%s)",
        [found.ids],
    )
    count = env.cr.sql_log_count
    env["lead.scoring"]._score_batch(found, recount=True, regrade=True)
    statements.append(env.cr.sql_log_count - count)
    env.cr.rollback()
report(
    seconds=seconds, usual=[before, again], every=every, bare=bare, few=few,
    usual_few=usual_few, same=same, written=written, due=due, statements=statements[1:],
)
"""
MEMORY = """
make_leads(LEADS)
make_touchpoints("form_submit", "mod(id, 3) = 0", 1, 30)
env.cr.commit()
activate(make_model())
report(peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def speed(it: lab.Lab, leads: int, sample: int) -> None:
    script = SCRIPT.replace("LEADS", str(leads)).replace("SAMPLE", str(sample))
    with it.temporary("bench_rescore") as database:
        found = measure(it, database, script)
    ours = leads / found["seconds"]
    usual = 2 / sum(1 / each for each in found["usual"])
    print(f"usual way           {found['usual'][0]:9.0f} leads/s, then", end=" ")
    print(f"{found['usual'][1]:.0f} ({sample} leads)")
    every, usual_few = found["every"], found["usual_few"]
    print(f"  same work         {found['same']:9.0f} leads/s")
    print(f"  asks all options  {every:9.0f} leads/s")
    print(f"  few change        {usual_few:9.0f} leads/s")
    print(f"activation          {ours:9.0f} leads/s, {found['seconds']:.1f} s")
    bare = leads / found["bare"]
    print(f"bare rows           {bare:9.0f} leads/s")
    few = leads / found["few"]
    print(f"a version for few   {few:9.0f} leads/s, {found['few']:.1f} s")
    print(f"  rows written      {found['written']:9d} of {found['due']} that changed")
    print(f"statements a batch  {found['statements']} of 500 and 5 000 leads")
    report(
        name="rescore",
        n=leads,
        ours=round(ours),
        baseline=round(usual),
        ratio=round(ours / usual, 1),
        ratio_same_work=round(ours / found["same"], 1),
        ratio_all_options=round(ours / every, 1),
        ratio_bare=round(bare / usual, 1),
        ratio_few=round(few / usual_few, 1),
        statements=found["statements"],
        written=found["written"],
        changed=found["due"],
    )


def memory(it: lab.Lab, leads: int) -> None:
    peaks = []
    for count in (1_000, leads):
        with it.temporary("bench_rescore") as database:
            script = MEMORY.replace("LEADS", str(count))
            peaks.append(measure(it, database, script)["peak"])
        print(f"{count:9d} leads  {peaks[-1]:7.1f} MB at the highest")
    report(
        name="rescore-memory",
        n=leads,
        mb=[round(each, 1) for each in peaks],
        extra_mb=round(peaks[1] - peaks[0], 1),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int)
    parser.add_argument("--sample", type=int, default=500, help="of the usual way")
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    with lab.Lab() as it:
        if options.memory:
            memory(it, options.leads or 300_000)
        else:
            speed(it, options.leads or 100_000, options.sample)


if __name__ == "__main__":
    main()
