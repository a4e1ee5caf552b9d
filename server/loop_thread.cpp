#include "server/loop_thread.hpp"

#include "spdlog/spdlog.h"

namespace usher::server {

void LoopThread::run(http::Loop& loop, std::function<void()> cycle, std::function<void()> close) {
  loop_ = &loop;
  thread_ = std::thread([this, cycle = std::move(cycle), close = std::move(close)] { main(cycle, close); });
}

void LoopThread::main(const std::function<void()>& cycle, const std::function<void()>& close) {
  while (!stopping_.load(std::memory_order_relaxed)) {
    try {
      cycle();
    } catch (const std::exception& error) {
      // last resort: a loop that dies takes its shards' sales with it
      spdlog::error("the loop caught an exception: {}", error.what());
    }
  }
  loop_->close_all();
  close();
  (void)loop_->poll();  // operations in flight are told, while what they belong to is there
}

void LoopThread::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  loop_->wake();
  thread_.join();
}

}  // namespace usher::server
