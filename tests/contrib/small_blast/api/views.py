"""The two views that get an additional parameter."""

from django.http import JsonResponse
from host.host_utils import export_transient_info
from rest_framework.decorators import api_view
from rest_framework.response import Response

from blastgit.contrib.django.stamp import stamped


def export_transient_view(request=None, transient_name="", all=""):  # noqa: A002 (Blast's name)
    return JsonResponse(stamped(export_transient_info(transient_name)))


@api_view(["GET"])
def get_transient_science_payload(request, transient_name):
    return Response({"asked of Blast": transient_name})
