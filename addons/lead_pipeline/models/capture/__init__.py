# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""How leads come in: channels, submissions, matching, and touchpoints, the proof."""

from . import lead_channel
from . import lead_channel_silence
from . import lead_channel_mapping
from . import lead_channel_count
from . import lead_capture
from . import lead_capture_matching
from . import lead_capture_rows
from . import lead_capture_insert
from . import lead_capture_leads
from . import lead_submission
from . import lead_touchpoint
from . import lead_touchpoint_ingest
from . import lead_consent
from . import crm_lead
from . import calendar_event
from . import mail_activity
from . import mail_alias
from . import mailing_trace
