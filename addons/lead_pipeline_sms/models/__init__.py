# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from . import res_company
from . import res_config_settings
from . import lead_nurture_stage
from . import lead_nurture
from . import lead_nurture_touch
from . import sms_sms
