# SPDX-License-Identifier: LGPL-3.0-or-later
"""Due stages a second: tasks, and mails made and queued; and finding what is due.

All of what a stage does is in it: the gate with consent, blacklist, cap, clock and
holidays of each lead, the task or the rendered and tracked mail, the log, the next
stage, and the commits. Leads are spread over many time zones.
"""

from __future__ import annotations

import argparse

from score_support import measure
from support import report

import lab

SCRIPT = r"""
env.company.lead_nurture_cap = 0
BODY = env.ref("lead_pipeline.mail_template_nurture_not_now", raise_if_not_found=False)
template = env["mail.template"].create({
    "name": "Benchmark", "model_id": env["ir.model"]._get_id("crm.lead"),
    "subject": "{{ object.contact_name or object.name }}, how others did it",
    "email_from": "sales@example.com", "lang": "{{ object.lang_code }}",
    "body_html": BODY.body_html if BODY else '''
        <p>Hello <t t-out="object.contact_name or object.name"/>,</p>
        <p t-if="object.city">in <t t-out="object.city"/> and elsewhere.</p>
        <p><a href="https://shop.example.com/cases">Three cases</a></p>
    ''',
})
PHONES = ["+49151", "+1212555", "+8491234", "+2010123", "+336123", "+5511987"]


def make_track(name, **stage):
    track = env["lead.nurture.track"].create({
        "name": name, "days": "all", "hour_from": 0, "hour_to": 24,
        "holdout_percent": 0, "on_holidays": True,
        "stage_ids": [
            (0, 0, {"name": "One", "delay": 0, "sequence": 1, **stage}),
            (0, 0, {"name": "Two", "delay": 30, "sequence": 2, **stage}),
        ],
    })
    track.action_start()
    return track


def enrol(track, ids, due):
    '''Journeys by SQL, as making them is not what is measured.'''
    env.cr.execute(
        '''
        INSERT INTO lead_nurture_enrolment (lead_id, track_id, origin_id, company_id,
               state, held_out, is_back, stage_id, next_at, entry, enrolled_at)
        SELECT lead.id, %s, %s, lead.company_id, 'active', false, false, %s,
               now() AT TIME ZONE 'UTC' + CASE WHEN number <= %s
                   THEN interval '-1 hour' ELSE interval '9 days' END,
               'hand', now() AT TIME ZONE 'UTC'
          FROM unnest(%s::int[]) WITH ORDINALITY AS one(id, number)
          JOIN crm_lead AS lead ON lead.id = one.id
        ''',
        [track.id, track.id, track.stage_ids.sorted()[0].id, due, ids],
    )


def run(batch=500):
    env.flush_all()
    env.cr.commit()
    env.invalidate_all()
    gc.collect()
    start, cpu = time.perf_counter(), time.process_time()
    env["lead.nurture"]._cron_run(batch)
    env.cr.commit()
    return time.perf_counter() - start, time.process_time() - cpu


import gc

make_leads(max(DUE, WAITING))
env.cr.execute("SELECT max(id) FROM crm_lead")
last = env.cr.fetchone()[0]
ids = list(range(last - max(DUE, WAITING) + 1, last + 1))
env.cr.execute(
    "UPDATE crm_lead SET phone_sanitized = (%s::text[])[1 + id %% 6] || lpad((id %% "
    "100000)::text, 5, '0'), contact_name = 'Lena Vogt ' || id, user_id = %s"
    " WHERE id = ANY(%s)",
    [PHONES, env.ref("base.user_admin").id, ids[:DUE]],
)
env.cr.execute("ANALYZE")
# one after the other warm, as a job that runs every five minutes is
tasks = make_track("Tasks", channel="task", summary="Call them")
mails = make_track("Mails", channel="email", template_id=template.id)
warm = make_track("Warm", channel="email", template_id=template.id)
enrol(warm, ids[:200], 200)
run()

enrol(tasks, ids[:DUE], DUE)
env.cr.execute("ANALYZE lead_nurture_enrolment")
task_seconds, task_cpu = run()
done = env["lead.nurture.touch"].search_count(
    [("origin_id", "=", tasks.id), ("state", "=", "sent")]
)
assert done == DUE, done

some = ids[: max(1000, DUE // 10)]
enrol(mails, some, len(some))
env.cr.execute("ANALYZE lead_nurture_enrolment")
mail_seconds, mail_cpu = run()
done = env["lead.nurture.touch"].search_count(
    [("origin_id", "=", mails.id), ("state", "=", "queued")]
)
assert done == len(some), env["lead.nurture.touch"]._read_group(
    [("origin_id", "=", mails.id)], ["state", "reason"], ["__count"]
)

env.cr.execute("DELETE FROM lead_nurture_enrolment")
enrol(tasks, ids[:WAITING], 5000)
env.cr.commit()
env.cr.execute("ANALYZE lead_nurture_enrolment")
start = time.perf_counter()
found = env["lead.nurture.enrolment"].search(
    [("state", "=", "active"), ("next_at", "<=", fields.Datetime.now())],
    order="next_at, id",
)
assert len(found.try_lock_for_update()) == 5000
scan = time.perf_counter() - start
report(
    task_seconds=task_seconds, task_cpu=task_cpu, mails=len(some),
    mail_seconds=mail_seconds, mail_cpu=mail_cpu, scan=scan,
)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--due", type=int, default=50_000)
    parser.add_argument("--waiting", type=int, default=260_000)
    options = parser.parse_args()
    with lab.Lab() as it, it.temporary("bench_nurture") as database:
        script = SCRIPT.replace("DUE", str(options.due))
        figures = measure(it, database, script.replace("WAITING", str(options.waiting)))
    tasks = options.due / figures["task_seconds"]
    mails = figures["mails"] / figures["mail_seconds"]
    print(f"tasks  {options.due:7} in {figures['task_seconds']:7.1f} s  {tasks:6.0f}/s")
    print(
        f"mails  {figures['mails']:7} in {figures['mail_seconds']:7.1f} s "
        f" {mails:6.0f}/s"
    )
    print(f"5000 due of {options.waiting} found and locked in {figures['scan']:.2f} s")
    report(
        name="nurture",
        n=options.due,
        tasks_per_second=round(tasks),
        tasks_per_cpu_second=round(options.due / figures["task_cpu"]),
        mails_per_second=round(mails),
        mails_per_cpu_second=round(figures["mails"] / figures["mail_cpu"]),
        scan_seconds=round(figures["scan"], 3),
    )


if __name__ == "__main__":
    main()
