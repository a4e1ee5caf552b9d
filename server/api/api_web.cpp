/// The pages that people see: what no route of the API answers may be one.

#include "server/api/api.hpp"
#include "server/web/pages.hpp"

namespace usher::server::api {

/// Returns: false when there is no page at that address; nothing is answered then.
bool Api::show_page(const Call& call) {
  const http::Method method = call.request.method;
  if (method != http::Method::get && method != http::Method::head) return false;
  const std::string_view path = call.request.path;
  if (web::is_for_operators(path) && call.entrance == Entrance::customers) return false;
  const web::File* file = web::find(path);
  if (file == nullptr) return false;
  fields_ = web::fields_of(*file);
  fields_.append("ETag: ").append(file->etag).append("\r\n");
  if (call.request.if_none_match.find(file->etag) != std::string_view::npos) {
    respond(call, {.status = 304, .content_type = {}, .fields = fields_});
    return true;
  }
  const bool packed = !file->gzip.empty() && web::accepts_gzip(call.request.accept_encoding);
  if (packed) fields_ += "Content-Encoding: gzip\r\n";
  respond(call, {.content_type = file->type, .body = packed ? file->gzip : file->plain, .fields = fields_});
  return true;
}

}  // namespace usher::server::api
