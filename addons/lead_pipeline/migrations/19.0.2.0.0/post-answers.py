# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import SUPERUSER_ID, api

BATCH = 5000


def migrate(cr, version):
    """What scores read of the time before there were scores: answers in forms, and
    meetings that are ahead of us."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    last = 0
    while True:
        cr.execute(
            """
            SELECT id, lead_id, content -> 'answers' FROM lead_submission
             WHERE id > %s AND lead_id IS NOT NULL
               AND jsonb_typeof(content -> 'answers') = 'array'
               AND content -> 'answers' <> '[]'
             ORDER BY id LIMIT %s
            """,
            [last, BATCH],
        )
        rows = cr.fetchall()
        # in the order in which they came, so the newest answer stays
        env["lead.answer"]._remember([(lead, answers) for _id, lead, answers in rows])
        if len(rows) < BATCH:
            break
        last = rows[-1][0]
    cr.execute(
        """
        UPDATE lead_touchpoint SET awaited = true
         WHERE at > now() AT TIME ZONE 'UTC' AND awaited IS NOT true
        """
    )
