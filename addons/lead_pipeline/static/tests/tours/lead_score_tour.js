/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { registry } from "@web/core/registry";

/** A manager writes the first model; a lead is graded, judged by hand, given back. */
registry.category("web_tour.tours").add("lead_pipeline_score", {
    steps: () => [
        {
            trigger: "button[data-menu-xmlid='lead_pipeline.lead_pipeline_menu']",
            run: "click",
        },
        {
            trigger: "a[data-menu-xmlid='lead_pipeline.lead_score_model_menu']",
            run: "click",
        },
        {
            trigger: ".o_last_breadcrumb_item:contains(Score Models)",
        },
        {
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name=name] input",
            run: "edit Bakers of ours",
        },
        {
            trigger: ".o_field_widget[name=criterion_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=name] input",
            run: "edit Job title",
        },
        {
            trigger: ".modal .o_field_widget[name=field_name] input",
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains(/^Job Position$/)",
            run: "click",
        },
        {
            trigger:
                ".modal .o_field_widget[name=option_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            trigger: ".modal .o_selected_row .o_field_widget[name=value] input",
            run: "edit Baker",
        },
        {
            trigger: ".modal .o_selected_row .o_field_widget[name=points] input",
            run: "edit 20",
        },
        {
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        {
            trigger:
                "body:not(:has(.modal)) .o_field_widget[name=criterion_ids] .o_data_row:contains(Job Position)",
        },
        {
            content: "The sixteen grades, as a picture",
            trigger: ".o_notebook a[name=grades]",
            run: "click",
        },
        {
            trigger: ".o_lead_score_bands .o_lead_score_band_ready:contains(B2)",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            trigger: "button[name=action_preview_activation]",
            run: "click",
        },
        {
            content: "The preview says what would change",
            trigger: ".modal button[name=action_activate]",
            run: "click",
        },
        {
            content: "A model in use says that it is not to be changed",
            trigger: ".o_form_view .alert:contains(In use since)",
        },
        {
            trigger: "button[data-menu-xmlid='crm.crm_menu_sales']",
            run: "click",
        },
        {
            trigger: "a[data-menu-xmlid='crm.menu_crm_opportunities']",
            run: "click",
        },
        {
            trigger: ".o_kanban_record:contains(Oven of the bakery)",
            run: "click",
        },
        {
            trigger: ".o_notebook a[name=lead]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=function] input",
            run: "edit Baker",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "Scored at once",
            trigger: ".o_lead_score_summary .o_lead_score_grade:contains(A4)",
        },
        {
            trigger: ".o_notebook a[name=score]",
            run: "click",
        },
        {
            content: "And it says why",
            trigger: ".o_lead_score_card .o_lead_score_parts:contains(Job title):contains(Baker)",
        },
        {
            trigger: "button[name=override_quality]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=value] input",
            run: "edit 30",
        },
        {
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Met the owner",
        },
        {
            trigger: ".modal button[name=action_apply]",
            run: "click",
        },
        {
            trigger: ".o_lead_score_override:contains(Met the owner)",
        },
        {
            trigger: ".o_lead_score_summary .o_lead_score_grade:contains(C4)",
        },
        {
            trigger: "button[name=give_back_quality]",
            run: "click",
        },
        {
            trigger:
                ".o_lead_score_card:not(:has(.o_lead_score_override)) .o_lead_score_parts",
        },
        {
            trigger: ".o_lead_score_summary .o_lead_score_grade:contains(A4)",
        },
    ],
});
