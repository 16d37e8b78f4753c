# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common_nurture import FRIDAY, NurtureCase

DAY = timedelta(days=1)


@freeze_time(FRIDAY)
@tagged("post_install", "-at_install")
class TestNurtureVersions(NurtureCase):
    """A running track is not edited; a new version says what becomes of leads."""

    def setUp(self):
        super().setUp()
        self.track = self.new_track({}, {"channel": "task"}, {})
        self.lead = self.new_lead()
        self.journey = self.enrol(self.lead, self.track)
        self.run_at(FRIDAY)

    def new_version(self):
        action = self.track.with_user(self.manager).action_new_version()
        return self.env["lead.nurture.track"].browse(action["res_id"])

    def start(self, version, choice):
        action = version.with_user(self.manager).action_start()
        wizard = self.env["lead.nurture.start"].browse(action["res_id"])
        wizard.with_user(self.manager).choice = choice
        wizard.with_user(self.manager).action_start()
        self.env.invalidate_all()

    def test_a_running_track_is_not_edited(self):
        with self.assertRaises(UserError):
            self.track.hour_to = 20
        with self.assertRaises(UserError):
            self.track.stage_ids[0].delay = 9
        with self.assertRaises(UserError):
            self.track.stage_ids[0].unlink()
        with self.assertRaises(UserError):
            self.track.unlink()
        self.track.name = "Not yet"
        with self.assertRaises(AccessError):
            self.track.with_user(self.manager).state = "draft"

    def test_leads_in_flight_finish_on_theirs(self):
        version = self.new_version()
        self.assertEqual((version.version, version.state), (2, "draft"))
        self.assertEqual(version.stage_ids.mapped("key"), self.track.stage_ids.ids)
        version.stage_ids[1].name = "New task"
        self.start(version, "finish")
        self.assertEqual(self.track.state, "archived")
        self.run_at(FRIDAY + 3 * DAY)
        self.assertEqual(self.touches(self.lead)[1].stage_id, self.track.stage_ids[1])
        # newcomers start on the new one, whichever was named
        other = self.enrol(self.new_lead("Ida Holm"), self.track)
        self.assertEqual(other.track_id, version)
        self.assertEqual(other.origin_id, self.track)

    def test_leads_in_flight_go_on_with_the_new_one(self):
        version = self.new_version()
        version.stage_ids[1].summary = "New task"
        self.start(version, "migrate")
        self.assertEqual(self.journey.track_id, version)
        self.run_at(FRIDAY + 3 * DAY)
        self.assertEqual(self.lead.activity_ids.summary, "New task")

    def test_who_waits_for_a_stage_that_is_gone_has_the_next(self):
        version = self.new_version()
        version.stage_ids[1].unlink()
        self.start(version, "migrate")
        self.run_at(FRIDAY + 3 * DAY)
        self.assertFalse(self.lead.activity_ids)
        self.assertEqual(self.touches(self.lead).mapped("state"), ["queued", "queued"])

    def test_nobody_has_a_stage_twice(self):
        version = self.new_version()
        first, second, third = version.stage_ids
        (first | second | third).write({"delay": 0})
        second.sequence, third.sequence, first.sequence = 1, 2, 3
        self.start(version, "migrate")
        self.run_until(FRIDAY + 20 * DAY, step=DAY)
        self.assertEqual(
            self.touches(self.lead).mapped("stage_id.key"),
            [first.key, second.key, third.key],
        )
        self.assertEqual(self.journey.end_reason, "last")

    def test_a_follow_up_knows_what_the_version_before_did(self):
        version = self.new_version()
        version.stage_ids[1].after_stage_id = version.stage_ids[0]
        self.start(version, "migrate")
        self.run_at(FRIDAY + 3 * DAY)
        self.assertEqual(self.touches(self.lead)[1].state, "sent")

    def test_a_track_that_lacks_something_does_not_start(self):
        empty = self.env["lead.nurture.track"].create({"name": "Empty"})
        with self.assertRaises(UserError):
            empty.action_start()
        track = self.new_track({"channel": "email", "template_id": False}, start=False)
        with self.assertRaisesRegex(UserError, "template"):
            track.action_start()

    def test_conditions_that_can_not_be_read(self):
        with self.assertRaises(ValidationError):
            self.new_track({"domain": "[('nothing', '=', 1)]"}, start=False)
        with self.assertRaises(ValidationError):
            self.new_track({}, start=False, goal_domain="[('nothing', '=', 1)]")
        with self.assertRaises(ValidationError):
            self.new_track({}, start=False, hour_from=18, hour_to=9)

    def test_a_stage_follows_one_before_it(self):
        track = self.new_track({}, {}, start=False)
        with self.assertRaises(ValidationError):
            track.stage_ids[0].after_stage_id = track.stage_ids[1]
