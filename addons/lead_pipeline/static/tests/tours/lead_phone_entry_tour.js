/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { registry } from "@web/core/registry";

/** A rep enters a call: the known lead shows while they type, before they save. */
registry.category("web_tour.tours").add("lead_pipeline_phone_entry", {
    steps: () => [
        {
            trigger: "button[data-menu-xmlid='lead_pipeline.lead_pipeline_menu']",
            run: "click",
        },
        {
            trigger: "a[data-menu-xmlid='lead_pipeline.lead_phone_entry_menu']",
            run: "click",
        },
        {
            content: "The phone has the focus, so that typing can start at once",
            trigger: ".modal .o_field_widget[name=phone] input:focus",
            run() {
                // typed, but not left: no change event of the browser
                this.anchor.value = "+49 152 99887766";
                this.anchor.dispatchEvent(new InputEvent("input", { bubbles: true }));
            },
        },
        {
            content: "The lead of this person shows",
            trigger: ".modal [name=lead_ids] .o_data_row:contains(Roof of the bakery)",
        },
        {
            trigger: ".modal [name=outcome_note]:contains(Roof of the bakery)",
        },
        {
            trigger: ".modal .o_field_widget[name=message] textarea",
            run: "edit Asks for batteries",
        },
        {
            trigger: ".modal button[name=action_save]",
            run: "click",
        },
        {
            content: "The lead opens, with the call on its timeline",
            trigger: ".o_form_view .o_notebook a[name=timeline]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=timeline_ids] .o_data_row:contains(Asks for batteries)",
        },
    ],
});
