#include "engine/catalog/layout_table.hpp"

#include "engine/catalog/hash.hpp"

namespace usher::engine {
namespace {

std::string_view view_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Error collision() {
  return make_error(ErrorCode::invalid, "two different seat layouts have the same hash");
}

}  // namespace

LayoutTable::~LayoutTable() {
  for (auto& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);  // nobody else is left
}

Result<LayoutTable::Entry> LayoutTable::intern(Layout&& layout) {
  const Entry known = find(layout.hash());
  if (known.layout != nullptr) {
    Bytes ours;
    Bytes theirs;
    known.layout->encode(ours);
    layout.encode(theirs);
    if (ours != theirs) return collision();
    return known;
  }
  return add(std::move(layout));
}

Result<LayoutTable::Entry> LayoutTable::intern_bytes(std::string_view bytes) {
  const Entry known = find(hash_bytes(bytes));
  if (known.layout != nullptr) {
    Bytes ours;
    known.layout->encode(ours);
    if (view_of(ours) != bytes) return collision();
    return known;
  }
  Result<Layout> layout = Layout::decode(bytes);
  if (!layout.ok()) return layout.error();
  return add(std::move(layout).value());
}

Result<LayoutTable::Entry> LayoutTable::add(Layout&& layout) {
  const std::lock_guard lock{mutex_};
  const std::uint64_t hash = layout.hash();
  if (const auto found = by_hash_.find(hash); found != by_hash_.end()) {  // another thread was faster
    return Entry{&at(found->second), found->second, false};
  }
  if (size_ == chunk_size * chunk_count) return make_error(ErrorCode::invalid, "too many different seat layouts");
  const auto index = static_cast<LayoutIndex>(size_);
  auto& slot = chunks_[index / chunk_size];
  Chunk* chunk = slot.load(std::memory_order_relaxed);  // written under this mutex only
  const bool is_first = chunk == nullptr;
  if (is_first) chunk = new Chunk;
  (*chunk)[index % chunk_size] = std::make_unique<const Layout>(std::move(layout));
  // release: pairs with the acquire in at(); later entries of a chunk reach readers with the index that names them
  if (is_first) slot.store(chunk, std::memory_order_release);
  by_hash_.emplace(hash, index);
  ++size_;
  return Entry{(*chunk)[index % chunk_size].get(), index, true};
}

LayoutTable::Entry LayoutTable::find(std::uint64_t hash) const {
  const std::lock_guard lock{mutex_};
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return {};
  return {&at(found->second), found->second, false};
}

std::size_t LayoutTable::size() const {
  const std::lock_guard lock{mutex_};
  return size_;
}

}  // namespace usher::engine
