#include "server/identity/token_cache.hpp"

#include <bit>

namespace usher::server::identity {

TokenCache::TokenCache(std::size_t entries)
    : key_(random_sip_key()),
      set_mask_(std::bit_ceil(entries < ways ? ways : entries) / ways - 1),
      sets_(set_mask_ + 1),
      next_victim_(set_mask_ + 1),
      entries_((set_mask_ + 1) * ways) {}

std::uint64_t TokenCache::hash(std::string_view text) const noexcept {
  const std::uint64_t hash = sip_hash_1_3(key_, text);
  return hash == 0 ? 1 : hash;
}

const TokenCache::Entry* TokenCache::find(std::string_view text) noexcept {
  const std::uint64_t wanted = hash(text);
  const std::size_t set = wanted & set_mask_;
  for (std::size_t way = 0; way < ways; ++way) {
    if (sets_[set].hashes[way] != wanted) continue;
    const Entry* entry = entries_[set * ways + way].get();
    if (entry->text == text) return entry;
  }
  return nullptr;
}

const TokenCache::Entry& TokenCache::insert(Entry entry) {
  const std::uint64_t wanted = hash(entry.text);
  const std::size_t set = wanted & set_mask_;
  std::size_t way = 0;
  while (way < ways && sets_[set].hashes[way] != 0) ++way;
  if (way == ways) way = next_victim_[set]++ % ways;
  sets_[set].hashes[way] = wanted;
  std::unique_ptr<Entry>& place = entries_[set * ways + way];
  place = std::make_unique<Entry>(std::move(entry));
  return *place;
}

}  // namespace usher::server::identity
