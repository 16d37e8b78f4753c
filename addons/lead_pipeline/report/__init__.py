# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from . import lead_share_report
from . import lead_sla_report
from . import lead_speed_report
from . import lead_nurture_result
