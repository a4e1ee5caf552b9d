#include "server/notify/courier.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>

#include "server/shard_clock.hpp"

namespace usher::server::notify {
namespace {

constexpr std::size_t records_per_read = 256;
/// The cursor is written at the latest after so many records that asked for nothing: what a restart reads again.
constexpr std::size_t records_unsaved_max = 10'000;
constexpr std::chrono::milliseconds idle_wait{100};

/// Runs `job` on a loop and waits. Returns: false when the loop does not answer, which only the end of a process
/// brings.
[[nodiscard]] bool on_loop(engine::AgentRunner& runner, std::function<void(const std::function<void()>&)> job) {
  auto promise = std::make_shared<std::promise<void>>();
  std::future<void> done = promise->get_future();
  runner.post([promise, job = std::move(job)] { job([promise] { promise->set_value(); }); });
  return done.wait_for(std::chrono::seconds{10}) == std::future_status::ready;
}

}  // namespace

Courier::Courier(std::unique_ptr<Sink> sink, engine::Engine& engine, wal::OpenedLog& log,
                 std::shared_ptr<events::EventHub> hub, CourierOptions options)
    : sink_(std::move(sink)),
      engine_(engine),
      log_(log),
      hub_(std::move(hub)),
      options_(options),
      reader_(*hub_, log_) {}

Courier::~Courier() {
  stop();
}

bool Courier::load(std::string_view key, std::string_view value) {
  if (key.starts_with(cursor_row) && key.substr(1) == name()) {
    auto cursor = events::parse_cursor(value, engine_.shard_count());
    if (!cursor) return false;
    cursor_ = std::move(*cursor);
    return true;
  }
  if (!key.starts_with(delivery_row) || !key.substr(1).starts_with(std::string(name()) + "-")) return true;
  std::optional<Delivery> delivery = from_row(key, value);
  if (!delivery) return false;
  queue_[delivery->id] = std::move(*delivery);
  return true;
}

void Courier::start() {
  thread_ = std::thread([this] { run(); });
}

void Courier::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Instant Courier::now() const {
  return instant_from_ms(system_clocks.wall_ns() / 1'000'000);
}

bool Courier::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Courier::run() {
  while (!stopping()) {
    const bool any = begin() && (read() | deliver());
    std::unique_lock lock(mutex_);
    if (!any && !stopping_) changed_.wait_for(lock, idle_wait);
  }
}

/// A sink that is new begins at the log's end: nobody wants mails about last year.
bool Courier::begin() {
  if (!cursor_.empty()) return true;
  events::LsnCursor end(engine_.shard_count());
  for (std::size_t loop = 0; loop < engine_.loop_count(); ++loop) {
    engine::AgentRunner& runner = engine_.runner(loop);
    auto part = std::make_shared<std::vector<std::pair<ShardIndex, Lsn>>>();
    const bool answered = on_loop(runner, [&runner, part](const std::function<void()>& done) {
      for (const engine::Shard* shard : runner.shards()) {
        part->emplace_back(shard->index(), runner.lane().durable_lsn(shard->index()));
      }
      done();
    });
    if (!answered) return false;
    for (const auto& [shard, lsn] : *part) end[shard] = lsn;
  }
  if (!write({{cursor_row + std::string(name()), events::format_cursor(end)}})) return false;
  cursor_ = std::move(end);
  return true;
}

bool Courier::read() {
  {
    const std::lock_guard lock(mutex_);
    const auto waiting =
        std::count_if(queue_.begin(), queue_.end(), [](const auto& entry) { return !entry.second.dead; });
    if (static_cast<std::size_t>(waiting) >= options_.queue_max) return false;
  }
  events::LsnCursor cursor = cursor_;
  std::vector<Record> records;
  const auto count = reader_.read(cursor, records_per_read, [&](const Record& record) { records.push_back(record); });
  if (!count) {
    const std::lock_guard lock(mutex_);
    if (!counters_.stuck) spdlog::error("{}: the log cannot be followed: {}", name(), count.error().detail);
    counters_.stuck = true;
    return false;
  }
  if (records.empty()) return false;
  events::Facts facts;
  if (!events::look_up(engine_, records, facts)) return false;
  std::vector<Delivery> wanted;
  for (const Record& record : records) {
    for (std::size_t index = 0; index < record.events.size(); ++index) sink_->want(record, index, facts, wanted);
  }
  records_unsaved_ += records.size();
  if (!wanted.empty() || records_unsaved_ >= records_unsaved_max) {
    std::vector<SideWrite> rows;
    for (const Delivery& delivery : wanted) rows.push_back(to_row(delivery));
    rows.push_back({cursor_row + std::string(name()), events::format_cursor(cursor)});
    if (!write(std::move(rows))) return false;
    records_unsaved_ = 0;
  }
  cursor_ = std::move(cursor);
  const std::lock_guard lock(mutex_);
  for (Delivery& delivery : wanted) queue_.try_emplace(delivery.id, std::move(delivery));
  return true;
}

bool Courier::deliver() {
  std::vector<Delivery> due;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, delivery] : queue_) {
      if (!delivery.dead && delivery.due <= now()) due.push_back(delivery);
      if (due.size() == 64) break;
    }
  }
  for (const Delivery& delivery : due) {
    if (stopping()) return true;
    end_attempt(delivery.id, sink_->send(delivery));
  }
  return !due.empty();
}

void Courier::end_attempt(const std::string& id, const Outcome& outcome) {
  SideWrite row;
  {
    const std::lock_guard lock(mutex_);
    Delivery& delivery = queue_[id];
    ++delivery.attempts;
    if (outcome.kind == Outcome::Kind::done) {
      ++counters_.sent;
      row = {delivery_row + id, {}};
      queue_.erase(id);
    } else {
      ++counters_.failed_attempts;
      delivery.error = outcome.error.substr(0, 300);
      delivery.dead = outcome.kind == Outcome::Kind::give_up || delivery.attempts >= options_.attempts_max;
      if (delivery.dead) ++counters_.given_up;
      const std::uint32_t doublings = std::min<std::uint32_t>(delivery.attempts - 1, 20);
      delivery.due = now() + std::min<Duration>(options_.first_wait * (1U << doublings), options_.longest_wait);
      row = to_row(delivery);
    }
  }
  (void)write({std::move(row)});
}

bool Courier::write(std::vector<SideWrite> rows) {
  engine::AgentRunner& runner = engine_.runner(0);
  return on_loop(runner, [&runner, rows = std::move(rows)](const std::function<void()>& done) {
    for (const SideWrite& row : rows) runner.lane().append_side(row);
    runner.after_durable(done);
  });
}

std::vector<Delivery> Courier::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Delivery> all;
  for (const auto& [id, delivery] : queue_) all.push_back(delivery);
  return all;
}

bool Courier::retry(std::string_view id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = queue_.find(id);
    if (found == queue_.end()) return false;
    // memory only: should the process end before the attempt, it is in the list as before
    found->second.dead = false;
    found->second.attempts = 0;
    found->second.due = {};
  }
  changed_.notify_all();
  return true;
}

Courier::Counters Courier::counters() const {
  const std::lock_guard lock(mutex_);
  Counters counters = counters_;
  for (const auto& [id, delivery] : queue_) delivery.dead ? ++counters.dead : ++counters.waiting;
  return counters;
}

}  // namespace usher::server::notify
