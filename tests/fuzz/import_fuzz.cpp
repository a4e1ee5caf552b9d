/// A catalog as an operator sends it, read and planned: a JSON document, or a CSV file (what does not begin with a
/// brace).

#include "server/catalog/csv_document.hpp"
#include "server/catalog/document_reader.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace usher;
using namespace usher::server;

namespace {

engine::ImportResult plan(std::string_view json) {
  engine::ImportResult planned =
      catalog::plan_document(json, engine::Snapshot{}, instant_from_ms(1'700'000'000'000), {});
  for (const engine::PathError& error : planned.errors) USHER_ASSERT(!error.rule.empty());
  return planned;
}

void read_csv(std::string_view text) {
  const catalog::CsvDocument document = catalog::read_csv(text);
  for (const engine::PathError& error : document.errors) USHER_ASSERT(!error.rule.empty());
  if (!document.errors.empty()) return;
  for (const engine::PathError& error : plan(document.json).errors) {
    USHER_ASSERT(!catalog::csv_place(document, error.path).empty() || error.path.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (text.starts_with('{')) {
    (void)plan(text);
  } else {
    read_csv(text);
  }
  return 0;
}
