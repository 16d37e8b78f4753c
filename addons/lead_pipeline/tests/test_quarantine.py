# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time

from .common import NOW, LeadPipelineCase


@freeze_time(NOW)
class TestQuarantine(LeadPipelineCase):
    """What could not be used is kept, mended, replayed or dismissed."""

    def _quarantined(self, external_id="1", **values):
        result, _lead = self.ingest_one(external_id, **values)
        self.assertEqual(result["status"], "quarantined")
        return self.submission(result).with_user(self.manager)

    def test_unknown_channel_is_adopted(self):
        waiting = self._quarantined(channel="t-new", message="Hello")
        self.assertFalse(waiting.channel_id)
        channel = self._new_channel("New", "t-new")
        self.assertEqual(waiting.channel_id, channel)
        waiting.action_replay()
        self.assertEqual(waiting.state, "created")
        self.assertFalse(waiting.reason)
        self.assertIn("Hello", waiting.lead_id.description)
        self.assertEqual(waiting.lead_id.touchpoint_ids.submission_id, waiting)
        # and the source's own repetition stays one
        again, _lead = self.ingest_one(channel="t-new")
        self.assertEqual(again["status"], "duplicate")

    def test_mapping_mends_and_keeps_mending(self):
        answers = [
            {
                "key": "your-mail",
                "label": "E-Mail-Adresse",
                "value": "vogt@example.com",
            },
            {"key": "vorname", "label": "", "value": "Lena"},
            {"key": "nachname", "label": "", "value": "Vogt"},
            {"key": "frage", "label": "Ihre Frage", "value": "Wie viel?"},
        ]
        waiting = self._quarantined(contact={}, answers=answers)
        self.meta.mapping_ids = [
            (0, 0, {"key": "E-MAIL-adresse", "target": "email"}),
            (0, 0, {"key": "vorname", "target": "name", "sequence": 1}),
            (0, 0, {"key": "nachname", "target": "name", "sequence": 2}),
            (0, 0, {"key": "frage", "target": "message"}),
        ]
        waiting.action_replay()
        lead = waiting.lead_id
        self.assertEqual(lead.email_normalized, "vogt@example.com")
        self.assertEqual(lead.contact_name, "Lena Vogt")
        self.assertIn("Wie viel?", lead.description)
        result, next_lead = self.ingest_one("2", contact={}, answers=answers)
        self.assertEqual((result["status"], next_lead), ("matched", lead))

    def test_replay_that_still_fails_stays(self):
        waiting = self._quarantined(contact={"name": "Nobody"})
        notice = waiting.action_replay()
        self.assertEqual(waiting.state, "quarantined")
        self.assertEqual(notice["params"]["type"], "warning")

    def test_replay_of_the_same_person_twice(self):
        first = self._quarantined("1", channel="t-new")
        second = self._quarantined("2", channel="t-new")
        self._new_channel("New", "t-new")
        (first | second).action_replay()
        self.assertEqual(first.state, "created")
        self.assertEqual(second.state, "matched")
        self.assertEqual(first.lead_id, second.lead_id)

    def test_dismiss_and_undo(self):
        waiting = self._quarantined(contact={})
        waiting._dismiss("Spam")
        self.assertEqual(
            (waiting.state, waiting.reason, waiting.dismissed_by_id),
            ("dismissed", "Spam", self.manager),
        )
        with self.assertRaises(UserError):
            waiting.action_replay()
        waiting.action_reopen()
        self.assertEqual(waiting.state, "quarantined")
        good, _lead = self.ingest_one("good")
        with self.assertRaises(UserError):
            self.submission(good).with_user(self.manager)._dismiss("no")

    def test_only_managers(self):
        waiting = self._quarantined(contact={})
        for user in (self.salesman, self.connector):
            for method in ("action_replay", "action_reopen"):
                with self.assertRaises(AccessError):
                    getattr(waiting.with_user(user), method)()
        with self.assertRaises(AccessError):
            waiting.write({"reason": "append-only, even for managers"})
        with self.assertRaises(AccessError):
            waiting.unlink()
