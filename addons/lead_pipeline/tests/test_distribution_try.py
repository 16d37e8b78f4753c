# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from freezegun import freeze_time

from odoo.exceptions import AccessError

from .common import NOW
from .common_distribution import DistributionCase


@freeze_time(NOW)
class TestDistributionTry(DistributionCase):
    """What one lead would come to, without coming to it."""

    switched_on = True

    def attempt(self, lead, rule=None):
        return (
            self.env["lead.distribution.try"]
            .with_user(self.manager)
            .create({"lead_id": lead.id, "rule_id": rule and rule.id})
        )

    def test_who_would_get_it_and_nothing_is_written(self):
        lead = self.new_leads(1, user_id=self.manager.id)
        decided = self.env["lead.assignment"].search_count([])
        ledger = self.pool.ledger()
        for _again in range(2):
            attempt = self.attempt(lead, self.rule)
            self.assertTrue(attempt.takes)
            self.assertEqual(attempt.first_rule_id, self.rule)
            self.assertEqual(attempt.decision["user"]["id"], self.salesman.id)
            self.assertEqual(attempt.decision["reason"], "It was their turn")
            texts = [one["text"] for one in attempt.decision["candidates"]]
            self.assertEqual(texts, ["Gets it", "It was not their turn"])
        self.assertEqual(lead.user_id, self.manager)
        self.assertEqual(self.pool.ledger(), ledger)
        self.assertEqual(self.env["lead.assignment"].search_count([]), decided)

    def test_it_says_what_then_happens(self):
        self.new_leads(3)
        lead = self.new_leads(1, user_id=self.manager.id)
        said = self.attempt(lead).decision["user"]["id"]
        lead.user_id = False
        self.assertEqual(lead.user_id.id, said)

    def test_its_owner_is_one_of_them(self):
        lead = self.new_leads(1)
        self.assertEqual(lead.user_id, self.salesman)
        self.member(self.colleague).paused = True
        self.assertEqual(self.attempt(lead).decision["user"]["id"], self.salesman.id)

    def test_a_rule_that_does_not_take_it(self):
        french = self._new_rule(
            "From France", domain="[('country_id.code', '=', 'FR')]", sequence=1
        )
        attempt = self.attempt(self.new_leads(1), french)
        self.assertFalse(attempt.takes)
        self.assertFalse(attempt.decision)
        self.assertEqual(attempt.first_rule_id, self.rule)

    def test_a_rule_before_it(self):
        first = self._new_rule("Before", sequence=1)
        attempt = self.attempt(self.new_leads(1), self.rule)
        self.assertTrue(attempt.takes)
        self.assertEqual(attempt.first_rule_id, first)
        self.assertEqual(attempt.decision["rule"]["id"], self.rule.id)

    def test_no_rule_takes_it(self):
        self.rule.active = False
        attempt = self.attempt(self.new_leads(1))
        self.assertFalse(attempt.first_rule_id or attempt.decision)

    def test_nobody(self):
        self.pool.member_ids.paused = True
        decision = self.attempt(self.new_leads(1)).decision
        self.assertFalse(decision["user"])
        self.assertEqual(decision["reason"], "Everybody fit is away")

    def test_also_of_closed_leads(self):
        lead = self.new_leads(1)
        lead.action_archive()
        self.assertTrue(self.attempt(lead).decision["user"])

    def test_managers_only(self):
        with self.assertRaises(AccessError):
            self.env["lead.distribution.try"].with_user(self.salesman).create({})
