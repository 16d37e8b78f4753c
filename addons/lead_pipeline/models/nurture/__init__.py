# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Paths for leads that are not ready."""

from . import lead_nurture_track
from . import lead_nurture_stage
from . import lead_nurture_gift
from . import lead_nurture_enrolment
from . import lead_nurture_touch
from . import lead_nurture_touch_events
from . import lead_nurture
from . import lead_nurture_gate
from . import lead_nurture_channels
from . import lead_nurture_mails
from . import lead_nurture_return
from . import lead_nurture_running
from . import lead_nurture_entry
from . import lead_nurture_events
from . import crm_lead_nurture
from . import crm_lost_reason
from . import mail_mail
