# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
{
    "name": "Lead Pipeline",
    "summary": "Capture every lead once, with proof: channels, matching, touchpoints, "
    "consent, quarantine",
    "version": "19.0.2.0.0",
    "development_status": "Beta",
    "category": "Sales/CRM",
    "license": "LGPL-3",
    "author": "Lead Pipeline contributors",
    "website": "https://github.com/lead-pipeline/lead-pipeline",
    "depends": ["crm", "mass_mailing", "privacy_lookup"],
    "external_dependencies": {"python": ["phonenumbers"]},
    "data": [
        "security/lead_pipeline_groups.xml",
        "security/ir.model.access.csv",
        "security/lead_pipeline_security.xml",
        "data/lead_channel_data.xml",
        "data/ir_cron_data.xml",
        "wizard/lead_connector_key_views.xml",
        "wizard/lead_phone_entry_views.xml",
        "wizard/lead_submission_dismiss_views.xml",
        "wizard/lead_submission_fix_views.xml",
        "views/lead_submission_templates.xml",
        "views/lead_submission_views.xml",
        "views/lead_channel_views.xml",
        "views/lead_channel_kanban_views.xml",
        "views/lead_channel_count_views.xml",
        "views/lead_touchpoint_views.xml",
        "views/crm_lead_views.xml",
        "views/res_config_settings_views.xml",
        "report/crm_lead_report_views.xml",
        "views/lead_pipeline_menus.xml",
    ],
    "demo": [
        "demo/lead_channel_demo.xml",
        "demo/lead_submission_demo.xml",
        "demo/lead_touchpoint_demo.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "lead_pipeline/static/src/**/*",
        ],
        "web.assets_tests": [
            "lead_pipeline/static/tests/tours/**/*",
        ],
    },
    "application": True,
}
