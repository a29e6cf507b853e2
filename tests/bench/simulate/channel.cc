#include "tests/bench/simulate/channel.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <chrono>

#include "rendezvous/base/bytes.h"
#include "rendezvous/base/check.h"

namespace muster::simulate {

namespace {

constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kWriteCap = 1u << 24;

}  // namespace

const char* name_of(Step step) {
  switch (step) {
    case Step::kAssemble:
      return "assemble";
    case Step::kBarrier:
      return "barrier";
    case Step::kAllGather:
      return "all_gather";
    case Step::kBroadcast:
      return "broadcast";
    case Step::kLeave:
      return "leave";
  }
  return "step";
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

double cpu_ms() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

Channel::Channel(asio::io_context& loop, Fd socket, OnBody on_body, std::function<void()> on_ended)
    : on_body_(std::move(on_body)) {
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  connection_ = rendezvous::Connection::create(loop, std::move(socket), kWriteCap);
  connection_->start([this](std::string_view bytes) { on_bytes(bytes); },
                     [ended = std::move(on_ended)](const rendezvous::Ending&) { ended(); });
}

Channel::~Channel() {
  connection_->close();
}

void Channel::send(const std::string& body) {
  ByteWriter writer;
  writer.string(body);
  connection_->send(writer.take());
}

void Channel::on_bytes(std::string_view bytes) {
  received_ += bytes;
  while (received_.size() >= 4) {
    const std::size_t size = ByteReader(received_).u32();
    if (received_.size() < 4 + size) return;
    const std::string body = received_.substr(4, size);
    received_.erase(0, 4 + size);
    on_body_(body);
  }
}

std::string encode(const Order& order) {
  ByteWriter writer;
  writer.u8(static_cast<std::uint8_t>(order.step)).u32(order.round).i64(order.begun_ns);
  return writer.take();
}

Order parse_order(std::string_view body) {
  ByteReader reader(body);
  Order order;
  order.step = static_cast<Step>(reader.u8());
  order.round = reader.u32();
  order.begun_ns = reader.i64();
  MUSTER_CHECK(reader.finish("order"));
  return order;
}

std::string encode(const Measured& measured) {
  ByteWriter writer;
  writer.u32(measured.failed)
      .i64(measured.last_ns)
      .u32(measured.cpu_us)
      .string(measured.first_error);
  writer.u32(static_cast<std::uint32_t>(measured.us.size()));
  for (const std::uint32_t us : measured.us) writer.u32(us);
  return writer.take();
}

Measured parse_measured(std::string_view body) {
  ByteReader reader(body);
  Measured measured;
  measured.failed = reader.u32();
  measured.last_ns = reader.i64();
  measured.cpu_us = reader.u32();
  measured.first_error = reader.string(kMaxText);
  measured.us.resize(reader.count(1u << 20));
  for (std::uint32_t& us : measured.us) us = reader.u32();
  MUSTER_CHECK(reader.finish("measured"));
  return measured;
}

}  // namespace muster::simulate
