# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime

from freezegun import freeze_time

from odoo.tests import TransactionCase, new_test_user

NOW = datetime(2026, 11, 20, 10, 0)


class TouchSourcesCase(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.salesman = new_test_user(
            cls.env, "touch_salesman", groups="sales_team.group_sale_salesman"
        )
        cls.colleague = new_test_user(
            cls.env, "touch_colleague", groups="sales_team.group_sale_salesman"
        )
        cls.customer = cls.env["res.partner"].create(
            {"name": "Olu Adeyemi", "email": "olu.adeyemi@example.com"}
        )
        cls.lead = cls.new_lead()
        cls.lead_as_salesman = cls.lead.with_user(cls.salesman)
        cls.startClassPatcher(freeze_time(NOW))

    @classmethod
    def new_lead(cls, **vals):
        return cls.env["crm.lead"].create(
            {
                "name": "Solar roof",
                "email_from": "olu.adeyemi@example.com",
                "user_id": cls.salesman.id,
                **vals,
            }
        )


class TestMessages(TouchSourcesCase):
    def post(self, lead=None, **kwargs):
        lead = self.lead_as_salesman if lead is None else lead
        return lead.message_post(
            **{
                "body": "Hello",
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
                **kwargs,
            }
        )

    def test_answer_to_a_customer(self):
        message = self.post(partner_ids=self.customer.ids, subject="Our offer")
        touchpoint = self.lead.touchpoint_ids
        self.assertEqual(touchpoint.kind, "email_sent")
        self.assertEqual(touchpoint.direction, "out")
        self.assertEqual(touchpoint.user_id, self.salesman)
        self.assertEqual(touchpoint.title, "Our offer")
        self.assertEqual(touchpoint.at, NOW)
        self.assertEqual(touchpoint.external_id, f"mail.message,{message.id}")
        self.assertEqual(self.lead.date_first_response, NOW)

    def test_answer_to_a_customer_who_follows(self):
        self.lead.message_subscribe(self.customer.ids)
        self.post()
        self.assertEqual(self.lead.touchpoint_ids.kind, "email_sent")

    def test_colleague_answers_past_odoo_with_us_in_copy(self):
        message = {
            "message_type": "email",
            "author_id": self.salesman.partner_id.id,
            "incoming_email_cc": "sales@example.org",
        }
        self.post(**message, incoming_email_to="someone@else.example.com")
        self.assertFalse(self.lead.touchpoint_ids)
        self.post(**message, incoming_email_to='"Olu" <Olu.Adeyemi@example.com>')
        self.assertEqual(self.lead.touchpoint_ids.kind, "email_sent")
        self.assertEqual(self.lead.date_first_response, NOW)

    def test_what_is_no_contact(self):
        self.post(subtype_xmlid="mail.mt_note", partner_ids=self.customer.ids)
        self.post(partner_ids=self.colleague.partner_id.ids)
        self.post()
        self.post(
            self.lead,
            author_id=self.env.ref("base.partner_root").id,
            partner_ids=self.customer.ids,
        )
        self.post(message_type="notification", partner_ids=self.customer.ids)
        self.post(message_type="auto_comment", partner_ids=self.customer.ids)
        self.assertFalse(self.lead.touchpoint_ids)
        self.assertFalse(self.lead.date_first_response)

    def test_mail_of_a_customer(self):
        self.post(self.lead, message_type="email", author_id=self.customer.id)
        self.assertEqual(self.lead.touchpoint_ids.kind, "email_reply")
        self.assertEqual(self.lead.touchpoint_ids.direction, "in")
        self.assertFalse(self.lead.touchpoint_ids.user_id)
        self.assertFalse(self.lead.date_first_response)

    def test_mail_of_a_stranger(self):
        self.post(
            self.lead,
            message_type="email",
            author_id=False,
            email_from="olu.adeyemi@example.com",
        )
        self.assertEqual(self.lead.touchpoint_ids.kind, "email_reply")


class TestFirstResponse(TouchSourcesCase):
    def answer(self, lead, at):
        with freeze_time(at):
            lead.with_user(self.salesman).message_post(
                body="Hello",
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=self.customer.ids,
            )

    def test_the_first_one_counts(self):
        self.answer(self.lead, "2026-11-20 11:00:00")
        self.answer(self.lead, "2026-11-20 12:00:00")
        self.assertEqual(self.lead.date_first_response, datetime(2026, 11, 20, 11))

    def test_merged_leads_keep_the_earliest(self):
        other = self.new_lead()
        self.answer(self.lead, "2026-11-20 12:00:00")
        self.answer(other, "2026-11-20 11:00:00")
        merged = (self.lead + other).merge_opportunity()
        self.assertEqual(merged.date_first_response, datetime(2026, 11, 20, 11))
        self.assertEqual(len(merged.touchpoint_ids), 2)

    def test_meeting_counts_from_when_it_was_arranged(self):
        other = self.new_lead()
        self.env["calendar.event"].create(
            {
                "name": "Visit",
                "start": "2026-12-01 09:00:00",
                "stop": "2026-12-01 10:00:00",
                "opportunity_id": other.id,
            }
        )
        self.env.flush_all()
        arranged = other.date_first_response
        self.assertTrue(arranged)
        self.env["calendar.event"].search([("opportunity_id", "=", other.id)]).write(
            {"start": "2026-12-05 09:00:00", "stop": "2026-12-05 10:00:00"}
        )
        self.assertEqual(other.date_first_response, arranged, "moved, not arranged")
        merged = (self.lead + other).merge_opportunity()
        self.assertEqual(merged.date_first_response, arranged)


class TestMeetings(TouchSourcesCase):
    def new_meeting(self, **vals):
        return (
            self.env["calendar.event"]
            .with_user(self.salesman)
            .create(
                {
                    "name": "Site visit",
                    "start": "2026-11-18 09:00:00",
                    "stop": "2026-11-18 10:30:00",
                    "opportunity_id": self.lead.id,
                    "user_id": self.salesman.id,
                    **vals,
                }
            )
        )

    def test_meeting(self):
        meeting = self.new_meeting()
        touchpoint = self.lead.touchpoint_ids
        self.assertEqual(touchpoint.kind, "meeting")
        self.assertEqual(touchpoint.direction, "out")
        self.assertEqual(touchpoint.at, meeting.start)
        self.assertEqual(touchpoint.duration, 5400)
        self.assertEqual(touchpoint.title, "Site visit")
        self.assertEqual(touchpoint.user_id, self.salesman)
        self.assertEqual(self.lead.date_first_response, meeting.start)

    def test_changes(self):
        meeting = self.new_meeting()
        meeting.write({"start": "2026-11-19 09:00:00", "stop": "2026-11-19 09:15:00"})
        meeting.name = "Call instead"
        meeting.user_id = self.colleague
        touchpoint = self.lead.touchpoint_ids
        self.assertEqual(len(touchpoint), 1)
        self.assertEqual(touchpoint.at, meeting.start)
        self.assertEqual(touchpoint.duration, 900)
        self.assertEqual(touchpoint.title, "Call instead")
        self.assertEqual(touchpoint.user_id, self.colleague)

    def test_linked_to_another_lead(self):
        meeting = self.new_meeting()
        other = self.new_lead()
        meeting.opportunity_id = other
        self.assertFalse(self.lead.touchpoint_ids)
        self.assertFalse(self.lead.date_first_response)
        self.assertEqual(other.touchpoint_ids.kind, "meeting")
        self.assertTrue(other.date_first_response)

    def test_unlinked_archived_deleted(self):
        for end in (
            lambda meeting: meeting.write({"opportunity_id": False}),
            lambda meeting: meeting.action_archive(),
            lambda meeting: meeting.unlink(),
        ):
            meeting = self.new_meeting()
            self.assertEqual(len(self.lead.touchpoint_ids), 1)
            end(meeting)
            self.assertFalse(self.lead.touchpoint_ids)

    def test_linked_afterwards_and_back_from_the_archive(self):
        meeting = self.new_meeting(opportunity_id=False)
        self.assertFalse(self.lead.touchpoint_ids)
        meeting.opportunity_id = self.lead
        meeting.action_archive()
        meeting.action_unarchive()
        self.assertEqual(len(self.lead.touchpoint_ids), 1)

    def test_lead_of_somebody_else(self):
        hidden = self.new_lead(user_id=self.colleague.id)
        self.new_meeting(opportunity_id=False).sudo().opportunity_id = hidden
        self.assertEqual(hidden.touchpoint_ids.kind, "meeting")

    def test_meeting_of_nobody(self):
        before = self.env["lead.touchpoint"].search_count([])
        self.new_meeting(opportunity_id=False).unlink()
        self.assertEqual(self.env["lead.touchpoint"].search_count([]), before)


class TestActivities(TouchSourcesCase):
    def new_activity(self, xmlid="mail.mail_activity_data_call", lead=None):
        return (lead or self.lead_as_salesman).activity_schedule(
            xmlid, summary="Ring about the roof", user_id=self.salesman.id
        )

    def test_call(self):
        activity = self.new_activity()
        self.assertFalse(self.lead.touchpoint_ids)
        activity.action_feedback("They want two.")
        touchpoint = self.lead.touchpoint_ids
        self.assertEqual(touchpoint.kind, "call_out")
        self.assertEqual(touchpoint.direction, "out")
        self.assertEqual(touchpoint.title, "Ring about the roof")
        self.assertEqual(touchpoint.user_id, self.salesman)
        self.assertEqual(touchpoint.at, NOW)
        self.assertEqual(self.lead.date_first_response, NOW)

    def test_what_is_no_call(self):
        self.new_activity("mail.mail_activity_data_todo").action_feedback("Done.")
        self.new_activity().unlink()
        call = self.customer.activity_schedule("mail.mail_activity_data_call")
        call.action_feedback("Done.")
        self.assertFalse(self.lead.touchpoint_ids)

    def test_done_again(self):
        activity = self.new_activity()
        activity.action_feedback("No answer.")
        activity.action_unarchive()
        activity.action_feedback("Reached.")
        self.assertEqual(len(self.lead.touchpoint_ids), 1)

    def test_several_at_once(self):
        other = self.new_lead()
        activities = self.new_activity() + self.new_activity(lead=other)
        activities.action_feedback("Both.")
        self.assertEqual(len((self.lead + other).touchpoint_ids), 2)


class TestMailings(TouchSourcesCase):
    def setUp(self):
        super().setUp()
        self.mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Autumn offer",
                "mailing_model_id": self.env["ir.model"]._get("crm.lead").id,
            }
        )

    def new_trace(self, record=None, **vals):
        record = self.lead if record is None else record
        return self.env["mailing.trace"].create(
            {
                "model": record._name,
                "res_id": record.id,
                "email": "olu.adeyemi@example.com",
                "mass_mailing_id": self.mailing.id,
                **vals,
            }
        )

    def test_sent_opened_clicked(self):
        trace = self.new_trace()
        trace.set_sent()
        trace.set_opened()
        trace.set_clicked()
        by_kind = {touch.kind: touch for touch in self.lead.touchpoint_ids}
        self.assertEqual(set(by_kind), {"email_sent", "email_open", "email_click"})
        sent, opened, clicked = (
            by_kind[kind] for kind in ("email_sent", "email_open", "email_click")
        )
        self.assertEqual((sent.direction, sent.human), ("out", False))
        self.assertEqual((opened.direction, opened.human), ("in", False))
        self.assertEqual((clicked.direction, clicked.human), ("in", True))
        self.assertEqual(clicked.title, "Autumn offer")
        self.assertEqual(clicked.source_id, self.mailing.source_id)
        self.assertFalse(self.lead.date_first_response, "no person answered")
        self.assertEqual(self.lead.last_touch_source_id, self.mailing.source_id)

    def test_each_kind_once(self):
        trace = self.new_trace()
        for _time in range(3):
            trace.set_opened()
            trace.set_clicked()
        self.assertEqual(len(self.lead.touchpoint_ids), 2)

    def test_by_domain_and_many_at_once(self):
        others = self.new_lead() + self.new_lead()
        traces = self.new_trace(others[0]) + self.new_trace(others[1])
        self.env["mailing.trace"].set_clicked([("id", "in", traces.ids)])
        self.assertEqual(others.touchpoint_ids.mapped("kind"), ["email_click"] * 2)

    def test_what_is_no_contact_of_a_lead(self):
        gone = self.new_lead()
        traces = (
            self.new_trace(self.customer)
            + self.new_trace(is_test_trace=True)
            + self.new_trace(gone)
        )
        gone.unlink()
        traces.set_sent()
        traces.set_clicked()
        self.assertFalse(self.lead.touchpoint_ids)

    def test_another_writes_the_same_click_right_now(self):
        """What another transaction committed can't be seen, but it is in the way."""
        trace = self.new_trace()
        other = self.new_trace(self.new_lead())
        self.env["lead.touchpoint"].create(
            {
                "lead_id": self.lead.id,
                "kind": "email_click",
                "external_id": f"mailing.trace,{trace.id},email_click",
            }
        )
        touchpoint = self.registry["lead.touchpoint"]
        search = touchpoint.search

        def blind_search(this, domain, *args, **kwargs):
            if ("channel_id", "=", False) in domain:
                return this.browse()
            return search(this, domain, *args, **kwargs)

        self.patch(touchpoint, "search", blind_search)
        (trace + other).set_clicked()
        self.env.invalidate_all()
        self.assertEqual(len(self.lead.touchpoint_ids), 1)
        self.assertEqual(
            self.env["crm.lead"].browse(other.res_id).touchpoint_ids.kind, "email_click"
        )
