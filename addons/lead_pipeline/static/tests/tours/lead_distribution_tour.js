/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { registry } from "@web/core/registry";

const menu = (xmlid) => [
    {
        trigger: "button[data-menu-xmlid='lead_pipeline.lead_pipeline_menu']",
        run: "click",
    },
    {
        trigger: `a[data-menu-xmlid='lead_pipeline.${xmlid}']`,
        run: "click",
    },
];

/**
 * A manager reads the ledger, tries a lead, replays the past by another rule, gives
 * the leads of a leaver to others, and sees on a lead why.
 */
registry.category("web_tour.tours").add("lead_pipeline_distribution", {
    steps: () => [
        ...menu("lead_pool_menu"),
        {
            trigger: ".o_kanban_record:contains(Tour pool)",
            run: "click",
        },
        {
            trigger: ".o_notebook a[name=ledger]",
            run: "click",
        },
        {
            trigger: ".o_lead_ledger tr:contains(Tour rep A):contains(Free)",
        },
        ...menu("lead_distribution_rule_menu"),
        {
            trigger: ".o_data_row .o_data_cell:contains(Tour rule)",
            run: "click",
        },
        {
            trigger: ".o_form_statusbar button:contains(Try a Lead)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=lead_id] input",
            run: "edit Roof of the bakery",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Roof of the bakery)",
            run: "click",
        },
        {
            trigger: ".modal .o_lead_decision .table-success:contains(Gets it)",
        },
        {
            trigger: ".modal footer button:contains(Close)",
            run: "click",
        },
        ...menu("lead_what_if_menu"),
        {
            content: "Another order of the rules is another answer: without the last",
            trigger: ".o_field_widget[name=rule_ids] .o_data_row:contains(Tour rule)",
        },
        {
            trigger: "button[name=action_run]",
            run: "click",
        },
        {
            trigger: ".o_lead_what_if tr:contains(Tour rep A)",
        },
        {
            trigger: ".o_lead_what_if tr:contains(Tour rule)",
        },
        ...menu("lead_reassign_menu"),
        {
            trigger: ".modal .o_field_widget[name=user_id] input",
            run: "edit Tour rep A",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Tour rep A)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=preview] tr:contains(Tour rep B)",
        },
        {
            trigger: ".modal button[name=action_reassign]",
            run: "click",
        },
        {
            trigger: ".o_notification:contains(leads went to others)",
        },
        ...menu("crm_lead_unassigned_menu"),
        {
            trigger: ".o_data_row .o_data_cell:contains(Nobody wants it)",
            run: "click",
        },
        {
            trigger: ".o_notebook a[name=why]",
            run: "click",
        },
        {
            trigger: ".o_lead_why_waiting:contains(No rule takes it)",
        },
    ],
});
