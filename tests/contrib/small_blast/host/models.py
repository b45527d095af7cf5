"""Tables with the names and columns that an export of Blast has."""

from django.conf import settings
from django.db import models

PERCENTILES = (16, 50, 84)
FITTED = (
    "log_mass", "log_sfr", "log_ssfr", "log_age", "age", "log_tau", "logzsol", "dust2", "dust_index", "dust1_fraction",
    "log_fagn", "log_agn_tau", "gas_logz", "duste_qpah", "duste_umin", "log_duste_gamma",
)  # fmt: skip


def number() -> models.FloatField:
    return models.FloatField(null=True, blank=True)


def word(length: int = 100, **options) -> models.CharField:
    return models.CharField(max_length=length, null=True, blank=True, **options)


def file() -> models.FileField:
    return models.FileField(null=True, blank=True, max_length=250)


def to(table: str, **options) -> models.ForeignKey:
    return models.ForeignKey(table, on_delete=options.pop("on_delete", models.CASCADE), null=True, **options)


class Versioned(models.Model):
    software_version = word(50)

    class Meta:
        abstract = True

    def save(self, *args, **options):
        self.software_version = settings.APP_VERSION
        super().save(*args, **options)


class SkyObject(Versioned):
    ra_deg = models.FloatField()
    dec_deg = models.FloatField()

    class Meta:
        abstract = True


class Host(SkyObject):
    name = word(unique=True)
    redshift = number()
    redshift_err = number()
    photometric_redshift = number()
    photometric_redshift_err = number()
    milkyway_dust_reddening = number()
    object_id = word()
    catalog_name = word()
    catalog_release = word()


class Transient(SkyObject):
    name = models.CharField(max_length=64, unique=True)
    display_name = word()
    tns_id = models.IntegerField()
    tns_prefix = models.CharField(max_length=20)
    public_timestamp = models.DateTimeField(null=True)
    host = to(Host, on_delete=models.SET_NULL)
    tasks_initialized = models.CharField(max_length=20, default="False")
    redshift = number()
    spectroscopic_class = word(20)
    photometric_class = word(20)
    milkyway_dust_reddening = number()
    processing_status = models.CharField(max_length=20, default="processing")
    added_by = models.IntegerField(null=True)
    progress = models.IntegerField(default=0)
    update_comment = word(500)
    update_fields = word(500)

    class Meta:
        permissions = (("retrigger_transient", "Can retrigger a transient workflow"),)


class Alias(models.Model):
    alias = models.CharField(max_length=64, unique=True)
    transient = to(Transient)
    host = to(Host)


class Status(models.Model):
    message = models.CharField(max_length=20)
    type = models.CharField(max_length=20)


class Task(models.Model):
    name = models.CharField(max_length=100)


class TaskRegister(models.Model):
    task = to(Task)
    status = to(Status)
    transient = to(Transient)
    user_warning = models.BooleanField(default=False)
    last_modified = models.DateTimeField(null=True)
    last_processing_time_seconds = number()


class Survey(models.Model):
    name = models.CharField(max_length=20, unique=True)


class Filter(models.Model):
    name = models.CharField(max_length=20, unique=True)
    survey = to(Survey)
    kcorrect_name = word()
    sedpy_id = word(20)
    hips_id = word(250)
    vosa_id = word(20)
    image_download_method = word(20)
    pixel_size_arcsec = number()
    image_fwhm_arcsec = number()
    wavelength_eff_angstrom = number()
    wavelength_min_angstrom = number()
    wavelength_max_angstrom = number()
    vega_zero_point_jansky = number()
    magnitude_zero_point = number()
    ab_offset = number()
    magnitude_zero_point_keyword = word(8)
    image_pixel_units = word(50)


class Cutout(Versioned):
    name = word(50)
    filter = to(Filter)
    transient = to(Transient)
    fits = file()
    message = word(50)
    cropped = models.BooleanField(default=False)


class Aperture(SkyObject):
    name = word(50)
    cutout = to(Cutout)
    transient = to(Transient)
    orientation_deg = models.FloatField()
    semi_major_axis_arcsec = models.FloatField()
    semi_minor_axis_arcsec = models.FloatField()
    type = models.CharField(max_length=20)


class AperturePhotometry(Versioned):
    aperture = to(Aperture)
    filter = to(Filter)
    transient = to(Transient)
    flux = number()
    flux_error = number()
    magnitude = number()
    magnitude_error = number()
    is_validated = word(40)


class StarFormationHistoryResult(Versioned):
    transient = to(Transient)
    aperture = to(Aperture)
    logsfr_16 = number()
    logsfr_50 = number()
    logsfr_84 = number()
    logsfr_tmin = number()
    logsfr_tmax = number()


class SEDFittingResult(Versioned):
    transient = to(Transient)
    aperture = to(Aperture)
    posterior = file()
    mass_surviving_ratio = number()
    logsfh = models.ManyToManyField(StarFormationHistoryResult)
    chains_file = file()
    percentiles_file = file()
    model_file = file()


for _quantity in FITTED:
    for _percentile in PERCENTILES:
        SEDFittingResult.add_to_class(f"{_quantity}_{_percentile}", number())
