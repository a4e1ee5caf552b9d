#include "server/identity/token_cache.hpp"

#include <bit>
#include <cstring>
#include <new>

namespace usher::server::identity {

TokenCache::TokenCache(std::size_t entries)
    : key_(random_sip_key()),
      sets_(std::bit_ceil(entries < ways ? ways : entries) / ways),
      next_victim_(sets_.size()) {}

std::uint64_t TokenCache::hash(std::string_view text) const noexcept {
  // The end of a text is its signature. Only what was verified is inserted, so nobody can choose many of the same end.
  constexpr std::size_t hashed_bytes = 40;
  const std::string_view end = text.substr(text.size() > hashed_bytes ? text.size() - hashed_bytes : 0);
  const std::uint64_t hash = sip_hash_1_3(key_, end);
  return hash == 0 ? 1 : hash;
}

const TokenCache::Entry* TokenCache::find(std::string_view text) const noexcept {
  const std::uint64_t wanted = hash(text);
  const Set& set = sets_[wanted & (sets_.size() - 1)];
  for (std::size_t way = 0; way < ways; ++way) {
    if (set.hashes[way] != wanted) continue;
    const Entry* entry = set.entries[way].get();
    // All lines at once: the comparison would ask for one after the other.
    const char* first = reinterpret_cast<const char*>(entry);
    for (std::size_t at = 0; at < sizeof(Entry) + text.size(); at += line_bytes) __builtin_prefetch(first + at);
    if (entry->text() == text) return entry;
  }
  return nullptr;
}

const TokenCache::Entry& TokenCache::insert(std::string_view text, std::string_view subject, const Facts& facts) {
  const std::uint64_t wanted = hash(text);
  const std::size_t index = wanted & (sets_.size() - 1);
  Set& set = sets_[index];
  OwnedEntry entry = make_entry(text, subject, facts);
  std::size_t way = 0;
  while (way < ways && set.hashes[way] != 0) ++way;
  if (way == ways) way = next_victim_[index]++ % ways;
  set.hashes[way] = wanted;
  set.entries[way] = std::move(entry);
  return *set.entries[way];
}

TokenCache::OwnedEntry TokenCache::make_entry(std::string_view text, std::string_view subject, const Facts& facts) {
  void* memory = ::operator new (sizeof(Entry) + text.size() + subject.size(), std::align_val_t{line_bytes});
  OwnedEntry entry(new (memory) Entry);
  entry->facts = facts;
  entry->text_size_ = static_cast<std::uint32_t>(text.size());
  entry->subject_size_ = static_cast<std::uint32_t>(subject.size());
  if (!text.empty()) std::memcpy(entry->bytes(), text.data(), text.size());
  if (!subject.empty()) std::memcpy(entry->bytes() + text.size(), subject.data(), subject.size());
  return entry;
}

void TokenCache::Free::operator()(Entry* entry) const noexcept {
  entry->~Entry();
  ::operator delete (entry, std::align_val_t{line_bytes});
}

}  // namespace usher::server::identity
