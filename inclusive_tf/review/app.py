"""The web page of a review, in Flask.

A browser names images by their row and maps by their number, never a path; the
style and the scripts are the few files that this package brings.
"""

import pathlib
import sqlite3

import flask
import werkzeug.exceptions

from data_pipelines import errors, storage
from inclusive_tf.review import checks, exports, guard, wordings
from inclusive_tf.review import desk as review_desk

_HERE = pathlib.Path(__file__).parent
_FILES = {
    "review.css": "text/css",
    "review.js": "text/javascript",
    "view.js": "text/javascript",
    "chooser.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_KEPT = "private, max-age=3600"
_TYPES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
}


def make(desk, title, notes=(), label_studio_prefix=exports.LOCAL_FILES):
    """Returns the `flask.Flask` of a review and the `guard.Guard` before it.

    Args:
        desk: `desk.Desk`.
        title: of the page.
        notes: sentences to show with it.
        label_studio_prefix: as `exports.label_studio_tasks` takes it.
    """
    app = flask.Flask(__name__, template_folder=_HERE / "templates", static_folder=None)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.json.ensure_ascii = False
    guarding = guard.Guard()
    guarding.protect(app)
    _add_page(app, desk, guarding, title, notes)
    _add_pictures(app, desk)
    _add_questions(app, desk)
    _add_writes(app, desk)
    _add_exports(app, desk, label_studio_prefix)
    _add_errors(app)
    return app, guarding


def _add_page(app, desk, guarding, title, notes):
    @app.get("/")
    def page():
        return flask.render_template(
            "review.html",
            title=title,
            notes=notes,
            write_token=guarding.write_token,
            first=desk.first_open(),
            run=guarding.run,
            who=desk.who,
            has_neighbours=desk.neighbours is not None,
        )

    for name, kind in _FILES.items():
        _add_file(app, name, kind)


def _add_file(app, name, kind):
    text = (_HERE / "static" / name).read_text("utf-8")
    app.add_url_rule(
        f"/{name}",
        name,
        lambda: flask.Response(text, content_type=f"{kind}; charset=utf-8"),
    )


def _add_pictures(app, desk):
    @app.get("/images/<int:row>")
    def image(row):
        if row >= len(desk.table):
            flask.abort(404, "There is no such image.")
        table = desk.table
        return _picture(lambda: storage.one(table.storage, table.locations[row]))

    @app.get("/maps/<int:place>/<int:number>")
    def one_map(place, number):
        maps = desk.maps.of(desk.suspect(place).id)
        if number >= len(maps):
            flask.abort(404, "There is no such map.")
        return _picture(maps[number]["path"].read_bytes)


def _picture(read):
    try:
        data = read()
    except OSError as error:
        flask.abort(404, f"The image cannot be read: {error.strerror}.")
    kinds = [kind for start, kind in _TYPES.items() if data.startswith(start)]
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kinds = ["image/webp"]
    if not kinds:
        flask.abort(415, "The file is no image that a browser shows.")
    return flask.Response(data, content_type=kinds[0], headers={"Cache-Control": _KEPT})


def _add_questions(app, desk):
    @app.get("/api/suspects/<int:place>")
    def suspect(place):
        return desk.item(place)

    @app.get("/api/neighbours/<int:place>")
    def neighbours(place):
        return {"neighbours": desk.neighbours_of(place)}

    @app.get("/api/labels")
    def labels():
        return {"labels": desk.labels()}


def _add_writes(app, desk):
    @app.post("/api/decisions")
    def decide():
        asked = review_desk.Request(
            **_fields(place=int, seen=int, action=str, label=str, new_label=str)
        )
        try:
            decision, place = desk.decide(asked)
        except checks.OutdatedError as error:
            return _outdated(error, asked.place)
        return _done(decision, place)

    @app.post("/api/undo")
    def undo():
        asked = _fields(number=int, seen=int, place=int)
        # before anything is written, since the answer shows it
        desk.suspect(asked["place"])
        try:
            decision, place = desk.undo(asked["number"], asked["seen"])
        except checks.OutdatedError as error:
            return _outdated(error, asked["place"])
        return _done(decision, asked["place"] if place is None else place)

    def _done(decision, place):
        return {
            "number": decision.number,
            "said": wordings.said(decision, desk.now),
            "item": desk.item(place),
        }

    def _outdated(error, place):
        return {
            "error": "This has changed since you looked: " + "; ".join(error.changes),
            "item": desk.item(place),
        }, 409

    def _fields(**types):
        given = flask.request.get_json()
        # a bool is an int for Python, and none for a person
        fits = (
            isinstance(given, dict)
            and {name: type(value) for name, value in given.items()} == types
        )
        if not fits:
            said = ", ".join(f"{name}: {kind.__name__}" for name, kind in types.items())
            raise errors.DataError("the request has other fields", expected=said)
        return given


def _add_exports(app, desk, label_studio_prefix):
    texts = {
        "corrections.csv": lambda: exports.corrections_csv(desk.now),
        "decisions.csv": lambda: exports.all_csv(desk.now),
        "label_studio.json": lambda: exports.label_studio_tasks(
            desk, label_studio_prefix
        ),
        "label_studio.xml": lambda: exports.label_studio_config(desk.now),
    }

    @app.get("/exports/<name>")
    def export(name):
        if name not in texts:
            flask.abort(404, "There is no such file.")
        with desk.still():
            text = texts[name]()
        return flask.Response(
            text,
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": f"attachment; filename={name}"},
        )


def _add_errors(app):
    def say(problem, code):
        if flask.request.path.startswith("/api/"):
            return {"error": problem}, code
        return flask.Response(
            f"{problem}\n", code, content_type="text/plain; charset=utf-8"
        )

    @app.errorhandler(werkzeug.exceptions.HTTPException)
    def refused(error):
        # a redirect is an answer, not an error
        if error.code is None or error.code < 400:
            return error
        return say(error.description, error.code)

    @app.errorhandler(errors.DataError)
    def impossible(error):
        return say(str(error), 422)

    @app.errorhandler(checks.WithdrawnError)
    def withdrawn(error):
        return say(str(error), 410)

    @app.errorhandler(review_desk.NoSuspectError)
    def nothing_there(error):
        return say(str(error), 404)

    @app.errorhandler(sqlite3.Error)
    def unsaved(error):
        return say(f"This was NOT saved: {error}.", 503)
