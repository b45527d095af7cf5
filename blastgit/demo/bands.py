"""The filters and surveys of a Blast instance, with public calibration values rounded as far as a demo allows."""

from __future__ import annotations

from typing import Any, NamedTuple


class Survey(NamedTuple):
    """The common properties of the images of one survey."""

    pixel_arcsec: float
    units: str  # of the pixels, as Blast calls it
    zero_point_keyword: str | None  # the header card that overrides the zero point of the table
    first_year: int  # of the survey's observations
    exposure_s: float
    relative_error: float  # of a typical global flux


class Band(NamedTuple):
    """One filter: its names in the catalogues that Blast queries, and its calibration."""

    name: str
    kcorrect: str
    sedpy: str
    hips: str
    vosa: str
    fwhm_arcsec: float
    wavelength: float  # effective, Å
    shortest: float  # Å
    longest: float  # Å
    vega_jansky: float  # flux of a star of Vega magnitude 0
    zero_point: float | None  # magnitude of one count (per second)
    ab_offset: float  # AB minus the survey's own magnitude

    @property
    def survey(self) -> str:
        """The name of the survey, with which the name of the filter begins."""
        return self.name.partition("_")[0]

    @property
    def ab_zero_point(self) -> float:
        """AB magnitude of one count in an image; images of 2MASS have their own in the header, here always 20.9."""
        return (20.9 if self.zero_point is None else self.zero_point) + self.ab_offset


SURVEYS = {
    "2MASS": Survey(1.0, "counts", "MAGZP", 1998, 7.8, 0.02),
    "WISE": Survey(1.375, "counts/sec", None, 2010, 8.8, 0.02),
    "GALEX": Survey(1.5, "counts/sec", None, 2004, 180.0, 0.05),
    "PanSTARRS": Survey(0.25, "counts", None, 2011, 600.0, 0.004),
    "SDSS": Survey(0.4, "counts/sec", None, 2002, 53.9, 0.006),
    "DES": Survey(0.2637, "counts/sec", None, 2013, 90.0, 0.003),
}

_ROWS = (
    Band("2MASS_H", "twomass_H", "twomass_H", "CDS/P/2MASS/H", "2MASS/2MASS.H",
         2.8, 16600, 14800, 18200, 1024, None, 1.37),
    Band("2MASS_J", "twomass_J", "twomass_j", "CDS/P/2MASS/J", "2MASS/2MASS.J",
         2.9, 12400, 10800, 14100, 1594, None, 0.89),
    Band("2MASS_K", "twomass_Ks", "twomass_k", "CDS/P/2MASS/K", "2MASS/2MASS.Ks",
         2.9, 21600, 19500, 23600, 667, None, 1.84),
    Band("WISE_W1", "wise_w1", "wise_w1", "CDS/P/allWISE/W1", "WISE/WISE.W1",
         6.1, 33500, 27500, 38700, 310, 20.5, 2.70),
    Band("WISE_W2", "wise_w2", "wise_w2", "CDS/P/allWISE/W2", "WISE/WISE.W2",
         6.4, 46000, 39600, 53400, 172, 19.5, 3.34),
    Band("WISE_W3", "wise_w3", "wise_w3", "CDS/P/allWISE/W3", "WISE/WISE.W3",
         6.5, 116000, 74400, 172600, 31.7, 18.0, 5.17),
    Band("WISE_W4", "wise_w4", "wise_w4", "CDS/P/allWISE/W4", "WISE/WISE.W4",
         12.0, 221000, 195200, 279100, 8.36, 13.0, 6.62),
    Band("GALEX_NUV", "galex_NUV", "galex_nuv", "CDS/P/GALEXGR6/AIS/NUV", "GALEX/GALEX.NUV",
         5.3, 2310, 1690, 3010, 788, 20.08, 0.0),
    Band("GALEX_FUV", "galex_FUV", "galex_fuv", "CDS/P/GALEXGR6/AIS/FUV", "GALEX/GALEX.FUV",
         4.3, 1540, 1340, 1810, 520, 18.82, 0.0),
    Band("PanSTARRS_g", "none", "panstarrs_g", "CDS/P/PanSTARRS/DR1/g", "PAN-STARRS/PS1.g",
         1.3, 4870, 3940, 5590, 3893, 25.0, 0.0),
    Band("PanSTARRS_r", "none", "panstarrs_r", "CDS/P/PanSTARRS/DR1/r", "PAN-STARRS/PS1.r",
         1.2, 6210, 5390, 7040, 3136, 25.0, 0.0),
    Band("PanSTARRS_i", "none", "panstarrs_i", "CDS/P/PanSTARRS/DR1/i", "PAN-STARRS/PS1.i",
         1.1, 7540, 6780, 8300, 2577, 25.0, 0.0),
    Band("PanSTARRS_z", "none", "panstarrs_z", "CDS/P/PanSTARRS/DR1/z", "PAN-STARRS/PS1.z",
         1.1, 8680, 8030, 9350, 2273, 25.0, 0.0),
    Band("PanSTARRS_y", "none", "panstarrs_y", "CDS/P/PanSTARRS/DR1/y", "PAN-STARRS/PS1.y",
         1.0, 9630, 9100, 10840, 2204, 25.0, 0.0),
    Band("SDSS_i", "sdss_i0", "sdss_i", "CDS/P/SDSS9/i", "SLOAN/SDSS.i",
         1.3, 7480, 6430, 8630, 2550, 22.5, 0.0),
    Band("SDSS_r", "sdss_r0", "sdss_r", "CDS/P/SDSS9/r", "SLOAN/SDSS.r",
         1.3, 6170, 5420, 6990, 3174, 22.5, 0.0),
    Band("SDSS_u", "sdss_u0", "sdss_u", "CDS/P/SDSS9/u", "SLOAN/SDSS.u",
         1.5, 3550, 3050, 4030, 1582, 22.5, 0.0),
    Band("SDSS_z", "sdss_z0", "sdss_z", "CDS/P/SDSS9/z", "SLOAN/SDSS.z",
         1.3, 8930, 7960, 10830, 2232, 22.5, 0.0),
    Band("SDSS_g", "sdss_g0", "sdss_g", "CDS/P/SDSS9/g", "SLOAN/SDSS.g",
         1.4, 4690, 3800, 5550, 3946, 22.5, 0.0),
    Band("DES_g", "decam_g", "des_g", "CDS/P/DES-DR1/g", "CTIO/DECam.g",
         1.1, 4810, 3930, 5530, 3905, 22.5, 0.0),
    Band("DES_r", "decam_r", "des_r", "CDS/P/DES-DR1/r", "CTIO/DECam.r",
         1.0, 6420, 5520, 7230, 3027, 22.5, 0.0),
    Band("DES_i", "decam_i", "des_i", "CDS/P/DES-DR1/i", "CTIO/DECam.i",
         0.9, 7810, 6950, 8650, 2468, 22.5, 0.0),
    Band("DES_z", "decam_z", "des_z", "CDS/P/DES-DR1/z", "CTIO/DECam.z",
         0.9, 9170, 8340, 10070, 2247, 22.5, 0.0),
    Band("DES_Y", "decam_Y", "des_y", "CDS/P/DES-DR1/Y", "CTIO/DECam.y",
         0.9, 9900, 9360, 10690, 2146, 22.5, 0.0),
)  # fmt: skip

BANDS = {band.name: band for band in _ROWS}


def survey_rows() -> list[dict[str, Any]]:
    """The export's `surveys`: all of the instance, for any transient."""
    return [{"model": "host.survey", "pk": pk, "fields": {"name": name}} for pk, name in enumerate(SURVEYS, 1)]


def filter_rows() -> list[dict[str, Any]]:
    """The export's `filters`: all of the instance, for any transient."""
    survey_keys = {row["fields"]["name"]: row["pk"] for row in survey_rows()}
    return [
        {"model": "host.filter", "pk": pk, "fields": _filter_fields(band, survey_keys[band.survey])}
        for pk, band in enumerate(_ROWS, 1)
    ]


def _filter_fields(band: Band, survey_key: int) -> dict[str, Any]:
    survey = SURVEYS[band.survey]
    return {
        "name": band.name,
        "survey": survey_key,
        "kcorrect_name": band.kcorrect,
        "sedpy_id": band.sedpy,
        "hips_id": band.hips,
        "vosa_id": band.vosa,
        "image_download_method": "custom",
        "pixel_size_arcsec": survey.pixel_arcsec,
        "image_fwhm_arcsec": band.fwhm_arcsec,
        "wavelength_eff_angstrom": float(band.wavelength),
        "wavelength_min_angstrom": float(band.shortest),
        "wavelength_max_angstrom": float(band.longest),
        "vega_zero_point_jansky": float(band.vega_jansky),
        "magnitude_zero_point": band.zero_point,
        "ab_offset": band.ab_offset,
        "magnitude_zero_point_keyword": survey.zero_point_keyword,
        "image_pixel_units": survey.units,
    }
