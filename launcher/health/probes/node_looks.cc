#include "launcher/health/probes/node_looks.h"

#include <utility>

#include "rendezvous/base/asio.h"

namespace muster::health {

namespace {

bool needs_watch(const HealthFacts& facts) {
  return facts.driver_problem.empty() && !facts.gpus.empty() && !facts.host.kernel_xids.value;
}

}  // namespace

NodeLooks::NodeLooks(asio::io_context& loop, NodeLooksOptions options)
    : loop_(loop), options_(std::move(options)) {}

void NodeLooks::look(Done done) {
  done_ = std::move(done);
  question_.reset();
  awaits_watch_ = watch_ && !watched_;
  if (awaits_watch_) return watch_->stop();
  start_look();
}

void NodeLooks::stop_watching() {
  watch_.reset();
  watched_.reset();
  if (std::exchange(awaits_watch_, false)) start_look();
}

void NodeLooks::start_look() {
  question_ = std::make_unique<ChildQuestion>(
      loop_, "muster-look",
      [this]() {
        options_.prepare();
        return encode(look_at_node(options_.look));
      },
      options_.limit, [this](const Result<std::string>& answer) { on_facts(answer); });
}

void NodeLooks::start_watch() {
  watch_ = std::make_unique<XidWatch>(
      loop_, options_.look.library, options_.watch_limit,
      [this](Fact<std::vector<XidEvent>> events) { on_watched(std::move(events)); });
}

// It may also end by itself: at its limit, or when the driver cannot.
void NodeLooks::on_watched(Fact<std::vector<XidEvent>> events) {
  watched_ = std::move(events);
  if (std::exchange(awaits_watch_, false)) start_look();
}

void NodeLooks::on_facts(const Result<std::string>& answer) {
  Result<std::string> facts = add_xids(answer);
  if (const Done done = std::exchange(done_, nullptr)) done(std::move(facts));
}

// Of a look that ends a watch; any other begins one where it is of use.
Result<std::string> NodeLooks::add_xids(const Result<std::string>& answer) {
  const auto watched = std::exchange(watched_, std::nullopt);
  if (watched) watch_.reset();
  if (!answer) return answer;
  MUSTER_TRY(facts, parse_health_facts(*answer));
  if (!watched) {
    if (!watch_ && needs_watch(facts)) start_watch();
    return answer;
  }
  facts.host.watched_xids = *watched;
  return encode(facts);
}

}  // namespace muster::health
