# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL, format_datetime


class LeadDistributionHistory(models.Model):
    """What decides who gets a lead, and until when, as it was: a row each time the
    settings of a pool's member or of an SLA policy have changed. Written by the system
    only; *What If* replays a period with the settings of then."""

    _name = "lead.distribution.history"
    _description = "History of Distribution Settings"
    _order = "at desc, id desc"
    _rec_name = "description"

    at = fields.Datetime("When", required=True, readonly=True)
    member_id = fields.Many2one("lead.pool.member", readonly=True, ondelete="cascade")
    pool_id = fields.Many2one(related="member_id.pool_id", store=True, index=True)
    user_id = fields.Many2one(related="member_id.user_id", string="Salesperson")
    sla_policy_id = fields.Many2one(
        "lead.sla.policy", "SLA", readonly=True, ondelete="cascade"
    )
    settings = fields.Json(
        required=True,
        readonly=True,
        help="As from then on; see the _settings of a member and of a policy.",
    )
    description = fields.Char("What Changed", compute="_compute_description")

    _one_subject = models.Constraint(
        "CHECK (num_nonnulls(member_id, sla_policy_id) = 1)",
        "It is the history of a member or of a policy.",
    )
    _member_at_idx = models.Index("(member_id, at) WHERE member_id IS NOT NULL")
    _sla_at_idx = models.Index("(sla_policy_id, at) WHERE sla_policy_id IS NOT NULL")

    @api.model
    def _keep(self, name, settings):
        """Keep settings where they are others than the last ones kept.

        :param name: the field of whose they are
        :param settings: {id: settings}
        """
        if not settings:
            return
        # sudo: whoever changes settings does not write their history
        history = self.sudo()
        steps = history._steps(name, settings)
        now = fields.Datetime.now()
        history.create(
            [
                {name: record_id, "at": now, "settings": kept}
                for record_id, kept in settings.items()
                if record_id not in steps or steps[record_id][-1][1] != kept
            ]
        )

    @api.model
    def _steps(self, name, ids):
        """:return: {id: [(from when on, settings)]}, in order; ids of which nothing
        was kept are absent"""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT %(name)s, at, settings FROM lead_distribution_history"
                " WHERE %(name)s = ANY(%(ids)s) ORDER BY %(name)s, at, id",
                name=SQL.identifier(name),
                ids=list(ids),
            )
        )
        steps = defaultdict(list)
        for record_id, at, settings in rows:
            steps[record_id].append((at, settings))
        return dict(steps)

    @api.model
    def _action_of(self, record, name):
        """:return: the action that shows the history of a pool or a policy"""
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "lead_pipeline.lead_distribution_history_action"
            ),
            "domain": [(name, "=", record.id)],
            "context": {"of_policy": name == "sla_policy_id"},
        }

    # ------------------------------------------------------------
    # WHAT CHANGED
    # ------------------------------------------------------------

    @api.depends("settings")
    @api.depends_context("lang", "uid")
    def _compute_description(self):
        self.env.flush_all()
        before = dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT id, lag(settings) OVER (
                               PARTITION BY member_id, sla_policy_id ORDER BY at, id
                           )
                      FROM lead_distribution_history
                     WHERE member_id = ANY(%s) OR sla_policy_id = ANY(%s)
                    """,
                    self.member_id.ids,
                    self.sla_policy_id.ids,
                )
            )
        )
        for row in self:
            row.description = row._describe(before.get(row._origin.id) or {})

    def _describe(self, before):
        records = self.member_id or self.sla_policy_id
        changed = {
            name: value
            for name, value in self.settings.items()
            if (value != before.get(name) if before else value)
        }
        parts = [
            part
            for name, value in changed.items()
            if (part := self._describe_one(records, name, before.get(name), value))
        ]
        if not {"calendar", "week", "tz"}.isdisjoint(changed) and before:
            parts.append(self.env._("Working Hours"))
        return ", ".join(parts)

    def _describe_one(self, record, name, old, new):
        field = record._fields.get(name)
        if name == "active":
            return self.env._("Active") if new else self.env._("Archived")
        if field is None:  # working hours
            return None
        label = field._description_string(self.env)
        if field.type == "boolean":
            yes_or_no = self.env._("yes") if new else self.env._("no")
            return f"{label}: {yes_or_no}"
        if field.type == "integer":
            was = f"{old or '–'} → " if old is not None else ""
            return f"{label} {was}{new or '–'}"
        if field.type == "many2many":
            # some may have been deleted
            values = record[name].browse(new).exists().mapped("display_name")
            return f"{label}: {', '.join(values) or '–'}"
        moment = fields.Datetime.to_datetime(new)
        return f"{label} {format_datetime(self.env, moment) if moment else '–'}"
