/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { registry } from "@web/core/registry";

/** A manager finds a form that nobody has set up, and makes leads of what it sent. */
registry.category("web_tour.tours").add("lead_pipeline_quarantine_fix", {
    steps: () => [
        {
            trigger: "button[data-menu-xmlid='lead_pipeline.lead_pipeline_menu']",
            run: "click",
        },
        {
            trigger: "a[data-menu-xmlid='lead_pipeline.lead_submission_menu_quarantine']",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains(tour-form) .o_data_cell[name=reason]",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_statusbar_buttons button:contains(Fix and Replay)",
            run: "click",
        },
        {
            content: "The e-mail is recognised",
            trigger: ".modal [name=line_ids] .o_data_row:contains(E-Mail) [name=target]:contains(Email)",
        },
        {
            trigger: ".modal .o_field_widget[name=new_name] input",
            run: "edit Winter form",
        },
        {
            trigger: ".modal button[name=action_apply]",
            run: "click",
        },
        {
            content: "It became a lead",
            trigger: ".o_form_view button[name=action_view_lead]",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_notebook a[name=origin]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=channel_id]:contains(Winter form)",
        },
    ],
});
