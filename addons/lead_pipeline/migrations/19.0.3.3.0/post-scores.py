# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)


def migrate(cr, version):
    """Versions of score models that were in use are kept: no foreign key says so."""
    for table, column in (
        ("lead_score", "score_model_id"),
        ("lead_score_history", "model_id"),
    ):
        cr.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_{column}_fkey"
        )
