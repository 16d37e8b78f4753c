/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component } from "@odoo/owl";
import { deserializeDateTime, toLocaleDateTimeString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatFloat } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const FITS = {
    A: _t("fits very well"),
    B: _t("fits well"),
    C: _t("fits in part"),
    D: _t("hardly fits"),
};
const DOES = {
    1: _t("very active"),
    2: _t("active"),
    3: _t("a little active"),
    4: _t("quiet"),
};
const COLORS = {
    A: "text-bg-success",
    B: "text-bg-info",
    C: "text-bg-warning",
    D: "text-bg-300",
};

/** A grade such as A1 in words, for tooltips and screen readers. */
export function gradeInWords(grade) {
    return grade
        ? _t("Grade %(grade)s: %(fits)s, %(does)s", {
              grade,
              fits: FITS[grade[0]],
              does: DOES[grade[1]],
          })
        : _t("No grade: no score model fits this lead");
}

export function gradeColor(grade) {
    return COLORS[grade?.[0]] || "text-bg-300";
}

/** A score as everywhere: one decimal. */
export function formatScore(score) {
    return formatFloat(score || 0, { digits: [16, 1] });
}

/** A moment as the server gives it, as people read it. */
export function formatMoment(text) {
    return text ? toLocaleDateTimeString(deserializeDateTime(text)) : "";
}

/** The grade as a badge, and a flash where the lead is sales-ready. */
export class LeadGradeField extends Component {
    static template = "lead_pipeline.LeadGradeField";
    static props = { ...standardFieldProps };

    get grade() {
        return this.props.record.data[this.props.name];
    }
    get color() {
        return gradeColor(this.grade);
    }
    get words() {
        return gradeInWords(this.grade);
    }
    get ready() {
        return this.props.record.data.sales_ready;
    }
}

registry.category("fields").add("lead_grade", {
    component: LeadGradeField,
    supportedTypes: ["selection"],
    fieldDependencies: [{ name: "sales_ready", type: "boolean" }],
});

/** What a contact gives now; one that no person made says why it gives nothing. */
export class LeadPointsField extends Component {
    static template = "lead_pipeline.LeadPointsField";
    static props = { ...standardFieldProps };

    get points() {
        return this.props.record.data[this.props.name];
    }
    get text() {
        return this.points > 0 ? `+${formatScore(this.points)}` : formatScore(this.points);
    }
    get ahead() {
        const at = this.props.record.data.at;
        return at && at > luxon.DateTime.now();
    }
    get why() {
        if (!this.props.record.data.human) {
            return _t(
                "By a bot, a link scanner or a mail proxy, not by a person: it never counts"
            );
        }
        return this.ahead
            ? _t("It is ahead of us, and counts when it happens")
            : _t("No activity of the score model counts this");
    }
}

registry.category("fields").add("lead_points", {
    component: LeadPointsField,
    supportedTypes: ["float"],
    fieldDependencies: [
        { name: "human", type: "boolean" },
        { name: "at", type: "datetime" },
    ],
});
