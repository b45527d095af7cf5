"""The app that puts the stand-ins where Blast looks for what they stand in for."""

import sys
import types

from django.apps import AppConfig


class StandIns(AppConfig):
    """Replaces, once all is loaded; Blast's files stay as they are."""

    name = "blast_stand_ins"

    def ready(self) -> None:
        """Put each in its place."""
        import astropy.units

        from blast_stand_ins import fit, sky

        sampler = types.ModuleType("host.SBI.run_sbi_blast")  # it imports torch and sbi
        sampler.fit_sbi_pp = fit.fit_sbi_pp
        sys.modules[sampler.__name__] = sampler

        import host.cutouts
        import host.host_utils
        import host.prospector
        import host.prost
        import host.system_tasks
        import host.transient_tasks
        import host.workflow

        if not hasattr(astropy.units.Quantity, "rad"):  # the photutils that Blast pins gives angles that have it
            astropy.units.Quantity.rad = property(lambda self: self.to_value("rad"))
        host.cutouts.cutout = sky.cutout
        host.prost.associate_sample = sky.associate_sample
        host.host_utils.SFDQuery = sky.Dust
        host.host_utils.SDSS = host.host_utils.Ned = sky.Away()
        host.prospector.FastStepBasis = fit.Populations
        host.prospector.PolySpecModel.predict = fit.predict
        host.transient_tasks.export_png = fit.export_png
        host.workflow.get_transients_from_tns_by_name = sky.reported
        host.system_tasks.get_tns_credentials = dict
        host.system_tasks.get_transients_from_tns = lambda *_, **__: sky.reported(["2099aa"])
