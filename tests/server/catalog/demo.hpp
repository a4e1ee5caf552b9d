#pragma once
/// The demo catalog, loaded for tests at a fixed moment.

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "engine/catalog/catalog.hpp"
#include "server/catalog/document_reader.hpp"
#include "server/catalog/zones.hpp"

namespace usher::testing {

/// 2026-11-24, 12:00 in Berlin.
inline const Instant demo_now = *server::catalog::parse_instant("2026-11-24T11:00:00Z");

/// Tests run anywhere below the checkout: the file is looked for in the folders above this source.
inline std::string demo_json() {
  std::string root = __FILE__;
  root.resize(root.rfind("tests/server/catalog/"));
  std::ifstream file{root + "tools/demo/catalog.json"};
  REQUIRE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Imports the document into the catalog. Returns: the plan.
inline engine::ImportResult import_json(engine::Catalog& catalog, std::string_view json, Instant now) {
  engine::ImportResult result = server::catalog::plan_document(json, *catalog.snapshot(), now, {});
  for (const engine::PathError& error : result.errors) FAIL_CHECK(error.path << ": " << error.rule);
  for (const Bytes& payload : result.plan.payloads) {
    REQUIRE(catalog.apply({reinterpret_cast<const char*>(payload.data()), payload.size()}).ok());
  }
  return result;
}

inline std::shared_ptr<const engine::Snapshot> demo_snapshot() {
  static const std::shared_ptr<const engine::Snapshot> snapshot = [] {
    engine::Catalog catalog;
    import_json(catalog, demo_json(), demo_now);
    return catalog.snapshot();
  }();
  return snapshot;
}

}  // namespace usher::testing
