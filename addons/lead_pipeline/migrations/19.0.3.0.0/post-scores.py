# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.tools.sql import column_exists

# as they are in this version, whatever later ones make of them
COLUMNS = (
    "score_model_id, quality_model_score, quality_score, quality_overridden,"
    " engagement_amount, engagement_as_of, engagement_key, cools_at, lead_grade,"
    " sales_ready, sales_ready_date"
)


def migrate(cr, version):
    """Scores move from columns of crm_lead to a table of their own."""
    if not column_exists(cr, "crm_lead", "engagement_key"):
        return
    cr.execute(
        f"""
        INSERT INTO lead_score (lead_id, {COLUMNS})
        SELECT id, score_model_id, COALESCE(quality_model_score, 0),
               COALESCE(quality_score, 0), COALESCE(quality_overridden, false),
               COALESCE(engagement_amount, 0), engagement_as_of,
               COALESCE(engagement_key, 0), cools_at, lead_grade,
               COALESCE(sales_ready, false), sales_ready_date
          FROM crm_lead
         WHERE score_model_id IS NOT NULL OR quality_overridden
            ON CONFLICT (lead_id) DO NOTHING
        """
    )
    for name in COLUMNS.split(","):
        cr.execute(f"ALTER TABLE crm_lead DROP COLUMN IF EXISTS {name.strip()}")
