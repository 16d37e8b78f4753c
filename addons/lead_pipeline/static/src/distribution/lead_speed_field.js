/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const SHARES = ["p50", "p90", "p95"];

/** A duration as its two largest units: 45 s, 12 min, 3 h 20 min, 2 d 4 h. */
export function formatDuration(seconds) {
    if (seconds === null || seconds === undefined) {
        return "–";
    }
    if (seconds < 60) {
        return _t("%s s", seconds);
    }
    const minutes = Math.round(seconds / 60);
    const hours = Math.floor(minutes / 60);
    if (!hours) {
        return _t("%s min", minutes);
    }
    if (hours < 24) {
        return minutes % 60
            ? _t("%(hours)s h %(minutes)s min", { hours, minutes: minutes % 60 })
            : _t("%s h", hours);
    }
    const days = Math.floor(hours / 24);
    return hours % 24
        ? _t("%(days)s d %(hours)s h", { days, hours: hours % 24 })
        : _t("%s d", days);
}

/** Speed to lead: its steps, and one of them by channel, salesperson, hour or team. */
export class LeadSpeedField extends Component {
    static template = "lead_pipeline.LeadSpeedField";
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
        this.formatDuration = formatDuration;
        this.shares = SHARES;
    }

    get result() {
        return this.props.record.data[this.props.name];
    }

    get step() {
        const { step } = this.props.record.data;
        return this.result.steps.find((one) => one.step === step);
    }

    /** Width of a bar: of the slowest half among the rows. */
    width(row) {
        const most = Math.max(...this.result.rows.map(({ raw }) => raw.p50 || 0), 1);
        return Math.round((100 * (row.raw.p50 || 0)) / most);
    }

    open(row) {
        if (!row.domain) {
            return;
        }
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: row.label,
            res_model: "crm.lead",
            views: [
                [false, "list"],
                [false, "form"],
            ],
            domain: row.domain,
            context: { active_test: false },
        });
    }
}

registry.category("fields").add("lead_speed", {
    component: LeadSpeedField,
    supportedTypes: ["json"],
    fieldDependencies: [{ name: "step", type: "selection" }],
});
