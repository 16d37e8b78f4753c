# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from . import lead_connector_key
from . import lead_nurture_enrol
from . import lead_nurture_start
from . import lead_distribution_try
from . import lead_phone_entry
from . import lead_reassign
from . import lead_score_activate
from . import lead_score_past
from . import lead_score_backtest
from . import lead_reject
from . import lead_score_points
from . import lead_quality_override
from . import lead_submission_dismiss
from . import lead_submission_fix
from . import privacy_lookup_wizard
