# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Countries, states and languages of a batch of items: one query each."""


class Lookup:
    """Find master data by the codes and names that items use."""

    def __init__(self, env, items):
        self._env = env
        self._no_country = env["res.country"]
        contacts = [item.contact for item in items]
        codes = {
            contact["country"].upper() for contact in contacts if contact.get("country")
        }
        countries = self._no_country
        if codes:
            countries = countries.search([("code", "in", list(codes))])
        self._countries = {country.code: country for country in countries}
        self._states = self._find_states(
            countries,
            {contact["state"] for contact in contacts if contact.get("state")},
        )
        self._langs = None

    def _find_states(self, countries, names):
        if not names or not countries:
            return {}
        states = {}
        for state in self._env["res.country.state"].search(
            [("country_id", "in", countries.ids)]
        ):
            states[state.country_id.id, state.name.casefold()] = state.id
            states[state.country_id.id, (state.code or "").casefold()] = state.id
        return states

    def country(self, code):
        """The country of an ISO code, an empty record where it is none."""
        return self._countries.get((code or "").upper(), self._no_country)

    def state_id(self, country, name):
        """Id of a state by its code or name within a country, else False."""
        return self._states.get((country.id, (name or "").casefold()), False)

    def lang_id(self, code):
        """Id of an installed language by "pt_BR", "pt-BR" or "pt"; else False."""
        if not code:
            return False
        if self._langs is None:
            self._langs = {}
            for lang in self._env["res.lang"].search([]):
                self._langs.setdefault(lang.iso_code, lang.id)
                self._langs.setdefault(lang.code.split("_")[0], lang.id)
                self._langs[lang.code] = lang.id
        code = code.replace("-", "_")
        return self._langs.get(code) or self._langs.get(code.split("_")[0], False)
