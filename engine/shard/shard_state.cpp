#include "engine/shard/shard_state.hpp"

namespace usher::engine {

SlabIndex ShardState::find_person(UserNumber user) const noexcept {
  return by_person.find(mix64(to_value(user)), [&](SlabIndex candidate) { return people[candidate].user == user; });
}

SlabIndex ShardState::find_key(const IdempotencyTag& tag) const noexcept {
  return by_key.find(tag.key_low, [&](SlabIndex candidate) {
    return keys[candidate].tag.key_low == tag.key_low && keys[candidate].tag.key_high == tag.key_high;
  });
}

SlabIndex ShardState::make_user(SlabIndex show, UserNumber user) {
  SlabIndex found = find_user(show, user);
  if (found != 0) return found;
  found = users.allocate();
  UserOnShow& entry = users[found];
  entry.user = user;
  entry.show = show;
  entry.next = shows[show].users;
  if (entry.next != 0) users[entry.next].previous = found;
  shows[show].users = found;
  by_user_on_show.insert(user_hash(show, user), found);
  return found;
}

SlabIndex ShardState::make_person(UserNumber user) {
  SlabIndex found = find_person(user);
  if (found != 0) return found;
  found = people.allocate();
  people[found].user = user;
  by_person.insert(mix64(to_value(user)), found);
  return found;
}

void ShardState::tidy_user(SlabIndex user_on_show, Instant now) {
  UserOnShow& entry = users[user_on_show];
  if (entry.live != 0 || entry.abandoned != 0 || entry.cooldown_until > now) return;
  if (entry.timer != 0) wheel.cancel(entry.timer);
  if (entry.previous != 0) {
    users[entry.previous].next = entry.next;
  } else {
    shows[entry.show].users = entry.next;
  }
  if (entry.next != 0) users[entry.next].previous = entry.previous;
  by_user_on_show.erase(user_hash(entry.show, entry.user), user_on_show);
  users.release(user_on_show);
}

void ShardState::tidy_person(SlabIndex person) {
  const Person& entry = people[person];
  if (entry.bookings != 0 || entry.live_keys != 0) return;
  by_person.erase(mix64(to_value(entry.user)), person);
  people.release(person);
}

void ShardState::forget_key(SlabIndex key) {
  const IdempotencyEntry& entry = keys[key];
  if (entry.timer != 0) wheel.cancel(entry.timer);
  (entry.previous != 0 ? keys[entry.previous].next : shows[entry.show].keys) = entry.next;
  if (entry.next != 0) keys[entry.next].previous = entry.previous;
  const SlabIndex reservation = find_reservation(entry.show, entry.effect.sequence);
  if (reservation != 0 && reservations[reservation].key == key) reservations[reservation].key = 0;
  by_key.erase(entry.tag.key_low, key);
  const SlabIndex person = find_person(entry.user);
  --people[person].live_keys;
  tidy_person(person);
  keys.release(key);
}

std::size_t ShardState::capacity_bytes() const noexcept {
  return wheel.capacity_bytes() + arena.capacity_bytes() + shows.capacity_bytes() + reservations.capacity_bytes() +
         bookings.capacity_bytes() + refunds.capacity_bytes() + uses.capacity_bytes() + users.capacity_bytes() +
         people.capacity_bytes() + keys.capacity_bytes() + images.capacity_bytes() + by_sequence.capacity_bytes() +
         by_user_on_show.capacity_bytes() + by_person.capacity_bytes() + by_key.capacity_bytes();
}

void chain_append(Slab<Reservation>& slab, Chain& chain, SlabIndex index) {
  Reservation& reservation = slab[index];
  reservation.next = 0;
  reservation.previous = chain.last;
  if (chain.last != 0) {
    slab[chain.last].next = index;
  } else {
    chain.first = index;
  }
  chain.last = index;
}

void chain_remove(Slab<Reservation>& slab, Chain& chain, SlabIndex index) {
  const Reservation& reservation = slab[index];
  (reservation.previous != 0 ? slab[reservation.previous].next : chain.first) = reservation.next;
  (reservation.next != 0 ? slab[reservation.next].previous : chain.last) = reservation.previous;
}

}  // namespace usher::engine
