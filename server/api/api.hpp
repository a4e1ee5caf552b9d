#pragma once
/// Api: turns requests into commands and answers into JSON, for one loop and on its thread only. It decides nothing
/// about seats and waits for nothing: what needs a shard is submitted and answered by on_reply() when the log is
/// durable; what would block goes to the work pool and comes back as a task of the loop.
///
/// The straight way of a request (DESIGN 3): on_request -> router -> one handler per call -> json::Reader -> Command ->
/// AgentRunner::submit ... on_reply -> write_answer -> http::Loop::respond.

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/shard/agent_runner.hpp"
#include "server/api/answer_writer.hpp"
#include "server/api/app.hpp"
#include "server/api/asks.hpp"
#include "server/api/batch.hpp"
#include "server/api/caller.hpp"
#include "server/api/listing_cache.hpp"
#include "server/api/live_shows.hpp"
#include "server/api/people.hpp"
#include "server/api/pool_answer.hpp"
#include "server/api/problem.hpp"
#include "server/api/random_pool.hpp"
#include "server/api/reply_json.hpp"
#include "server/api/routes.hpp"
#include "server/api/saga.hpp"
#include "server/api/work_gate.hpp"
#include "server/catalog/browse.hpp"
#include "server/catalog/query.hpp"
#include "server/catalog/seat_map.hpp"
#include "server/http/connection.hpp"
#include "server/json/reader.hpp"
#include "server/json/seat_ids.hpp"
#include "server/ws/feed.hpp"

namespace usher::server::api {

/// Which listener a request came by: with a listener of their own, what is for operators is not for customers to reach.
enum class Entrance : std::uint8_t { both, customers, operators };

enum class DocumentFormat : std::uint8_t;

class Api final : public ReplySink {
 public:
  Api(App& app, http::Loop& loop, engine::AgentRunner& runner, metrics::LoopMetrics& metrics);

  // from the sockets
  void on_request(const http::Request& request, http::Connection& connection, Entrance entrance);

  // from the shards
  void on_reply(const Reply& reply) override;

  /// Once per cycle of the loop.
  void tick();
  /// Once per cycle: a slice of what the live feed has to tell. Returns: whether there is more to do at once.
  bool work_feed();
  [[nodiscard]] ws::Feed& feed() noexcept { return feed_; }
  /// The loop's counter of microseconds, read when a cycle begins and again before its answers go out. Wraps.
  void set_time_us(std::uint32_t now_us) noexcept { now_us_ = now_us; }
  [[nodiscard]] Saga& saga() noexcept { return saga_; }
  /// The HTTP status of an answer to a client.
  [[nodiscard]] static std::uint16_t answer_status(const Reply& reply) noexcept;
  /// Answers that clients still wait for, beyond those in the runner's outbox.
  [[nodiscard]] std::size_t waiting() const noexcept {
    return saga_.clients_waiting() + batches_.open() + asks_.waiting() + tasks_waiting_;
  }

 private:
  struct Call {
    const http::Request& request;
    http::Connection& connection;
    const http::RouteMatch& match;
    Route route;
    Entrance entrance;
  };
  struct ListRun;
  struct SeatCopy;
  struct SearchRun;

  // api.cpp: what all calls share
  void dispatch(const Call& call);
  /// Tickets, gates, events, people, deliveries.
  void dispatch_after_sale(const Call& call);
  void dispatch_queue(const Call& call);  ///< waiting rooms and lists
  /// Who is asking. Returns: false after the refusal was answered. `anonymous`: a session is made for who has none.
  [[nodiscard]] bool authenticate(const Call& call, Role least, bool anonymous, Caller& caller);
  void respond(const Call& call, const http::Response& response);
  /// Every answer that does not go out at once leaves by this: it adds the header lines that belong to the request.
  void send(const ReplyTo& to, http::Response response);
  [[nodiscard]] bool within_limits(const Call& call);
  [[nodiscard]] bool within_limits(const Call& call, const Caller& caller);
  [[nodiscard]] bool note_limit(const Call& call, bool of_user, const RateVerdict& verdict);
  void respond_problem(const Call& call, const Problem& problem, std::string_view fields = no_store);
  void respond_problem(const ReplyTo& to, const Problem& problem, std::string_view fields = no_store);
  void respond_refusal(const Call& call, Refusal refusal, std::string_view detail = {});
  void respond_overloaded(const Call& call);
  void submit(const Call& call, Command& command, ShardIndex shard);
  void submit_by_show(const Call& call, Command& command, Refusal unknown);
  [[nodiscard]] bool tag(const Call& call, const Caller& caller, Command& command);
  void deliver(const ReplyTo& to, const Reply& reply);
  void write_answer(json::Writer& json, const Reply& reply);
  void count(const Reply& reply);
  [[nodiscard]] std::string_view take_cookie(const ReplyTo& to);
  [[nodiscard]] const CatalogView& view();
  [[nodiscard]] std::shared_ptr<const CatalogView> view_shared() { return (void)view(), view_; }

  // api_sale.cpp
  void reserve(const Call& call);
  void reservation(const Call& call, CommandType type);
  void book(const Call& call);
  void booking(const Call& call, CommandType type);
  void list_bookings(const Call& call);
  void add_to_list(ListRun& run, const std::vector<Reply>& part);
  void commands(const Call& call);
  [[nodiscard]] bool run_reserve_line(const json::ReserveLine& line, const Caller& caller, const ReplyTo& to,
                                      Problem& problem);
  [[nodiscard]] bool run_line(std::string_view line, const Caller& caller, const ReplyTo& to, Problem& problem);
  [[nodiscard]] bool send_line(const Command& command, std::string_view token, Problem& problem);
  void write_batch(std::size_t index);
  [[nodiscard]] bool check_json(const Call& call);
  [[nodiscard]] static bool take_seats(const json::SeatIds& ids, const engine::Layout& layout, Command& command,
                                       Problem& problem);
  [[nodiscard]] bool read_reserve(std::string_view body, const ShowRef& show, Command& command, Problem& problem);
  [[nodiscard]] bool read_wish(json::Object& root, const engine::Layout& layout, Command& command);
  [[nodiscard]] bool read_seats(json::Object& root, const engine::Layout& layout, std::string_view field,
                                Command& command);
  [[nodiscard]] bool finish_reading(bool seats_known, Problem& problem);

  // api_tickets.cpp
  /// Runs `work` on the pool and answers with what it returns. Returns: false when the pool is full.
  [[nodiscard]] bool in_pool(const Call& call, std::function<PoolAnswer()> work);
  void answer_from_pool(const ReplyTo& to, Route route, const PoolAnswer& answer);
  using WriteText = std::function<void(const AnswerWriter&, json::TextBuffer&)>;
  /// Writes an answer that holds tickets on the pool; where that is full, here and now.
  void write_in_pool(const ReplyTo& to, std::string_view content_type, WriteText write, std::uint16_t status = 200);
  void deliver_tickets(const ReplyTo& to, const Reply& reply, std::uint16_t status);
  /// Sends a command of our own to the show it names. Returns: false when it was not taken; `answer` is then dropped.
  [[nodiscard]] bool ask(Command& command, std::function<void(const Reply&)> answer);
  void booking_file(const Call& call);
  void make_booking_file(const ReplyTo& to, Route route, const std::optional<Id>& ticket, const Reply& reply);
  void read_ticket_keys(const Call& call);
  void add_ticket_key(const Call& call);
  void retire_ticket_key(const Call& call);

  // api_queue.cpp
  void join_queue(const Call& call);
  void place(const Call& call, CommandType type);
  void waitlist(const Call& call, CommandType type);
  void show_admission(std::string_view token, Command& command) const;
  void write_place(json::Writer& json, const Reply& reply);
  void write_party(json::Writer& json, const Reply& reply, const ShowRef& show);

  // api_rooms.cpp
  struct RoomPage;
  void open_room(const Call& call);
  void explain_show(const Call& call);  // api_explain.cpp
  void list_rooms(const Call& call);
  void read_room(const Call& call);
  void change_room(const Call& call);
  void close_room(const Call& call);
  void hold_draw(const Call& call);
  void read_draw(const Call& call);
  void change_policy(const Call& call);
  void apply_policy(const ReplyTo& to, ShowNumber show, const Policy& before, const std::string& body);
  void answer_changed(const ReplyTo& to, Route route, bool changed, const Problem& otherwise, const std::string& body);
  [[nodiscard]] bool read_settings(const Call& call, engine::RoomSettings& settings);
  /// The room of the path, or nothing after the refusal was answered.
  [[nodiscard]] std::optional<engine::RoomTable::Entry> room_of(const Call& call);
  /// Runs `read` on the loop of the room, then `answer` here, when what it has seen is durable.
  void ask_room(const engine::RoomTable::Entry& room, std::function<std::string(const engine::Room&)> read,
                std::function<void(const std::string&)> answer);
  // api_gate.cpp
  struct Scan;
  struct ScanRun;
  struct RevocationRun;
  struct EventRun;
  struct ExportRun;
  void check_in(const Call& call);
  [[nodiscard]] bool read_scan(json::Object& body, Scan& scan);
  /// Fills in where the scan goes. Returns: false when the gate is not one of the ticket's show.
  [[nodiscard]] bool place_scan(Scan& scan);
  void send_scans(const std::shared_ptr<ScanRun>& run);
  void answer_scans(const ScanRun& run);
  void write_scan(json::Writer& json, const Scan& scan);
  /// Makes rows of the side table durable, all or none, then calls `done` on this loop.
  void write_side(std::vector<SideWrite> rows, std::function<void()> done);
  void put_gate(const Call& call);
  void remove_gate(const Call& call);
  void list_gates(const Call& call);
  void list_revocations(const Call& call);
  void add_revocations(RevocationRun& run, const RevocationRun& part);

  // api_people.cpp
  void export_me(const Call& call);
  void answer_export(const std::shared_ptr<ExportRun>& run);
  void erase_me(const Call& call);
  void list_deliveries(const Call& call);
  void retry_delivery(const Call& call);

  // api_events.cpp
  void list_events(const Call& call);
  void start_events(const std::shared_ptr<EventRun>& run);
  void end_events(const std::shared_ptr<EventRun>& run);
  void poll_events();

  // api_browse.cpp
  void browse(const Call& call);
  void show_seats(const Call& call);
  void show_past_seats(const Call& call, const ShowRef& show);
  void answer_copy(const ReplyTo& to, const SeatCopy& copy, ShowNumber number, std::string_view if_none_match);
  void answer_seats(const ReplyTo& to, const engine::ShowView& seats, const ShowRef& show,
                    std::string_view if_none_match);

  // api_search.cpp
  void list_movies(const Call& call);
  void search_movies(const Call& call);
  void suggest_movies(const Call& call);
  void finish_listing(const ReplyTo& to, std::string_view query, std::uint64_t catalog_changes,
                      std::uint64_t index_commits, const catalog::BrowseAnswer& answer, std::string_view body,
                      std::string_view if_none_match);
  void answer_listing(const ReplyTo& to, const Listing& listing, std::string_view if_none_match);

  // api_catalog.cpp
  void put_entity(const Call& call);
  [[nodiscard]] bool check_preconditions(const Call& call, std::string_view id);
  [[nodiscard]] std::optional<std::string> tag_of(Route route, std::string_view id);

  // api_web.cpp
  [[nodiscard]] bool show_page(const Call& call);

  // api_live.cpp
  void live(const Call& call);

  // api_admin.cpp
  void import(const Call& call);
  [[nodiscard]] bool begin_import(const Call& call);
  void run_import(const Call& call, std::string document, DocumentFormat format, bool dry_run);
  void admin_show(const Call& call, CommandType type);
  void list_as_cancelled(ShowNumber show);
  void read_metrics(const Call& call);
  void read_ready(const Call& call);
  void read_index(const Call& call);

  App& app_;
  http::Loop& loop_;
  engine::AgentRunner& runner_;
  metrics::LoopMetrics& metrics_;
  Identity identity_;
  RandomPool random_;
  People people_{random_};
  json::Reader reader_;
  json::TextBuffer body_;
  json::TextBuffer batch_text_;
  std::string fields_;
  std::string cookie_;
  std::string sent_fields_;
  std::shared_ptr<const CatalogView> view_;
  std::uint64_t view_changes_ = ~std::uint64_t{0};
  catalog::SeatMapCache seat_maps_;
  ListingCache listings_;
  std::function<std::optional<std::uint32_t>(ShowNumber)> available_;
  Saga saga_;
  ws::Feed feed_;
  LiveShows live_shows_;
  WorkGate gate_;
  Batches batches_;
  Asks asks_;
  std::vector<std::shared_ptr<EventRun>> event_waits_;      ///< who waits for the next event
  std::unordered_map<std::uint64_t, std::string> cookies_;  ///< header lines to hand out with answers that are due
  std::size_t tasks_waiting_ = 0;
  std::uint32_t now_us_ = 0;
};

}  // namespace usher::server::api
