#pragma once
/// The parts that browse answers are made of, in the wire names of DESIGN 7. For browse.cpp.

#include <cstdint>

#include "server/catalog/browse.hpp"
#include "server/json/writer.hpp"

namespace usher::server::catalog {

/// Two decimals: ten metres.
void write_distance(json::Writer& writer, double distance_km);
/// All fields of a movie, without the braces; what is not known is null.
void write_movie_fields(json::Writer& writer, const engine::Movie& movie);
/// All fields of a theater but its screens, without the braces.
void write_theater_fields(json::Writer& writer, const engine::Theater& theater);
/// All fields of a show, without the braces; the zone is that of its theater.
void write_show_fields(json::Writer& writer, const BrowseContext& context, std::uint32_t show);
void write_screen(json::Writer& writer, const engine::Screen& screen);

}  // namespace usher::server::catalog
