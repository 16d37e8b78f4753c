# SPDX-License-Identifier: LGPL-3.0-or-later
"""A year of nurture in some minutes: 2 000 leads on twelve clocks, who answer,
unsubscribe and are won, on tracks that change under them. The laws are checked at every
mail that goes out."""

from __future__ import annotations

import json

import pytest

from lab import Lab

SCRIPT = r"""
import json, logging, random
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
from freezegun import freeze_time

from odoo import fields

LEADS = 2000
CAP = 2
# country, state, phone, the one clock that hangs there
PLACES = [
    ("DE", "BY", "+4989%07d", "Europe/Berlin"),
    ("FR", "", "+331%08d", "Europe/Paris"),
    ("GB", "", "+44207%07d", "Europe/London"),
    ("US", "NY", "+1212%07d", "America/New_York"),
    ("US", "CA", "+1310%07d", "America/Los_Angeles"),
    ("BR", "SP", "+5511%08d", "America/Sao_Paulo"),
    ("JP", "", "+813%08d", "Asia/Tokyo"),
    ("VN", "", "+8424%08d", "Asia/Ho_Chi_Minh"),
    ("AE", "", "+9714%07d", "Asia/Dubai"),
    ("EG", "", "+202%08d", "Africa/Cairo"),
    ("AU", "NSW", "+612%08d", "Australia/Sydney"),
    ("NZ", "", "+649%07d", "Pacific/Auckland"),
]
chance = random.Random(19)
START = datetime(2027, 1, 1)
END = datetime(2028, 1, 1)
SU = env["crm.lead"].with_context(tracking_disable=True, mail_create_nolog=True)
UTC = ZoneInfo("UTC")

logging.disable(logging.INFO)
# what the demo data has in Odoo's queue is not ours
env["mail.mail"].search([("state", "=", "outgoing")]).write({"state": "cancel"})
env["ir.config_parameter"].set_param("lead_pipeline.distribution", False)
env.company.lead_nurture_cap = CAP
template = env["mail.template"].create({
    "name": "Year", "model_id": env["ir.model"]._get_id("crm.lead"),
    "subject": "Hello", "email_from": "sales@example.com", "body_html": "<p>Hello</p>",
})


def make_track(name, *delays):
    track = env["lead.nurture.track"].create({
        "name": name, "holdout_percent": 10, "user_id": env.ref("base.user_admin").id,
        "goal_domain": "[('city', '=', 'Goal')]",
        "stage_ids": [
            (0, 0, {"name": f"Mail {n}", "sequence": n, "delay": delay,
                    "template_id": template.id})
            for n, delay in enumerate(delays)
        ],
    })
    track.stage_ids[1].write({
        "after_stage_id": track.stage_ids[0].id, "after_event": "not_opened",
    })
    track.action_start()
    return track


sent = []  # (moment, lead id, stage key)
ended = {}  # lead id: the moment from which nothing may go out
paused = []


def record(self, message, *args, **kwargs):
    message_id = message["Message-Id"]
    trace = self.env["mailing.trace"].search([("message_id", "=", message_id)])
    touch = self.env["lead.nurture.touch"].search([("trace_id", "in", trace.ids)])
    if touch:
        sent.append((fields.Datetime.now(), touch.lead_id.id, touch.stage_id.key))
    return message_id


type(env["ir.mail_server"]).send_email = record
type(env["ir.mail_server"])._connect__ = lambda self, *args, **kwargs: None

values = []
for number in range(LEADS):
    country, state, phone, tz = PLACES[number % 12]
    country_id = env["res.country"].search([("code", "=", country)]).id
    values.append({
        "name": f"Year {number}", "contact_name": f"Person {number}",
        "email_from": f"person.{number}@example.com", "phone": phone % number,
        "country_id": country_id, "user_id": env.ref("base.user_admin").id,
        "state_id": env["res.country.state"].search(
            [("code", "=", state), ("country_id", "=", country_id)], limit=1
        ).id if state else False,
    })
leads = SU.create(values)
clock = {lead.id: PLACES[n % 12] for n, lead in enumerate(leads)}
env.cr.commit()


def run():
    env["lead.nurture"]._cron_run()
    env.cr.commit()
    env["mail.mail"].process_email_queue()
    env.cr.commit()
    env.invalidate_all()


with freeze_time(START, ignore=["psycopg2"]) as clock_on_the_wall:
    one = make_track("One", 1, 9, 20)
    two = make_track("Two", 2, 5)
    tracks = [one, two]
    waiting = list(leads.ids)
    chance.shuffle(waiting)
    at = START
    while at < END:
        clock_on_the_wall.move_to(at)
        if at.hour == 0:
            day = (at - START).days
            for _ in range(LEADS // 110):
                if waiting:
                    lead = SU.browse(waiting.pop())
                    env["lead.nurture"]._enrol(lead, one)
                    if lead.id % 3 == 0:
                        env["lead.nurture"]._enrol(lead, two)
            flying = env["lead.nurture.enrolment"].search(
                [("state", "=", "active"), ("held_out", "=", False)]
            ).lead_id
            alive = [lead for lead in flying if lead.id not in ended]
            for lead in chance.sample(alive, min(len(alive), LEADS // 600)):
                event = chance.choice(["answer", "unsubscribe", "won", "goal", "hand"])
                ended[lead.id] = at
                if event == "answer":
                    env["lead.touchpoint"].create(
                        {"lead_id": lead.id, "kind": "email_reply", "at": at})
                elif event == "unsubscribe":
                    env["mail.blacklist"]._add(lead.email_normalized)
                elif event == "won":
                    lead.action_set_won()
                elif event == "goal":
                    lead.city = "Goal"
                else:
                    lead.enrolment_ids.action_end()
            opened = env["lead.nurture.touch"].search(
                [("state", "=", "sent"), ("sent_at", ">", at - timedelta(days=1))]
            )
            env["lead.nurture.touch"]._note(opened[::3].trace_id, "opened")
            if day in (40, 90, 200):  # edits in flight: others move along or finish
                version = one._running()._new_version()
                mails = version.stage_ids.sorted()
                if day == 90:
                    mails[1].after_stage_id = False
                    mails[0].sequence, mails[1].sequence = 9, 8
                    mails[2].sequence = 7
                version.sudo()._start(migrate=day != 200)
            if day == 120:
                two._running().action_pause()
                paused.append(at)
            if day == 130:
                two._running().search(
                    [("state", "=", "paused")]).action_resume()
                paused.append(at)
            env.cr.commit()
        run()
        at += timedelta(hours=2)

broken = []
by_lead, seen, closed = defaultdict(list), set(), {}
for moment, lead_id, key in sent:
    country, state, _phone, tz = clock[lead_id]
    there = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(tz))
    if not 9 <= there.hour < 17 or there.weekday() > 4:
        broken.append(["hours", str(there), tz])
    known = holidays.list_supported_countries()[country]
    if (country, state, there.year) not in closed:
        closed[country, state, there.year] = holidays.country_holidays(
            country, subdiv=state if state in known else None, years=there.year)
    if there.date() in closed[country, state, there.year]:
        broken.append(["holiday", str(there), tz])
    week = [t for t in by_lead[lead_id] if t > moment - timedelta(days=7)]
    if len(week) >= CAP:
        broken.append(["cap", lead_id, str(moment)])
    by_lead[lead_id].append(moment)
    if (lead_id, key) in seen:
        broken.append(["twice", lead_id, key])
    seen.add((lead_id, key))
    if lead_id in ended and moment >= ended[lead_id]:
        broken.append(["after its end", lead_id, str(moment)])
journeys = env["lead.nurture.enrolment"].search([("lead_id", "in", leads.ids)])
held = journeys.filtered("held_out")
print("result=" + json.dumps({
    "broken": broken[:20],
    "sent": len(sent),
    "leads": len(by_lead),
    "zones": len({clock[lead_id][3] for lead_id in by_lead}),
    "held_sent": len(held.touch_ids),
    "ends": Counter(journeys.mapped("end_reason")),
    "flying": len(journeys.filtered(lambda j: j.state in ("active", "paused"))),
    "skips": Counter(journeys.touch_ids.mapped("reason")),
    "waiting": env["mail.mail"].search_count([("state", "=", "outgoing")]),
}))
"""


@pytest.mark.timeout(2400)
def test_a_year(the_lab: Lab) -> None:
    with the_lab.temporary("year") as database:
        output = the_lab.shell(database, SCRIPT)
    result = json.loads(output.partition("result=")[2])
    assert result["broken"] == []
    # and it was a year worth the name
    assert result["sent"] > 3000 and result["leads"] > 1500
    assert result["zones"] == 12
    assert result["held_sent"] == 0
    assert result["flying"] == 0 and result["waiting"] == 0
    for reason in ("answered", "won", "goal", "hand", "last", "observed"):
        assert result["ends"][reason] > 10, reason
    assert result["skips"]["parent"] > 10
