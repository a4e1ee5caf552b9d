/// The calls of those who let people in: gates, check-ins, and the list of tickets that an offline gate must refuse.
/// Signatures are checked on the work pool, the rest is each show's to decide.

#include <algorithm>
#include <numeric>

#include "engine/catalog/hash.hpp"
#include "server/api/api.hpp"
#include "server/catalog/zones.hpp"
#include "server/events/lsn_cursor.hpp"
#include "server/identity/crypto.hpp"

namespace usher::server::api {
namespace {

constexpr std::size_t scans_max = 1'000;
constexpr std::size_t revocations_max = 10'000;
constexpr std::array<std::string_view, 2> directions{"in", "out"};

[[nodiscard]] bool is_gate_id(std::string_view id) noexcept {
  return !id.empty() && id.size() <= limits::gate_id_bytes_max && std::all_of(id.begin(), id.end(), [](char c) {
    return c > ' ' && c < 127 && c != '"' && c != '\\' && c != '/';
  });
}

void write_gate(json::Writer& json, const gate::Gate& one) {
  json.begin_object();
  json.field("gate_id", one.id);
  json.field("name", one.name);
  json.field(one.of_show ? "show_id" : "screen_id", one.target);
  json.end_object();
}

}  // namespace

/// One scan on its way, and what became of it.
struct Api::Scan {
  std::string ticket;
  std::string gate;
  Command command;
  ScanResult result = ScanResult::bad_signature;
  tickets::TicketPayload payload;
  std::optional<Reply> reply;
  Refusal refusal = Refusal::none;
};
struct Api::ScanRun {
  ReplyTo to;
  bool batch = false;
  std::vector<Scan> scans;
  std::size_t left = 0;
};

// ---- check-ins ----

bool Api::read_scan(json::Object& body, Scan& scan) {
  scan.ticket = body.string("ticket", {1, 512});
  scan.gate = body.string("gate", {1, limits::gate_id_bytes_max});
  const std::string_view device = body.optional_string("device", {1, 64}).value_or("");
  const auto nonce = body.optional_string("nonce", {1, 64});
  Command& command = scan.command;
  command.type = CommandType::check_in;
  command.staff = true;
  command.exit = body.optional_one_of("direction", directions).value_or(0) == 1;
  command.scanned_at = runner_.now();
  if (const auto text = body.optional_string("scanned_at", {20, 40})) {
    const std::optional<Instant> at = catalog::parse_instant(*text);
    if (!at) body.fail("scanned_at", "must be a time such as 2026-11-24T18:30:00Z");
    command.scanned_at =
        std::min(at.value_or(command.scanned_at), runner_.now());  // a clock that is fast counts as now
  }
  // the same scan sent twice has the same number; a scan without a nonce is always another one
  std::string once = scan.gate + '\n' + std::string(device) + '\n' + std::string(nonce.value_or(""));
  command.random = nonce ? engine::hash_bytes(once) : random_.next();
  std::copy(scan.gate.begin(), scan.gate.end(), command.payment_ref.begin());
  command.payment_ref_size = static_cast<std::uint8_t>(scan.gate.size());
  body.finish();
  return reader_.ok();
}

void Api::check_in(const Call& call) {
  Caller caller;
  if (!check_json(call) || !authenticate(call, Role::gate, false, caller)) return;
  auto run = std::make_shared<ScanRun>();
  run->to = call.request.reply_to;
  json::Object root = reader_.parse(call.request.body);
  run->batch = root.has("checkins");
  if (run->batch) {
    json::Array list = root.array("checkins", 1, scans_max);
    while (list.next()) {
      json::Object one = list.object();
      run->scans.emplace_back();
      if (!read_scan(one, run->scans.back())) break;
    }
    root.finish();
  } else {
    run->scans.emplace_back();
    (void)read_scan(root, run->scans.back());
  }
  if (Problem problem; !finish_reading(true, problem)) return respond_problem(call, problem);
  for (std::size_t i = 0; i < run->scans.size(); ++i) {
    run->scans[i].command.user = caller.user;
    if (app_.gates.find(run->scans[i].gate)) continue;
    const std::string where = run->batch ? "checkins[" + std::to_string(i) + "].gate" : "gate";
    return respond_problem(call, {400, "unknown_gate", where + ": no such gate is registered"});
  }
  ++tasks_waiting_;
  const bool posted = app_.pool.try_post([this, run, &keys = app_.ticket_keys] {
    for (Scan& scan : run->scans) {
      switch (keys.check(scan.ticket, scan.payload)) {
        case tickets::CodeCheck::bad_signature:
          scan.result = ScanResult::bad_signature;
          break;
        case tickets::CodeCheck::unknown_key:
          scan.result = ScanResult::unknown_key;
          break;
        case tickets::CodeCheck::good:
          scan.result = ScanResult::valid;
          break;
      }
    }
    runner_.post([this, run] {
      --tasks_waiting_;
      send_scans(run);
    });
  });
  if (posted) return;
  --tasks_waiting_;
  respond_overloaded(call);
}

bool Api::place_scan(Scan& scan) {
  const std::optional<gate::Gate> gate = app_.gates.find(scan.gate);
  const std::optional<ShowRef> show = view().find(scan.payload.show());
  const std::optional<Id> ticket = id_from_uuid(scan.payload.ticket);
  if (!gate || !show || !ticket || ticket->kind != IdKind::ticket) return false;
  const engine::CatalogData& data = view().snapshot().data();
  if (gate->of_show ? gate->target != show->id : gate->target != data.screen(show->row->screen).id) return false;
  Command& command = scan.command;
  command.show = ticket->show;
  command.sequence = ticket->sequence;
  command.id_random = ticket->random;
  const TicketMaker rule = app_.ticket_maker(runner_.now());
  if (command.scanned_at < show->row->start - rule.rule.before_start) command.window = ScanResult::too_early;
  if (command.scanned_at > show->row->end + rule.rule.after_end) command.window = ScanResult::too_late;
  return app_.engine.shared().directory.find(command.show) != nullptr;
}

void Api::send_scans(const std::shared_ptr<ScanRun>& run) {
  // in the order of their times, so that a batch merges as if it had come scan by scan
  std::vector<std::size_t> order(run->scans.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return run->scans[a].command.scanned_at < run->scans[b].command.scanned_at;
  });
  run->left = 1;
  for (const std::size_t at : order) {
    Scan& scan = run->scans[at];
    if (scan.result != ScanResult::valid) continue;
    if (!place_scan(scan)) {
      scan.result = ScanResult::wrong_show;
      continue;
    }
    ++run->left;
    const bool asked = ask(scan.command, [this, run, at](const Reply& reply) {
      run->scans[at].reply = reply;
      run->scans[at].refusal = reply.refusal;
      run->scans[at].result = reply.scan;
      if (--run->left == 0) answer_scans(*run);
    });
    if (asked) continue;
    --run->left;
    scan.refusal = Refusal::mailbox_full;
  }
  if (--run->left == 0) answer_scans(*run);
}

void Api::write_scan(json::Writer& json, const Scan& scan) {
  json.begin_object();
  json.field("result", scan_result_names[static_cast<std::size_t>(scan.result)]);
  json.field("admit", scan.result == ScanResult::valid);
  json.field("gate", scan.gate);
  json.field("direction", directions[scan.command.exit ? 1 : 0]);
  json.field("scanned_at", scan.command.scanned_at);
  if (scan.result != ScanResult::bad_signature && scan.result != ScanResult::unknown_key) {
    json.key("ticket_id");
    json.uuid(scan.payload.ticket);
    json.field("seat_id", scan.payload.seat);
    if (const std::optional<ShowRef> show = view().find(scan.payload.show())) json.field("show_id", show->id);
  }
  if (scan.reply && scan.reply->payment_ref_size != 0) {
    json.field("counted_at", scan.reply->scanned_at);
    json.field("counted_gate", scan.reply->payment());
    if (scan.reply->superseded) json.field("superseded", true);
  }
  if (scan.reply) json.field("lsn", scan.reply->lsn);
  json.end_object();
}

void Api::answer_scans(const ScanRun& run) {
  for (const Scan& scan : run.scans) {
    if (scan.refusal == Refusal::none) continue;
    // what was decided is kept: the same scans with the same nonces have the same answers
    const RefusalInfo& info = describe(scan.refusal);
    metrics_.count_request(static_cast<std::size_t>(Route::check_in), info.status);
    return respond_problem(run.to, {info.status, std::string(info.code), "send the same scans again"});
  }
  for (const Scan& scan : run.scans) metrics_.scans[static_cast<std::size_t>(scan.result)].add();
  body_.clear();
  json::Writer json(body_);
  if (run.batch) {
    json.begin_object();
    json.key("results");
    json.begin_array();
    for (const Scan& scan : run.scans) write_scan(json, scan);
    json.end_array();
    json.end_object();
  } else {
    write_scan(json, run.scans.front());
  }
  metrics_.count_request(static_cast<std::size_t>(Route::check_in), 200);
  send(run.to, {.status = 200, .body = body_.view(), .fields = no_store});
}

// ---- gates ----

void Api::write_side(std::vector<SideWrite> rows, std::function<void()> done) {
  // one loop writes them all, so that two changes of one row keep their order
  engine::AgentRunner& writer = app_.engine.runner(0);
  ++tasks_waiting_;
  writer.post([this, &writer, rows = std::move(rows), done = std::move(done)] {
    for (const SideWrite& row : rows) writer.lane().append_side(row);
    writer.after_durable([this, done] {
      runner_.post([this, done] {
        --tasks_waiting_;
        done();
      });
    });
  });
}

void Api::put_gate(const Call& call) {
  Caller caller;
  if (!check_json(call) || !authenticate(call, Role::admin, false, caller)) return;
  json::Object root = reader_.parse(call.request.body);
  gate::Gate added;
  added.id = root.string("gate_id", {1, limits::gate_id_bytes_max});
  added.name = root.optional_string("name", {1, 200}).value_or("");
  const auto show = root.optional_string("show_id", {1, limits::external_id_bytes_max});
  const auto screen = root.optional_string("screen_id", {1, limits::external_id_bytes_max});
  if (!is_gate_id(added.id)) root.fail("gate_id", "must be visible ASCII without quotes, slashes and backslashes");
  if (show.has_value() == screen.has_value()) root.fail("", "must name either show_id or screen_id");
  added.of_show = show.has_value();
  added.target = show ? *show : screen.value_or("");
  if (show && !view().find(*show)) root.fail("show_id", "no such show");
  if (screen && view().snapshot().data().find_screen(*screen) == engine::position_none) {
    root.fail("screen_id", "no such screen");
  }
  root.finish();
  if (Problem problem; !finish_reading(true, problem)) return respond_problem(call, problem);
  std::optional<SideWrite> row = app_.gates.put(added);
  if (!row) return respond_problem(call, {409, "too_many_gates", "at most 10,000"});
  write_side({std::move(*row)}, [this, to = call.request.reply_to, added] {
    body_.clear();
    json::Writer json(body_);
    write_gate(json, added);
    metrics_.count_request(static_cast<std::size_t>(Route::put_gate), 201);
    send(to, {.status = 201, .body = body_.view(), .fields = no_store});
  });
}

void Api::remove_gate(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::admin, false, caller)) return;
  std::string id;
  (void)http::percent_decode(call.match.parameters[0], id, false);
  std::optional<SideWrite> row = app_.gates.remove(id);
  if (!row) return respond_problem(call, {404, "unknown_gate", "no such gate is registered"});
  write_side({std::move(*row)}, [this, to = call.request.reply_to] {
    metrics_.count_request(static_cast<std::size_t>(Route::remove_gate), 204);
    send(to, {.status = 204, .content_type = {}, .fields = no_store});
  });
}

void Api::list_gates(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::gate, false, caller)) return;
  body_.clear();
  json::Writer json(body_);
  json.begin_object();
  json.key("gates");
  json.begin_array();
  for (const gate::Gate& one : app_.gates.list()) write_gate(json, one);
  json.end_array();
  json.end_object();
  respond(call, {.body = body_.view(), .fields = no_store});
}

// ---- revocations ----

struct Api::RevocationRun {
  ReplyTo to;
  events::LsnCursor from;
  events::LsnCursor until;
  std::vector<Uuid> tickets;
  std::size_t loops_left = 0;
  bool more = false;
};

void Api::list_revocations(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::gate, false, caller)) return;
  http::Query query;
  if (!query.parse(call.request.query)) return respond_problem(call, invalid_parameter("query: malformed"));
  const std::string* from = query.find("from");
  if (!query.first_unknown().empty()) {
    return respond_problem(call, invalid_parameter(std::string(query.first_unknown()) + ": not known here"));
  }
  auto cursor = events::parse_cursor(from == nullptr ? "" : *from, app_.engine.shard_count());
  if (!cursor) return respond_problem(call, invalid_parameter("from: not a cursor of ours"));
  auto run = std::make_shared<RevocationRun>();
  run->to = call.request.reply_to;
  run->from = run->until = std::move(*cursor);
  run->loops_left = app_.engine.loop_count();
  ++tasks_waiting_;
  for (std::size_t at = 0; at < app_.engine.loop_count(); ++at) {
    engine::AgentRunner& other = app_.engine.runner(at);
    other.post([this, run, &other] {
      auto part = std::make_shared<RevocationRun>();
      part->until = run->from;
      for (const engine::Shard* shard : other.shards()) {
        const Lsn begin = run->from[shard->index()];
        const Lsn durable = other.lane().durable_lsn(shard->index());
        if (durable <= begin) continue;
        if (part->tickets.size() >= revocations_max) {
          part->more = true;
          break;
        }
        const Lsn end = shard->revoked_since(begin, durable, revocations_max, part->tickets);
        part->until[shard->index()] = end;
        part->more = part->more || end < durable;
      }
      runner_.post([this, run, part] { add_revocations(*run, *part); });
    });
  }
}

void Api::add_revocations(RevocationRun& run, const RevocationRun& part) {
  for (std::size_t shard = 0; shard < run.until.size(); ++shard) {
    run.until[shard] = std::max(run.until[shard], part.until[shard]);
  }
  run.tickets.insert(run.tickets.end(), part.tickets.begin(), part.tickets.end());
  run.more = run.more || part.more;
  if (--run.loops_left > 0) return;
  --tasks_waiting_;
  std::sort(run.tickets.begin(), run.tickets.end());
  const std::string from = events::format_cursor(run.from);
  const std::string until = events::format_cursor(run.until);
  std::string signed_text = "usher-revocations\n" + from + "\n" + until + "\n";
  body_.clear();
  json::Writer json(body_);
  json.begin_object();
  json.field("from", from);
  json.field("next_cursor", until);
  json.field("more", run.more);
  json.key("tickets");
  json.begin_array();
  for (const Uuid& ticket : run.tickets) {
    json.uuid(ticket);
    signed_text += to_string(ticket) + "\n";
  }
  json.end_array();
  const tickets::TicketKeys::Signature signature = app_.ticket_keys.sign_text(signed_text, runner_.now());
  std::string signature_text;
  identity::append_base64url(signature_text, signature.bytes);
  json.field("kid", tickets::key_text(signature.key));
  json.field("signature", signature_text);
  json.field("server_time", runner_.now());
  json.end_object();
  metrics_.count_request(static_cast<std::size_t>(Route::list_revocations), 200);
  send(run.to, {.status = 200, .body = body_.view(), .fields = no_store});
}

}  // namespace usher::server::api
