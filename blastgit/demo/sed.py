"""A toy model of Blast's SED fit: a posterior that depends on the photometry, and the files and values made from it."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from PIL import Image, ImageDraw

from blastgit.demo.scene import galaxy_flux

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MAGGIE = 3631e6  # µJy
PERCENTILES = (16, 50, 84)
_LOG_MASS = 10.2  # solar masses formed in the model galaxy
SURVIVING = 0.6  # the fraction of the formed mass that is still in stars

# Parameters of the fit by Blast's names, with the centre and the width of their posteriors.
_PARAMETERS = {
    "logzsol": (-0.5, 0.2),
    "dust2": (0.4, 0.1),
    "dust_index": (-0.3, 0.2),
    "dust1_fraction": (1.0, 0.1),
    "log_fagn": (-3.0, 0.5),
    "log_agn_tau": (1.2, 0.2),
    "gas_logz": (-0.7, 0.3),
    "duste_qpah": (2.5, 0.8),
    "duste_umin": (4.0, 1.0),
    "log_duste_gamma": (-2.0, 0.3),
}
_RATIOS = slice(3, 9)  # columns of the chain: logarithms of the ratios of neighbouring star formation rates
_COLUMNS = {"logzsol": 2} | {name: 8 + at for at, name in enumerate(_PARAMETERS) if at}


@dataclass(frozen=True, slots=True)
class Grid:
    """How large the files of a fit are."""

    draws: int  # from the posterior
    wavelengths: int  # of the model spectrum

    @property
    def ages(self) -> int:
        """Steps of the history's fine grid: 100 as in Blast, fewer in tiny files."""
        return min(100, self.wavelengths)

    @classmethod
    def beside(cls, pixels: int) -> Grid:
        """Return a grid that grows with the images: for 300 pixels, 2500 draws as in Blast."""
        return cls(max(5, 2500 * pixels**2 // 300**2), 400 if pixels >= 100 else 20)

    @classmethod
    def of(cls, posterior: bytes, spectrum: bytes) -> Grid:
        """Read the grid of an earlier fit from its h5 and `_modeldata.npz` files."""
        with h5py.File(io.BytesIO(posterior), "r") as file, np.load(io.BytesIO(spectrum)) as arrays:
            return cls(len(file["sampling/chain"]), len(arrays["spec"]))


@dataclass(frozen=True, slots=True)
class Photometry:
    """The input of a fit: fluxes and errors in maggies, shape (filters,)."""

    filters: tuple[str, ...]
    wavelengths: tuple[float, ...]  # Å
    maggies: Array
    errors: Array
    redshift: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A posterior and the values that Blast derives from it."""

    photometry: Photometry
    chain: Array  # of parameters, shape (draws, 18)
    edges: Array  # of the 7 bins of look-back time, Gyr
    samples: dict[str, Array]  # the content of Blast's chain file
    levels: dict[str, Array]  # the content of its percentile file: 16, 50 and 84 % along the last axis
    wavelengths: Array  # of the model spectrum, Å


def fit(photometry: Photometry, grid: Grid, rng: np.random.Generator) -> Fit:
    """Draw a posterior whose mass is proportional to the brightness of the photometry."""
    galaxy = galaxy_flux(photometry.wavelengths) / MAGGIE
    log_mass = _LOG_MASS + float(np.mean(np.log10(photometry.maggies / galaxy)))
    chain = np.empty((grid.draws, 18))
    chain[:, 0] = photometry.redshift
    chain[:, 1] = log_mass + 0.08 * rng.standard_normal(grid.draws)
    chain[:, _RATIOS] = 0.3 * rng.standard_normal((grid.draws, 6))
    for name, (middle, width) in _PARAMETERS.items():
        chain[:, _COLUMNS[name]] = middle + width * rng.standard_normal(grid.draws)
    edges = time_bins(photometry.redshift)
    rates = _rates(chain, edges)
    samples = _samples(chain, rates, edges, grid)
    wavelengths = np.geomspace(1000, 250_000, grid.wavelengths)
    levels = _levels(samples, rates) | _model(samples["stellar_mass"], photometry.wavelengths, wavelengths)
    return Fit(photometry, chain, edges, samples, levels, wavelengths)


def time_bins(redshift: float) -> Array:
    """Edges of Blast's 7 bins of look-back time in Gyr, which depend on the age of the universe at the redshift."""
    age = 11.3 * math.asinh(1.53 * (1 + redshift) ** -1.5)  # flat, 70 km/s/Mpc, 30 % matter
    return np.concatenate([[1e-9, 0.03], np.geomspace(0.1, 0.9 * age, 5), [age]])


def values(result: Fit) -> dict[str, float]:
    """The numeric columns of Blast's SED table, by name."""
    levels = result.levels
    columns = {
        "log_mass": levels["stellar_mass"],
        "log_sfr": np.log10(levels["sfr"][0]),
        "log_ssfr": np.log10(levels["ssfr"][0]),
        "age": levels["mwa"],
        "log_age": levels["mwa"],  # as in Blast's source: the deprecated column is a copy, in Gyr despite its name
    } | {name: levels[name] for name in _PARAMETERS}
    table = {
        f"{name}_{p}": float(v) for name, column in columns.items() for p, v in zip(PERCENTILES, column, strict=True)
    }
    return table | {"mass_surviving_ratio": SURVIVING + 0.01 * float(np.tanh(result.chain[0, 2]))}


def history(result: Fit) -> list[tuple[float, ...]]:
    """Rows of Blast's star formation history: log rate at 16, 50 and 84 %, and the bin's edges in Gyr."""
    levels, edges = np.log10(result.levels["sfh_binned"]).tolist(), result.edges.tolist()
    return [(*row, low, high) for row, low, high in zip(levels, edges[:-1], edges[1:], strict=True)]


def files(result: Fit) -> dict[str, bytes]:
    """The files of a fit by the end of their names."""
    labels = np.array([f"t{i}" for i in range(18)], "<U3")
    return {
        ".h5": _posterior(result),
        "_chain.npz": _npz(chains=np.array(result.samples, object)),
        "_perc.npz": _npz(percentiles=np.array(result.levels, object), theta_lbs=labels),
        "_modeldata.npz": _modeldata(result),
        ".jpg": _picture(result.levels["modspec"][:, 1]),
    }


def observed_again(posterior: bytes, factors: Array | float) -> bytes:
    """Return an h5 file whose observed fluxes are multiplied by `factors`; nothing else changes."""
    buffer = io.BytesIO(posterior)
    with h5py.File(buffer, "r+") as file:
        fluxes = file["obs/maggies"]
        fluxes[...] = fluxes[...] * factors
    return buffer.getvalue()


def observed_filters(posterior: bytes) -> list[str]:
    """Names of the filters that were fitted, from an h5 file."""
    with h5py.File(io.BytesIO(posterior), "r") as file:
        return [str(name) for name in json.loads(file["obs"].attrs["filternames"])]


def _rates(chain: Array, edges: Array) -> Array:
    weights = np.ones((len(chain), 7))
    weights[:, 1:] = 10 ** -np.cumsum(chain[:, _RATIOS], axis=1)
    formed = weights @ (1e9 * np.diff(edges))
    return np.asarray(weights * (10 ** chain[:, 1] / formed)[:, None])


def _samples(chain: Array, rates: Array, edges: Array, grid: Grid) -> dict[str, Array]:
    """The content of Blast's chain file: all draws of the fine history, 2 of 5 (1000 of 2500) of everything else."""
    ages = np.geomspace(1e-8, edges[-1], grid.ages)
    fine = rates[:, np.clip(np.searchsorted(edges, ages) - 1, 0, 6)]
    chain, rates = chain[: grid.draws * 2 // 5], rates[: grid.draws * 2 // 5]
    formed = rates * np.diff(edges)
    recent = np.cumsum(formed, axis=1)[:, :3] / (edges[1:4] - edges[0])
    mass = chain[:, 1] + math.log10(SURVIVING)
    return {
        "age_interp": ages,
        "sfh": np.ascontiguousarray(fine),
        "mwa": formed @ ((edges[1:] + edges[:-1]) / 2) / formed.sum(axis=1),
        "sfr": recent,
        **{name: np.ascontiguousarray(chain[:, _COLUMNS[name]]) for name in _PARAMETERS},
        "stellar_mass": mass,
        "ssfr": recent / (10**mass)[:, None],
    }


def _levels(samples: dict[str, Array], rates: Array) -> dict[str, Array]:
    """Percentiles of the samples; those of the parameters in one call, because numpy's overhead dominates."""
    parameters = _percentiles(np.stack([samples[name] for name in _PARAMETERS], axis=1))
    return {
        **{name: row.copy() for name, row in zip(_PARAMETERS, parameters, strict=True)},
        "age_interp": samples["age_interp"],
        "sfh": _percentiles(samples["sfh"]),
        "mwa": _percentiles(samples["mwa"]),
        "sfr": _percentiles(samples["sfr"]),
        "sfh_binned": _percentiles(rates),
        "stellar_mass": _percentiles(samples["stellar_mass"]),
        "ssfr": _percentiles(samples["ssfr"]),
    }


def _percentiles(values: Array) -> Array:
    return np.ascontiguousarray(np.percentile(values, PERCENTILES, axis=0).T)


def _model(mass: Array, filters: tuple[float, ...], wavelengths: Array) -> dict[str, Array]:
    """Model photometry and spectrum in maggies: the model galaxy, scaled by the mass."""
    scale = 10 ** (np.percentile(mass, PERCENTILES) - math.log10(SURVIVING) - _LOG_MASS) / MAGGIE
    return {"modphot": galaxy_flux(filters)[:, None] * scale, "modspec": galaxy_flux(wavelengths)[:, None] * scale}


def _modeldata(result: Fit) -> bytes:
    low, middle, high = result.levels["modspec"].T
    low_flux, flux, high_flux = result.levels["modphot"].T
    return _npz(
        rest_wavelength=result.wavelengths / (1 + result.photometry.redshift),
        spec=middle,
        phot=flux,
        spec_16=low,
        spec_84=high,
        phot_16=low_flux,
        phot_84=high_flux,
    )


def _npz(**arrays: NDArray[Any]) -> bytes:
    """Pack arrays as numpy does: uncompressed members dated 1980, so that the bytes are reproducible."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=True, **{name: np.require(array, None, "C") for name, array in arrays.items()})
    return buffer.getvalue()


def _posterior(result: Fit) -> bytes:
    """The h5 file, in the layout of prospector; HDF5 stores no times by default."""
    names = json.dumps(list(result.photometry.filters))
    with h5py.File("posterior", "w", driver="core", backing_store=False) as file:
        file.attrs.update({"model_params": "[]", "paramfile_text": '""', "run_params": "{}"})
        seen = file.create_group("obs")
        seen["maggies"] = result.photometry.maggies
        seen["maggies_unc"] = result.photometry.errors
        seen["phot_mask"] = np.ones(len(result.photometry.filters), bool)
        nothing = dict.fromkeys(("spectrum", "unc", "wavelength"), "null")
        seen.attrs.update({"filternames": names, "filters": names, "logify_spectrum": "false", **nothing})
        seen.attrs.update({"ndof": str(len(result.photometry.filters)), "redshift": repr(result.photometry.redshift)})
        sampling = file.create_group("sampling")
        sampling["chain"] = result.chain
        sampling.attrs["theta_labels"] = json.dumps([f"t{i}" for i in range(18)])
        file.flush()
        return bytes(file.id.get_file_image())


def _picture(spectrum: Array) -> bytes:
    """A small JPEG of the model spectrum, both axes logarithmic."""
    width, height = (344, 200) if len(spectrum) > 100 else (86, 50)
    level = np.log10(spectrum)
    x = np.linspace(4, width - 4, len(level))
    y = height - 4 - (height - 8) * (level - level.min()) / np.ptp(level)
    picture = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(picture).line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=(30, 60, 160), width=2)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80, optimize=True)
    return buffer.getvalue()
