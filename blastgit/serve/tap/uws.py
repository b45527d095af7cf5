"""The addresses of jobs: UWS 1.1 below `/tap/async`."""

from __future__ import annotations

from datetime import datetime

from werkzeug.wrappers import Response

from blastgit.errors import NotFound, UsageError
from blastgit.search.tabular.votable import error_document, quoted, safe
from blastgit.serve.http.sending import send_file
from blastgit.serve.tap.jobs import Job, Jobs, Phase
from blastgit.serve.tap.request import NotAllowed, Parameters, Request, see_other

_NAMESPACES = (
    'xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="1.1"'
)
_XML = "text/xml; charset=utf-8"
_VOTABLE = "application/x-votable+xml"
_STEERING = {"PHASE", "ACTION", "WAIT", "EXECUTIONDURATION", "DESTRUCTION"}


class Uws:
    """Answers requests about jobs."""

    def __init__(self, jobs: Jobs) -> None:
        """Answer requests about these jobs."""
        self._jobs = jobs

    def answer(self, request: Request, names: list[str]) -> Response:
        """Return the answer to a request; `names` are the parts of the address after `async`.

        Raises:
            NotFound: The job does not exist, or has nothing at that address.
            UsageError: The request is not valid, or not allowed in the phase of the job.
            Busy: There are too many jobs.
        """
        if not names:
            return self._list(request)
        job = self._jobs.get(names[0])
        if len(names) == 1:
            return self._job(request, job)
        if names[1:] == ["results", "result"]:
            return _result(request, job)
        answers = {
            "phase": self._phase, "executionduration": self._seconds, "destruction": self._until,
            "parameters": self._parameters, "results": _results, "error": _error, "quote": _quote, "owner": _owner,
        }  # fmt: skip
        if len(names) == 2 and names[1] in answers:
            return answers[names[1]](request, job)
        raise NotFound("a job has nothing of that name")

    def _list(self, request: Request) -> Response:
        if request.method == "POST":
            job = self._jobs.create(_query_of(request.parameters), request.base)
            self._steer(request.parameters, job)
            return see_other(_url(request, job))
        _only(request, "GET", "HEAD", also="POST")
        for name in request.parameters.all("PHASE"):
            _known_phase(name)
        last = request.parameters.one("LAST")
        if last is not None and not (last.isascii() and last.isdigit()):
            raise UsageError(f"LAST is a number of jobs, not {last[:80]!r}")
        return _xml(f"<uws:jobs {_NAMESPACES}/>")  # addresses are secret, so no jobs are listed

    def _job(self, request: Request, job: Job) -> Response:
        action = request.parameters.one("ACTION") if request.method == "POST" else None
        if request.method == "DELETE" or (action or "").upper() == "DELETE":
            self._jobs.delete(job)
            return see_other(f"{request.base}/tap/async")
        if request.method == "POST":
            if action is not None:
                raise UsageError(f"ACTION is DELETE, not {action[:80]!r}")
            changes = _query_of(request.parameters)
            if any(True for _ in changes):
                self._jobs.change(job, changes)
            self._steer(request.parameters, job)
            return see_other(_url(request, job))
        _only(request, "GET", "HEAD")
        wait = request.parameters.one("WAIT")
        if wait is not None:
            phase = request.parameters.one("PHASE")
            self._jobs.wait(job, _seconds(wait), None if phase is None else _known_phase(phase))
        return _xml(_job_document(request, job))

    def _steer(self, parameters: Parameters, job: Job) -> None:
        duration, until, phase = (parameters.one(name) for name in ("EXECUTIONDURATION", "DESTRUCTION", "PHASE"))
        if duration is not None:
            self._jobs.set_seconds(job, duration)
        if until is not None:
            self._jobs.set_until(job, until)
        if phase is not None:
            self._enter(job, phase)

    def _enter(self, job: Job, phase: str) -> None:
        if phase.upper() == "RUN":
            self._jobs.start(job)
        elif phase.upper() == "ABORT":
            self._jobs.abort(job)
        else:
            raise UsageError(f"PHASE is RUN or ABORT, not {phase[:80]!r}")

    def _phase(self, request: Request, job: Job) -> Response:
        if request.method == "POST":
            self._enter(job, _needed(request, "PHASE"))
            return see_other(_url(request, job))
        return _words(request, job.phase)

    def _seconds(self, request: Request, job: Job) -> Response:
        if request.method == "POST":
            self._jobs.set_seconds(job, _needed(request, "EXECUTIONDURATION"))
            return see_other(_url(request, job))
        return _words(request, str(int(job.seconds)))

    def _until(self, request: Request, job: Job) -> Response:
        if request.method == "POST":
            self._jobs.set_until(job, _needed(request, "DESTRUCTION"))
            return see_other(_url(request, job))
        return _words(request, _moment(job.until))

    def _parameters(self, request: Request, job: Job) -> Response:
        if request.method == "POST":
            self._jobs.change(job, _query_of(request.parameters))
            return see_other(_url(request, job))
        _only(request, "GET", "HEAD", also="POST")
        return _xml(_parameters_document(job, f" {_NAMESPACES}"))


def _query_of(parameters: Parameters) -> Parameters:
    return Parameters((name, value) for name, value in parameters if name not in _STEERING)


def _seconds(wait: str) -> float:
    digits = wait.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise UsageError(f"WAIT is a number of seconds, or -1, not {wait[:80]!r}")
    return -1.0 if wait.strip().startswith("-") else float(digits[:9])


def _known_phase(name: str) -> str:
    if name.upper() not in {*Phase, "HELD", "SUSPENDED", "ARCHIVED", "UNKNOWN"}:
        raise UsageError(f"PHASE {name[:80]!r} is none of UWS")
    return name.upper()


def _needed(request: Request, name: str) -> str:
    value = request.parameters.one(name)
    if value is None:
        raise UsageError(f"{name} is missing")
    return value


def _only(request: Request, *methods: str, also: str = "") -> None:
    if request.method not in methods:
        raise NotAllowed(", ".join(filter(None, (*methods, also))))


def _words(request: Request, words: str) -> Response:
    _only(request, "GET", "HEAD", also="POST")
    return Response(words)


def _xml(body: str) -> Response:
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n', content_type=_XML)


def _url(request: Request, job: Job, rest: str = "") -> str:
    return f"{request.base}/tap/async/{job.id}{rest}"


def _result(request: Request, job: Job) -> Response:
    _only(request, "GET", "HEAD")
    if job.result is None:
        raise NotFound(f"the job is {job.phase}: it has no result")
    try:
        file = job.result.path.open("rb")
    except FileNotFoundError:
        raise NotFound("there is no such job, or it was deleted") from None
    return send_file(file, job.result.size, job.result.mime, request)


def _results(request: Request, job: Job) -> Response:
    _only(request, "GET", "HEAD")
    return _xml(_results_document(request, job, f" {_NAMESPACES}"))


def _error(request: Request, job: Job) -> Response:
    _only(request, "GET", "HEAD")
    if not job.error:
        raise NotFound(f"the job is {job.phase}: it has no error")
    return Response(error_document(job.error), content_type=_VOTABLE)


def _quote(request: Request, job: Job) -> Response:
    return _words(request, "" if job.ended is None else _moment(job.ended))


def _owner(request: Request, _: Job) -> Response:
    return _words(request, "")


def _job_document(request: Request, job: Job) -> str:
    return "\n".join(
        [
            f"<uws:job {_NAMESPACES}>",
            f"<uws:jobId>{job.id}</uws:jobId>",
            f"<uws:runId>{safe(job.run_id)}</uws:runId>" if job.run_id else "",
            '<uws:ownerId xsi:nil="true"/>',
            f"<uws:phase>{job.phase}</uws:phase>",
            '<uws:quote xsi:nil="true"/>',
            f"<uws:creationTime>{_moment(job.created)}</uws:creationTime>",
            _time("startTime", job.started),
            _time("endTime", job.ended),
            f"<uws:executionDuration>{int(job.seconds)}</uws:executionDuration>",
            f"<uws:destruction>{_moment(job.until)}</uws:destruction>",
            _parameters_document(job, ""),
            _results_document(request, job, ""),
            _summary(job),
            "</uws:job>",
        ]
    )


def _summary(job: Job) -> str:
    if not job.error:
        return ""
    said = f"<uws:message>{safe(job.error)}</uws:message>"
    return f'<uws:errorSummary type="fatal" hasDetail="true">{said}</uws:errorSummary>'


def _time(name: str, moment: datetime | None) -> str:
    return f'<uws:{name} xsi:nil="true"/>' if moment is None else f"<uws:{name}>{_moment(moment)}</uws:{name}>"


def _parameters_document(job: Job, namespaces: str) -> str:
    said = "".join(f"<uws:parameter id={quoted(name)}>{safe(value)}</uws:parameter>" for name, value in job.parameters)
    return f"<uws:parameters{namespaces}>{said}</uws:parameters>"


def _results_document(request: Request, job: Job, namespaces: str) -> str:
    if job.result is None:
        return f"<uws:results{namespaces}/>"
    url, size = quoted(_url(request, job, "/results/result")), job.result.size
    facts = f'xlink:type="simple" xlink:href={url} mime-type={quoted(job.result.mime)} size="{size}"'
    return f'<uws:results{namespaces}><uws:result id="result" {facts}/></uws:results>'


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
