"""The stages of the workflow: Blast's by default, and those that a data repo can define."""

import pytest

from blastgit.checks.settings import check_settings
from blastgit.errors import NotFound, RepoError
from blastgit.repository.settings import read_settings
from blastgit.revision.normalise import normalise
from blastgit.revision.rules import default_rules
from blastgit.workflow.patterns import Patterns
from blastgit.workflow.stages import Stages, default_stages, read_stages


def test_blasts_17_stages_are_shipped_and_stand_in_order():
    stages = default_stages()
    assert len(stages) == 17
    done = set()
    for stage in stages:
        assert done.issuperset(stage.after), stage.name
        done.add(stage.name)
    assert stages.ordered[0].name == "Cutout download"
    assert stages.find("Global host SED inference").marker == "post-global-host-sed-inference"


def test_every_task_of_an_export_is_declared(sample, as_export):
    assert {row["task_name"] for row in sample.export["workflow_tasks"]} == set(default_stages().by_name)


@pytest.mark.parametrize("name", ["Host match", "host-match", "HOST MATCH", "post-host-match"])
def test_a_stage_is_found_however_it_is_written(name):
    assert default_stages().find(name).name == "Host match"


def test_a_stage_that_is_not_there_is_not_found_and_the_nearest_is_named():
    with pytest.raises(NotFound, match="did you mean Host match"):
        default_stages().find("Host mach")


def test_what_comes_before_and_after_goes_all_the_way():
    stages = default_stages()
    assert stages.before("Host information") == {"Cutout download", "Transient MWEBV", "Host match"}
    assert [stage.name for stage in stages.after("Local host SED inference")] == ["Generate thumbnail SED local"]


@pytest.mark.parametrize(
    ("path", "makers"),
    [
        ("cutout_cdn/DES/DES_z.fits", ["Cutout download", "Crop transient images"]),
        ("cutout_cdn/DES/DES_z.jpg", ["Generate thumbnail", "Generate thumbnail final"]),
        ("host.redshift", ["Host match", "Host information"]),
        ("host.name", ["Host match"]),
        ("photometry/2026dgt_local/DES_z.flux", ["Local aperture photometry"]),
        (
            "photometry/2026dgt_DES_z_global/DES_z.is_validated",
            ["Global aperture photometry", "Validate global photometry"],
        ),
        ("sed/global.log_mass_50", ["Global host SED inference"]),
        ("sfh/local/0.1.logsfr_50", ["Local host SED inference"]),
        ("sed_output/2026dgt_local_chain.npz", ["Local host SED inference"]),
        ("sed_output/2026dgt_local.jpg", ["Generate thumbnail SED local"]),
        ("transient.redshift", []),
        ("transient.host", ["Host match"]),
        ("sed_output/notes.txt", []),
    ],
)
def test_who_makes_what(path, makers):
    assert [stage.name for stage in default_stages().makers(path)] == makers


def test_every_value_of_science_has_a_maker_or_comes_from_outside(sample, as_export):
    values = normalise(as_export(sample.export), default_rules()).values
    unmade = {path.split(".")[0].split("/")[0] for path in values if not default_stages().makers(path)}
    assert unmade == {"transient", "filters", "surveys", "workflow_tasks"}


def test_a_pattern_stands_for_what_lies_below_it_and_for_nothing_beside_it():
    host = Patterns(("host",))
    assert host.match("host")
    assert host.match("host.redshift")
    assert not host.match("hostess.redshift")
    assert not Patterns(()).match("host")


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("host", "host.redshift", True),
        ("photometry/*_global", "photometry/*_global/*.is_validated", True),
        ("photometry/*_global", "photometry/*_local", False),
        ("apertures", "apertures/*_global", True),
        ("transient.redshift", "transient.ra_deg", False),
    ],
)
def test_whether_two_patterns_meet(one, other, meet):
    assert Patterns((one,)).meet([other]) is meet
    assert Patterns((other,)).meet([one]) is meet


def test_a_data_repo_adds_changes_and_removes_stages():
    stages = read_stages(
        {
            "Generate thumbnail SED local": None,
            "Host match": {"answers": {"too many hosts": "nothing"}},
            "Spectrum": {"after": ["Host match"], "reads": ["host"], "makes": ["spectra/*"]},
        }
    )
    assert len(stages) == 17
    assert stages.find("Host match").answers == {"too many hosts": False}
    assert stages.find("Host match").after == ("Transient MWEBV",)
    assert [stage.name for stage in stages.makers("spectra/a.fits")] == ["Spectrum"]


def test_a_data_repo_may_have_a_workflow_of_its_own():
    stages = read_stages({"inherit": False, "Reduce": {"after": ["Fetch"]}, "Fetch": {"makes": ["raw/*"]}})
    assert [stage.name for stage in stages] == ["Fetch", "Reduce"]


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (["Host match"], "stages should map"),
        ({"inherit": "no"}, "stages.inherit is 'no'"),
        ({"Host match": "after"}, "stages.Host match is 'after'"),
        ({"Host match": {"afer": []}}, "unknown key 'afer'; did you mean after"),
        ({"Host match": {"reads": "host"}}, "stages.Host match.reads is 'host'"),
        ({"Host match": {"makes": [1]}}, "stages.Host match.makes is"),
        ({"Host match": {"after": ["Transient MWEB"]}}, "stages.Host match.after.*did you mean Transient MWEBV"),
        ({"Transient MWEBV": None}, "stages.Host match.after: there is no stage 'Transient MWEBV'"),
        ({"Transient MWEBV": {"after": ["Host match"]}}, "circle: .*Host match comes before Transient MWEBV"),
        ({"Host match": {"after": ["Host match"]}}, "circle: Host match comes before Host match"),
        ({"Host match": {"answers": ["no host match"]}}, "stages.Host match.answers is"),
        ({"Host match": {"answers": {"no host match": "gone"}}}, "answers.no host match is 'gone'"),
        ({"host-match": {}}, "would have the same marker, post-host-match"),
        ({"…": {}}, "needs a name with a letter"),
        ({1: {}}, "stages should map"),
    ],
)
def test_a_mistake_is_told_with_its_place(section, words):
    with pytest.raises(RepoError, match=words):
        read_stages(section)


def test_the_settings_of_a_data_repo_hold_its_stages():
    text = b"format: 1\nstages:\n  Spectrum: {after: [Host match], makes: ['spectra/*']}\n"
    assert Stages.of(read_settings(text)).find("Spectrum").after == ("Host match",)
    with pytest.raises(RepoError, match=r"stages\.Spectrum\.after"):
        check_settings(read_settings(b"format: 1\nstages:\n  Spectrum: {after: [Nothing]}\n"))
