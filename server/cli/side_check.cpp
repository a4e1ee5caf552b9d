#include "server/cli/side_check.hpp"

#include <optional>

#include "server/api/people.hpp"
#include "server/events/lsn_cursor.hpp"
#include "server/notify/contacts.hpp"
#include "server/notify/delivery.hpp"

namespace usher::server::cli {

void SideCheck::add(std::string_view key, std::string_view value) {
  const std::string rest(key.substr(key.empty() ? 0 : 1));
  switch (key.empty() ? '\0' : key[0]) {
    case 'k':
      person_keys_[rest] = value;
      break;
    case 'p':
      persons_[rest] = value;
      break;
    case 'x':
      contact_keys_[rest] = value;
      break;
    case 'c':
      contacts_[rest] = value;
      break;
    case gate::GateBook::row_kind:
      if (!gates_.load(key, value)) wrong_.push_back("the row of gate " + rest + " is damaged");
      break;
    case notify::delivery_row:
      if (!notify::from_row(key, value)) wrong_.push_back("the row of delivery " + rest + " is damaged");
      break;
    case notify::cursor_row:
      add_cursor(rest, value);
      break;
    default:
      wrong_.push_back("a row of a kind that is not known, with a key of " + std::to_string(key.size()) + " bytes");
  }
}

void SideCheck::add_cursor(std::string_view sink, std::string_view text) {
  const std::string name = "the cursor of " + std::string(sink);
  const std::optional<events::LsnCursor> cursor = events::parse_cursor(text, ends_.size());
  if (!cursor || text.empty()) return wrong_.push_back(name + " is damaged");
  for (std::size_t shard = 0; shard < ends_.size(); ++shard) {
    if ((*cursor)[shard] <= ends_[shard]) continue;
    wrong_.push_back(name + " is at LSN " + std::to_string((*cursor)[shard]) + " of shard " + std::to_string(shard) +
                     ", whose log ends at " + std::to_string(ends_[shard]));
  }
}

template <class Opens>
void SideCheck::check_pairs(std::string_view what, const std::map<std::string, std::string>& keys,
                            const std::map<std::string, std::string>& rows, Opens opens) {
  std::size_t alone = 0;
  std::size_t sealed = 0;
  for (const auto& [id, key] : keys) {
    const auto row = rows.find(id);
    if (row == rows.end()) {
      ++alone;
    } else if (!opens(key, row->second)) {
      ++sealed;
    }
  }
  for (const auto& [id, row] : rows) alone += keys.contains(id) ? 0U : 1U;
  if (alone > 0) wrong_.push_back(std::to_string(alone) + " " + std::string(what) + " without key, or the reverse");
  if (sealed > 0) wrong_.push_back(std::to_string(sealed) + " " + std::string(what) + " that their keys do not open");
}

std::vector<std::string> SideCheck::finish() {
  check_pairs("people", person_keys_, persons_, [](const std::string& key, const std::string& row) {
    std::string issuer;
    std::string subject;
    return api::read_person(key, row, issuer, subject);
  });
  check_pairs("contacts", contact_keys_, contacts_,
              [](const std::string& key, const std::string& row) { return !notify::open_contact(key, row).empty(); });
  return std::move(wrong_);
}

}  // namespace usher::server::cli
