#pragma once
/// How the process holds its memory. Called by main() and by whoever serves, each once; changes nothing but speed.

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

namespace usher::server {

/// One heap that grows in large steps, the first GiB of it in huge pages: what a sale keeps is allocated by few threads
/// and never given back. A page at a time costs a fault each (measured: 5 to 8 % of a reserve), and a system call. To
/// be called before anything else.
void prepare_heap();

/// Keeps the next `bytes` of the heap handed over by the kernel, zeroed, ahead of those who allocate: a huge page took
/// a virtual machine up to 7 ms to hand over, and that is better spent before the sale, or by a core that idles, than
/// in a reserve. Reserves take about 320 bytes each. The first `bytes` are there when the constructor is through.
class WarmHeap {
 public:
  explicit WarmHeap(std::size_t bytes);
  ~WarmHeap();
  WarmHeap(const WarmHeap&) = delete;
  WarmHeap& operator=(const WarmHeap&) = delete;

 private:
  void follow();

  std::size_t bytes_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace usher::server
