# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from markupsafe import Markup

from odoo import api, models

#: how many leads a message names
NAMED = 10


class LeadDistribution(models.AbstractModel):
    """What people are told of leads: many leads, one message."""

    _inherit = "lead.distribution"

    @api.model
    def _message(self, user, subject, leads, notes=None):
        """Tell somebody of leads: in Odoo or by mail, as they set it in their
        preferences. Mails are queued, so that a mail server that is slow holds up
        nobody, and sent at once.

        :param subject: in the user's language
        :param notes: {lead id: what else to say of it}
        """
        if not user.active:
            return
        self = self.with_context(lang=user.lang)
        named = self.env["crm.lead"].browse(leads[:NAMED].ids)
        lines = [
            Markup("<a href='%s' data-oe-model='crm.lead' data-oe-id='%s'>%s</a>%s")
            % (
                f"/odoo/crm.lead/{lead.id}",
                lead.id,
                lead.display_name,
                f": {notes[lead.id]}" if notes else "",
            )
            for lead in named
        ]
        more = len(leads) - len(named)
        if more:
            lines.append(self.env._("and %(count)s more", count=more))
        target = named if len(leads) == 1 else self.env["mail.thread"]
        target.with_context(mail_notify_force_send=False).message_notify(
            partner_ids=user.partner_id.ids,
            subject=subject,
            body=Markup("<ul>%s</ul>")
            % Markup().join(Markup("<li>%s</li>") % line for line in lines),
            author_id=self.env.ref("base.partner_root").id,
            force_send=False,
        )
        if user.notification_type == "email":
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()
