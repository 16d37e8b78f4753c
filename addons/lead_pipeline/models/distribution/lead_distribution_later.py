# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging

from odoo import SUPERUSER_ID, api, fields, models, modules
from odoo.fields import Domain

_logger = logging.getLogger(__name__)

#: where the cursor keeps what is to be given out after it commits
LATER = "lead_pipeline.distribute"


class LeadDistribution(models.AbstractModel):
    """What could not be given out in the transaction of somebody else."""

    _inherit = "lead.distribution"

    @api.model
    def _let_wait(self, lead_ids):
        """Make sure that leads without an owner are found by the next sweep."""
        Lead = self.env["crm.lead"].with_context(active_test=False)
        leads = Lead.search(
            self._ready_domain()
            & Domain("id", "in", lead_ids)
            & Domain("user_id", "=", False)
            & Domain("waiting_since", "=", False)
        )
        now = fields.Datetime.now()
        self._write_fields(
            {
                lead.id: {
                    "assignment_id": lead.assignment_id.id,
                    "waiting_since": now,
                    "date_routed": lead.date_routed,
                }
                for lead in leads
            }
        )

    @api.model
    def _distribute_later(self, lead_ids, event, options):
        """Give leads out as soon as this transaction has committed."""
        later = self.env.cr.postcommit.data.setdefault(LATER, [])
        if not later:
            self.env.cr.postcommit.add(self._distribute_after_commit)
        later.append((lead_ids, event, options))

    @api.model
    def _distribute_after_commit(self):
        for lead_ids, event, options in self.env.cr.postcommit.data.pop(LATER, ()):
            try:
                self._in_own_transaction(
                    "_give_out", lead_ids, event, wait=True, **options
                )
            except Exception:  # the next sweep gives them out
                _logger.exception("leads %s could not be given out", lead_ids)

    @api.model
    def _in_own_transaction(self, method, *args, **kwargs):
        """Call a method of this model in a transaction of its own, which waits for
        others at the same pools and then sees what they did.

        Odoo's transactions see the database as it was when they began, so that a lock
        waited for comes too late: PostgreSQL refuses it. This one reads what is
        committed, statement by statement.
        """
        with self.env.registry.cursor() as cr:
            if not modules.module.current_test:  # a test has begun its transaction
                cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            env = api.Environment(cr, SUPERUSER_ID, {})
            return getattr(env["lead.distribution"], method)(*args, **kwargs)
