/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { registry } from "@web/core/registry";

/** A salesperson takes the next lead, rejects it, and pauses. */
registry.category("web_tour.tours").add("lead_pipeline_owner", {
    steps: () => [
        {
            content: "How long is left, on the card",
            trigger:
                ".o_kanban_record:contains(Roof of the bakery) .o_lead_sla[data-state=running]",
        },
        {
            trigger: ".o_control_panel button[name=action_take_next]",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name=name]:has(:value(Heat pump for Hanoi))",
        },
        {
            trigger: ".o_form_view .o_lead_sla[data-state=running]:contains(first touch)",
        },
        {
            trigger: ".o_form_statusbar button:contains(Reject)",
            run: "click",
        },
        {
            trigger: ".modal label:contains(Not my area)",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_reject]",
            run: "click",
        },
        {
            content: "Back where they came from; the lead is a colleague's",
            trigger:
                "body:not(:has(.modal)) .o_kanban_view:not(:contains(Heat pump for Hanoi))",
        },
        {
            trigger: ".o_user_menu button",
            run: "click",
        },
        {
            trigger: "[data-menu=lead_availability]:contains(I get new leads)",
            run: "click",
        },
        {
            trigger: ".modal button:contains(Pause for an hour)",
            run: "click",
        },
        {
            trigger: ".o_lead_paused button:contains(No new leads)",
            run: "click",
        },
        {
            trigger: ".modal button:contains(I am back)",
            run: "click",
        },
        {
            trigger: "body:not(:has(.o_lead_paused)) .o_kanban_view",
        },
    ],
});
