#include "server/gate/gate_book.hpp"

#include "usher/bytes.hpp"
#include "usher/limits.hpp"

namespace usher::server::gate {

bool GateBook::load(std::string_view key, std::string_view value) {
  ByteReader in(value);
  Gate gate;
  gate.id = key.substr(1);
  gate.of_show = in.varint_max(1) != 0;
  gate.target = in.text(limits::external_id_bytes_max);
  gate.name = in.text(200);
  if (!in.complete()) return false;
  const std::lock_guard lock(mutex_);
  gates_[gate.id] = std::move(gate);
  return true;
}

std::optional<Gate> GateBook::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = gates_.find(id);
  if (found == gates_.end()) return std::nullopt;
  return found->second;
}

std::vector<Gate> GateBook::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Gate> gates;
  for (const auto& [id, gate] : gates_) gates.push_back(gate);
  return gates;
}

std::optional<SideWrite> GateBook::put(const Gate& gate) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u8(gate.of_show ? 1 : 0);
  out.text(gate.target);
  out.text(gate.name);
  const std::lock_guard lock(mutex_);
  if (gates_.size() >= gates_max && !gates_.contains(gate.id)) return std::nullopt;
  gates_[gate.id] = gate;
  return SideWrite{row_kind + gate.id, std::string(bytes.begin(), bytes.end())};
}

std::optional<SideWrite> GateBook::remove(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto found = gates_.find(id);
  if (found == gates_.end()) return std::nullopt;
  gates_.erase(found);
  return SideWrite{row_kind + std::string(id), {}};
}

}  // namespace usher::server::gate
