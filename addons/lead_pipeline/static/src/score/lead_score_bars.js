/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { serializeDateTime } from "@web/core/l10n/dates";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { formatMoment, formatScore, gradeColor, gradeInWords } from "./lead_grade_field";

/** Grade, quality and engagement in one row: numbers, with bars as their picture. */
export class LeadScoreBars extends Component {
    static template = "lead_pipeline.LeadScoreBars";
    static props = {
        grade: { optional: true },
        quality: Number,
        engagement: Number,
        overridden: { type: Boolean, optional: true },
        ready: { type: Boolean, optional: true },
        readySince: { type: String, optional: true },
    };

    get color() {
        return gradeColor(this.props.grade);
    }
    get words() {
        return gradeInWords(this.props.grade);
    }
    get bars() {
        return [
            {
                name: "quality",
                text: formatScore(this.props.quality),
                width: clamp(this.props.quality),
            },
            {
                name: "engagement",
                text: formatScore(this.props.engagement),
                // open to the top: 100 and more is a full bar
                width: clamp(this.props.engagement),
            },
        ];
    }
}

function clamp(value) {
    return Math.max(0, Math.min(100, value));
}

/** The scores on top of a lead, from its fields. */
export class LeadScoreSummary extends Component {
    static template = "lead_pipeline.LeadScoreSummary";
    static components = { LeadScoreBars };
    static props = { ...standardWidgetProps };

    get bars() {
        const data = this.props.record.data;
        return {
            grade: data.lead_grade,
            quality: data.quality_score,
            engagement: data.engagement_score,
            overridden: data.quality_overridden,
            ready: data.sales_ready,
            readySince: data.sales_ready_date
                ? formatMoment(serializeDateTime(data.sales_ready_date))
                : "",
        };
    }
}

registry.category("view_widgets").add("lead_score_summary", {
    component: LeadScoreSummary,
    fieldDependencies: [
        { name: "lead_grade", type: "selection" },
        { name: "quality_score", type: "float" },
        { name: "quality_overridden", type: "boolean" },
        { name: "engagement_score", type: "float" },
        { name: "sales_ready", type: "boolean" },
        { name: "sales_ready_date", type: "datetime" },
    ],
});
