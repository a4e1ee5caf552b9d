/// The PostgreSQL peer: one row per seat, taken by a function in one transaction and one round trip.
///
/// Usage: usher_peer_postgres --port N --how locks|versions [--user NAME] [--clients N] [--shows N] [--pairs N] [--hot
/// 0|1]
///   [--offset N] [--seconds S] [--warmup S] [--requests N]
/// libpq without blocking, one connection per client, prepared statements, on one thread. The functions stand in
/// bench/peers/postgres.sql.

#include <postgresql/libpq-fe.h>
#include <sys/epoll.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/arguments.hpp"
#include "bench/peers/closed_loop.hpp"

namespace {

using namespace usher::bench;

class PostgresPeer final : public Peer {
 public:
  PostgresPeer(std::string where, std::string how) : where_(std::move(where)), how_(std::move(how)) {}
  ~PostgresPeer() override {
    for (PGconn* connection : connections_) PQfinish(connection);
  }
  PostgresPeer(const PostgresPeer&) = delete;
  PostgresPeer& operator=(const PostgresPeer&) = delete;

  std::string connect(std::size_t clients, int epoll) override {
    epoll_ = epoll;
    for (std::size_t i = 0; i < clients; ++i) {
      PGconn* connection = PQconnectdb(where_.c_str());
      connections_.push_back(connection);
      wants_write_.push_back(false);
      succeeded_.push_back(false);
      if (PQstatus(connection) != CONNECTION_OK) return PQerrorMessage(connection);
      const std::string reserve = "SELECT reserve_by_" + how_ + "($1, $2, $3, $4)";
      if (!prepare(connection, "reserve", reserve) ||
          !prepare(connection, "release", "SELECT release($1, $2, $3, $4)")) {
        return PQerrorMessage(connection);
      }
      PQsetnonblocking(connection, 1);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      ::epoll_ctl(epoll, EPOLL_CTL_ADD, PQsocket(connection), &event);
    }
    return {};
  }

  void send(std::size_t client, const Ask& ask) override {
    std::array<std::array<char, 24>, 4> texts;
    const std::array<unsigned long long, 4> numbers = {ask.show, ask.first_seat, ask.first_seat + 1, ask.reservation};
    std::array<const char*, 4> values{};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      std::snprintf(texts[i].data(), texts[i].size(), "%llu", numbers[i]);
      values[i] = texts[i].data();
    }
    succeeded_[client] = false;
    PGconn* connection = connections_[client];
    if (PQsendQueryPrepared(connection, ask.release ? "release" : "reserve", 4, values.data(), nullptr, nullptr, 0) !=
        1) {
      fail(connection);
    }
    flush(client);
  }

  void on_event(std::size_t client, std::uint32_t events) override {
    PGconn* connection = connections_[client];
    if ((events & EPOLLOUT) != 0) flush(client);
    if ((events & ~std::uint32_t{EPOLLOUT}) == 0) return;
    if (PQconsumeInput(connection) != 1) fail(connection);
    while (PQisBusy(connection) == 0) {
      PGresult* result = PQgetResult(connection);
      if (result == nullptr) return finished(client, succeeded_[client]);
      on_result(client, result);
      PQclear(result);
    }
  }

 private:
  static bool prepare(PGconn* connection, const char* name, const std::string& statement) {
    PGresult* result = PQprepare(connection, name, statement.c_str(), 4, nullptr);
    const bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return good;
  }

  [[noreturn]] static void fail(const PGconn* connection) {
    std::fprintf(stderr, "PostgreSQL: %s\n", PQerrorMessage(connection));
    std::exit(1);
  }

  /// A conflict of versions or a deadlock is a refusal that the client tries again; any other error ends the run.
  void on_result(std::size_t client, const PGresult* result) {
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
      succeeded_[client] = std::string_view(PQgetvalue(result, 0, 0)) == "t";
      return;
    }
    const char* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string_view state = code == nullptr ? "" : code;
    if (state == "40001" || state == "40P01") return;
    std::fprintf(stderr, "PostgreSQL: %s\n", PQresultErrorMessage(result));
    std::exit(1);
  }

  void flush(std::size_t client) {
    const int left = PQflush(connections_[client]);
    if (left < 0) fail(connections_[client]);
    const bool wants = left == 1;
    if (wants == wants_write_[client]) return;
    wants_write_[client] = wants;
    epoll_event event{};
    event.events = wants ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.u64 = client;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, PQsocket(connections_[client]), &event);
  }

  std::string where_;
  std::string how_;
  int epoll_ = -1;
  std::vector<PGconn*> connections_;
  std::vector<bool> wants_write_;
  std::vector<bool> succeeded_;
};

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv, "bench/peers/postgres.cpp");
  const std::string port = arguments.text("port", "5432");
  const std::string user = arguments.text("user", "usher");
  const std::string how = arguments.text("how", "locks");
  const ClosedLoopOptions options = closed_loop_options(arguments);
  arguments.expect_no_more();
  if (how != "locks" && how != "versions") {
    std::fprintf(stderr, "--how: must be locks or versions\n");
    return 2;
  }
  PostgresPeer peer("host=127.0.0.1 dbname=postgres sslmode=disable gssencmode=disable user=" + user + " port=" + port,
                    how);
  return run_and_print(options, peer);
}
