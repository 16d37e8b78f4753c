/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { formatFloat } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { formatDuration } from "./lead_speed_field";

// Of a drawing of the load per day, in its own units; the page scales it.
const DAY = 4;
const HEIGHT = 24;

/** Who would have got what, beside who really got it. Plain SVG: no library. */
export class LeadWhatIfField extends Component {
    static template = "lead_pipeline.LeadWhatIfField";
    static props = { ...standardFieldProps };

    setup() {
        this.formatDuration = formatDuration;
        this.height = HEIGHT;
    }

    get result() {
        return this.props.record.data[this.props.name];
    }

    get width() {
        return Math.max(1, this.result.days.length) * DAY;
    }

    /** The most leads anybody has on a day: bars of all people compare. */
    get most() {
        const parts = this.result.people.flatMap(({ then, really }) => [then, really]);
        return Math.max(1, ...parts.map(({ most }) => most));
    }

    bars({ per_day }) {
        return per_day
            .map((count, place) => ({
                x: place * DAY,
                height: (HEIGHT * count) / this.most,
                count,
                day: this.result.days[place],
            }))
            .filter(({ count }) => count);
    }

    get kinds() {
        return ["then", "really"];
    }

    given(kind) {
        return this.result.people.reduce((sum, one) => sum + one[kind].leads, 0);
    }

    won(kind) {
        return this.result.people.reduce((sum, one) => sum + one[kind].won, 0);
    }

    kept({ leads, kept }) {
        return leads ? `${formatFloat((100 * kept) / leads, { digits: [16, 1] })} %` : "–";
    }

    change({ then, really }) {
        const more = then.leads - really.leads;
        return more > 0 ? `+${more}` : `${more}`.replace("-", "−");
    }
}

registry.category("fields").add("lead_what_if", {
    component: LeadWhatIfField,
    supportedTypes: ["json"],
});
