/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component, useState } from "@odoo/owl";
import { DateTimeInput } from "@web/core/datetime/datetime_input";
import { serializeDateTime } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { formatMoment, formatScore } from "./lead_grade_field";
import { LeadScoreBars } from "./lead_score_bars";
import { LeadScoreChart } from "./lead_score_chart";

const SCORES = ["lead_grade", "quality_score", "quality_overridden", "engagement_score"];

/** Why a lead's score is what it is, or was at a moment of the past. */
export class LeadScoreCard extends Component {
    static template = "lead_pipeline.LeadScoreCard";
    static components = { DateTimeInput, LeadScoreBars, LeadScoreChart };
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.turn = 0;
        this.formatScore = formatScore;
        this.formatMoment = formatMoment;
        this.state = useState({ at: false, score: null, chart: [] });
        let seen;
        // another lead, or this one with another score since it was saved
        useRecordObserver(({ resId, data }) => {
            const scores = SCORES.map((name) => data[name]);
            const now = JSON.stringify([resId, ...scores]);
            if (now !== seen) {
                seen = now;
                return this.load(resId);
            }
        });
    }

    get leadId() {
        return this.props.record.resId;
    }

    async load(leadId = this.leadId) {
        if (!leadId) {
            this.state.score = null;
            return;
        }
        if (leadId !== this.loaded) {
            this.state.at = false;
        }
        this.loaded = leadId;
        const at = this.state.at ? serializeDateTime(this.state.at) : false;
        const turn = ++this.turn;
        const [score, chart] = await Promise.all([
            this.orm.call("crm.lead", "explain_score", [leadId], { at }),
            this.orm.call("crm.lead", "score_chart", [leadId]),
        ]);
        if (turn === this.turn) {
            Object.assign(this.state, { score, chart });
        }
    }

    get score() {
        return this.state.score;
    }
    get bars() {
        const { grade, quality, engagement } = this.score;
        return {
            grade,
            quality: quality.shown,
            engagement: engagement.shown,
            overridden: Boolean(quality.overridden),
        };
    }
    get maxDate() {
        return luxon.DateTime.now();
    }
    get mayChange() {
        return !this.state.at && !this.props.readonly;
    }

    onDateChange(at) {
        const past = at && at < luxon.DateTime.now();
        this.state.at = past ? at : false;
        return this.load();
    }

    async override() {
        // what was typed is not lost by looking again
        if (!(await this.props.record.save())) {
            return;
        }
        await this.action.doAction("lead_pipeline.lead_quality_override_action", {
            additionalContext: { active_id: this.leadId },
            onClose: () => this.refresh(),
        });
    }

    async giveBack() {
        if (!(await this.props.record.save())) {
            return;
        }
        await this.orm.call("crm.lead", "action_give_back_quality", [this.leadId]);
        await this.refresh();
    }

    async refresh() {
        await this.props.record.load();
        await this.load();
    }
}

registry.category("view_widgets").add("lead_score_card", {
    component: LeadScoreCard,
    fieldDependencies: [
        { name: "lead_grade", type: "selection" },
        { name: "quality_score", type: "float" },
        { name: "quality_overridden", type: "boolean" },
        { name: "engagement_score", type: "float" },
    ],
});
