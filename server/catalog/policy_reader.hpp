#pragma once
/// The policy of a show as people write it: in an import, and in PUT /admin/shows/{id}/policy. Pure.

#include "server/json/reader.hpp"
#include "usher/policy.hpp"

namespace usher::server::catalog {

/// Reads the fields that are given over those of `policy` and finishes the object; mistakes fail its reader.
void read_policy(json::Object& from, Policy& policy);

/// Reads a duration such as "10m" over `to`, where it is given.
void read_duration(json::Object& from, std::string_view name, Duration& to);

}  // namespace usher::server::catalog
