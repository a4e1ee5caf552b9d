#pragma once
/// What the server told this client: each reservation that was answered 201, and each that was given back. Kept in
/// memory while the clock runs and written afterwards, for bench/check. For one thread.

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace usher::bench {

struct Told {
  static constexpr std::size_t id_size = 36;
  std::uint64_t number = 0;  ///< of the walk's reserve; of a release it says nothing
  bool released = false;
  std::array<char, id_size> id{};
};

/// Grows by whole pieces, so that nothing is ever moved.
class ToldList {
 public:
  /// Requires: an id of 36 characters; others are counted as malformed and not kept.
  void add(std::uint64_t number, bool released, std::string_view id) {
    if (id.size() != Told::id_size) {
      ++malformed_;
      return;
    }
    if (size_ % piece_size == 0) pieces_.push_back(std::make_unique_for_overwrite<Piece>());
    Told& told = (*pieces_.back())[size_++ % piece_size];
    told.number = number;
    told.released = released;
    std::memcpy(told.id.data(), id.data(), Told::id_size);
  }
  template <class Each>
  void for_each(Each&& each) const {
    for (std::size_t i = 0; i < size_; ++i) each((*pieces_[i / piece_size])[i % piece_size]);
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t malformed() const noexcept { return malformed_; }

 private:
  static constexpr std::size_t piece_size = 8'192;
  using Piece = std::array<Told, piece_size>;

  std::vector<std::unique_ptr<Piece>> pieces_;
  std::size_t size_ = 0;
  std::size_t malformed_ = 0;
};

}  // namespace usher::bench
