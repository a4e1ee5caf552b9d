#include "server/tickets/ticket_pdf.hpp"

#include <fmt/format.h>
#include <hpdf.h>
#include <unistd.h>

#include <memory>

#include "server/tickets/qr_image.hpp"

namespace usher::server::tickets {
namespace {

constexpr const char* font_file = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
constexpr float margin = 56;  // points: 2 cm
constexpr float qr_side = 240;

/// libharu reports an error by a function, once; what is called after it does nothing.
void note_error(HPDF_STATUS error, HPDF_STATUS /*detail*/, void* user) {
  auto& first = *static_cast<HPDF_STATUS*>(user);
  if (first == HPDF_OK) first = error;
}

struct DocumentFree {
  void operator()(HPDF_Doc document) const noexcept { HPDF_Free(document); }
};
using Document = std::unique_ptr<std::remove_pointer_t<HPDF_Doc>, DocumentFree>;

/// UTF-8 as Latin-1, "?" for what has no place there.
[[nodiscard]] std::string to_latin1(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (size == 1) {
      out.push_back(text[i]);
    } else if (size == 2 && i + 1 < text.size() && byte <= 0xc3) {
      out.push_back(static_cast<char>(((byte & 3U) << 6U) | (static_cast<unsigned char>(text[i + 1]) & 0x3fU)));
    } else {
      out.push_back('?');
    }
    i += size;
  }
  return out;
}

/// Writes lines down a page.
class Sheet {
 public:
  Sheet(HPDF_Doc document, HPDF_Font font, bool utf8) : page_(HPDF_AddPage(document)), font_(font), utf8_(utf8) {
    HPDF_Page_SetSize(page_, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    height_ = HPDF_Page_GetHeight(page_);
    width_ = HPDF_Page_GetWidth(page_);
    at_ = height_ - margin;
  }

  void line(std::string_view text, float size) {
    std::string shown = utf8_ ? std::string{text} : to_latin1(text);
    HPDF_Page_SetFontAndSize(page_, font_, size);
    // a title that is too long is set smaller, down to what can still be read
    while (size > 8 && HPDF_Page_TextWidth(page_, shown.c_str()) > width_ - 2 * margin) {
      size -= 1;
      HPDF_Page_SetFontAndSize(page_, font_, size);
    }
    at_ -= size * 1.4F;
    HPDF_Page_BeginText(page_);
    HPDF_Page_TextOut(page_, margin, at_, shown.c_str());
    HPDF_Page_EndText(page_);
  }
  void gap(float points) { at_ -= points; }

  void qr(std::string_view code) {
    const QrModules modules = make_qr(code);
    const float module = qr_side / static_cast<float>(modules.size);
    at_ -= qr_side + 4 * module;
    HPDF_Page_SetRGBFill(page_, 0, 0, 0);
    for (int y = 0; y < modules.size; ++y) {
      for (int x = 0; x < modules.size; ++x) {
        if (!modules.at(x, y)) continue;
        HPDF_Page_Rectangle(page_, margin + 4 * module + static_cast<float>(x) * module,
                            at_ + static_cast<float>(modules.size - 1 - y) * module, module, module);
      }
    }
    HPDF_Page_Fill(page_);
    at_ -= 4 * module;
  }

 private:
  HPDF_Page page_;
  HPDF_Font font_;
  bool utf8_;
  float height_ = 0;
  float width_ = 0;
  float at_ = 0;
};

void write_ticket(Sheet& sheet, const ShowFacts& show, const TicketFacts& ticket, const Id& booking) {
  sheet.line(show.movie, 26);
  sheet.gap(6);
  sheet.line(show.local_time, 18);
  sheet.line(show.theater + ", " + show.screen, 14);
  sheet.line(show.address, 11);
  sheet.gap(12);
  sheet.line("Seat " + ticket.seat, 30);
  sheet.line(money_text(ticket.price), 12);
  sheet.gap(12);
  if (ticket.cancelled) {
    sheet.line("CANCELLED", 30);
  } else {
    sheet.qr(ticket.code);
  }
  sheet.gap(12);
  sheet.line("Ticket " + to_string(ticket.id), 9);
  sheet.line("Booking " + to_string(booking), 9);
}

}  // namespace

Result<std::string> tickets_pdf(const ShowFacts& show, const std::vector<TicketFacts>& tickets, const Id& booking) {
  HPDF_STATUS failed = HPDF_OK;
  const Document document{HPDF_New(note_error, &failed)};
  if (!document) return make_error(ErrorCode::io, "libharu: no memory");
  HPDF_SetCompressionMode(document.get(), HPDF_COMP_ALL);
  const bool utf8 = ::access(font_file, R_OK) == 0;
  HPDF_Font font = nullptr;
  if (utf8) {
    HPDF_UseUTFEncodings(document.get());
    const char* name = HPDF_LoadTTFontFromFile(document.get(), font_file, HPDF_TRUE);
    font = HPDF_GetFont(document.get(), name, "UTF-8");
  } else {
    font = HPDF_GetFont(document.get(), "Helvetica", "WinAnsiEncoding");
  }
  HPDF_SetInfoAttr(document.get(), HPDF_INFO_PRODUCER, "Usher");
  HPDF_SetInfoAttr(document.get(), HPDF_INFO_TITLE, ("Ticket " + to_string(booking)).c_str());
  bool any = false;
  for (const TicketFacts& ticket : tickets) any = any || !ticket.cancelled;
  for (const TicketFacts& ticket : tickets) {
    if (any && ticket.cancelled) continue;
    Sheet sheet(document.get(), font, utf8);
    write_ticket(sheet, show, ticket, booking);
  }
  HPDF_SaveToStream(document.get());
  if (failed != HPDF_OK) return make_error(ErrorCode::io, fmt::format("libharu: error 0x{:04x}", failed));
  HPDF_UINT32 size = HPDF_GetStreamSize(document.get());
  std::string out(size, '\0');
  HPDF_ReadFromStream(document.get(), reinterpret_cast<HPDF_BYTE*>(out.data()), &size);
  out.resize(size);
  return out;
}

}  // namespace usher::server::tickets
