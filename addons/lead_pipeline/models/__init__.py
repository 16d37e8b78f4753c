# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from . import res_company
from . import res_config_settings
from . import utm_mixin
from . import lead_channel
from . import lead_channel_mapping
from . import lead_channel_count
from . import lead_capture
from . import lead_capture_leads
from . import lead_submission
from . import lead_touchpoint
from . import lead_consent
from . import crm_lead
from . import calendar_event
from . import mail_activity
from . import mail_alias
from . import mailing_trace
