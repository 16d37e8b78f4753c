# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class LeadReassign(models.TransientModel):
    """Give many leads to others: those of somebody who leaves, or some of a list. It
    shows who would get how many before anything is written."""

    _name = "lead.reassign"
    _description = "Reassign Leads"

    user_id = fields.Many2one(
        "res.users",
        "Whose Leads",
        domain=[("share", "=", False)],
        context={"active_test": False},
        help="All open leads of this person.",
    )
    lead_ids = fields.Many2many("crm.lead", string="Leads", readonly=True)
    to = fields.Selection(
        [("rules", "Whom the rules choose"), ("user", "One person")],
        required=True,
        default="rules",
    )
    to_user_id = fields.Many2one("res.users", "Person", domain=[("share", "=", False)])
    leave = fields.Boolean(
        "Take Them Out of All Pools",
        default=True,
        help="They get no more leads. Their turns and decisions are kept.",
    )
    keep = fields.Boolean(
        "Leave There What Nobody Can Get Now",
        help="Otherwise it waits for somebody, without an owner.",
    )
    preview = fields.Json(compute="_compute_preview")
    lead_count = fields.Integer(compute="_compute_preview")

    @api.model
    def default_get(self, fields_list):
        """From the Action menu of a list: these leads; of a member: their leads."""
        values = super().default_get(fields_list)
        context = self.env.context
        if context.get("active_model") == "crm.lead":
            values.setdefault("lead_ids", [(6, 0, context.get("active_ids") or [])])
        elif context.get("active_model") == "lead.pool.member":
            member = self.env["lead.pool.member"].browse(context.get("active_id"))
            values.setdefault("user_id", member.user_id.id)
        return values

    def _leads(self):
        """Open leads that the user may change."""
        self.ensure_one()
        domain = Domain("won_status", "=", "pending") & Domain("active", "=", True)
        if self.user_id:
            domain &= Domain("user_id", "=", self.user_id._origin.id)
        else:
            domain &= Domain("id", "in", self.lead_ids._origin.ids)
        return self.env["crm.lead"].search(domain, order="id")

    # ------------------------------------------------------------
    # PREVIEW
    # ------------------------------------------------------------

    @api.depends("user_id", "lead_ids", "to", "to_user_id", "keep")
    def _compute_preview(self):
        for wizard in self:
            leads = wizard._leads()
            wizard.lead_count = len(leads)
            wizard.preview = wizard._describe(*wizard._outcome(leads))

    def _outcome(self, leads):
        """:return: (leads by person, leads by why nobody gets them)"""
        self.ensure_one()
        if self.to == "user":
            person = self.to_user_id._origin
            new = leads.filtered(lambda lead: lead.user_id != person)
            return {person: len(new)} if person and new else {}, {}
        return self.env["lead.distribution"]._preview(leads, "reassigned")

    def _describe(self, users, reasons):
        """:return: {"people": [{"id", "name", "count", "open"}], "nobody": [{"reason",
        "count"}]}, most leads first"""
        # sudo: numbers of leads, not leads
        open_counts = dict(
            self.env["crm.lead"]
            .sudo()
            ._read_group(
                [
                    ("user_id", "in", [user.id for user in users]),
                    ("won_status", "=", "pending"),
                ],
                ["user_id"],
                ["__count"],
            )
        )
        waiting = self.env["crm.lead"]._fields["waiting_reason"]
        words = dict(waiting._description_selection(self.env))
        return {
            "people": [
                {
                    "id": user.id,
                    "name": user.sudo().name,
                    "count": count,
                    "open": open_counts.get(user, 0),
                }
                for user, count in sorted(users.items(), key=lambda item: -item[1])
            ],
            "nobody": [
                {"reason": words[reason], "count": count}
                for reason, count in sorted(reasons.items(), key=lambda item: -item[1])
            ],
        }

    # ------------------------------------------------------------
    # DO IT
    # ------------------------------------------------------------

    def action_reassign(self):
        """:raises UserError: there is nothing to give, nobody to give it to, or the
        rules are switched off"""
        self.ensure_one()
        leads = self._leads()
        if not leads:
            raise UserError(self.env._("There are no open leads to give to others."))
        if self.to == "user" and not self.to_user_id:
            raise UserError(self.env._("Choose who gets them."))
        if self.user_id and self.leave:
            members = self.env["lead.pool.member"].search(
                [("user_id", "=", self.user_id.id)]
            )
            members.active = False
        before = {lead: lead.user_id for lead in leads}
        if self.to == "user":
            self._give_to(leads, self.to_user_id)
        else:
            self._give_by_rules(leads)
        self._move_activities(before)
        gone = [lead for lead in leads if lead.user_id != before[lead]]
        waiting = [lead for lead in gone if not lead.user_id]
        message = self.env._("%(count)s leads went to others.", count=len(gone))
        if waiting:
            message = self.env._(
                "%(count)s leads went to others, %(waiting)s wait for somebody.",
                count=len(gone) - len(waiting),
                waiting=len(waiting),
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _give_to(self, leads, user):
        # core would move the leads to a company of theirs
        # sudo: which companies somebody works for is no secret here
        closed = leads.company_id - user.sudo().company_ids
        if closed:
            raise UserError(
                self.env._(
                    "%(user)s does not work for %(companies)s.",
                    user=user.name,
                    companies=", ".join(closed.mapped("name")),
                )
            )
        leads = leads.filtered(lambda lead: lead.user_id != user)
        before = {lead.id: lead.user_id.id for lead in leads}
        service = self.env["lead.distribution"]
        # one message for all of them, below
        leads.with_context(
            lead_distribution_later=True, mail_auto_subscribe_no_notify=True
        ).user_id = user
        service._record_by_hand(leads, before)
        # sudo: decisions are written by the system
        service.sudo()._tell(leads.sudo().assignment_id)

    def _give_by_rules(self, leads):
        service = self.env["lead.distribution"]
        if not service._is_on():
            raise UserError(
                self.env._(
                    "Leads are not given out by rules: switch it on in the settings, "
                    "or choose one person."
                )
            )
        service._distribute(leads, "reassigned", keep=self.keep)

    @api.model
    def _move_activities(self, before):
        """What the owners had planned with these leads is the new owners' now.

        :param before: {lead: its owner before}
        """
        # sudo: activities of colleagues, of leads that have just changed hands
        activities = self.env["mail.activity"].sudo()
        activities = activities.search(
            [
                ("res_model", "=", "crm.lead"),
                ("res_id", "in", [lead.id for lead in before]),
            ]
        )
        owners = {lead.id: (user, lead.user_id) for lead, user in before.items()}

        def heir(activity):
            old, new = owners[activity.res_id]
            return new if old != new and activity.user_id == old else new.browse()

        for user, theirs in activities.grouped(heir).items():
            if user:
                # they are told of the leads; not of each activity
                theirs.with_context(mail_activity_quick_update=True).user_id = user
