/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component, useState } from "@odoo/owl";
import { formatFloat } from "@web/views/fields/formatters";
import { formatMoment } from "../score/lead_grade_field";

// Of a large pool: who got it, and those who came next.
const FIRST = 12;

/** Leads owed, with their sign: they add up to nothing within a group. */
export function formatOwed(value) {
    const text = formatFloat(Math.abs(value), { digits: [16, 2] });
    if (Math.abs(value) < 0.005) {
        return text;
    }
    return (value < 0 ? "−" : "+") + text;
}

/** One decision on who gets a lead: everybody who was asked for, and why (not). */
export class LeadDecision extends Component {
    static template = "lead_pipeline.LeadDecision";
    static props = { decision: Object };

    setup() {
        this.formatMoment = formatMoment;
        this.formatOwed = formatOwed;
        this.state = useState({ all: false });
    }

    get candidates() {
        const { candidates } = this.props.decision;
        return this.state.all ? candidates : candidates.slice(0, FIRST);
    }
    get more() {
        return this.props.decision.candidates.length - this.candidates.length;
    }
    /** Whether there was a turn to take: nobody is owed anything without. */
    get hasTurn() {
        return this.props.decision.candidates.some(({ owed }) => owed !== null);
    }
    get hasScore() {
        return this.props.decision.candidates.some(({ score }) => score !== null);
    }
}
