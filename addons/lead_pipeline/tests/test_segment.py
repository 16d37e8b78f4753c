# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import random
from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tests import Form

from ..models.segment import lead_segment_membership
from .common import NOW, LeadPipelineCase

START = datetime.fromisoformat(NOW)
SEGMENT = lead_segment_membership.LeadSegment


class SegmentCase(LeadPipelineCase):
    def new_segment(self, *conditions, **vals):
        """Conditions: (kind, text, times, days)."""
        return self.env["lead.segment"].create(
            {
                "name": "Hot on prices",
                "condition_ids": [
                    (0, 0, {"kind": kind, "text": text, "times": times, "days": days})
                    for kind, text, times, days in conditions
                ],
                **vals,
            }
        )

    def new_lead(self, name="Anh Tran", **vals):
        return self.env["crm.lead"].create({"name": name, "user_id": False, **vals})

    def touch(self, lead, kind="page_view", days_ago=0, **vals):
        return self.env["lead.touchpoint"].create(
            {
                "lead_id": lead.id,
                "kind": kind,
                "at": datetime.now().replace(microsecond=0) - timedelta(days=days_ago),
                **vals,
            }
        )

    def price(self, lead, **vals):
        return self.touch(lead, url="https://shop.example.com/Pricing?a=1", **vals)

    def members(self, segment):
        return segment.member_ids.lead_id

    def keep(self):
        with self.enter_registry_test_mode():
            self.env.ref("lead_pipeline.ir_cron_segments").method_direct_trigger()
        self.env.invalidate_all()


@freeze_time(NOW)
class TestSegment(SegmentCase):
    def test_twice_on_the_price_page_in_14_days(self):
        segment = self.new_segment(("page_view", "pricing", 2, 14))
        lead = self.new_lead()
        self.price(lead)
        self.touch(lead, url="https://shop.example.com/blog")
        self.price(lead, days_ago=15)
        self.price(lead, human=False)
        self.assertFalse(self.members(segment))
        self.price(lead, days_ago=13)
        self.assertEqual(self.members(segment), lead)
        self.assertEqual(str(segment.member_ids.since), NOW)
        self.assertEqual(lead.segment_ids, segment)
        self.assertEqual(segment.member_count, 1)

    def test_the_title_counts_too_and_percent_is_no_pattern(self):
        segment = self.new_segment(("page_view", "100%", 1, 14))
        self.touch(self.new_lead(), title="100 reasons")
        self.assertFalse(self.members(segment))
        lead = self.new_lead()
        self.touch(lead, title="Save 100% today")
        self.assertEqual(self.members(segment), lead)

    def test_a_blank_text_is_any(self):
        segment = self.new_segment(("form_submit", "  ", 1, 14))
        lead = self.new_lead()
        self.touch(lead, "form_submit")
        self.assertIn(lead, self.members(segment))

    def test_all_conditions_and_the_domain_must_hold(self):
        segment = self.new_segment(
            ("page_view", False, 1, 14),
            ("call_in", False, 1, 0),
            domain="[('country_id.code', '=', 'VN')]",
        )
        lead = self.new_lead()
        self.touch(lead)
        self.touch(lead, "call_in", days_ago=500)
        self.assertFalse(self.members(segment))
        lead.country_id = self.env.ref("base.vn")
        self.assertEqual(self.members(segment), lead)
        lead.country_id = self.env.ref("base.de")
        self.assertFalse(self.members(segment))
        self.assertEqual(
            self.env["lead.segment.move"]
            .search([("segment_id", "=", segment.id)], order="id")
            .mapped("direction"),
            ["joined", "left"],
        )

    def test_any_contact(self):
        segment = self.new_segment((False, False, 3, 7))
        lead = self.new_lead()
        for kind in ("call_in", "email_reply", "page_view"):
            self.assertNotIn(lead, self.members(segment))
            self.touch(lead, kind)
        self.assertIn(lead, self.members(segment))

    def test_a_new_lead_a_new_score_and_a_lost_one(self):
        named = self.new_segment(domain="[('name', 'like', 'Anh')]")
        graded = self.new_segment(
            domain="[('quality_score', '>', 50), ('active', 'in', [True, False])]"
        )
        lead = self.new_lead()
        self.assertEqual(lead.segment_ids, named)
        lead._override_quality(80, "Met at the fair")
        self.assertEqual(lead.segment_ids, named + graded)
        lead.action_set_lost()
        self.assertEqual(lead.segment_ids, graded)

    def test_scores_that_are_written_past_the_orm(self):
        segment = self.new_segment(domain="[('lead_grade', '!=', False)]")
        other = self.new_segment(domain="[('engagement_score', '>=', 5)]")
        model = self.env["lead.score.model"].create(
            {
                "name": "Visits",
                "sequence": 0,
                "half_life": 14,
                "domain": "[('name', '=', 'Anh Tran')]",
                "activity_ids": [
                    (0, 0, {"name": "Visit", "kind": "page_view", "points": 5})
                ],
            }
        )
        model.action_activate()
        lead = self.new_lead()
        self.assertEqual(lead.segment_ids, segment)
        self.touch(lead)
        self.assertEqual(lead.segment_ids, segment + other)
        with freeze_time(START + timedelta(days=1)):
            self.keep()
            self.assertEqual(lead.segment_ids, segment, "it cooled")

    def test_time_alone_ends_it(self):
        segment = self.new_segment(("page_view", "pricing", 2, 14))
        lead = self.new_lead()
        self.price(lead, days_ago=13)
        self.price(lead, days_ago=2)
        self.assertEqual(self.members(segment), lead)
        self.price(lead, days_ago=1)  # holds it a day longer
        end = START + timedelta(days=12)
        with freeze_time(end - timedelta(seconds=1)):
            self.keep()
            self.assertEqual(self.members(segment), lead)
            self.assertEqual(segment.member_ids.check_at, end)
        with freeze_time(end):
            self.keep()
            self.assertFalse(self.members(segment))

    def test_only_those_due_are_looked_at(self):
        self.new_segment(("page_view", "pricing", 1, 14))
        lead = self.new_lead()
        self.price(lead)
        self.env.cr.flush()
        with (
            freeze_time(START + timedelta(days=13)),
            patch.object(SEGMENT, "_refresh") as refresh,
        ):
            self.keep()
            refresh.assert_not_called()

    def test_a_meeting_ahead_counts_when_it_happens(self):
        segment = self.new_segment(("meeting", False, 1, 30))
        lead = self.new_lead()
        self.touch(lead, "meeting", days_ago=-2)
        self.assertFalse(self.members(segment))
        with freeze_time(START + timedelta(days=2)):
            with self.enter_registry_test_mode():
                self.env.ref("lead_pipeline.ir_cron_cool").method_direct_trigger()
            self.env.invalidate_all()
            self.assertEqual(self.members(segment), lead)

    def test_taken_back_corrected_and_moved(self):
        segment = self.new_segment(("page_view", "pricing", 1, 14))
        lead, other = self.new_lead(), self.new_lead()
        view = self.price(lead)
        view.lead_id = other
        self.assertEqual(self.members(segment), other)
        view.human = False
        self.assertFalse(self.members(segment))
        view.human = True
        view.unlink()
        self.assertFalse(self.members(segment))

    def test_merged_and_deleted_leads(self):
        segment = self.new_segment(("page_view", "pricing", 2, 14))
        one, two = self.new_lead(), self.new_lead()
        self.price(one)
        self.price(two)
        (one + two).merge_opportunity(auto_unlink=True)
        [lead] = (one + two).exists()
        self.assertEqual(self.members(segment), lead)
        lead.unlink()
        self.assertFalse(segment.member_ids)
        moves = self.env["lead.segment.move"].search([("segment_id", "=", segment.id)])
        self.assertEqual(sum(moves.mapped("change")), 0)

    def test_an_ingested_enquiry_joins_at_once(self):
        segment = self.new_segment(
            ("form_submit", False, 1, 30), domain="[('email_from', 'like', 'vogt')]"
        )
        _result, lead = self.ingest_one(channel="t-form")
        self.assertEqual(self.members(segment), lead)

    def test_an_address_that_comes_with_the_customer(self):
        """The lead's field is computed: nobody writes to the lead."""
        partner = self.env["res.partner"].create(
            {"name": "Layla", "email": "layla@example.com"}
        )
        lead = self.new_lead(partner_id=partner.id)
        segment = self.new_segment(domain="[('email_from', 'like', 'example.org')]")
        partner.email = "layla@example.org"
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.assertEqual(self.members(segment), lead)

    def test_a_domain_that_moves_with_the_date(self):
        segment = self.new_segment(domain="[('create_date', '>=', 'today -7d')]")
        plain = self.new_segment(domain="[('create_date', '>=', '2026-01-01')]")
        self.assertTrue(segment.drifts)
        self.assertFalse(plain.drifts)
        lead = self.new_lead()
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = %s WHERE id = %s", [START, lead.id]
        )
        lead.invalidate_recordset()
        self.assertIn(lead, self.members(segment))
        with freeze_time(START + timedelta(days=9)):
            self.keep()
            self.assertNotIn(lead, self.members(segment))

    def test_relations_that_change_beside_the_lead(self):
        """A name, and what is linked to what: nobody tells the lead of it."""
        group, partner = self.env["res.partner"].create(
            [{"name": "Nordlicht"}, {"name": "Lena Vogt"}]
        )
        by_name = self.new_segment(domain="[('partner_id', 'ilike', 'Sörensen')]")
        by_group = self.new_segment(domain=f"[('partner_id', 'child_of', {group.id})]")
        by_id = self.new_segment(domain=f"[('partner_id', 'in', [{partner.id}])]")
        self.assertFalse(by_id.drifts)
        lead = self.new_lead(partner_id=partner.id)
        self.assertEqual(lead.segment_ids, by_id)
        partner.write({"name": "Lena Sörensen", "parent_id": group.id})
        with freeze_time(START + timedelta(hours=2)):
            self.keep()
        self.assertEqual(lead.segment_ids, by_name + by_group + by_id)

    def test_what_joins_and_leaves_is_told_once(self):
        segment = self.new_segment(("page_view", "pricing", 1, 14))
        leads = self.new_lead() + self.new_lead()
        told = []

        def join(this, who):
            told.append((this, "joined", who))

        def leave(this, who):
            told.append((this, "left", who))

        with (
            patch.object(SEGMENT, "_on_join", join),
            patch.object(SEGMENT, "_on_leave", leave),
        ):
            views = self.env["lead.touchpoint"].create(
                [
                    {"lead_id": lead.id, "kind": "page_view", "title": "Pricing"}
                    for lead in leads
                    for _time in range(2)
                ]
            )
            self.env.cr.flush()
            views[0].title = "Prices"
            views.unlink()
            self.env.cr.flush()
        self.assertEqual(told, [(segment, "joined", leads), (segment, "left", leads)])

    def test_a_changed_definition(self):
        leads = self.new_lead("Anh") + self.new_lead("Bao")
        segment = self.new_segment(domain="[('name', '=', 'Anh')]")
        self.assertEqual(self.members(segment), leads[0])
        segment.domain = "[('name', 'in', ('Anh', 'Bao'))]"
        self.assertEqual(self.members(segment), leads)
        since = segment.member_ids.mapped("since")
        with freeze_time(START + timedelta(days=1)):
            segment.write(
                {"condition_ids": [(0, 0, {"kind": "call_in", "days": 0, "times": 1})]}
            )
            self.assertFalse(self.members(segment))
            self.touch(leads[1], "call_in")
            self.assertEqual(self.members(segment), leads[1])
            segment.condition_ids.kind = "call_out"
            self.keep()
            self.assertFalse(self.members(segment))
            segment.condition_ids.unlink()
            self.keep()
            self.assertEqual(self.members(segment), leads)
            segment.domain = "[('name', '!=', False), ('name', 'in', ['Anh', 'Bao'])]"
        self.assertEqual(len(since), 2)
        self.assertEqual(str(segment.member_ids[0].since), "2026-11-21 10:00:00")
        segment.active = False
        self.assertFalse(self.members(segment))
        self.new_lead("Anh")
        self.assertFalse(self.members(segment))
        segment.active = True
        self.assertEqual(len(self.members(segment)), 3)

    def test_filling_is_resumed_where_it_stopped(self):
        leads = self.env["crm.lead"].create([{"name": "Chi"} for _n in range(10)])
        with patch.object(lead_segment_membership, "FIRST_BATCH", 3):
            segment = self.new_segment(domain="[('name', '=', 'Chi')]")
        self.assertEqual(self.members(segment), leads[7:])
        self.assertTrue(0 < segment.fill_percent < 100)
        segment._fill(4)
        self.assertEqual(self.members(segment), leads[3:])
        leads[0].priority = "2"  # no event of this segment
        self.keep()
        self.assertEqual(self.members(segment), leads)
        self.assertEqual((segment.to_fill, segment.fill_percent), (0, 100))

    def test_company(self):
        segment = self.new_segment(
            domain="[('name', '=', 'Duc')]", company_id=self.company.id
        )
        ours = self.new_lead("Duc", company_id=self.company.id)
        nobodys = self.new_lead("Duc", company_id=False)
        self.new_lead("Duc", company_id=self.other_company.id)
        self.assertEqual(self.members(segment), ours + nobodys)

    def test_what_can_not_be_asked(self):
        with self.assertRaises(ValidationError):
            self.new_segment(domain="[('nothing', '=', 1)]")
        segment = self.new_segment()
        with self.assertRaises(ValidationError):
            self.new_segment(domain=f"[('segment_ids', 'in', {segment.ids})]")

    def test_what_is_being_typed(self):
        for domain in ("[('name'", "lead", "7", "None", "[1]"):
            self.assertFalse(self.env["lead.segment"].new({"domain": domain}).drifts)

    def test_roles(self):
        segment = self.new_segment(domain="[('name', '=', 'Emi')]")
        mine = self.new_lead("Emi", user_id=self.salesman.id)
        theirs = self.new_lead("Emi", user_id=self.colleague.id)
        as_rep = segment.with_user(self.salesman)
        self.assertEqual(as_rep.member_ids.lead_id, mine)
        self.assertEqual(as_rep.member_count, 1)
        self.assertEqual(segment.with_user(self.manager).member_count, 2)
        with self.assertRaises(AccessError):
            as_rep.name = "Mine"
        with self.assertRaises(AccessError):
            self.env["lead.segment"].with_user(self.connector).search([])
        segment.with_user(self.manager).domain = "[('name', '=', 'Emi Sato')]"
        # a rep's own write moves a lead of a segment they can't edit
        mine.with_user(self.salesman).name = "Emi Sato"
        self.assertEqual(self.members(segment), mine)
        self.assertNotIn(theirs, self.members(segment))

    def test_found_and_grouped_by_segment(self):
        segment = self.new_segment(domain="[('name', '=', 'Fatima')]")
        lead = self.new_lead("Fatima")
        Lead = self.env["crm.lead"].with_user(self.manager)
        self.assertEqual(Lead.search([("segment_ids", "in", segment.ids)]), lead)
        groups = dict(Lead._read_group([], ["segment_ids"], ["__count"]))
        self.assertEqual(groups[segment], 1)

    def test_a_manager_makes_one_in_the_form(self):
        lead = self.new_lead()
        self.price(lead)
        form = Form(self.env["lead.segment"].with_user(self.manager))
        form.name = "Prices"
        with form.condition_ids.new() as line:
            line.text = "pricing"
        segment = form.save()
        self.assertEqual(self.members(segment), lead)
        self.assertEqual(segment.summary, "Page view “pricing” in 14 days")
        self.assertEqual(segment.daily_joined[-1]["count"], 1)
        self.assertEqual((segment.joined_7_days, segment.left_7_days), (1, 0))


@freeze_time(NOW)
class TestSegmentCost(SegmentCase):
    def statements(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_statements_depend_on_neither_leads_nor_segments(self):
        leads = self.env["crm.lead"].create([{"name": str(n)} for n in range(110)])

        def touch(some):
            self.env["lead.touchpoint"].create(
                [{"lead_id": lead.id, "kind": "page_view"} for lead in some]
            )

        self.new_segment(("page_view", False, 1, 14))
        touch(leads[:3])
        few = self.statements(lambda: touch(leads[3:10]))
        many = self.statements(lambda: touch(leads[10:]))
        self.assertLessEqual(many, few + 2)
        self.new_segment(("page_view", False, 2, 14), domain="[('name', '!=', '7')]")
        self.new_segment(domain="[('page_count', '>', 1)]")
        touch(leads[:3])
        self.assertLessEqual(self.statements(lambda: touch(leads)), many + 3)

    def test_no_segment_costs_nothing(self):
        lead = self.new_lead()
        self.env["lead.segment"].search([]).active = False

        def touch():
            self.touch(lead, "call_in")

        touch()
        bare = self.statements(touch)
        self.new_segment(("page_view", False, 1, 14))
        touch()
        self.assertLessEqual(self.statements(touch), bare, "it reads no calls")


class TestSegmentLaw(SegmentCase):
    """What the events keep is what a search from scratch finds, after every step."""

    DEFINITIONS = [
        {"domain": "[('name', '=', 'a')]"},
        {"domain": "[('country_id.code', '=', 'VN'), ('active', 'in', [True, False])]"},
        {"domain": "[('visit_count', '>=', 2)]"},
        {"conditions": [("page_view", "price", 2, 14)]},
        {"conditions": [("page_view", False, 3, 3), ("call_in", False, 1, 30)]},
        {"conditions": [(False, "price", 1, 0)], "domain": "[('name', '!=', 'b')]"},
        {"domain": "['|', ('lead_grade', '=like', 'A%'), ('name', '=', 'c')]"},
    ]

    def from_scratch(self, segment, now):
        """The same question, asked of all leads, in plain Python."""
        Lead = self.env["crm.lead"].with_context(active_test=False)
        domain = segment._lead_domain() & Domain("id", "in", self.leads.ids)
        found = Lead.search(domain)
        for condition in segment.condition_ids:
            since = now - timedelta(days=condition.days or 99999)

            def fits(touch, condition=condition, since=since):
                text = f"{touch.url or ''} {touch.title or ''}".lower()
                return (
                    touch.human
                    and since < touch.at <= now
                    and condition.kind in (False, touch.kind)
                    and (condition.text or "") in text
                )

            found = found.filtered(
                lambda lead, fits=fits, condition=condition: len(
                    lead.touchpoint_ids.filtered(fits)
                )
                >= condition.times
            )
        return found

    def step(self, chance, now):
        """Something that happens to leads."""
        lead = chance.choice(self.leads)
        touches = self.env["lead.touchpoint"].search(
            [("lead_id", "in", self.leads.ids)]
        )
        some = touches.browse(chance.sample(touches.ids, min(len(touches), 2)))
        action = chance.randrange(10)
        if action <= 4 or not some:
            self.env["lead.touchpoint"].create(
                [
                    {
                        "lead_id": chance.choice(self.leads).id,
                        "kind": chance.choice(["page_view", "page_view", "call_in"]),
                        "at": now - timedelta(hours=chance.choice([0, 1, 50, 300])),
                        "url": chance.choice(["/price", "/blog"]),
                        "human": chance.random() < 0.9,
                    }
                    for _one in range(chance.choice([1, 1, 4]))
                ]
            )
        elif action == 5:
            some.unlink()
        elif action == 6:
            some.write(
                chance.choice(
                    [{"url": "/price"}, {"human": False}, {"lead_id": lead.id}]
                )
            )
        elif action == 7:
            lead.name = chance.choice("abcd")
        elif action == 8:
            lead.country_id = chance.choice([self.env.ref("base.vn"), False])
        elif lead.active and chance.random() < 0.5:
            lead.action_set_lost()
        elif not lead.active:
            lead.action_unarchive()
        else:
            lead._override_quality(chance.choice([10, 90]), "as a test")

    def test_incremental_is_from_scratch(self):
        chance = random.Random(7)
        now = START
        with freeze_time(now):
            self.leads = self.env["crm.lead"].create([{"name": n} for n in "abcabc"])
            segments = self.env["lead.segment"]
            for definition in self.DEFINITIONS:
                vals = dict(definition)
                segments += self.new_segment(*vals.pop("conditions", ()), **vals)
        most = 0
        for _step in range(80):
            now += timedelta(hours=chance.choice([0, 1, 7, 40]))
            with freeze_time(now):
                self.keep()
                self.step(chance, now)
                self.env.invalidate_all()
                for segment in segments:
                    self.assertEqual(
                        self.members(segment) & self.leads,
                        self.from_scratch(segment, now),
                        f"{segment.domain} {segment.summary}",
                    )
                    most += len(self.members(segment) & self.leads)
        self.assertGreater(most, 100)
