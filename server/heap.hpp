#pragma once
/// How the process holds its memory. Called by main() and by whoever serves, each once; changes nothing but speed.

#include <cstddef>

namespace usher::server {

/// One heap that grows in large steps, the first GiB of it in huge pages: what a sale keeps is allocated by few threads
/// and never given back. A page at a time costs a fault each (measured: 5 to 8 % of a reserve), and a system call. To
/// be called before anything else.
void prepare_heap();

/// Makes the kernel hand over the next `bytes` of the heap now, zeroed: a huge page took a virtual machine up to 4 ms
/// to hand over, and that is better spent before the sale than in it. Reserves take about 400 bytes each.
void warm_heap(std::size_t bytes);

}  // namespace usher::server
