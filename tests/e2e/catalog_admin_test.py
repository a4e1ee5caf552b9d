"""Changing one thing of the catalog by PUT, and imports that only say what they would do. Ends with the search that follows."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import check, token  # noqa: E402

MOVIE = {"movie_id": "solaris", "title": "Solaris", "duration_minutes": 167, "genre": "Drama", "cast": ["Natalya Bondarchuk"]}
ADMIN = token("boss", "admin")


def put(server, path, body, headers=None, bearer=ADMIN):
    return server.request("PUT", path, body, bearer=bearer, headers=headers)


def refused(answer, status, code, what):
    check(answer[0] == status and answer[2].get("code") == code, f"{what}: {answer[0]} {answer[2]}")


def changes(server):
    made = put(server, "/admin/movies/solaris", MOVIE, {"If-None-Match": "*"})
    check(made[0] == 200 and made[2]["movies"]["added"] == 1, f"a movie is made: {made}")
    refused(put(server, "/admin/movies/solaris", MOVIE, {"If-None-Match": "*"}), 412, "precondition_failed", "made twice")
    status, headers, movie = server.request("GET", "/movies/solaris")
    check(status == 200 and movie["title"] == "Solaris", f"it is there: {movie}")
    tag = headers["ETag"]
    changed = put(server, "/admin/movies/solaris", {**MOVIE, "rating": "PG"}, {"If-Match": tag})
    check(changed[0] == 200 and changed[2]["movies"]["changed"] == 1, f"it is changed: {changed}")
    refused(put(server, "/admin/movies/solaris", {**MOVIE, "rating": "R"}, {"If-Match": tag}), 412, "precondition_failed", "an old tag")
    check(server.request("GET", "/movies/solaris")[2]["rating"] == "PG", "what an old tag asked for has not happened")
    refused(put(server, "/admin/movies/none", {**MOVIE, "movie_id": "none"}, {"If-Match": tag}), 412, "precondition_failed", "a tag of nothing")
    refused(put(server, "/admin/movies/other", MOVIE), 400, "invalid_request", "another id than the path's")
    refused(put(server, "/admin/movies/solaris", {**MOVIE, "duration_minutes": 0}), 422, "invalid_catalog", "a film of no length")
    refused(put(server, "/admin/movies/solaris", MOVIE, bearer=token("eve")), 403, "forbidden", "a customer")


def dry_run(server):
    document = {"movies": [{**MOVIE, "title": "Solyaris"}, {"movie_id": "stalker", "title": "Stalker", "duration_minutes": 162}]}
    before = server.request("GET", "/movies/solaris")[2]
    status, _, told = server.request("POST", "/admin/import?dry_run=true", document, bearer=ADMIN)
    check(status == 200 and told["movies"]["added"] == 1 and told["movies"]["changed"] == 1, f"it is counted: {told}")
    by_id = {one["id"]: one["change"] for one in told.get("differences", ())}
    check(by_id.get("stalker") == "new", f"what is new is told: {by_id}")
    check('title: "Solaris" becomes "Solyaris"' in by_id.get("solaris", ""), f"and what differs: {by_id}")
    check(server.request("GET", "/movies/solaris")[2] == before, "and nothing has changed")
    check(server.request("GET", "/movies/stalker")[0] == 404, "nor come")
    refused(server.request("POST", "/admin/import?dry_run=perhaps", document, bearer=ADMIN), 400, "invalid_parameter", "neither true nor false")
    bad = server.request("POST", "/admin/import?dry_run=true", {"movies": [{"movie_id": "x"}]}, bearer=ADMIN)
    refused(bad, 422, "invalid_catalog", "a bad document")
    real = server.request("POST", "/admin/import", document, bearer=ADMIN)
    check(real[0] == 200 and "differences" not in real[2], f"the real one: {real}")
    check(server.request("GET", "/movies/stalker")[0] == 200, "now it has come")


def csv(server):
    sheet = {"Content-Type": "text/csv"}
    text = 'movie_id;title;duration_minutes;cast\nmirror;"Mirror; Zerkalo";107;Terekhova|Yankovsky\n'
    status, _, told = server.request("POST", "/admin/import?dry_run=true", text, bearer=ADMIN, headers=sheet)
    check(status == 200 and told["movies"]["added"] == 1 and told["differences"][0]["id"] == "mirror", f"a sheet, dry: {told}")
    check(server.request("POST", "/admin/import", text, bearer=ADMIN, headers=sheet)[0] == 200, "a sheet is imported")
    movie = server.request("GET", "/movies/mirror")[2]
    check(movie["title"] == "Mirror; Zerkalo" and movie["cast"] == ["Terekhova", "Yankovsky"], f"with its cells: {movie}")
    bad = server.request("POST", "/admin/import", text.replace("107", "long"), bearer=ADMIN, headers=sheet)
    refused(bad, 422, "invalid_catalog", "a bad cell")
    check(bad[2]["errors"][0]["path"] == "line 2, duration_minutes", f"with its place: {bad[2]}")
    with harness.temp_folder() as folder:
        file = os.path.join(folder, "movies.csv")
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)
        done = harness.run_usher("import", "--data", os.path.join(folder, "data"), file)
        check(done.returncode == 0 and "movies: 1 new" in done.stdout + done.stderr, f"usher import of a sheet: {done.stdout}{done.stderr}")


def search(server):
    deadline = time.monotonic() + 30
    found = []
    while time.monotonic() < deadline and "stalker" not in found:
        found = [one["movie_id"] for one in server.request("GET", "/movies/suggest?q=stal")[2]["suggestions"]]
    check("stalker" in found, f"the index follows: {found}")
    check(server.request("GET", "/movies/suggest")[0] == 400, "what was typed must be told")


def main():
    with harness.temp_folder() as folder:
        catalog = os.path.join(folder, "catalog.json")
        harness.write_json(catalog, harness.make_catalog(1))
        with harness.Server(folder, catalog) as server:
            changes(server)
            dry_run(server)
            csv(server)
            search(server)
    harness.finish()


if __name__ == "__main__":
    main()
