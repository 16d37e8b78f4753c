# SPDX-License-Identifier: LGPL-3.0-or-later
"""Leads, touchpoints and a score model for the benchmarks of scores."""

from __future__ import annotations

import json
from typing import Any

import lab

# Runs in Odoo's shell before each script: leads and touchpoints by SQL, as making them
# is not what is measured.
PRELUDE = r"""
import json, random, resource, time
from datetime import timedelta
from odoo import fields

TITLES = ["CEO", "Head of Sales", "Marketing Manager", "Student", "Engineer", ""]
CITIES = ["Kiel", "Lyon", "Graz", "Hanoi", "Cairo", ""]
WORDS = ["demo", "price", "offer", "question", "support"]


def make_leads(count):
    env.cr.execute(
        '''
        INSERT INTO crm_lead (name, type, active, company_id, function, city, zip,
               email_from, email_normalized, phone, partner_name, website, priority,
               color, expected_revenue, won_status, create_date, write_date, country_id)
        SELECT 'Lead ' || n, 'lead', true, %(company)s,
               (%(titles)s::text[])[1 + n %% 6], (%(cities)s::text[])[1 + n / 7 %% 6],
               lpad((n %% 90000)::text, 5, '0'),
               'lena.vogt.' || n || '@' || (ARRAY['example.com', 'gmail.example',
                   'nordlicht.example'])[1 + n %% 3],
               'lena.vogt.' || n || '@example.com', '+49151' || lpad(n::text, 8, '0'),
               CASE WHEN n %% 5 > 0 THEN 'Vogt ' || n || ' GmbH' END,
               CASE WHEN n %% 4 = 0 THEN 'https://vogt' || n || '.example' END,
               (n %% 4)::text, n %% 11, n::bigint * 7919 %% 90000, 'pending',
               now(), now(),
               (%(countries)s::int[])[1 + n %% 4]
          FROM generate_series(1, %(count)s) AS n
        ''',
        {
            "count": count,
            "company": env.company.id,
            "titles": TITLES,
            "cities": CITIES,
            "countries": [env.ref("base." + code).id for code in ("de", "fr", "vn")],
        },
    )


def make_touchpoints(kind, lead_domain, each, days):
    '''So many touchpoints of each of these leads, over so many days.'''
    env.cr.execute(
        '''
        INSERT INTO lead_touchpoint (lead_id, kind, at, direction, human, url)
        SELECT id, %%s, %%s - random() * %%s * interval '1 day', 'in', true, '/pricing'
          FROM crm_lead, generate_series(1, %%s) WHERE %s
        ''' % lead_domain,
        [kind, fields.Datetime.now(), days, each],
    )


def field(name):
    return env["ir.model.fields"]._get("crm.lead", name).id


def make_model(**vals):
    '''Ten criteria, forty options, three activities.'''
    questions = [
        ("function", "contains", ["ceo", "head", "manager", "student"]),
        ("function", "word", ["sales", "marketing", "engineer", "owner"]),
        ("country_id", "in", ["DE, AT, CH", "FR, BE", "VN, TH", "EG"]),
        ("city", "equals", ["Kiel", "Lyon", "Graz", "Hanoi"]),
        ("zip", "starts_with", ["0", "1", "2", "3"]),
        ("email_from", "contains", ["@nordlicht", "@gmail", "@example", "lena"]),
        ("partner_name", "contains", ["gmbh", "ltd", "inc", "sarl"]),
        ("expected_revenue", "between", ["60000..", "30000..", "10000..", "..10000"]),
        ("priority", "in", ["3", "2", "1", "0"]),
        ("color", "between", ["0..2", "3..5", "6..8", "9..11"]),
    ]
    return env["lead.score.model"].create(
        {
            "name": "Benchmark",
            "sequence": 1,
            "criterion_ids": [
                (0, 0, {
                    "name": name,
                    "field_id": field(name),
                    "option_ids": [
                        (0, 0, {
                            "operator": operator,
                            "value": value,
                            "points": 20 - 5 * place,
                            "sequence": place,
                        })
                        for place, value in enumerate(values)
                    ],
                })
                for name, operator, values in questions
            ],
            "activity_ids": [
                (0, 0, {"name": "Form", "kind": "form_submit", "points": 20}),
                (0, 0, {"name": "Page", "kind": "page_view", "points": 2,
                        "domain": "[('url', 'ilike', 'pricing')]",
                        "capped": True, "cap": 10, "window_days": 1}),
                (0, 0, {"name": "Call", "kind": "call_in", "points": 30}),
            ],
            **vals,
        }
    )


def activate(model):
    '''Bring a model into use and score all leads; returns seconds.'''
    env.flush_all()
    env.cr.commit()
    start = time.perf_counter()
    model.action_activate()
    env["lead.score.model"]._cron_rescore()
    return time.perf_counter() - start


env["lead.score.model"]._in_use().write({"state": "archived"})
env.cr.execute("ANALYZE")
"""


def measure(it: lab.Lab, database: str, script: str) -> dict[str, Any]:
    """Run a script in Odoo's shell; it ends by giving its figures to ``report``."""
    ending = "\ndef report(**figures):\n    print('figures=' + json.dumps(figures))\n\n"
    output = it.shell(database, PRELUDE + ending + script)
    figures: dict[str, Any] = json.loads(output.rpartition("figures=")[2])
    return figures
