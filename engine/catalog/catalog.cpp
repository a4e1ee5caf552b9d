#include "engine/catalog/catalog.hpp"

#include <algorithm>

namespace usher::engine {

Status Catalog::apply(std::string_view payload) {
  ByteReader reader{payload};
  while (reader.left() > 0) {
    Result<Entity> entity = read_entry(reader);
    if (!entity.ok()) return entity.error();
    EntityKind kind = kind_of(entity.value());
    if (kind == EntityKind::show_status) kind = EntityKind::show;
    const Result<std::uint32_t> at = data_.put(std::move(entity).value());
    if (!at.ok()) return at.error();
    dirty_.push_back(checkpoint_key(kind, at.value()));
  }
  return Done{};
}

void Catalog::encode(std::uint64_t key, Bytes& out) const {
  const auto kind = static_cast<EntityKind>(key >> 32U);
  const auto at = static_cast<std::uint32_t>(key);
  USHER_ASSERT(at < data_.count(kind));
  data_.encode_at(kind, at, out);
}

Status Catalog::restore(std::uint64_t key, std::string_view bytes) {
  ByteReader reader{bytes};
  Result<Entity> entity = read_entry(reader);
  if (!entity.ok()) return entity.error();
  const EntityKind kind = kind_of(entity.value());
  if (!reader.complete() || kind == EntityKind::show_status) {
    return make_error(ErrorCode::corrupt, "catalog: a checkpoint row is no single entity");
  }
  const Result<std::uint32_t> at = data_.put(std::move(entity).value());
  if (!at.ok()) return at.error();
  if (checkpoint_key(kind, at.value()) != key) {
    return make_error(ErrorCode::corrupt, "catalog: a checkpoint row has another entity's key");
  }
  return Done{};
}

std::vector<std::uint64_t> Catalog::keys() const {
  std::vector<std::uint64_t> keys;
  for (const EntityKind kind : {EntityKind::movie, EntityKind::theater, EntityKind::screen, EntityKind::show}) {
    for (std::uint32_t at = 0; at < data_.count(kind); ++at) keys.push_back(checkpoint_key(kind, at));
  }
  return keys;
}

std::vector<std::uint64_t> Catalog::take_dirty() {
  std::sort(dirty_.begin(), dirty_.end());
  dirty_.erase(std::unique(dirty_.begin(), dirty_.end()), dirty_.end());
  return std::exchange(dirty_, {});
}

}  // namespace usher::engine
