# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
# its table is also a relation of crm.lead, so it must be made before
from . import lead_segment_member
from . import res_company
from . import res_config_settings
from . import lead_version_mixin
from . import utm_mixin
from . import res_partner
from . import capture
from . import score
from . import segment
from . import distribution
from . import nurture
