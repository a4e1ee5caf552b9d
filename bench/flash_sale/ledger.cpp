#include "bench/flash_sale/ledger.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <cstdio>
#include <fstream>

namespace usher::flash {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Told::count_)> names{
    "reserved",        "released",        "booked",       "declined",      "cancelled",
    "reserve_unknown", "release_unknown", "book_unknown", "cancel_unknown"};

void add_text(std::string& line, std::string_view name, std::string_view text) {
  // ids and labels of a server that keeps its own rules need no escaping; what does is not written as it is
  if (text.empty() || text.find_first_of("\"\\\n") != std::string_view::npos) return;
  line += fmt::format(",\"{}\":\"{}\"", name, text);
}

template <class Number>
void add_number(std::string& line, std::string_view name, Number value) {
  if (value != 0) line += fmt::format(",\"{}\":{}", name, value);
}

std::string text_of(const simdjson::dom::element& object, const char* name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string{};
}

std::int64_t number_of(const simdjson::dom::element& object, const char* name) {
  std::int64_t value = 0;
  return object[name].get(value) == simdjson::SUCCESS ? value : 0;
}

bool read_entry(const simdjson::dom::element& line, Entry& entry) {
  const std::string told = text_of(line, "told");
  std::size_t kind = 0;
  while (kind < names.size() && names[kind] != told) ++kind;
  if (kind == names.size()) return false;
  entry.told = static_cast<Told>(kind);
  entry.person = static_cast<std::uint32_t>(number_of(line, "person"));
  entry.show = text_of(line, "show");
  entry.reservation = text_of(line, "reservation");
  entry.booking = text_of(line, "booking");
  simdjson::dom::array seats;
  if (line["seats"].get(seats) == simdjson::SUCCESS) {
    for (const simdjson::dom::element seat : seats) {
      std::string_view label;
      if (seat.get(label) != simdjson::SUCCESS) return false;
      entry.seats.emplace_back(label);
    }
  }
  entry.amount = number_of(line, "amount");
  entry.percent = static_cast<std::uint32_t>(number_of(line, "percent"));
  entry.lsn = static_cast<std::uint64_t>(number_of(line, "lsn"));
  entry.at_ms = number_of(line, "at");
  entry.until_ms = number_of(line, "until");
  return true;
}

}  // namespace

std::string_view to_string(Told told) noexcept {
  return names[static_cast<std::size_t>(told)];
}

std::string to_line(const Entry& entry) {
  std::string line = fmt::format("{{\"told\":\"{}\",\"person\":{}", to_string(entry.told), entry.person);
  add_text(line, "show", entry.show);
  add_text(line, "reservation", entry.reservation);
  add_text(line, "booking", entry.booking);
  if (!entry.seats.empty()) {
    line += ",\"seats\":[";
    for (const std::string& seat : entry.seats)
      line += fmt::format("{}\"{}\"", &seat == entry.seats.data() ? "" : ",", seat);
    line += "]";
  }
  add_number(line, "amount", entry.amount);
  add_number(line, "percent", entry.percent);
  add_number(line, "lsn", entry.lsn);
  add_number(line, "at", entry.at_ms);
  add_number(line, "until", entry.until_ms);
  return line + "}";
}

Status write_ledger(const std::string& file, const Ledger& ledger) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  for (const Entry& entry : ledger) out << to_line(entry) << '\n';
  out.flush();
  if (!out) return make_error(ErrorCode::io, "cannot write " + file);
  return Done{};
}

Result<Ledger> read_ledger(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return make_error(ErrorCode::not_found, "cannot read " + file);
  simdjson::dom::parser parser;
  Ledger ledger;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    simdjson::dom::element document;
    Entry entry;
    if (parser.parse(line).get(document) != simdjson::SUCCESS || !read_entry(document, entry)) {
      return make_error(ErrorCode::invalid, fmt::format("{}:{}: not an entry of a ledger", file, number));
    }
    ledger.push_back(std::move(entry));
  }
  return ledger;
}

}  // namespace usher::flash
