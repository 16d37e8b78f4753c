# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from psycopg2.errors import SerializationFailure

from odoo import fields, models
from odoo.tools import html2plaintext, split_every

from ...engine.smtp import claim_before_the_dot

#: mails that are looked at together before they are sent one by one
CHECKED = 20


class MailMail(models.Model):
    """Nurture mails on their way out of Odoo's queue: each is looked at again, however
    long it waited, and is claimed before the server can have it."""

    _inherit = "mail.mail"

    nurture_touch_ids = fields.One2many("lead.nurture.touch", "mail_id")

    def _send(
        self,
        auto_commit=False,
        raise_exception=False,
        smtp_session=None,
        alias_domain_id=False,
        mail_server=False,
        post_send_callback=None,
    ):
        options = {
            "auto_commit": auto_commit,
            "raise_exception": raise_exception,
            "smtp_session": smtp_session,
            "alias_domain_id": alias_domain_id,
            "mail_server": mail_server,
            "post_send_callback": post_send_callback,
        }
        checked = self.env.context.get("nurture_checked")
        nurtured = self.browse() if checked else self._nurtured()
        if not nurtured:
            return super()._send(**options)
        free = self.with_context(nurture_checked=True)
        (free - nurtured)._send(**options)
        for ids in split_every(CHECKED, nurtured.ids):
            for mail in free.browse(ids)._check_nurture():
                if mail._lock_nurture():
                    mail._hand_over(options)
        return True

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        """Core puts the lead's own link to unsubscribe into the HTML alone, and the
        picture that tells who opened it into the plain text too."""
        emails = super()._prepare_outgoing_list(mail_server, doc_to_followers)
        if self._nurtured():
            pixel = f'<img src="{self._get_tracking_url()}"/>'
            for email in emails:
                text = html2plaintext(email["body"].replace(pixel, ""))
                email["body_alternative"] = text
        return emails

    def _nurtured(self):
        if not self.env["lead.nurture.track"]._ever_started():
            return self.browse()
        # sudo: whoever presses the button
        touches = self.env["lead.nurture.touch"].sudo()
        found = touches.search([("mail_id", "in", self.ids)]).mail_id
        return self & found.with_env(self.env)

    def _check_nurture(self):
        """Those that may go out now. Others wait for their time, or never go."""
        # sudo: whoever presses the button
        ready = self.env["lead.nurture"].sudo()._check_mails(self.sudo())
        return self & ready.with_env(self.env)

    def _lock_nurture(self):
        """Whether this one is still to be sent, and nobody else sends it."""
        self.env["lead.nurture.touch"].flush_model()
        self.env.cr.execute(
            "SELECT id FROM lead_nurture_touch WHERE mail_id = %s"
            " AND state = 'queued' FOR UPDATE SKIP LOCKED",
            [self.id],
        )
        return bool(self.env.cr.fetchone())

    def _hand_over(self, options):
        """Until the server has the last dot of a mail it has nothing; from then on we
        can't know. So it is written down as sent right before that dot: whenever Odoo
        is killed, no mail goes out twice.

        What the server refuses for now waits to be tried again, written in the same
        transaction as the refusal.
        """
        commit, told = options["auto_commit"], options["post_send_callback"]
        alone = {**options, "auto_commit": False, "post_send_callback": None}
        session = options["smtp_session"]
        with claim_before_the_dot(session, lambda: self._claim(commit)) as handover:
            try:
                self._send(**alone)
            except SerializationFailure:
                if not (commit and handover.taken):
                    raise
                # somebody wrote on it meanwhile, as when a gateway opens a mail before
                # it takes it: that the server has it is known all the same
                self.env.cr.rollback()
                # sudo: whoever presses the button
                self.sudo().nurture_touch_ids._know_sent()
        if handover.later:
            # sudo: whoever presses the button
            self.sudo().nurture_touch_ids._wait_for_server()
        if told:
            told(self.ids)
        if commit:
            self.env.cr.commit()  # pylint: disable=invalid-commit

    def _claim(self, commit):
        """It is not waited for the disk: for those milliseconds the mail would count as
        sent, and a kill would lose it. So it is about a tenth of one."""
        self.env.flush_all()
        if commit:
            self.env.cr.execute("SET LOCAL synchronous_commit TO OFF")
        self.env.cr.execute(
            "UPDATE lead_nurture_touch SET state = 'sent', reason = 'stopped',"
            " sent_at = %s WHERE mail_id = %s",
            [fields.Datetime.now(), self.id],
        )
        self.env["lead.nurture.touch"].invalidate_model(flush=False)
        if commit:
            self.env.cr.commit()  # pylint: disable=invalid-commit
