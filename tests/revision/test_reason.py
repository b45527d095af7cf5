import copy
import json

import pytest

from blastgit.demo import (
    add_alias,
    break_off,
    change_image,
    edit_flux,
    fail_stage,
    flip_validation,
    inject_nonfinite,
    refit,
    small,
    without_host,
)
from blastgit.revision.compare import FieldChange, compare
from blastgit.revision.export import read_export
from blastgit.revision.files import FileChange
from blastgit.revision.follows import FITS, is_read
from blastgit.revision.normalise import normalise
from blastgit.revision.reason import Changes, change_lines
from blastgit.revision.rules import default_rules
from blastgit.workflow.stages import default_stages

SAMPLE = small("2026dgt")
RULES = default_rules()
IMAGE, OTHER = "cutout_cdn/DES/DES_z.fits", "cutout_cdn/DES/DES_g.fits"
SED = "sed_output/2026dgt_global.h5"
RANDOM = "differ though no input changed for them (the fit draws random samples)"
LOCAL, GLOBAL = "the local SED results follow", "the global SED results follow"
LOCAL_RANDOM, GLOBAL_RANDOM = (f"the {scope} SED results {RANDOM}" for scope in ("local", "global"))
BOTH, BOTH_RANDOM = "the global and local SED results follow", f"the global and local SED results {RANDOM}"
FIRST = SAMPLE.export["apertures"][0]["fields"]["name"]
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
        (edit_flux(SAMPLE, "DES_z", 1.001).export, [], "flux changed in DES_z by +0.1 %"),
        (
            change_image(SAMPLE, "DES_z", seed=1).export,
            [FileChange(IMAGE, "changed"), FileChange(SED, "changed")],
            "DES_z image changed; flux changed in DES_z by +3 %; the global SED results follow",
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
        (edited(lambda d: d["apertures"][0]["fields"].update(ra_deg=9.0)), [], f"1 aperture changed ({FIRST})"),
        (edited(lambda d: d["apertures"][0].update(aperturephotometry=[])), [], "photometry of 2MASS_J removed"),
        (
            edited(photometry(magnitude=3.0)),
            [],
            "changed: " + ", ".join(f"magnitude of {name}" for name in sorted(FILTERS)) + ", no flux changed",
        ),
        (
            inject_nonfinite(SAMPLE).export,
            [],
            "changed: magnitude of 2MASS_J, magnitude_error of 2MASS_J, no flux changed; " + LOCAL_RANDOM,
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
    assert change_lines(edit)[0].endswith(" (+0.1 %, +0.26 sigma)")


def fields_of(document, child, scope):
    return [r["fields"] for a in document["apertures"] if a["fields"]["type"] == scope for r in a[child]]


def task(document, name):
    return next(task for task in document["workflow_tasks"] if task["task_name"] == name)


def redrawn(edit=lambda _: None, scopes=("global", "local")):
    """The sample with other results of its fits, as each run of Blast gives them, and with an edit."""

    def draw(document):
        for fields in (fields for scope in scopes for fields in fields_of(document, "sedfittingresults", scope)):
            fields["log_mass_50"] *= 1.0004
        edit(document)

    return edited(draw)


def first(child, scope, **values):
    return lambda d: fields_of(d, child, scope)[0].update(values)


@pytest.mark.parametrize(
    ("edit", "clauses"),
    [
        (first("aperturephotometry", "global", flux=7.0), [GLOBAL, LOCAL_RANDOM]),
        (first("aperturephotometry", "local", flux_error=7.0), [LOCAL, GLOBAL_RANDOM]),
        (first("aperturephotometry", "local", magnitude=7.0), [BOTH_RANDOM]),
        (lambda d: d["host"]["fields"].update(redshift=0.5), [BOTH]),
        (lambda d: d["host"]["fields"].update(milkyway_dust_reddening=0.5), [GLOBAL, LOCAL_RANDOM]),
        (lambda d: d["host"]["fields"].update(sersic=4.0), [BOTH_RANDOM]),
        (lambda d: d["transient"]["fields"].update(milkyway_dust_reddening=0.5), [LOCAL, GLOBAL_RANDOM]),
        (lambda d: d["transient"]["fields"].update(spectroscopic_class="SN II"), [BOTH_RANDOM]),
        (each("filters", wavelength_eff_angstrom=9.0), [BOTH]),
        (each("filters", image_fwhm_arcsec=9.0), [BOTH_RANDOM]),
    ],
)
def test_each_fit_follows_only_what_it_reads(edit, clauses):
    said = changes(redrawn(edit)).reason(RULES).split("; ")
    assert [clause for clause in said if "SED results" in clause] == clauses


def test_what_a_fit_reads_is_what_the_stages_say():
    """`stages.yaml` has the same facts for planning; reading it takes longer than a recording may."""
    rows = normalise(read_export(SAMPLE.text.encode()), RULES).rows()
    everything = [FieldChange(row.table, row.key, field, 1, 2) for row in rows for field in row.values]
    for scope in ("global", "local"):
        (stage,) = default_stages().makers(f"sed/{scope}.log_mass_50")
        reads = {change.path: is_read(change, scope) for change in everything if change.table not in FITS}
        assert reads == {path: stage.reads.match(path) for path in reads}
        assert set(reads.values()) == {True, False}


def test_fits_catch_up_when_a_stage_succeeds_again():
    failed = normalise(read_export(fail_stage(SAMPLE, "Validate global photometry").text.encode()), RULES)
    found = compare(failed, normalise(read_export(json.dumps(redrawn()).encode()), RULES), RULES)
    assert Changes(found, []).reason(RULES) == (
        "Validate global photometry now succeeds; the global and local SED results follow"
    )


def without_fit(*children):
    def drop(document):
        for aperture in document["apertures"]:
            for child in children if aperture["fields"]["type"] == "global" else ():
                aperture[child] = []

    return drop


def test_fits_that_come_and_go():
    gone = edited(without_fit("sedfittingresults", "starformationhistoryresult"))
    files = [FileChange(SED, "removed")]
    assert changes(gone, *files).reason(RULES) == "the global SED results were removed"
    task(gone, "Global host SED inference")["status"] = {"type": "error", "message": "redshift too high"}
    gone["transient"]["fields"]["redshift"] = 2.5
    assert changes(gone, *files).reason(RULES) == (
        "transient.redshift changed from 0.06249 to 2.5; Global host SED inference now ends with 'redshift too high'; "
        "the global SED results were removed"
    )
    forms = [normalise(read_export(json.dumps(each).encode()), RULES) for each in (gone, SAMPLE.export)]
    assert Changes(compare(*forms, RULES), []).reason(RULES).endswith("; the global SED results were added")


def test_bins_that_no_fit_fills_any_more_are_no_noise():
    """Blast leaves the rows of an old redshift's bins behind, until the transient is deleted and added again."""

    def drop(document):
        bins = [a for a in document["apertures"] if a["fields"]["type"] == "global" and a["starformationhistoryresult"]]
        bins[0]["starformationhistoryresult"].pop()

    assert changes(edited(drop)).reason(RULES) == "the global SED results have other bins of the star formation history"


def test_files_that_nothing_else_speaks_of_are_named():
    other = FileChange("sed_output/notes.txt", "added")
    said = changes(redrawn(), FileChange(SED, "changed"), other).reason(RULES)
    assert said.endswith("(the fit draws random samples); also sed_output/notes.txt added")
    local = FileChange("sed_output/2026dgt_local_chain.npz", "changed")
    said = changes(flip_validation(SAMPLE, {"DES_z"}).export, FileChange(SED, "changed"), local).reason(RULES)
    assert said.endswith("no flux changed; also sed_output/2026dgt_local_chain.npz changed in content")


def test_the_stage_that_failed_comes_before_those_that_were_not_run():
    broken = break_off(SAMPLE, "Global aperture photometry", raises=True)
    said = changes(broken.export, FileChange(IMAGE, "changed")).reason(RULES)
    assert said.startswith("Global aperture photometry now ends with 'failed'; Crop transient images, ")
    assert said.endswith(" were not run; DES_z image changed")


def test_apertures_that_come_and_go_are_told_from_those_that_change():
    def reshape(document):
        first, second, *_ = (a for a in document["apertures"] if not a["sedfittingresults"])
        document["apertures"].remove(first)
        second["fields"]["orientation_deg"] += 1.0
        document["apertures"].append({**first, "fields": {**first["fields"], "name": "2026dgt_new_global"}})

    said = changes(edited(reshape)).reason(RULES)
    first, second, *_ = (a["fields"]["name"] for a in SAMPLE.export["apertures"] if not a["sedfittingresults"])
    assert said.startswith(
        f"1 aperture added (2026dgt_new_global); 1 aperture removed ({first}); 1 aperture changed ({second}); "
    )


def test_an_image_that_a_row_no_longer_names():
    """A download that fails empties the row; the file of an earlier run may stay."""
    named = next(row["fields"]["name"] for row in SAMPLE.export["cutouts"] if row["fields"]["fits"])

    def lose(document):
        next(row["fields"] for row in document["cutouts"] if row["fields"]["name"] == named)["fits"] = ""
        task(document, "Cutout download")["status"] = {"type": "error", "message": "failed"}

    said = changes(edited(lose)).reason(RULES)
    assert said == f"Cutout download now ends with 'failed'; cutout rows without an image now: {named}"


def test_a_filter_that_comes_into_use_has_no_other_settings():
    pixels = FileChange("cutout_cdn/DES/DES_z.fits", "added")

    def unused(document):
        row = next(row for row in document["filters"] if row["fields"]["name"] == "DES_z")
        next(c["fields"] for c in document["cutouts"] if c["fields"]["filter"] == row["pk"])["fits"] = ""
        for aperture in document["apertures"]:
            aperture["aperturephotometry"] = [
                each for each in aperture["aperturephotometry"] if each["fields"]["filter"] != row["pk"]
            ]

    forms = [normalise(read_export(json.dumps(each).encode()), RULES) for each in (edited(unused), SAMPLE.export)]
    found = compare(*forms, RULES)
    assert "filters" in {change.table for change in found}
    assert Changes(found, [pixels]).reason(RULES) == "DES_z image added; photometry of DES_z added"


def test_the_stage_that_found_no_host_comes_before_the_host_that_is_gone():
    said = changes(without_host(SAMPLE).export).reason(RULES).split("; ")
    assert said.index("Host match now ends with 'no host match'") < said.index("the host was removed")
    assert not any(clause.startswith("transient.host") for clause in said[:2])


def test_other_numbers_are_told_beside_a_flux_that_changed_elsewhere():
    def edit(document):
        fields_of(document, "aperturephotometry", "local")[0]["magnitude"] = 3.0
        fields_of(document, "aperturephotometry", "global")[0]["flux"] *= 2

    said = changes(edited(edit)).reason(RULES).split("; ")
    assert [clause.split(" ")[0] for clause in said] == ["flux", "changed:"]


def test_fields_of_a_newer_blast_come_go_and_change():
    def with_sersic(value):
        return edited(lambda d: d["host"]["fields"].update(sersic=value))

    def reason(old, new):
        forms = [normalise(read_export(json.dumps(each).encode()), RULES) for each in (old, new)]
        return Changes(compare(*forms, RULES), []).reason(RULES)

    assert reason(with_sersic(4.0), SAMPLE.export) == "schema dropped host.sersic"
    assert reason(with_sersic(4.0), with_sersic(2.0)) == "changed, and unknown to the rules: host.sersic"
    assert "sersic" not in reason(with_sersic(4.0), without_host(SAMPLE).export)


@pytest.mark.parametrize("table", list(RULES.tables))
def test_whatever_makes_a_revision_has_a_reason(table):
    """For each value of each table: another one, none, and a row of its own."""
    form = normalise(read_export(SAMPLE.text.encode()), RULES)
    for row in form.tables[table]:
        for field, value in row.values.items():
            if field in RULES.tables[table].key:
                continue
            for state, old, new in (("changed", value, "x"), ("changed", value, None), ("added", None, value)):
                change = FieldChange(row.table, row.key, field, old, new, state, RULES.tables[table].knows(field))
                comes_with_others = field in RULES.tables[table].labels or RULES.tables[table].only_used
                if state == "changed" or not comes_with_others:
                    assert Changes([change], []).reason(RULES) != "no change", change
