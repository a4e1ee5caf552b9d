#include "server/tickets/qr_image.hpp"

#include <fmt/format.h>
#include <png.h>

#include <cstring>
#include <qrcodegen/qrcodegen.hpp>

#include "usher/assert.hpp"

namespace usher::server::tickets {

QrModules make_qr(std::string_view text) {
  const auto code = qrcodegen::QrCode::encodeText(std::string{text}.c_str(), qrcodegen::QrCode::Ecc::MEDIUM);
  QrModules modules;
  modules.size = code.getSize();
  for (int y = 0; y < modules.size; ++y) {
    for (int x = 0; x < modules.size; ++x) modules.dark.push_back(code.getModule(x, y));
  }
  return modules;
}

std::string qr_svg(std::string_view text) {
  const QrModules modules = make_qr(text);
  const int side = modules.size + 2 * quiet_zone_modules;
  std::string path;
  for (int y = 0; y < modules.size; ++y) {
    for (int x = 0; x < modules.size; ++x) {
      if (!modules.at(x, y) || (x > 0 && modules.at(x - 1, y))) continue;
      int run = 1;
      while (x + run < modules.size && modules.at(x + run, y)) ++run;
      path += fmt::format("M{},{}h{}v1h-{}z", x + quiet_zone_modules, y + quiet_zone_modules, run, run);
    }
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {0}\" shape-rendering=\"crispEdges\" role=\"img\" "
      "aria-label=\"QR code of the ticket\"><rect width=\"{0}\" height=\"{0}\" fill=\"#fff\"/>"
      "<path d=\"{1}\" fill=\"#000\"/></svg>\n",
      side, path);
}

std::string qr_png(std::string_view text, int pixels_per_module) {
  const QrModules modules = make_qr(text);
  const int side = (modules.size + 2 * quiet_zone_modules) * pixels_per_module;
  std::string pixels(static_cast<std::size_t>(side) * static_cast<std::size_t>(side), '\xff');
  for (int y = 0; y < modules.size * pixels_per_module; ++y) {
    for (int x = 0; x < modules.size * pixels_per_module; ++x) {
      if (!modules.at(x / pixels_per_module, y / pixels_per_module)) continue;
      const int margin = quiet_zone_modules * pixels_per_module;
      pixels[static_cast<std::size_t>((y + margin) * side + x + margin)] = '\0';
    }
  }
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(side);
  image.height = static_cast<png_uint_32>(side);
  image.format = PNG_FORMAT_GRAY;
  png_alloc_size_t size = 0;
  int made = png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr);
  USHER_ASSERT(made != 0);
  std::string out(size, '\0');
  made = png_image_write_to_memory(&image, out.data(), &size, 0, pixels.data(), 0, nullptr);
  USHER_ASSERT(made != 0);
  out.resize(size);
  return out;
}

}  // namespace usher::server::tickets
