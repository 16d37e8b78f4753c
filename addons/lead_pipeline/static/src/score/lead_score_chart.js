/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component } from "@odoo/owl";
import { deserializeDateTime, formatDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { formatScore } from "./lead_grade_field";

const WIDTH = 600;
const HEIGHT = 120;

/** Quality (steps) and engagement over time: two lines, drawn apart by dashes too. */
export class LeadScoreChart extends Component {
    static template = "lead_pipeline.LeadScoreChart";
    static props = { points: Array };

    setup() {
        this.width = WIDTH;
        this.height = HEIGHT;
    }
    get known() {
        return this.props.points.filter(({ quality }) => quality !== null);
    }
    get top() {
        const all = this.known.flatMap(({ quality, engagement }) => [quality, engagement]);
        return Math.max(100, ...all);
    }
    /** Quality holds until it changes; engagement falls between two points. */
    line(name) {
        const moments = this.props.points.map(({ at }) => deserializeDateTime(at).toMillis());
        const [start, end] = [moments[0], moments.at(-1)];
        const corners = [];
        this.props.points.forEach(({ [name]: value }, i) => {
            if (value === null) {
                return;
            }
            const x = (WIDTH * (moments[i] - start)) / Math.max(1, end - start);
            const y = HEIGHT - (HEIGHT * Math.max(0, value)) / this.top;
            if (name === "quality" && corners.length) {
                corners.push([x, corners.at(-1)[1]]);
            }
            corners.push([x, y]);
        });
        return corners.map((xy) => xy.map((one) => one.toFixed(1)).join()).join(" ");
    }
    get from() {
        return formatDate(deserializeDateTime(this.props.points[0].at));
    }
    get words() {
        const first = this.known[0];
        const last = this.known.at(-1);
        return _t(
            "From %(from)s until now quality went from %(q1)s to %(q2)s, engagement from %(e1)s to %(e2)s.",
            {
                from: formatDate(deserializeDateTime(first.at)),
                q1: formatScore(first.quality),
                q2: formatScore(last.quality),
                e1: formatScore(first.engagement),
                e2: formatScore(last.engagement),
            }
        );
    }
}
