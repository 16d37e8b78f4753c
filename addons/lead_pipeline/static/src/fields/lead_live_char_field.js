/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { useEffect } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useDebounced } from "@web/core/utils/timing";
import { CharField, charField } from "@web/views/fields/char/char_field";

const PAUSE_MS = 400;

/** A text whose onchange runs while the user types, at each short pause. */
export class LeadLiveCharField extends CharField {
    setup() {
        super.setup();
        const commit = useDebounced(() => {
            const value = this.input.el && this.parse(this.input.el.value);
            if (this.input.el && value !== (this.props.record.data[this.props.name] || "")) {
                this.props.record.update({ [this.props.name]: value });
            }
        }, PAUSE_MS);
        useEffect(
            (el) => {
                if (el) {
                    el.addEventListener("input", commit);
                    return () => el.removeEventListener("input", commit);
                }
            },
            () => [this.input.el]
        );
    }
}

registry.category("fields").add("lead_live_char", {
    ...charField,
    component: LeadLiveCharField,
    supportedTypes: ["char"],
});
