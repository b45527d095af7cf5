"""Labels and units of the values of a revision on a page, and how changes of them are measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity of the SED fit, of which there are the percentiles 16, 50 and 84.

    Attributes:
        name: Its name in the document, without the percentile.
        label: Its label on a page.
        unit: Its unit; "" if it has none.
        about: A description.
        is_log: Whether it is a logarithm, so that a change is measured in dex.
        chain: Its name among the draws from the posterior; "" if they do not contain it by name.
    """

    name: str
    label: str
    unit: str
    about: str
    is_log: bool = False
    chain: str = ""


QUANTITIES = (
    Quantity("log_mass", "log M★", "log M☉", "stellar mass", True, "stellar_mass"),
    Quantity("log_sfr", "log SFR", "log M☉/yr", "star formation rate", True, "sfr"),
    Quantity("log_ssfr", "log sSFR", "log 1/yr", "specific star formation rate", True, "ssfr"),
    Quantity("age", "age", "Gyr", "mass-weighted age", chain="mwa"),
    Quantity("log_tau", "log τ", "log Gyr", "decline of star formation", True),
    Quantity("logzsol", "log Z★", "log Z☉", "stellar metallicity", True, "logzsol"),
    Quantity("dust2", "τ₂", "", "optical depth of the diffuse dust at 5500 Å", chain="dust2"),
    Quantity("dust_index", "δ", "", "slope of the attenuation curve", chain="dust_index"),
    Quantity("dust1_fraction", "τ₁/τ₂", "", "optical depth of birth clouds over diffuse dust", chain="dust1_fraction"),
    Quantity("log_fagn", "log f(AGN)", "dex", "share of the AGN in the luminosity", True, "log_fagn"),
    Quantity("log_agn_tau", "log τ(AGN)", "dex", "optical depth of the dust torus", True, "log_agn_tau"),
    Quantity("gas_logz", "log Z gas", "log Z☉", "gas metallicity", True, "gas_logz"),
    Quantity("duste_qpah", "q(PAH)", "%", "share of the dust mass in PAH", chain="duste_qpah"),
    Quantity("duste_umin", "U min", "", "least radiation field that heats the dust", chain="duste_umin"),
    Quantity("log_duste_gamma", "log gamma(dust)", "dex", "share of dust in stronger fields", True, "log_duste_gamma"),
)
"""The quantities, in the order of a table."""

BY_NAME = {each.name: each for each in QUANTITIES}
SCOPES = ("global", "local")
"""The kinds of aperture: the whole host, and the surroundings of the transient."""
