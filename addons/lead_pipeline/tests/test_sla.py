# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import fields

from .common_distribution import DistributionCase

NOW = "2026-11-20 08:00:00"
#: a Friday; the company works in Berlin, where it is 9:00: three hours to lunch
START = datetime.fromisoformat(NOW)
DUE = START + timedelta(hours=1)


class SlaCase(DistributionCase):
    switched_on = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = cls.manager
        cls.sla.escalate_to_id = cls.boss

    def watch(self, at):
        """The job, as it runs at that moment."""
        with freeze_time(at):
            while self.env["lead.assignment"]._watch_some(
                [("sla_next_at", "<=", fields.Datetime.now())], 200
            ):
                pass
            self.env.flush_all()

    def touch(self, lead, at=START, kind="call_out", **vals):
        direction = "out" if kind != "call_in" else "in"
        return self.env["lead.touchpoint"].create(
            {"lead_id": lead.id, "kind": kind, "at": at, "direction": direction, **vals}
        )

    def note(self, lead, user, **vals):
        return lead.with_user(user).message_post(
            body="Nobody picked up",
            message_type="comment",
            subtype_xmlid="mail.mt_note",
            **vals,
        )


@freeze_time(NOW)
class TestSlaClock(SlaCase):
    """When it starts, what stops it."""

    def test_starts_with_the_owner_in_their_working_time(self):
        lead = self.new_leads(1)
        self.assertEqual(lead.assignment_id.due_at, DUE)
        self.assertEqual(lead.assignment_id.sla_policy_id, self.sla)
        self.assertEqual(lead.sla_due_at, DUE)
        self.assertEqual(lead.sla_state, "running")
        with freeze_time(START + timedelta(hours=2, minutes=40)):
            later = self.new_leads(1)
        # 20 minutes before lunch, 40 after it
        self.assertEqual(later.sla_due_at, START + timedelta(hours=4, minutes=40))

    def test_no_policy_no_clock(self):
        self.rule.sla_policy_id = False
        lead = self.new_leads(1)
        self.assertTrue(lead.user_id)
        self.assertEqual(lead.sla_state, "none")
        self.assertFalse(lead.assignment_id.sla_next_at)

    def test_a_person_stops_it(self):
        for kind in ("call_out", "email_sent", "sms", "meeting"):
            lead = self.new_leads(1)
            self.touch(lead, START + timedelta(minutes=5), kind)
            # no touch is ahead of us: a meeting counts as arranged
            self.assertTrue(lead.assignment_id.first_touch_at, kind)
            self.assertEqual(lead.sla_state, "kept", kind)
            self.assertEqual(lead.sla_touched_at, lead.assignment_id.first_touch_at)
            self.assertFalse(lead.assignment_id.sla_next_at, kind)

    def test_no_person_does_not(self):
        lead = self.new_leads(1)
        self.touch(lead, kind="email_sent", human=False)
        self.touch(lead, kind="call_in")
        self.touch(lead, kind="email_reply", direction="in")
        self.assertFalse(lead.assignment_id.first_touch_at)
        self.assertEqual(lead.sla_state, "running")

    def test_a_note_of_the_owner_stops_it(self):
        lead = self.new_leads(1)
        self.note(lead, self.manager)  # no owner
        self.note(lead, self.salesman, partner_ids=self.boss.partner_id.ids)
        self.assertEqual(lead.sla_state, "running")
        message = self.note(lead, self.salesman)
        self.assertEqual(lead.sla_state, "kept")
        touch = lead.touchpoint_ids
        self.assertEqual((touch.kind, touch.direction), ("note", "out"))
        self.assertEqual(touch.external_id, f"mail.message,{message.id}")
        self.assertEqual(lead.date_first_response, START)
        self.note(lead, self.salesman)
        self.assertEqual(lead.touchpoint_ids, touch)

    def test_what_was_before_does_not_count(self):
        lead = self.new_leads(1, user_id=self.manager.id)
        self.touch(lead, START - timedelta(minutes=1))
        self.assertFalse(lead.assignment_id.first_touch_at)

    def test_late_is_missed(self):
        lead = self.new_leads(1)
        self.touch(lead, DUE)
        self.assertEqual(lead.sla_state, "kept")
        late = self.new_leads(1)
        with freeze_time(DUE + timedelta(seconds=30)):
            self.touch(late, fields.Datetime.now())
        self.assertEqual(late.sla_state, "missed")
        self.assertEqual(late.assignment_id.missed_at, late.sla_due_at)

    def test_a_call_we_learn_of_later_counts_for_who_made_it(self):
        """A call tracker takes its time, and meanwhile the lead went on."""
        lead = self.new_leads(1)
        first = lead.assignment_id
        self.watch(DUE)
        self.assertEqual(lead.user_id, self.colleague)
        self.assertEqual(self.member(self.salesman).missed_count, 1)
        with freeze_time(DUE + timedelta(minutes=5)):
            self.touch(lead, DUE - timedelta(minutes=5))
        self.assertEqual(first.first_touch_at, DUE - timedelta(minutes=5))
        self.assertFalse(first.missed_at)
        self.assertEqual(self.member(self.salesman).missed_count, 0)
        self.assertFalse(lead.assignment_id.first_touch_at)

    def test_states_are_searched(self):
        kept, late, missed, running, none = self.new_leads(5)
        self.touch(kept)
        self.touch(late)
        none.user_id = self.manager  # by hand
        with freeze_time(START + timedelta(minutes=50)):
            young = self.new_leads(1)
        (late + missed).assignment_id.missed_at = DUE
        leads = kept + late + missed + running + none + young
        at = DUE + timedelta(minutes=1)
        with freeze_time(at):
            leads.invalidate_recordset(["sla_state"])
            expected = ["kept", "missed", "missed", "missed", "none", "running"]
            self.assertEqual(leads.mapped("sla_state"), expected)
            for state in set(expected):
                for operator, same in (("=", True), ("!=", False)):
                    found = self.env["crm.lead"].search(
                        [("sla_state", operator, state), ("id", "in", leads.ids)]
                    )
                    self.assertEqual(
                        found,
                        leads.filtered(
                            lambda x, s=state, b=same: (x.sla_state == s) is b
                        ).sorted(),
                    )

    def test_work_that_is_passed_on_has_no_clock(self):
        """A leaver's leads were answered long ago."""
        leads = self.new_leads(2)
        answered, untouched = leads
        self.touch(answered)
        leads.with_user(self.manager).write({"user_id": False})
        self.assertEqual(set(leads.assignment_id.mapped("event")), {"reassigned"})
        self.assertFalse(answered.sla_due_at)
        self.assertEqual(untouched.sla_due_at, DUE)


@freeze_time(NOW)
class TestSlaRunsOut(SlaCase):
    """Reminder, escalation, somebody else, offline."""

    def test_reminded_before_once(self):
        leads = self.new_leads(4)
        told = self.notified(self.salesman)
        self.watch(DUE - timedelta(minutes=16))
        self.assertEqual(self.notified(self.salesman), told)
        self.watch(DUE - timedelta(minutes=15))
        self.assertEqual(self.notified(self.salesman), told + 1)  # two leads
        self.assertIn("2 leads wait", self.messages(self.salesman)[0].subject)
        self.assertTrue(all(leads.assignment_id.mapped("reminded_at")))
        self.watch(DUE - timedelta(minutes=14))
        self.assertEqual(self.notified(self.salesman), told + 1)
        self.assertFalse(any(leads.assignment_id.mapped("missed_at")))

    def test_touched_in_time_nobody_is_bothered(self):
        lead = self.new_leads(1)
        told = self.notified(self.salesman)
        self.touch(lead)
        self.watch(DUE + timedelta(days=1))
        self.assertEqual(self.notified(self.salesman), told)
        self.assertEqual(lead.user_id, self.salesman)
        self.assertFalse(self.notified(self.boss))

    def test_missed_it_goes_to_somebody_else(self):
        lead = self.new_leads(1)
        first = lead.assignment_id
        self.watch(DUE)
        self.assertEqual(first.missed_at, DUE)
        self.assertEqual(first.ended_at, DUE)
        self.assertEqual(lead.user_id, self.colleague)
        self.assertEqual(lead.assignment_id.event, "missed")
        self.assertEqual(lead.sla_due_at, DUE + timedelta(hours=1))
        self.assertEqual(lead.sla_state, "running")
        self.assertIn("Too late", self.messages(self.salesman)[0].subject)
        self.assertIn("New lead", self.messages(self.colleague)[0].subject)
        told = self.messages(self.boss)
        self.assertEqual(len(told), 1)
        self.assertIn(self.salesman.name, told.body)
        self.assertIn(self.colleague.name, told.body)
        self.assertEqual(first.escalated_at, DUE)

    def test_never_back(self):
        lead = self.new_leads(1)
        self.watch(DUE)
        second = DUE + timedelta(hours=1)
        self.watch(second)
        self.assertEqual(lead.user_id, self.colleague)  # nobody else can
        self.assertEqual(lead.assignment_id.missed_at, second)
        # it is offered again, and once somebody else is there it goes
        self.member(self.salesman).active = False
        self.env["lead.pool.member"].create(
            {"pool_id": self.pool.id, "user_id": self.manager.id}
        )
        self.watch(second + timedelta(minutes=14))
        self.assertEqual(lead.user_id, self.colleague)
        self.watch(second + timedelta(minutes=15))
        self.assertEqual(lead.user_id, self.manager)

    def test_offered_again_less_and_less_often(self):
        self.member(self.colleague).active = False
        lead = self.new_leads(1)
        waits = []
        at = DUE
        for _ in range(4):
            self.watch(at)
            waits.append((lead.assignment_id.sla_next_at - at).seconds // 60)
            at = lead.assignment_id.sla_next_at
        self.assertEqual(waits, [15, 15, 30, 60])
        self.assertEqual(len(self.messages(self.boss)), 1)

    def test_policy_that_leaves_it_there(self):
        self.sla.reassign = False
        lead = self.new_leads(1)
        self.watch(DUE)
        self.assertEqual(lead.user_id, self.salesman)
        self.assertEqual(lead.sla_state, "missed")
        self.assertFalse(lead.assignment_id.sla_next_at)
        self.assertIn("still has it", self.messages(self.boss).body)

    def test_the_leader_of_the_team_is_told(self):
        self.sla.escalate_to_id = False
        team = self.env["crm.team"].create(
            {"name": "North", "company_id": self.company.id, "user_id": self.boss.id}
        )
        self.pool.team_id = team
        self.new_leads(4)
        self.watch(DUE)
        told = self.messages(self.boss)
        self.assertEqual(told.subject, "4 leads were not touched in time")

    def test_closed_leads_are_left_alone(self):
        leads = self.new_leads(2)
        leads[0].action_set_lost()
        leads[1].action_set_won()
        self.watch(DUE)
        self.assertFalse(any(leads.assignment_id.mapped("missed_at")))
        self.assertFalse(self.messages(self.boss))

    def test_who_misses_too_many_is_offline(self):
        self.sla.misses_to_offline = 2
        self.colleague.notification_type = "email"
        pool = self._new_pool("Other", self.salesman + self.manager)
        leads = self.new_leads(4)
        self.touch(leads[1])
        self.touch(leads[3])
        self.watch(DUE)
        member = self.member(self.salesman)
        self.assertTrue(member.paused)
        self.assertEqual(member.offline_since, DUE)
        self.assertIn("2 leads", member.offline_reason)
        # wherever they take turns
        self.assertTrue(self.member(self.salesman, pool).paused)
        self.assertFalse(self.member(self.colleague).paused)
        for user in (self.boss, self.salesman):
            subjects = self.messages(user).mapped("subject")
            self.assertTrue(any("no new leads" in text for text in subjects), user.name)
        self.assertEqual(leads.user_id, self.colleague)
        self.assertEqual(self.new_leads(3).user_id, self.colleague)

    def test_a_touch_ends_the_row(self):
        self.sla.misses_to_offline = 2
        leads = self.new_leads(6).filtered(lambda lead: lead.user_id == self.salesman)
        _late, in_time, last = leads
        self.touch(in_time)
        last.assignment_id.sla_next_at = False
        self.watch(DUE)
        self.assertEqual(self.member(self.salesman).missed_count, 1)
        kept = self.new_leads(2).filtered(lambda lead: lead.user_id == self.salesman)[0]
        self.touch(kept)
        self.assertEqual(self.member(self.salesman).missed_count, 0)

    def test_the_job(self):
        leads = self.new_leads(5)
        with (
            freeze_time(DUE),
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
        ):
            self.env(cr=cr)["lead.assignment"]._cron_watch_clocks(batch=2)
        self.env.invalidate_all()
        first = leads.assignment_ids.filtered(lambda one: one.event == "created")
        self.assertEqual(set(first.mapped("missed_at")), {DUE})

    def test_many_leads_cost_no_more_queries(self):
        def run(number, at):
            with freeze_time(at):
                self.new_leads(number)
                self.env.flush_all()
            due = at + timedelta(days=4)
            start = self.env.cr.sql_log_count
            self.watch(due)
            return self.env.cr.sql_log_count - start

        few = run(6, START)
        many = run(60, START + timedelta(days=7))
        self.assertLess(many, few + 10)


@freeze_time(NOW)
class TestSlaSinceCapture(SlaCase):
    """The first owner's clock runs since the lead reached us, if that is fair."""

    def given(self, captured, at=START, **vals):
        """A lead that waited from capture until somebody is there."""
        self.pool.member_ids.active = False
        with freeze_time(captured):
            lead = self.new_leads(1, **vals)
        self.assertFalse(lead.user_id)
        self.pool.with_context(active_test=False).member_ids.active = True
        with freeze_time(at):
            self.env["lead.distribution"]._distribute(lead, "sweep")
            self.env.flush_all()
        self.assertTrue(lead.user_id)
        return lead

    def test_time_that_passed_before_counts(self):
        with freeze_time(START + timedelta(minutes=20)):
            lead = self.given(START, START + timedelta(minutes=20))
        self.assertEqual(lead.sla_due_at, DUE)
        self.assertEqual(lead.assignment_id.promised_at, DUE)
        self.assertEqual(lead.assignment_id.sla_next_at, START + timedelta(minutes=45))

    def test_a_night_a_weekend_and_a_holiday_cost_nothing(self):
        monday = START + timedelta(days=3, hours=-1)
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Friday off",
                "calendar_id": self.company.resource_calendar_id.id,
                "date_from": START - timedelta(hours=8),
                "date_to": START + timedelta(hours=14),
            }
        )
        # Thursday 18:00 in Berlin; given when the office opens on Monday
        lead = self.given(START - timedelta(hours=15), monday)
        self.assertEqual(lead.sla_due_at, monday + timedelta(hours=1))
        self.assertEqual(lead.assignment_id.promised_at, lead.sla_due_at)

    def test_the_night_the_clocks_change(self):
        # Friday 16:45 in winter time; Monday eight o'clock in summer time
        lead = self.given(
            datetime(2026, 3, 27, 15, 45), datetime(2026, 3, 30, 6), name="Lê Minh"
        )
        self.assertEqual(lead.sla_due_at, datetime(2026, 3, 30, 6, 45))

    def test_a_backlog_is_not_late_the_second_it_is_given(self):
        lead = self.given(START - timedelta(days=60))
        first = lead.assignment_id
        self.assertEqual(lead.sla_due_at, DUE)
        self.assertLess(first.promised_at, START)
        self.assertEqual(lead.sla_promised_at, first.promised_at)
        self.assertEqual(lead.sla_state, "running")
        self.watch(DUE - timedelta(minutes=16))
        self.assertFalse(first.reminded_at)
        self.touch(lead, START + timedelta(minutes=5))
        self.assertEqual(lead.sla_state, "kept")
        self.env.flush_all()
        row = self.env["lead.sla.report"].browse(first.id)
        self.assertEqual((row.state, row.promise), ("kept", "missed"))
        self.assertEqual((row.kept_rate, row.promise_rate), (100, 0))

    def test_a_later_owner_begins_anew(self):
        lead = self.new_leads(1)
        first = lead.assignment_id
        self.watch(DUE)
        self.assertEqual(lead.sla_due_at, DUE + timedelta(hours=1))
        self.assertFalse(lead.assignment_id.promised_at)
        with freeze_time(DUE + timedelta(minutes=5)):
            self.touch(lead, DUE + timedelta(minutes=5))
            self.env.flush_all()
            rows = self.env["lead.sla.report"].search([("lead_id", "=", lead.id)])
            found = {row.id: (row.state, row.promise) for row in rows}
        self.assertEqual(
            found,
            {first.id: ("missed", "missed"), lead.assignment_id.id: ("kept", False)},
        )

    def test_where_sales_ready_leads_are_given_out_it_runs_since_then(self):
        self.env["ir.config_parameter"].set_param(
            "lead_pipeline.distribution_ready", "sales_ready"
        )
        with freeze_time(START - timedelta(days=20)):
            lead = self.new_leads(1)
        score = self.env["lead.score"].search([("lead_id", "=", lead.id)])
        score.write({"sales_ready": True, "sales_ready_date": START})
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertTrue(lead.sales_ready)
        self.env["lead.distribution"]._distribute(lead, "sales_ready")
        self.assertEqual(lead.sla_due_at, DUE)
        self.assertEqual(lead.sla_promised_at, DUE)

    def test_what_the_card_counts_down(self):
        """Working time of the owner, and whether anybody is working."""
        at = START + timedelta(hours=2, minutes=40)
        with freeze_time(at):  # 20 minutes to lunch
            lead = self.new_leads(1)
        clocks = []
        for minutes in (0, 10, 30, 90):
            with freeze_time(at + timedelta(minutes=minutes)):
                lead.invalidate_recordset(["sla_clock"])
                clock = lead.with_user(lead.user_id).sla_clock
                clocks.append((clock["left"] // 60, clock["open"], clock["until"]))
        self.assertEqual(
            clocks,
            [
                (60, True, "2026-11-20 11:00:00"),
                (50, True, "2026-11-20 11:00:00"),
                (40, False, "2026-11-20 12:00:00"),
                (30, True, "2026-11-20 16:00:00"),
            ],
        )
        with freeze_time(at):
            self.touch(lead, at)
            self.assertFalse(lead.sla_clock)
