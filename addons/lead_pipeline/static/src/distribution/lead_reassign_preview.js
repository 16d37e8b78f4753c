/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** Who would get how many leads, and why nobody would get the others. */
export class LeadReassignPreview extends Component {
    static template = "lead_pipeline.LeadReassignPreview";
    static props = { ...standardFieldProps };

    get preview() {
        return this.props.record.data[this.props.name];
    }

    get keep() {
        return this.props.record.data.keep;
    }
}

registry.category("fields").add("lead_reassign_preview", {
    component: LeadReassignPreview,
    supportedTypes: ["json"],
    fieldDependencies: [{ name: "keep", type: "boolean" }],
});
