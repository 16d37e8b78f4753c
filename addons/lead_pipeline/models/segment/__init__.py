# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Groups of leads by who they are and what they did."""

from . import lead_segment
from . import lead_segment_condition
from . import lead_segment_membership
from . import lead_segment_events
from . import crm_lead_segment
