/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { formatFloat } from "@web/views/fields/formatters";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { gradeColor, gradeInWords } from "./lead_grade_field";

/** The sixteen grades of a model, and which of them are sales-ready, while one types. */
export class LeadScoreBands extends Component {
    static template = "lead_pipeline.LeadScoreBands";
    static props = { ...standardWidgetProps };

    get data() {
        return this.props.record.data;
    }
    /** [name, from, to] of the bands of one score, best first. */
    bands(names, prefix) {
        const lines = names.slice(0, 3).map((name) => this.data[prefix + name.toLowerCase()]);
        return names.map((name, i) => ({
            name,
            from: i < 3 ? lines[i] : -Infinity,
            to: i ? lines[i - 1] : Infinity,
        }));
    }
    get columns() {
        return this.bands(["1", "2", "3", "4"], "engagement_");
    }
    get rows() {
        return this.bands(["A", "B", "C", "D"], "quality_");
    }
    range({ from, to }) {
        const text = (value) => formatFloat(value, { digits: [16, 1], trailingZeros: false });
        return from === -Infinity ? `< ${text(to)}` : `≥ ${text(from)}`;
    }
    cell(row, column) {
        const grade = row.name + column.name;
        const { ready_quality: quality, ready_engagement: engagement } = this.data;
        const all = row.from >= quality && column.from >= engagement;
        const some = row.to > quality && column.to > engagement;
        return {
            grade,
            words: gradeInWords(grade),
            color: gradeColor(grade),
            ready: all ? "all" : some ? "some" : "none",
        };
    }
}

registry.category("view_widgets").add("lead_score_bands", {
    component: LeadScoreBands,
    fieldDependencies: [
        ...["a", "b", "c"].map((band) => ({ name: `quality_${band}`, type: "float" })),
        ...["1", "2", "3"].map((band) => ({ name: `engagement_${band}`, type: "float" })),
        { name: "ready_quality", type: "float" },
        { name: "ready_engagement", type: "float" },
    ],
});
