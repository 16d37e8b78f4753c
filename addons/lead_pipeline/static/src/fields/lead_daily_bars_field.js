/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * Bars of the last days: [{"day": "20 Nov", "count": 3}, ...], oldest first.
 * Plain boxes, not a chart: a page shows dozens of channels.
 */
export class LeadDailyBarsField extends Component {
    static template = "lead_pipeline.LeadDailyBarsField";
    static props = { ...standardFieldProps };

    get bars() {
        const days = this.props.record.data[this.props.name] || [];
        const most = Math.max(1, ...days.map(({ count }) => count));
        return days.map(({ day, count }) => ({
            day,
            count,
            height: count ? Math.max(8, Math.round((100 * count) / most)) : 0,
        }));
    }
}

registry.category("fields").add("lead_daily_bars", {
    component: LeadDailyBarsField,
    supportedTypes: ["json"],
});
