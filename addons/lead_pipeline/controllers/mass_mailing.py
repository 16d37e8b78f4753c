# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import http
from odoo.http import request

from odoo.addons.mass_mailing.controllers.main import MassMailController


class LeadMassMailController(MassMailController):
    """Core goes on as it does; the traces of leads learn who asked."""

    @http.route()
    def track_mail_open(self, mail_id, token, **post):
        self._remember_fetch()
        return super().track_mail_open(mail_id, token, **post)

    @http.route()
    def full_url_redirect(self, code, mailing_trace_id, **post):
        self._remember_fetch()
        return super().full_url_redirect(code, mailing_trace_id, **post)

    def _mailing_unsubscribe_from_document(self, mailing, document_id, email, token):
        """Core puts the address on the blacklist; the log of a track says that the
        person did so."""
        request.update_context(lead_unsubscribes=True)
        return super()._mailing_unsubscribe_from_document(
            mailing, document_id, email, token
        )

    def _remember_fetch(self):
        """What tells a program from a person, for ``engine.robots``. It is judged at
        once, and not kept."""
        asked = request.httprequest
        headers = asked.headers
        purposes = ("Purpose", "Sec-Purpose", "X-Purpose", "X-Moz")
        request.update_context(
            lead_fetch={
                "user_agent": headers.get("User-Agent", "")[:500],
                "method": asked.method,
                "purpose": " ".join(headers.get(name, "") for name in purposes)[:200],
            }
        )
