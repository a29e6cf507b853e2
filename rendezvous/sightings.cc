#include "rendezvous/sightings.h"

#include <algorithm>

namespace muster::rendezvous {

namespace {

template <class Item>
bool has(const std::vector<Item>& items, const Item& wanted) {
  return std::find(items.begin(), items.end(), wanted) != items.end();
}

}  // namespace

void Sightings::note_round(const std::vector<std::uint32_t>& closed,
                           const std::vector<Endpoint>& shut) {
  for (std::uint32_t place = 0; place < doors_.size(); ++place) {
    Door& door = doors_[place];
    door.is_closed = has(closed, place);
    if (door.seen_at && has(shut, *door.seen_at)) door.is_gone = true;
  }
}

void Sightings::note_followed(std::uint32_t place) {
  for (std::uint32_t before = 0; before < place; ++before) doors_.at(before).seen_at.reset();
}

std::vector<std::uint32_t> Sightings::gone() const {
  std::vector<std::uint32_t> places;
  for (std::uint32_t place = 0; place < doors_.size(); ++place)
    if (doors_[place].is_gone) places.push_back(place);
  return places;
}

std::optional<std::uint32_t> Sightings::newest_gone_before(std::uint32_t place) const {
  while (place > 0)
    if (doors_.at(--place).is_gone) return place;
  return std::nullopt;
}

std::uint32_t Sightings::closed_before(std::uint32_t place) const {
  std::uint32_t closed = 0;
  for (std::uint32_t before = 0; before < place; ++before) closed += doors_.at(before).is_closed;
  return closed;
}

}  // namespace muster::rendezvous
