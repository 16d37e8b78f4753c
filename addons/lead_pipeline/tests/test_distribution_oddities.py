# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from freezegun import freeze_time


from .common import NOW
from .common_distribution import DistributionCase


@freeze_time(NOW)
class TestDistributionOddities(DistributionCase):
    """What managers do that nobody thought of: leads still go to somebody."""

    switched_on = True

    def test_an_archived_pool_with_people_of_another(self):
        """A rule still sends leads there: they wait, the others go on."""
        other = self._new_pool("Berlin", self.salesman + self.colleague)
        conditions = "[('color', '=', 3)]"
        self._new_rule("Red", pool_id=other.id, sequence=1, domain=conditions)
        other.active = False
        leads = self.new_leads(2) + self.new_leads(1, color=3)
        self.assertEqual(len(leads[:2].user_id), 2)
        self.assertEqual(leads[2].waiting_reason, "nobody")
        self.env["crm.lead"].create(
            [
                {"name": "Lena", "user_id": False, "color": color}
                for color in (0, 3, 0, 3)
            ]
        )
        self.assertEqual(
            self.env["crm.lead"].search_count(
                [("name", "=", "Lena"), ("user_id", "!=", False)]
            ),
            2,
        )
