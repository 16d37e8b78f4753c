# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
{
    "name": "Lead Pipeline: SMS",
    "summary": "SMS as stages of a nurture track",
    "version": "19.0.1.0.0",
    "development_status": "Beta",
    "category": "Sales/CRM",
    "license": "LGPL-3",
    "author": "Lead Pipeline contributors",
    "website": "https://github.com/lead-pipeline/lead-pipeline",
    "depends": ["lead_pipeline", "sms"],
    "data": [
        "views/lead_nurture_stage_views.xml",
        "views/res_config_settings_views.xml",
    ],
    "auto_install": True,
}
