# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from collections import Counter
from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form

from ..wizard import lead_what_if
from .common import NOW
from .common_distribution import DistributionCase

START = datetime.fromisoformat(NOW)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@freeze_time(NOW)
class TestDistributionWhatIf(DistributionCase):
    """The leads of a week given out anew: by other rules, with nothing written."""

    switched_on = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute(  # it was so since long
            "UPDATE lead_distribution_history SET at = at - '30 days'::interval"
        )
        cls.week = cls.env["crm.lead"]
        # Monday to Thursday at 10:00 UTC, two leads each
        for day in range(4, 0, -1):
            cls.week += cls.came(START - day * DAY, 2)

    @classmethod
    def came(cls, at, number, **vals):
        """Leads that came at a moment, and were given out then."""
        with freeze_time(at):
            leads = cls.new_leads(cls, number, **vals)
            cls.env.flush_all()
        # of the transaction, whatever the clock says
        cls.env.cr.execute(
            "UPDATE crm_lead SET create_date = %s WHERE id = ANY(%s)", [at, leads.ids]
        )
        leads.invalidate_recordset()
        return leads

    def wizard(self, **vals):
        vals = {
            "date_from": "2026-11-16",
            "date_to": "2026-11-20",
            "domain": f"[('id', 'in', {self.week.ids})]",
            **vals,
        }
        return self.env["lead.what.if"].with_user(self.manager).create(vals)

    def run_it(self, **vals):
        wizard = self.wizard(**vals)
        wizard.action_run()
        return wizard.result

    def leads(self, result, kind="then"):
        return {
            one["id"]: one[kind]["leads"]
            for one in result["people"]
            if one[kind]["leads"]
        }

    def test_the_rules_in_use_give_what_was_given(self):
        result = self.run_it()
        self.assertEqual(result["as_of"], "then")
        self.assertEqual(result["leads"], 8)
        really = Counter(lead.user_id.id for lead in self.week)
        self.assertEqual(self.leads(result, "really"), really)
        self.assertEqual(self.leads(result), really)
        self.assertEqual(result["nobody"], {"then": 0, "really": 0, "reasons": []})
        self.assertEqual(result["rules"], [{"name": "All the rest", "count": 8}])
        days = ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19"]
        self.assertEqual(result["days"], days)
        for one in result["people"]:
            self.assertEqual(one["then"]["per_day"], [1, 1, 1, 1])
            self.assertEqual(one["then"]["most"], 1)
        self.assertEqual(result["wait"]["then"]["p95"], 0)

    def test_drafts_begin_as_the_rules_in_use(self):
        """As the browser makes them, which sends only what the view has."""
        self._new_rule(
            "From France",
            domain="[('country_id.code', '=', 'FR')]",
            sequence=1,
            method="match",
            must_skill=True,
            must_language=True,
            must_country=True,
        )
        wizard = Form(self.env["lead.what.if"].with_user(self.manager)).save()
        names = ("name", "domain", "pool_id", "method", "sla_policy_id", "company_id")
        names += ("must_skill", "must_language", "must_country")
        rules = self.env["lead.distribution.rule"].search([("active", "=", True)])
        for draft, rule in zip(wizard.rule_ids, rules, strict=True):
            for name in names:
                self.assertEqual(draft[name], rule[name], name)

    def test_a_draft_sends_them_elsewhere(self):
        paris = self._new_pool("Paris", self.manager)
        self.week[:3].country_id = self.env.ref("base.fr")
        wizard = self.wizard()
        draft = {
            "name": "From France",
            "sequence": 1,
            "domain": "[('country_id.code', '=', 'FR')]",
            "pool_id": paris.id,
            "company_id": self.company.id,
        }
        wizard.rule_ids = [(0, 0, draft)]
        wizard.action_run()
        result = wizard.result
        self.assertEqual(self.leads(result)[self.manager.id], 3)
        self.assertEqual(sum(self.leads(result).values()), 8)
        self.assertNotIn(self.manager.id, self.leads(result, "really"))
        self.assertEqual(
            result["rules"],
            [
                {"name": "From France", "count": 3},
                {"name": "All the rest", "count": 5},
            ],
        )

    def test_too_many_leads(self):
        with patch.object(lead_what_if, "MOST_LEADS", 8):
            self.assertEqual(self.run_it()["leads"], 8)
        with patch.object(lead_what_if, "MOST_LEADS", 7):
            with self.assertRaisesRegex(UserError, "more than 7 leads"):
                self.run_it()

    def test_nothing_is_written(self):
        self.env.flush_all()
        tables = {
            "lead.assignment": ["ended_at", "user_id"],
            "lead.pool": ["clock"],
            "lead.pool.member": ["turns", "load_today", "turn_start"],
            "lead.distribution.rule": ["name", "domain", "sequence"],
            "crm.lead": ["user_id", "assignment_id", "waiting_since", "write_date"],
        }

        def all_rows():
            self.env.flush_all()
            self.env.invalidate_all()
            return {
                name: self.env[name].search([], order="id").read(columns)
                for name, columns in tables.items()
            }

        before = all_rows()
        self.run_it()
        self.assertEqual(all_rows(), before)

    def test_limits_and_what_nobody_could_get(self):
        self.pool.member_ids.per_month = 3
        result = self.run_it(as_of="now")
        self.assertEqual(
            self.leads(result), {self.salesman.id: 3, self.colleague.id: 3}
        )
        self.assertEqual(result["nobody"]["then"], 2)
        self.assertEqual(
            result["nobody"]["reasons"],
            [{"reason": "Everybody fit is at their limit", "count": 2}],
        )

    def test_limits_count_what_was_given_before(self):
        self.pool.member_ids.per_month = 3
        result = self.run_it(date_from="2026-11-18", as_of="now")
        self.assertEqual(result["leads"], 4)
        # two each since the first of November
        self.assertEqual(
            self.leads(result), {self.salesman.id: 1, self.colleague.id: 1}
        )

    def test_open_leads_of_before(self):
        # not at noon, which is their break
        old = self.came(START - 30 * DAY + 3 * HOUR, 4)
        self.assertEqual(len(old.user_id), 2)
        self.pool.member_ids.max_open = 3
        result = self.run_it(as_of="now")
        # two old ones each, so one more
        self.assertEqual(sum(self.leads(result).values()), 2)

    def test_at_night_it_waits_for_the_morning(self):
        night = self.came(datetime(2026, 11, 18, 22), 1)
        self.assertFalse(night.user_id)
        result = self.run_it(domain=f"[('id', '=', {night.id})]")
        self.assertEqual(sum(self.leads(result).values()), 1)
        self.assertEqual(result["nobody"], {"then": 0, "really": 1, "reasons": []})
        # 08:00 in Berlin
        self.assertEqual(result["wait"]["then"]["p50"], 9 * 3600)

    def test_wins_and_sla(self):
        first, second = self.week[:2]
        first.action_set_won()
        first.date_first_response = first.create_date + HOUR / 2
        second.date_first_response = second.create_date + 2 * HOUR
        self.env.flush_all()
        result = self.run_it(domain=f"[('id', 'in', {(first + second).ids})]")
        self.assertEqual(result["won"], 1)
        self.assertEqual(sum(one["then"]["won"] for one in result["people"]), 1)
        for kind in ("then", "really"):
            self.assertEqual(result["sla"][kind], {"leads": 2, "kept": 1}, kind)

    def test_given_by_hand(self):
        self.week += self.came(START - DAY, 1, user_id=self.manager.id)
        self.assertEqual(self.run_it()["leads"], 8)
        result = self.run_it(by_hand=True)
        self.assertEqual(result["leads"], 9)
        self.assertEqual(self.leads(result, "really")[self.manager.id], 1)

    def test_before_leads_were_given_by_rules(self):
        self.switch(False)
        old = self.came(START - 3 * DAY, 2, user_id=self.manager.id)
        result = self.run_it(domain=f"[('id', 'in', {old.ids})]")
        self.assertEqual(self.leads(result, "really"), {self.manager.id: 2})
        self.assertEqual(
            self.leads(result), {self.salesman.id: 1, self.colleague.id: 1}
        )

    # ------------------------------------------------------------
    # AS IT WAS
    # ------------------------------------------------------------

    def change(self, day, records, **vals):
        """Settings of a member, a policy or a calendar, from a day of the week on."""
        with freeze_time(START - day * DAY - HOUR):
            records.write(vals)
            self.env.flush_all()

    def per_day(self, result, user):
        """Leads a day that somebody would have got, from Monday."""
        by_id = {one["id"]: one["then"]["per_day"] for one in result["people"]}
        return by_id.get(user.id, [])

    def test_limits_as_they_were(self):
        member = self.member(self.salesman)
        self.change(3, member, per_day=3)  # Tuesday
        self.change(2, member, per_day=0)  # Wednesday
        self.change(0, member, per_month=1)
        result = self.run_it()
        self.assertEqual(self.per_day(result, self.salesman), [1, 1, 1, 1])
        result = self.run_it(as_of="now")
        self.assertEqual(self.leads(result)[self.salesman.id], 1)

    def test_weights_as_they_were(self):
        self.change(2, self.member(self.salesman), weight=50)  # Wednesday
        self.change(0, self.member(self.salesman), weight=1)
        result = self.run_it()
        self.assertEqual(self.per_day(result, self.salesman), [1, 1, 2, 2])
        result = self.run_it(as_of="now")
        self.assertEqual(self.per_day(result, self.salesman), [1, 1, 1, 1])

    def test_who_was_paused_or_gone(self):
        self.change(3, self.member(self.salesman), paused=True)  # Tuesday
        self.change(2, self.member(self.salesman), paused=False)
        self.change(1, self.member(self.colleague), active=False)  # Thursday
        result = self.run_it()
        self.assertEqual(self.per_day(result, self.salesman), [1, 0, 1, 2])
        self.assertEqual(self.per_day(result, self.colleague), [1, 2, 1, 0])

    def test_who_came_later(self):
        self.change(
            2,
            self.pool,
            member_ids=[(0, 0, {"user_id": self.manager.id, "weight": 50})],
        )
        late = self._new_user("late", "sales_team.group_sale_salesman")
        self.change(
            -1, self.pool, member_ids=[(0, 0, {"user_id": late.id, "weight": 99})]
        )
        result = self.run_it()
        self.assertEqual(self.per_day(result, self.manager), [0, 0, 2, 2])
        self.assertNotIn(late.id, self.leads(result))
        result = self.run_it(as_of="now")
        self.assertIn(late.id, self.leads(result))
        self.assertEqual(len(self.per_day(result, self.manager)), 4)

    def test_working_hours_as_they_were(self):
        """They are written on a calendar: the sweep sees it."""
        hours = self.company.resource_calendar_id.copy()
        early = self.member(self.salesman)
        self.change(9, early, resource_calendar_id=hours.id)
        with freeze_time(START - 2 * DAY - HOUR):  # Wednesday
            hours.attendance_ids.write({"hour_from": 0, "hour_to": 0})
            self.sweep()
        self.assertIn("Working Hours", self.last_change(early).description)
        self.assertEqual(
            self.last_change(early).create_uid, self.env.ref("base.user_root")
        )
        result = self.run_it()
        self.assertEqual(self.per_day(result, self.salesman), [1, 1, 0, 0])
        self.assertNotIn(self.salesman.id, self.leads(self.run_it(as_of="now")))

    def test_a_calendar_without_hours(self):
        empty = self.company.resource_calendar_id.copy()
        empty.attendance_ids.unlink()
        self.change(2, self.member(self.salesman), resource_calendar_id=empty.id)
        result = self.run_it()
        self.assertEqual(self.per_day(result, self.salesman), [1, 1, 0, 0])
        self.assertEqual(self.new_leads(2).user_id, self.colleague)

    def last_change(self, record):
        name = "sla_policy_id" if record._name == "lead.sla.policy" else "member_id"
        history = self.env["lead.distribution.history"]
        return history.search([(name, "=", record.id)], limit=1)

    def test_the_sla_as_it_was(self):
        first, second, *rest = self.week
        for lead in self.week:
            lead.date_first_response = lead.create_date + 2 * HOUR
        self.change(3, self.sla, first_touch_minutes=150)  # Tuesday
        self.change(2, self.sla, first_touch_minutes=60)
        self.env.flush_all()
        result = self.run_it()
        self.assertEqual(result["sla"]["then"], {"leads": 8, "kept": 2})
        self.sla.first_touch_minutes = 180
        self.assertEqual(self.run_it()["sla"]["then"], {"leads": 8, "kept": 2})
        result = self.run_it(as_of="now")
        self.assertEqual(result["sla"]["then"], {"leads": 8, "kept": 8})

    def test_a_pool_that_gave_out_nothing_counts_as_it_is(self):
        draft = self._new_pool("Draft", self.manager + self.salesman)
        self.member(self.manager, draft).weight = 3
        wizard = self.wizard()
        wizard.rule_ids.pool_id = draft
        wizard.action_run()
        self.assertEqual(
            self.leads(wizard.result), {self.manager.id: 6, self.salesman.id: 2}
        )

    def test_it_costs_the_same_for_many_changes(self):
        def cost():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.run_it()
            return self.env.cr.sql_log_count - before

        cost()
        few = cost()
        for minutes in range(20):
            at = START - 3 * DAY + timedelta(minutes=minutes)
            with freeze_time(at):
                self.pool.member_ids.write({"per_month": 100 + minutes})
        self.assertEqual(cost(), few)

    def test_what_it_refuses(self):
        with self.assertRaises(ValidationError):
            self.wizard(date_from="2026-11-21")
        for day in ("0001-01-01", "9999-12-31"):
            with self.assertRaises(ValidationError):
                self.wizard(date_from=day, date_to=day)
        with self.assertRaises(UserError):
            self.run_it(rule_ids=[(5,)])
        with self.assertRaises(AccessError):
            self.env["lead.what.if"].with_user(self.salesman).create({})
        self.assertEqual(self.run_it(domain="[('id', '=', 0)]")["leads"], 0)


@freeze_time(NOW)
class TestDistributionAdopt(DistributionCase):
    """Drafts that become the rules in use."""

    switched_on = True

    def wizard(self, user=None):
        wizard = self.env["lead.what.if"].with_user(user or self.manager)
        return wizard.with_company(self.company).create({})

    def rules(self):
        return self.env["lead.distribution.rule"].search([("active", "=", True)])

    def test_nothing_changed_nothing_changes(self):
        before = self.rule.read()
        wizard = self.wizard()
        self.assertEqual(wizard.changes_text, "Nothing changes.")
        wizard.action_adopt()
        self.assertEqual(self.rule.read(), before)

    def test_changed_added_left_out_and_moved(self):
        wind = self.env["lead.skill"].create({"name": "Wind"})
        gone = self._new_rule("Gone", sequence=50, domain="[('color', '=', 3)]")
        pool = self._new_pool("Paris", self.manager)
        wizard = self.wizard()
        drafts = {draft.origin_id: draft for draft in wizard.rule_ids}
        drafts[gone].unlink()
        drafts[self.rule].write(
            {"method": "match", "skill_ids": wind.ids, "sequence": 100}
        )
        wizard.rule_ids = [
            (
                0,
                0,
                {
                    "name": "France",
                    "pool_id": pool.id,
                    "company_id": self.company.id,
                    "sequence": 100,
                },
            )
        ]
        self.assertEqual(
            wizard.changes_text.splitlines(),
            [
                "• New: France",
                "• Changed: All the rest (Method, Asks For)",
                "• No longer used: Gone (archived)",
            ],
        )
        self.assertEqual(self.rule.method, "turn", "not before it is confirmed")
        self.assertEqual(wizard.action_confirm()["target"], "new")
        for _twice in range(2):  # a second click changes nothing more
            wizard.action_adopt()
            first, second = self.rules()
            self.assertEqual(first, self.rule)
            self.assertEqual((first.method, first.skill_ids), ("match", wind))
            self.assertEqual((second.name, second.pool_id), ("France", pool))
            self.assertFalse(gone.active)
            wizard.begun_with_ids = self.rules()
        self.assertEqual(self.new_leads(1).assignment_id.rule_id, self.rule)
        wizard = self.wizard()
        for draft, sequence in zip(wizard.rule_ids, (2, 1), strict=True):
            draft.sequence = sequence
        self.assertIn("another order", wizard.changes_text)
        wizard.action_adopt()
        self.assertEqual(self.rules(), second + first)

    def test_what_it_refuses(self):
        wizard = self.wizard()
        self._new_rule("Of somebody else", sequence=1)
        with self.assertRaisesRegex(UserError, "have changed"):
            wizard.action_adopt()
        wizard = self.wizard()
        self.env.cr.execute(
            "UPDATE lead_distribution_rule"
            " SET write_date = write_date + '1 s'::interval WHERE id = %s",
            [self.rule.id],
        )
        self.rule.invalidate_recordset()
        with self.assertRaisesRegex(UserError, "have changed"):
            wizard.action_adopt()
        wizard.rule_ids = [(5,)]
        for method in (wizard.action_confirm, wizard.action_adopt):
            with self.assertRaisesRegex(UserError, "at least one"):
                method()
        # a draft checks what it is given as a rule does
        with self.assertRaises(ValidationError):
            self.wizard().rule_ids.domain = "[('no_such_field', '=', 1)]"

    def test_whose_it_is(self):
        wizard = self.wizard()
        with self.assertRaises(AccessError):
            wizard.with_user(self.salesman).action_adopt()

    def test_rules_of_another_company_stay(self):
        """Their manager is not asked, and their place is kept."""
        theirs = self.env["lead.pool"].create(
            {"name": "Lyon", "company_id": self.other_company.id}
        )
        foreign = self._new_rule(
            "Lyon",
            pool_id=theirs.id,
            company_id=self.other_company.id,
            sequence=50,
        )
        wizard = self.wizard()
        self.assertNotIn(foreign, wizard.rule_ids.origin_id)
        wizard.rule_ids.name = "All"
        wizard.action_adopt()
        self.assertTrue(foreign.active)
        self.assertEqual(self.rules(), foreign + self.rule)
        self.assertEqual(self.rule.name, "All")
