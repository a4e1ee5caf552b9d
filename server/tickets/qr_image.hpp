#pragma once
/// QR codes (ISO/IEC 18004) as pictures, by qrcodegen at error correction M, with the quiet zone of four modules that
/// the standard demands. Pure functions; any thread. Takes some milliseconds: for the work pool.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace usher::server::tickets {

/// The dark modules, row by row, without quiet zone.
struct QrModules {
  int size = 0;
  std::vector<bool> dark;
  [[nodiscard]] bool at(int x, int y) const { return dark[static_cast<std::size_t>(y * size + x)]; }
};

inline constexpr int quiet_zone_modules = 4;

/// Requires: `text` has at most 1,000 bytes.
[[nodiscard]] QrModules make_qr(std::string_view text);
/// A scalable picture, one path, about 6 kB.
[[nodiscard]] std::string qr_svg(std::string_view text);
/// A PNG in grey, `pixels_per_module` wide modules.
[[nodiscard]] std::string qr_png(std::string_view text, int pixels_per_module = 8);

}  // namespace usher::server::tickets
