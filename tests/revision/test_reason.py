import copy
import json

import pytest

from blastgit.demo import (
    add_alias,
    change_image,
    edit_flux,
    fail_stage,
    flip_validation,
    inject_nonfinite,
    refit,
    small,
    without_host,
)
from blastgit.revision.compare import compare
from blastgit.revision.export import read_export
from blastgit.revision.files import FileChange
from blastgit.revision.normalise import normalise
from blastgit.revision.reason import Changes, change_lines
from blastgit.revision.rules import default_rules

SAMPLE = small("2026dgt")
RULES = default_rules()
IMAGE, OTHER = "cutout_cdn/DES/DES_z.fits", "cutout_cdn/DES/DES_g.fits"
SED = "sed_output/2026dgt_global.h5"
FILTERS = {"2MASS_J", "DES_g", "DES_z", "WISE_W1"}


def changes(new, *files):
    forms = [normalise(read_export(json.dumps(document).encode()), RULES) for document in (SAMPLE.export, new)]
    return Changes(compare(*forms, RULES), list(files))


def edited(edit):
    document = copy.deepcopy(SAMPLE.export)
    edit(document)
    return document


def each(table, **values):
    return lambda document: [row["fields"].update(values) for row in document[table]]


def photometry(**values):
    return lambda d: [row["fields"].update(values) for a in d["apertures"] for row in a["aperturephotometry"]]


@pytest.mark.parametrize(
    ("new", "files", "reason"),
    [
        (flip_validation(SAMPLE, {"DES_z"}).export, [], "1 is_validated flag flipped (DES_z), no flux changed"),
        (
            flip_validation(SAMPLE, FILTERS).export,
            [],
            "4 is_validated flags flipped (2MASS_J, DES_g, DES_z, WISE_W1), no flux changed",
        ),
        (edit_flux(SAMPLE, "DES_z", 1.001).export, [], "flux changed in DES_z by +1.0e-03"),
        (
            change_image(SAMPLE, "DES_z", seed=1).export,
            [FileChange(IMAGE, "changed"), FileChange(SED, "changed")],
            "DES_z image changed; flux changed in DES_z by +3.0e-02; the global SED results follow",
        ),
        (
            refit(SAMPLE, seed=1).export,
            [FileChange(SED, "changed")],
            "the global and local SED results differ though no input changed (the fit draws random samples)",
        ),
        (SAMPLE.export, [FileChange(SED, "changed")], f"no value changed, but {SED} changed in content"),
        (
            SAMPLE.export,
            [FileChange("a/b.txt", "added"), FileChange("a/c.txt", "removed"), FileChange(SED, "changed")],
            f"no value changed, but {SED} changed in content; a/b.txt added; a/c.txt removed",
        ),
        (
            SAMPLE.export,
            [FileChange(IMAGE, "changed"), FileChange(SED, "changed")],
            f"DES_z image changed; also {SED} changed in content",
        ),
        (
            SAMPLE.export,
            [FileChange(IMAGE, "added", same_as=0), FileChange(OTHER, "removed")],
            "DES_z image is again that of revision 0; DES_g image removed",
        ),
        (
            edited(lambda d: d["cutouts"][4]["fields"].update(fits="")),
            [FileChange(IMAGE, "removed"), FileChange(OTHER, "removed")],
            "DES_z, DES_g images removed",
        ),
        (add_alias(SAMPLE, "SN X").export, [], "only labels changed: transient.aliases"),
        (
            edited(lambda d: d["transient"]["fields"].update(display_name="X", aliases=["Y"])),
            [],
            "only labels changed: transient.display_name, transient.aliases",
        ),
        (
            edited(lambda d: d["transient"]["fields"].update(display_name="X", redshift=0.5)),
            [],
            "transient.redshift changed from 0.06249 to 0.5; labels changed: transient.display_name",
        ),
        (
            edited(lambda d: d["transient"]["fields"].update(ra_deg=1.0, dec_deg=2.0, redshift=0.5)),
            [],
            "transient changed in ra_deg, dec_deg, redshift",
        ),
        (
            fail_stage(SAMPLE, "Host match", "no host match").export,
            [],
            "Host match now ends with 'no host match'",
        ),
        (
            edited(lambda d: d["workflow_tasks"][0]["status"].update(message="not processed")),
            [],
            "Cutout download was not run",
        ),
        (
            edited(lambda d: d["host"]["fields"].update(redshift=None)),
            [],
            "host.redshift changed from 0.06249 to nothing",
        ),
        (edited(lambda d: d["host"]["fields"].update(sersic=4.0)), [], "schema added host.sersic"),
        (
            edited(each("filters", image_fwhm_arcsec=9.0)),
            [],
            "settings of filters changed 2MASS_J, DES_g, DES_z, WISE_W1",
        ),
        (edited(lambda d: d["apertures"][0]["fields"].update(ra_deg=9.0)), [], "1 aperture changed"),
        (edited(lambda d: d["apertures"][0].update(aperturephotometry=[])), [], "photometry of 2MASS_J removed"),
        (
            edited(photometry(magnitude=3.0)),
            [],
            "changed: " + ", ".join(f"magnitude of {name}" for name in sorted(FILTERS)) + ", no flux changed",
        ),
        (
            inject_nonfinite(SAMPLE).export,
            [],
            "changed: magnitude of 2MASS_J, magnitude_error of 2MASS_J, no flux changed; the local SED results follow",
        ),
    ],
)
def test_the_reason_says_what_came_first(new, files, reason):
    found = changes(new, *files)
    assert found.makes_revision
    assert found.reason(RULES) == reason


def test_a_stage_that_succeeds_again():
    failed = normalise(read_export(fail_stage(SAMPLE, "Host match").text.encode()), RULES)
    found = compare(failed, normalise(read_export(SAMPLE.text.encode()), RULES), RULES)
    assert Changes(found, []).reason(RULES) == "Host match now succeeds"


def test_many_stages_are_counted():
    new = edited(lambda d: [task["status"].update(message="failed") for task in d["workflow_tasks"]])
    assert changes(new).reason(RULES).endswith(" now ends with 'failed' and 13 more")


def test_a_host_that_is_gone():
    reason = changes(without_host(SAMPLE).export).reason(RULES)
    assert "; the host was removed; " in reason
    assert "photometry of 2MASS_J, DES_g, DES_z, WISE_W1 removed" in reason


def test_what_never_causes_a_revision():
    same = changes(SAMPLE.export)
    assert (same.makes_revision, same.reason(RULES)) == (False, "no change")
    thumbnail = FileChange("cutout_cdn/DES/DES_z.jpg", "changed", derived=True)
    assert not changes(SAMPLE.export, thumbnail, FileChange(SED, "content-equal")).makes_revision


def test_the_changes_line_by_line():
    found = changes(inject_nonfinite(SAMPLE).export, FileChange(IMAGE, "changed", "a note"), FileChange(SED, "added"))
    local = next(aperture for aperture in SAMPLE.export["apertures"] if aperture["fields"]["type"] == "local")
    light, fit = (local[child][0]["fields"] for child in ("aperturephotometry", "sedfittingresults"))
    assert change_lines(found) == [
        f"changed       {IMAGE} (a note)",
        f"added         {SED}",
        f"photometry/2026dgt_local/2MASS_J.magnitude: {light['magnitude']} -> nan",
        f"photometry/2026dgt_local/2MASS_J.magnitude_error: {light['magnitude_error']} -> inf",
        f"sed/local.log_sfr_16: {fit['log_sfr_16']} -> -inf",
    ]
    assert change_lines(found, at_most=2)[-1] == "… and 3 more"
    edit = changes(edit_flux(SAMPLE, "DES_z", 1.001).export)
    assert change_lines(edit)[0].endswith(" (+1.00e-03)")
