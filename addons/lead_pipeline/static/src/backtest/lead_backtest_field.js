/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { formatFloat, formatInteger } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

// The drawing's own units; the page scales it.
const WIDTH = 480;
const HEIGHT = 220;
const LEFT = 36;
const BOTTOM = 24;
const TOP = 18;

/**
 * What a backtest found: how sure, which version is better, lift, calibration.
 * Drawn as plain SVG: it prints, scales, and needs no library.
 */
export class LeadBacktestField extends Component {
    static template = "lead_pipeline.LeadBacktestField";
    static props = { ...standardFieldProps };

    get result() {
        return this.props.record.data[this.props.name];
    }

    get total() {
        return this.result.won + this.result.lost;
    }

    get width() {
        return WIDTH;
    }

    get height() {
        return HEIGHT;
    }

    get left() {
        return LEFT;
    }

    get floor() {
        return HEIGHT - BOTTOM;
    }

    percent(share, digits = 0) {
        return `${formatFloat(100 * share, { digits: [16, digits] })} %`;
    }

    number(value, digits = 2) {
        return formatFloat(value, { digits: [16, digits] });
    }

    count(value) {
        return formatInteger(Math.round(value));
    }

    signed(value) {
        return (value > 0 ? "+" : "") + this.number(value, 3);
    }

    /** Height of a share of all, where `most` reaches the top. */
    y(share, most) {
        return this.floor - ((this.floor - TOP) * share) / (most || 1);
    }

    /** Shares at which a line is drawn: at most five, round numbers. */
    lines(most) {
        const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25].find((one) => most / one <= 5);
        const lines = [];
        for (let share = 0; share <= most + 1e-9; share += step || 0.25) {
            lines.push({ share, y: this.y(share, most) });
        }
        return lines;
    }

    /** Win rate of each tenth of the leads, best first, beside the other version. */
    get lift() {
        const { deciles, compare_deciles: others, won } = this.result;
        const rates = [...deciles, ...others].map(({ rate }) => rate);
        const most = Math.max(...rates, 0.05);
        const step = (WIDTH - LEFT) / 10;
        return {
            lines: this.lines(most),
            average: { y: this.y(won / this.total, most), share: won / this.total },
            bars: deciles.map((decile, place) => {
                const y = this.y(decile.rate, most);
                const other = others[place];
                return {
                    ...decile,
                    x: LEFT + place * step + step * 0.15,
                    middle: LEFT + place * step + step / 2,
                    width: step * 0.7,
                    y,
                    height: this.floor - y,
                    other,
                    otherY: other && this.y(other.rate, most),
                    // above the bar and the other's mark
                    labelY: this.y(Math.max(decile.rate, other?.rate || 0), most) - 5,
                };
            }),
        };
    }

    /** Win rate by quality, each with its interval. */
    get calibration() {
        const { bins } = this.result;
        const most = Math.max(...bins.map(({ rate }) => rate.high), 0.05);
        const x = (quality) => LEFT + 8 + ((WIDTH - LEFT - 24) * quality) / 100;
        const points = bins.map((bin) => ({
            ...bin,
            x: x(bin.mean),
            y: this.y(bin.rate.value, most),
            rangeHigh: this.y(bin.rate.high, most),
            rangeLow: this.y(bin.rate.low, most),
        }));
        return {
            lines: this.lines(most),
            ticks: [0, 25, 50, 75, 100].map((quality) => ({ quality, x: x(quality) })),
            points,
            path: points.map((point) => `${point.x},${point.y}`).join(" "),
        };
    }
}

registry.category("fields").add("lead_backtest", {
    component: LeadBacktestField,
    supportedTypes: ["json"],
});
