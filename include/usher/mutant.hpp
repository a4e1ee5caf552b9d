#pragma once
/// Planted bugs. A build with USHER_MUTANTS has one at each USHER_MUTANT(number, what), switched on one at a time by
/// `usher_sim --mutant N`; tools/mutants shows that each is found. In every other build the condition is a plain
/// `false` and nothing is left of it.

#ifdef USHER_MUTANTS

namespace usher {
/// The bug that is switched on; 0 = none. Set before anything else runs.
inline int mutant_on = 0;
}  // namespace usher

#define USHER_MUTANT(number, what) (::usher::mutant_on == (number))

#else

#define USHER_MUTANT(number, what) false

#endif
