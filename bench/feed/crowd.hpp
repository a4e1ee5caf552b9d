#pragma once
/// Crowd: very many WebSocket readers of one show's live feed on one epoll, over several servers or relays, that keep
/// what a real client would: the LSN and the map (usher.binary.v1: each message is the whole map), and come back when
/// they are thrown off: elsewhere, naming the LSN that they know. Every message is held against the rules of the feed
/// (server/ws/README.md). For one thread.

#include <array>
#include <cstdint>
#include <map>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace usher::bench {

class Crowd {
 public:
  /// Readers take turns over `ports` of 127.0.0.1, and over `sources` addresses from 127.0.0.`first_source` on.
  Crowd(std::vector<std::uint16_t> ports, std::string show, unsigned first_source, unsigned sources);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd();

  void add(std::size_t count);
  /// Reads, answers pings and reconnects for at most `timeout_ms`; returns early where `fd` can be read.
  void run(int timeout_ms, int fd);

  /// Readers whose map is of that LSN or newer, when the last of them heard of it, and what their maps are.
  struct State {
    std::size_t there = 0;
    std::size_t connected = 0;
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
    std::map<std::pair<std::uint64_t, std::string>, std::size_t> maps;  ///< readers by LSN and map
  };
  [[nodiscard]] State state(std::uint64_t lsn) const;
  [[nodiscard]] std::size_t there(std::uint64_t lsn) const noexcept;

  struct Counters {
    std::uint64_t messages = 0;
    std::uint64_t reconnects = 0;
    std::uint64_t refused = 0;                      ///< handshakes that were not answered 101
    std::map<std::uint16_t, std::uint64_t> closed;  ///< by the code of the server's Close; 0: without one
    std::vector<std::string> faults;                ///< rules that a message broke, the first few
  };
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::size_t size() const noexcept { return readers_.size(); }

 private:
  struct Reader {
    int fd = -1;
    bool open = false;  ///< the handshake is through
    bool fresh = true;  ///< nothing has come on this connection
    std::uint32_t attempts = 0;
    std::uint64_t lsn = 0;
    std::int64_t heard_ns = 0;
    std::string map;
    std::string rest;  ///< of a frame, seldom
  };
  struct Due {
    std::int64_t at_ns;
    std::size_t index;
    bool operator>(const Due& other) const noexcept { return at_ns > other.at_ns; }
  };

  void open_due();
  void open(std::size_t index);
  void read(Reader& reader);
  [[nodiscard]] std::size_t take(Reader& reader, std::string_view data);
  [[nodiscard]] std::size_t take_answer(Reader& reader, std::string_view data);
  [[nodiscard]] std::size_t take_frame(Reader& reader, std::string_view data);
  void take_message(Reader& reader, std::string_view payload);
  void lose(Reader& reader, std::uint16_t code);
  void fault(const Reader& reader, const std::string& what);

  const std::vector<std::uint16_t> ports_;
  const std::string show_;
  const unsigned first_source_;
  const unsigned sources_;
  int epoll_;
  std::vector<Reader> readers_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::size_t opening_ = 0;
  std::minstd_rand random_{42};
  Counters counters_;
};

}  // namespace usher::bench
