#include "server/web/pages.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace usher::server::web;

TEST_CASE("web::find: addresses of the shop: one page shows them") {
  for (const char* path : {"/", "/film/the-matrix-1999", "/show/s1", "/checkout/x", "/my/bookings", "/my/bookings/b"}) {
    REQUIRE(find(path) != nullptr);
    CHECK(find(path)->path == "/app.html");
  }
  CHECK(find("/console")->path == "/console.html");
  CHECK(find("/gate")->path == "/gate.html");
  CHECK(find("/docs")->path == "/docs.html");
}

TEST_CASE("web::find: anything else: nothing") {
  for (const char* path :
       {"", "x", "//", "/films", "/app.html", "/assets/", "/assets/none.js", "/../etc/passwd", "*", "/.git"}) {
    CHECK(find(path) == nullptr);
  }
}

TEST_CASE("web::files: sorted, compressed, and every asset that a page names is there") {
  const auto all = files();
  CHECK(all.size() > 5);
  CHECK(std::is_sorted(all.begin(), all.end(), [](const File& a, const File& b) { return a.path < b.path; }));
  for (const File& file : all) {
    CHECK_FALSE(file.plain.empty());
    CHECK_FALSE(file.type.empty());
    CHECK(file.gzip.size() < file.plain.size());
    CHECK(file.etag.size() == 12);
    if (!file.path.ends_with(".html")) continue;
    std::size_t named = 0;
    for (std::size_t at = file.plain.find("/assets/"); at != std::string_view::npos;
         at = file.plain.find("/assets/", at + 1)) {
      CHECK(find(file.plain.substr(at, file.plain.find('"', at) - at)) != nullptr);
      ++named;
    }
    CHECK(named >= 3);
  }
}

TEST_CASE("web::fields_of: a page runs nothing from elsewhere, an asset is kept for ever") {
  const std::string_view page = fields_of(*find("/"));
  CHECK(page.find("default-src 'none'; script-src 'self'; style-src 'self'") != std::string_view::npos);
  CHECK(page.find("unsafe") == std::string_view::npos);
  CHECK(page.find("http") == std::string_view::npos);
  CHECK(page.find("frame-ancestors 'none'") != std::string_view::npos);
  CHECK(page.find("Cache-Control: no-cache") != std::string_view::npos);
  const auto all = files();
  const auto asset =
      std::find_if(all.begin(), all.end(), [](const File& file) { return file.path.starts_with("/assets/"); });
  REQUIRE(asset != all.end());
  CHECK(fields_of(*asset).find("immutable") != std::string_view::npos);
}

TEST_CASE("web::accepts_gzip: only who says so gets it") {
  CHECK(accepts_gzip("gzip"));
  CHECK(accepts_gzip("deflate, gzip;q=0.5, br"));
  CHECK(accepts_gzip("*"));
  CHECK_FALSE(accepts_gzip(""));
  CHECK_FALSE(accepts_gzip("br"));
  CHECK_FALSE(accepts_gzip("gzip;q=0"));
  CHECK_FALSE(accepts_gzip("gzip;q=0.000"));
  CHECK_FALSE(accepts_gzip("x-gzip"));
}

TEST_CASE("web::is_for_operators: the console only") {
  CHECK(is_for_operators("/console"));
  CHECK(is_for_operators("/console/time"));
  CHECK_FALSE(is_for_operators("/"));
  CHECK_FALSE(is_for_operators("/consoles"));
}
