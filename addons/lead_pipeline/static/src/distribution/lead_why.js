/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { formatMoment } from "../score/lead_grade_field";
import { LeadDecision } from "./lead_decision";

/** Loads something of the record of a form, again whenever one of its fields changes. */
function useLoaded(names, load) {
    const state = useState({ value: null });
    let seen;
    let turn = 0;
    useRecordObserver(async ({ resId, data }) => {
        const now = JSON.stringify([
            resId,
            ...names.map((name) => data[name]?.id ?? data[name]),
        ]);
        if (now === seen) {
            return;
        }
        seen = now;
        const mine = ++turn;
        const value = resId ? await load(resId) : null;
        if (mine === turn) {
            state.value = value;
        }
    });
    return state;
}

/** Why a lead has its owner, or waits: all decisions on it, newest first. */
export class LeadWhy extends Component {
    static template = "lead_pipeline.LeadWhy";
    static components = { LeadDecision };
    static props = { ...standardWidgetProps };

    setup() {
        const orm = useService("orm");
        this.formatMoment = formatMoment;
        this.state = useLoaded(["user_id"], (resId) =>
            orm.call("crm.lead", "explain_assignments", [resId])
        );
    }

    get why() {
        return this.state.value;
    }
}

/** The candidates of the decision that a form shows. */
export class LeadAssignmentWhy extends Component {
    static template = "lead_pipeline.LeadAssignmentWhy";
    static components = { LeadDecision };
    static props = { ...standardWidgetProps };

    setup() {
        const orm = useService("orm");
        this.state = useLoaded([], (resId) =>
            orm.call("lead.assignment", "explain", [[resId]])
        );
    }
}

/** A decision that a field has, as `lead.assignment.explain` gives it. */
export class LeadDecisionField extends Component {
    static template = "lead_pipeline.LeadDecisionField";
    static components = { LeadDecision };
    static props = { ...standardFieldProps };

    setup() {
        this.formatMoment = formatMoment;
    }

    get decision() {
        return this.props.record.data[this.props.name];
    }
}

registry.category("fields").add("lead_decision", {
    component: LeadDecisionField,
    supportedTypes: ["json"],
});
registry.category("view_widgets").add("lead_why", {
    component: LeadWhy,
    fieldDependencies: [{ name: "user_id", type: "many2one", relation: "res.users" }],
});
registry.category("view_widgets").add("lead_assignment_why", {
    component: LeadAssignmentWhy,
});
